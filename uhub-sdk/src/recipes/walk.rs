//! Listing everything of an account in one stream.

use std::{
    collections::VecDeque,
    fmt,
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use futures_core::Stream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::{
    actions::enums::Visibility,
    actions::get_image_tag::{GetImageTagRequest, Tag},
    actions::get_project_list::Project,
    actions::get_repo::{GetRepoRequest, Repo},
    actions::get_repo_image::{GetRepoImageRequest, Image},
    client::Client,
    error::Error,
    recipes::lookup::{CompleteItems, concerns_every_call},
};

/// Lists everything of an account: each project, its private and then its public repositories,
/// their images and the tags of each image.
///
/// A parent precedes its children, and each list keeps the service's order at any
/// [`concurrency`](Walk::concurrency). Empty parents are listed too: a repository without images is
/// an [`Entry::Repo`] without a following [`Entry::Image`].
///
/// Limit it to a [project](Walk::project_id), a [repository](Walk::repo) or an
/// [image](Walk::image).
///
/// A list that cannot be read, or that ends before the total that the service reports, is an error
/// among the entries, and the walk continues after it: with the next project if a project may not
/// be seen. An error that concerns every call, such as wrong credentials, ends the walk.
///
/// The service has no snapshots: what is created, deleted or made public during the walk may be
/// skipped or listed twice. Don't delete during a walk; collect first. Memory is constant, whatever
/// the number of entries.
///
/// # Examples
///
/// ```
/// use uhub_sdk::{
///     ClientBuilder,
///     local::{Image, LocalUhub, Repository, Tag},
///     recipes::{Entry, walk},
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let nginx = Image::new("nginx").tags(["1.26", "1.27"].map(Tag::new));
/// let server = LocalUhub::builder()
///     .repository(Repository::new("base").image(nginx))
///     .repository(Repository::new("empty"))
///     .start()
///     .await?;
/// let client = ClientBuilder::for_local(&server).build()?;
///
/// let mut names = Vec::new();
/// let mut walk = walk(&client).concurrency(8);
/// while let Some(entry) = walk.next().await {
///     names.push(match entry? {
///         Entry::Project(project) => project.project_id.clone(),
///         Entry::Repo(repo) => repo.details.repo_name.clone(),
///         Entry::Image(image) => image.details.image_name.clone(),
///         Entry::Tag(tag) => format!("{}:{}", tag.image.details.image_name, tag.details.tag_name),
///         _ => continue,
///     });
/// }
/// assert_eq!(names, ["org-local", "base", "nginx", "nginx:1.26", "nginx:1.27", "empty"]);
/// # Ok(())
/// # }
/// ```
#[inline]
pub fn walk(client: &Client) -> Walk {
    Walk {
        client: client.clone(),
        scope: Scope::default(),
        concurrency: 4,
        state: State::New,
        window: VecDeque::new(),
    }
}

/// An entry of a [`walk`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Entry {
    /// A project. Its repositories follow.
    Project(Arc<ProjectEntry>),
    /// A repository. Its images follow.
    Repo(Arc<RepoEntry>),
    /// An image. Its tags follow.
    Image(Arc<ImageEntry>),
    /// A tag.
    Tag(TagEntry),
}

/// A project in a [`walk`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ProjectEntry {
    /// The project's id.
    pub project_id: String,
    /// The project as the service lists it. `None` with [`Walk::project_id`], which does not list
    /// projects.
    pub details: Option<Project>,
}

/// A repository in a [`walk`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RepoEntry {
    /// The project of the repository.
    pub project: Arc<ProjectEntry>,
    /// The visibility of the list that contains the repository.
    pub visibility: Visibility,
    /// The repository as the service lists it.
    pub details: Repo,
}

/// An image in a [`walk`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ImageEntry {
    /// The repository of the image.
    pub repo: Arc<RepoEntry>,
    /// The image as the service lists it.
    pub details: Image,
}

/// A tag in a [`walk`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct TagEntry {
    /// The image of the tag.
    pub image: Arc<ImageEntry>,
    /// The tag as the service lists it.
    pub details: Tag,
}

/// A [`Stream`] of everything of an account. [`walk`] returns it.
///
/// Dropping it cancels its calls. Pages that were requested are received even while the walk is
/// not polled, so a slow consumer causes no timeouts.
#[must_use = "streams do nothing unless polled"]
pub struct Walk {
    client: Client,
    scope: Scope,
    concurrency: usize,
    state: State,
    /// Entries that were found and not yet yielded with all their tags, in order.
    window: VecDeque<Found>,
}

/// What to list. `None` is everything.
#[derive(Default)]
struct Scope {
    project_id: Option<String>,
    repo_name: Option<String>,
    image_name: Option<String>,
}

/// Lists everything but the tags, one call at a time.
enum State {
    New,
    Listing {
        listing: Pin<Box<dyn Future<Output = ()> + Send>>,
        entries: UnboundedReceiver<Result<Entry, Error>>,
    },
    Finished,
}

/// An entry, and the tags of an image.
struct Found {
    /// What to yield next: at most the entry and its first tag, or the next two tags.
    queue: VecDeque<Result<Entry, Error>>,
    /// `None` after the last tag.
    tags: Option<(Arc<ImageEntry>, CompleteItems<GetImageTagRequest>)>,
}

impl Walk {
    /// Lists this project only. Call it before the first entry is read. Without it, the projects
    /// are listed first.
    #[inline]
    pub fn project_id(mut self, value: impl Into<String>) -> Self {
        self.scope.project_id = Some(value.into());
        self
    }

    /// Lists the repositories of this name only. Call it before the first entry is read.
    #[inline]
    pub fn repo(mut self, name: impl Into<String>) -> Self {
        self.scope.repo_name = Some(name.into());
        self
    }

    /// Lists the images of this name in the repositories of this name only. Call it before the
    /// first entry is read.
    #[inline]
    pub fn image(mut self, repo_name: impl Into<String>, name: impl Into<String>) -> Self {
        self.scope.image_name = Some(name.into());
        self.repo(repo_name)
    }

    /// Sets how many calls may run at a time. Defaults to 4; 0 means 1.
    ///
    /// Most calls list tags: those of the next images are requested while those of the current
    /// image are read.
    #[inline]
    pub fn concurrency(mut self, calls: usize) -> Self {
        self.concurrency = calls.max(1);
        self
    }

    /// Returns the next entry, or `None` at the end.
    #[inline]
    pub async fn next(&mut self) -> Option<Result<Entry, Error>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// Polls the listing for the next entry that is not a tag.
    #[inline]
    fn poll_listing(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Entry, Error>>> {
        if matches!(self.state, State::New) {
            let (sender, entries) = unbounded_channel();
            let listing = list(self.client.clone(), std::mem::take(&mut self.scope), sender);
            let listing = Box::pin(listing);
            self.state = State::Listing { listing, entries };
        }
        let State::Listing { listing, entries } = &mut self.state else {
            return Poll::Ready(None);
        };
        let polled = listing.as_mut().poll(context);
        if let Ok(entry) = entries.try_recv() {
            return Poll::Ready(Some(entry));
        }
        ready!(polled);
        self.state = State::Finished;
        Poll::Ready(None)
    }

    /// Polls the calls that run, and starts as many as `concurrency` allows.
    #[inline]
    fn fill_window(&mut self, context: &mut Context<'_>) {
        for found in &mut self.window {
            found.poll_ahead(context);
        }
        // An entry in the window has one call at most. The listing has one, too, until it finds the
        // entry for a free place. So the length of the window bounds the calls.
        while self.window.len() < self.concurrency {
            let Poll::Ready(Some(entry)) = self.poll_listing(context) else {
                return;
            };
            let tags = match &entry {
                Ok(Entry::Image(image)) => Some((Arc::clone(image), self.tags(image))),
                _ => None,
            };
            let queue = VecDeque::from([entry]);
            let mut found = Found { queue, tags };
            found.poll_ahead(context);
            self.window.push_back(found);
        }
    }

    #[inline]
    fn tags(&self, image: &ImageEntry) -> CompleteItems<GetImageTagRequest> {
        let ImageEntry { repo, details } = image;
        let request = GetImageTagRequest::new(&repo.details.repo_name, &details.image_name)
            .project_id(&repo.project.project_id);
        CompleteItems::new(self.client.call(request).with_read_ahead(0))
    }
}

impl Stream for Walk {
    type Item = Result<Entry, Error>;

    #[inline]
    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            this.fill_window(context);
            let Some(first) = this.window.front_mut() else {
                return match this.state {
                    State::Finished => Poll::Ready(None),
                    _ => Poll::Pending,
                };
            };
            match first.queue.pop_front() {
                Some(Ok(entry)) => return Poll::Ready(Some(Ok(entry))),
                Some(Err(error)) => {
                    if concerns_every_call(&error) {
                        this.window.clear();
                        this.state = State::Finished;
                    }
                    return Poll::Ready(Some(Err(error)));
                }
                None if first.tags.is_some() => return Poll::Pending,
                None => this.window.pop_front(),
            };
        }
    }
}

impl fmt::Debug for Walk {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Walk")
            .field("client", &self.client)
            .field("concurrency", &self.concurrency)
            .finish_non_exhaustive()
    }
}

impl Found {
    /// Polls for the next tag before its turn.
    #[inline]
    fn poll_ahead(&mut self, context: &mut Context<'_>) {
        while self.queue.len() < 2
            && let Some((image, items)) = &mut self.tags
            && let Poll::Ready(tag) = items.poll_next(context)
        {
            let Some(tag) = tag else {
                self.tags = None;
                return;
            };
            let image = Arc::clone(image);
            let entry = tag.map(|details| Entry::Tag(TagEntry { image, details }));
            self.queue.push_back(entry);
        }
    }
}

/// Sends every project, repository and image, and the errors between them. Each list has at most
/// one call at a time: none reads ahead.
#[inline]
async fn list(client: Client, scope: Scope, entries: UnboundedSender<Result<Entry, Error>>) {
    let projects = match scope.project_id {
        Some(project_id) => vec![ProjectEntry { project_id, details: None }],
        None => match client.get_project_list().send().await {
            Ok(response) => {
                let projects = response.projects.into_iter().map(|project| ProjectEntry {
                    project_id: project.project_id.clone(),
                    details: Some(project),
                });
                projects.collect()
            }
            Err(error) => return yield_entry(&entries, Err(error)).await,
        },
    };
    let is_listed =
        |wanted: &Option<String>, name: &str| wanted.as_deref().is_none_or(|w| w == name);
    for project in projects {
        let project = Arc::new(project);
        yield_entry(&entries, Ok(Entry::Project(Arc::clone(&project)))).await;
        for visibility in [Visibility::Private, Visibility::Public] {
            let request = GetRepoRequest::new(visibility).project_id(&project.project_id);
            let mut repos = CompleteItems::new(client.call(request).with_read_ahead(0));
            while let Some(repo) = repos.next().await {
                let details = match repo {
                    Ok(details) if is_listed(&scope.repo_name, &details.repo_name) => details,
                    Ok(_) => continue,
                    Err(error) => {
                        yield_entry(&entries, Err(error)).await;
                        continue;
                    }
                };
                let project = Arc::clone(&project);
                let repo = Arc::new(RepoEntry { project, visibility, details });
                yield_entry(&entries, Ok(Entry::Repo(Arc::clone(&repo)))).await;
                let request = GetRepoImageRequest::new(&repo.details.repo_name)
                    .project_id(&repo.project.project_id);
                let mut images = CompleteItems::new(client.call(request).with_read_ahead(0));
                while let Some(image) = images.next().await {
                    let entry = match image {
                        Ok(details) if is_listed(&scope.image_name, &details.image_name) => {
                            let repo = Arc::clone(&repo);
                            Ok(Entry::Image(Arc::new(ImageEntry { repo, details })))
                        }
                        Ok(_) => continue,
                        Err(error) => Err(error),
                    };
                    yield_entry(&entries, entry).await;
                }
            }
        }
    }
}

/// Sends the entry and pauses the listing until [`Walk::poll_listing`] wants another.
#[inline]
async fn yield_entry(entries: &UnboundedSender<Result<Entry, Error>>, entry: Result<Entry, Error>) {
    // The receiver is dropped together with this future.
    let mut entry = Some(entry);
    poll_fn(|_| match entry.take() {
        Some(entry) => {
            let _ = entries.send(entry);
            Poll::Pending
        }
        None => Poll::Ready(()),
    })
    .await;
}
