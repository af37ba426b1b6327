//! Applying a plan: looking again, deleting tag by tag, and the report.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    future::IntoFuture,
    pin::Pin,
    time::Duration,
};

use serde::Serialize;
use tokio::task::JoinSet;

use crate::{
    actions::{
        delete_repo_image::DeleteRepoImageRequest,
        get_image_tag::{GetImageTagRequest, Tag},
    },
    client::Client,
    error::{Error, Execution},
    exchange::retry::RetryPolicy,
    recipes::{
        lookup::{concerns_every_call, find_tag, list_tags},
        retention::plan::{ImagePlan, Plan, Reason, TagPlan, Totals},
    },
};

impl Plan {
    /// Deletes what the plan deletes. Await the result; it has settings.
    ///
    /// The tags of an image are listed again before its first deletion, and each tag before its
    /// own. A tag is skipped for a [`SkipReason`], such as another time or digest than planned. The
    /// client's retry policy does not apply to deletions: after one with an unknown outcome, the tag
    /// is looked up, and deleted again only if it is still the planned one.
    ///
    /// Dropping the future stops it. Applying the same plan again does the rest.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: uhub_sdk::Client, plan: uhub_sdk::recipes::retention::Plan) {
    /// let report = plan.apply(&client).max_deletions(100).max_share(0.5).await;
    /// println!("{report}");
    /// # }
    /// ```
    pub fn apply<'a>(&'a self, client: &'a Client) -> Apply<'a> {
        Apply {
            plan: self,
            client,
            concurrency: 4,
            max_deletions: usize::MAX,
            max_share: 1.0,
            on_progress: Box::new(|_| {}),
        }
    }
}

/// The application of a [`Plan`]. [`Plan::apply`] creates it, and awaiting it runs it.
#[must_use = "nothing is deleted until it is awaited"]
pub struct Apply<'a> {
    plan: &'a Plan,
    client: &'a Client,
    concurrency: usize,
    max_deletions: usize,
    max_share: f64,
    on_progress: Box<dyn FnMut(&Progress<'_>) + Send + 'a>,
}

/// The progress of an application, reported after each tag.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Progress<'a> {
    /// The tag that was dealt with.
    pub tag: &'a ReportedTag,
    /// The number of tags that were dealt with.
    pub done: usize,
    /// The number of tags that the plan deletes.
    pub total: usize,
}

/// A tag with everything that identifies it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct TagId {
    /// The project of the repository.
    pub project_id: String,
    /// The repository of the image.
    pub repo_name: String,
    /// The image of the tag.
    pub image_name: String,
    /// The name of the tag.
    pub tag_name: String,
}

/// What happened to a tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TagOutcome {
    /// It was deleted.
    Deleted,
    /// It did not exist any more.
    AlreadyGone,
    /// It was not deleted, for this reason.
    Skipped(SkipReason),
    /// It was not deleted, or its deletion could not be confirmed. This is the error.
    Failed(String),
    /// Something stopped the run before its turn: see [`Report::stopped`].
    NotTried,
}

/// Why a tag was not deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SkipReason {
    /// Its time or its digest is not the planned one: it was pushed again.
    Changed,
    /// This tag has the same digest and stays.
    SharesDigest(String),
    /// It has no digest, so it may share one with a tag that stays.
    UnknownDigest,
    /// This tag is gone, which the plan keeps by a clause: a new plan may keep others instead.
    KeptTagGone(String),
}

/// What happened to the tags that a plan deletes.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The tags, in the order of the plan.
    pub tags: Vec<ReportedTag>,
    /// What stopped the run. `None` if every tag was tried.
    pub stopped: Option<String>,
}

/// A tag that a plan deletes, and what happened to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ReportedTag {
    /// The tag.
    #[serde(flatten)]
    pub tag: TagId,
    /// What happened to it.
    pub outcome: TagOutcome,
}

/// How many tags had an outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ReportTotals {
    /// Deleted by this run.
    pub deleted: usize,
    /// Already gone.
    pub already_gone: usize,
    /// Skipped.
    pub skipped: usize,
    /// Failed.
    pub failed: usize,
    /// Not tried.
    pub not_tried: usize,
}

impl<'a> Apply<'a> {
    /// Sets how many tags are dealt with at a time. Defaults to 4; 0 means 1.
    pub fn concurrency(mut self, tags: usize) -> Self {
        self.concurrency = tags.max(1);
        self
    }

    /// Stops after this number of deletions, failed ones included. Unlimited by default.
    pub fn max_deletions(mut self, deletions: usize) -> Self {
        self.max_deletions = deletions;
        self
    }

    /// Deletes nothing if the plan deletes more than this share of its tags, those of untouched
    /// images included: `0.5` is half of them. Defaults to `1.0`, which allows all.
    pub fn max_share(mut self, share: f64) -> Self {
        self.max_share = share;
        self
    }

    /// Sets a function that is called after each tag.
    pub fn on_progress(mut self, function: impl FnMut(&Progress<'_>) + Send + 'a) -> Self {
        self.on_progress = Box::new(function);
        self
    }

    async fn run(mut self) -> Report {
        let plan = self.plan;
        let mut run = Run { report: Report::new(plan), done: 0, on_progress: self.on_progress };
        run.report.stopped = too_large(plan, self.max_share);
        let mut first = 0;
        for image in &plan.images {
            let deletions: Vec<&TagPlan> = image.deletions().collect();
            let places = first..first + deletions.len();
            first = places.end;
            if deletions.is_empty() || run.report.stopped.is_some() {
                continue;
            }
            let checked = match check(self.client, plan, image, &deletions).await {
                Ok(checked) => checked,
                Err(error) => {
                    places.for_each(|place| run.record(place, Err(error.clone())));
                    continue;
                }
            };
            let mut waiting = VecDeque::new();
            for (place, (tag, outcome)) in places.zip(deletions.into_iter().zip(checked)) {
                match outcome {
                    Some(outcome) => run.record(place, Ok(outcome)),
                    None => waiting.push_back((place, tag)),
                }
            }
            let mut running = JoinSet::new();
            loop {
                while running.len() < self.concurrency
                    && run.report.stopped.is_none()
                    && let Some((place, tag)) = waiting.pop_front()
                {
                    if self.max_deletions == 0 {
                        run.stop("the maximum number of deletions is reached");
                        break;
                    }
                    self.max_deletions -= 1;
                    let id = run.report.tags[place].tag.clone();
                    let delete = delete(self.client.clone(), id, tag.clone());
                    running.spawn(async move { (place, delete.await) });
                }
                match running.join_next().await {
                    None => break,
                    Some(Ok((place, outcome))) => run.record(place, outcome),
                    Some(Err(error)) if error.is_panic() => {
                        std::panic::resume_unwind(error.into_panic())
                    }
                    // The runtime shuts down, and with it this future.
                    Some(Err(_)) => break,
                }
            }
        }
        run.report
    }
}

impl<'a> IntoFuture for Apply<'a> {
    type Output = Report;
    type IntoFuture = Pin<Box<dyn Future<Output = Report> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl fmt::Debug for Apply<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Apply")
            .field("concurrency", &self.concurrency)
            .field("max_deletions", &self.max_deletions)
            .field("max_share", &self.max_share)
            .finish_non_exhaustive()
    }
}

/// A run with what it has done so far.
struct Run<'a> {
    report: Report,
    done: usize,
    on_progress: Box<dyn FnMut(&Progress<'_>) + Send + 'a>,
}

impl Run<'_> {
    fn record(&mut self, place: usize, result: Result<TagOutcome, Error>) {
        let outcome = result.unwrap_or_else(|error| {
            if concerns_every_call(&error) || error.is_auth() {
                self.stop(&format!("every other tag would fail like this one: {error}"));
            }
            TagOutcome::Failed(error.to_string())
        });
        self.done += 1;
        let total = self.report.tags.len();
        let tag = &mut self.report.tags[place];
        tag.outcome = outcome;
        (self.on_progress)(&Progress { tag, done: self.done, total });
    }

    fn stop(&mut self, reason: &str) {
        self.report.stopped.get_or_insert_with(|| reason.to_owned());
    }
}

/// Returns why the plan must not be applied: it deletes more than `max_share` of its tags.
fn too_large(plan: &Plan, max_share: f64) -> Option<String> {
    let Totals { kept, deleted } = plan.totals();
    let all = deleted + kept;
    let is_allowed = deleted as f64 <= max_share * all as f64;
    // NaN allows nothing.
    (deleted > 0 && !is_allowed).then(|| {
        let percent = max_share * 100.0;
        format!("the plan deletes {deleted} of {all} tags, more than the maximum of {percent} %")
    })
}

/// Lists an image again, and returns the outcome of each tag that must not be deleted any more.
async fn check(
    client: &Client,
    plan: &Plan,
    image: &ImagePlan,
    deletions: &[&TagPlan],
) -> Result<Vec<Option<TagOutcome>>, Error> {
    let request =
        GetImageTagRequest::new(&image.repo_name, &image.image_name).project_id(&image.project_id);
    let listed = list_tags(client, request).await?;
    let listed: HashMap<&str, &Tag> =
        listed.iter().flatten().map(|tag| (tag.tag_name.as_str(), tag)).collect();
    let planned: HashMap<&str, &TagPlan> =
        deletions.iter().map(|tag| (tag.tag_name.as_str(), *tag)).collect();
    let mut staying: Vec<&Tag> = listed
        .values()
        .filter(|tag| planned.get(&*tag.tag_name).is_none_or(|planned| !planned.is_same(tag)))
        .copied()
        .collect();
    staying.sort_by(|a, b| a.tag_name.cmp(&b.tag_name));
    let gone = image.tags.iter().find(|tag| {
        let is_kept = !tag.is_deleted() && !tag.kept.contains(&Reason::NotInOnly);
        is_kept && !listed.contains_key(&*tag.tag_name)
    });
    let outcomes = deletions.iter().map(|tag| {
        let Some(found) = listed.get(&*tag.tag_name) else {
            return Some(TagOutcome::AlreadyGone);
        };
        let skipped = |reason| Some(TagOutcome::Skipped(reason));
        if !tag.is_same(found) {
            return skipped(SkipReason::Changed);
        }
        if let Some(gone) = gone {
            return skipped(SkipReason::KeptTagGone(gone.tag_name.clone()));
        }
        if plan.delete_shared_digests {
            return None;
        }
        if tag.known_digest().is_none() {
            return skipped(SkipReason::UnknownDigest);
        }
        let sharing = staying.iter().find(|other| other.digest == tag.digest)?;
        skipped(SkipReason::SharesDigest(sharing.tag_name.clone()))
    });
    Ok(outcomes.collect())
}

/// The waits before a deletion is tried again. It is not the client that retries, since the tag may
/// have been pushed again since the last attempt.
const WAITS: [Duration; 3] =
    [Duration::from_millis(100), Duration::from_millis(400), Duration::from_millis(1600)];

/// The longest wait that the service may ask for.
const MAX_WAIT: Duration = Duration::from_secs(30);

/// Looks at a tag again and deletes it.
async fn delete(client: Client, id: TagId, planned: TagPlan) -> Result<TagOutcome, Error> {
    let TagId { project_id, repo_name, image_name, tag_name } = &id;
    let tags = GetImageTagRequest::new(repo_name, image_name).project_id(project_id);
    let request =
        DeleteRepoImageRequest::new(repo_name, image_name, tag_name).project_id(project_id);
    let mut waits = WAITS.into_iter();
    let mut may_be_executed = false;
    // The last one, and whether to try again.
    let mut failure: Option<(Error, bool)> = None;
    loop {
        match find_tag(&client, tags.clone(), tag_name).await {
            Ok(None) if may_be_executed => return Ok(TagOutcome::Deleted),
            Ok(None) => return Ok(TagOutcome::AlreadyGone),
            Ok(Some(tag)) if !planned.is_same(&tag) => {
                return Ok(TagOutcome::Skipped(SkipReason::Changed));
            }
            Ok(Some(_)) => {}
            Err(error) => return Err(failure.map_or(error, |(failure, _)| failure)),
        }
        if let Some((error, false)) = failure {
            return Err(error);
        }
        let call = client.call(request.clone()).with_retry(RetryPolicy::disabled());
        let error = match call.send().await {
            Err(error) if error.execution() != Execution::Completed => error,
            // Otherwise, only the rest of the response could not be read.
            _ => return Ok(TagOutcome::Deleted),
        };
        may_be_executed |= error.execution() == Execution::Unknown;
        let wait = waits.next().filter(|_| error.is_retryable());
        if let Some(wait) = wait {
            tokio::time::sleep(error.retry_after().unwrap_or(wait).min(MAX_WAIT)).await;
        }
        failure = Some((error, wait.is_some()));
    }
}

impl ImagePlan {
    fn deletions(&self) -> impl Iterator<Item = &TagPlan> {
        self.tags.iter().filter(|tag| tag.is_deleted())
    }
}

impl TagPlan {
    /// Whether the tag is still what was planned for.
    fn is_same(&self, tag: &Tag) -> bool {
        self.update_time == tag.update_time && self.digest == tag.digest
    }
}

impl Report {
    fn new(plan: &Plan) -> Self {
        let tags = plan.images.iter().flat_map(|image| {
            image.deletions().map(|tag| ReportedTag {
                tag: TagId {
                    project_id: image.project_id.clone(),
                    repo_name: image.repo_name.clone(),
                    image_name: image.image_name.clone(),
                    tag_name: tag.tag_name.clone(),
                },
                outcome: TagOutcome::NotTried,
            })
        });
        Self { tags: tags.collect(), stopped: None }
    }

    /// Counts the outcomes.
    #[must_use]
    pub fn totals(&self) -> ReportTotals {
        let mut totals = ReportTotals::default();
        for tag in &self.tags {
            let count = match tag.outcome {
                TagOutcome::Deleted => &mut totals.deleted,
                TagOutcome::AlreadyGone => &mut totals.already_gone,
                TagOutcome::Skipped(_) => &mut totals.skipped,
                TagOutcome::Failed(_) => &mut totals.failed,
                TagOutcome::NotTried => &mut totals.not_tried,
            };
            *count += 1;
        }
        totals
    }

    /// Returns whether every tag was deleted, already gone or skipped.
    #[must_use]
    pub fn is_success(&self) -> bool {
        let totals = self.totals();
        self.stopped.is_none() && totals.failed == 0 && totals.not_tried == 0
    }
}

impl fmt::Display for TagId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}:{}", self.repo_name, self.image_name, self.tag_name)
    }
}

impl fmt::Display for TagOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deleted => f.write_str("deleted"),
            Self::AlreadyGone => f.write_str("already gone"),
            Self::Skipped(reason) => write!(f, "skipped: {reason}"),
            Self::Failed(error) => write!(f, "failed: {error}"),
            Self::NotTried => f.write_str("not tried"),
        }
    }
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed => f.write_str("it has changed since the plan was made"),
            Self::SharesDigest(tag) => write!(f, "same digest as `{tag}`, which stays"),
            Self::UnknownDigest => f.write_str("unknown digest"),
            Self::KeptTagGone(tag) => write!(f, "`{tag}`, which the plan keeps, is gone"),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ReportTotals { deleted, already_gone, skipped, failed, not_tried } = self.totals();
        write!(
            f,
            "{deleted} deleted, {already_gone} already gone, {skipped} skipped, {failed} failed, \
             {not_tried} not tried"
        )?;
        match &self.stopped {
            Some(reason) => write!(f, "; stopped: {reason}"),
            None => Ok(()),
        }
    }
}
