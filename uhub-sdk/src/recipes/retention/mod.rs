//! Cleaning up tags by a policy: plan first, look at the plan, then apply it.
//!
//! UHub has no lifecycle policy of its own. This recipe deletes old tags as a [`Policy`] says, in
//! three steps:
//!
//! 1. [`plan`] lists everything in a [`Scope`] and decides for each tag whether it is kept or
//!    deleted, with the reasons. It changes nothing.
//! 2. Look at the [`Plan`]. It is data: print it, save it as JSON, compare it with that of yesterday.
//!    In JSON, the tags to delete are those with `"kept": []`.
//! 3. [`Plan::apply`] deletes. It looks at each tag again first, and returns a [`Report`].
//!
//! The example program `cleanup` does all of it:
//!
//! ```sh
//! cargo run --example cleanup                                # on sample data
//! cargo run --example cleanup -- --policy policy.json        # what would go. Deletes nothing
//! cargo run --example cleanup -- --policy policy.json --all  # what stays, and why, too
//! cargo run --example cleanup -- --policy policy.json --apply --max-deletions 100
//! ```
//!
//! For a first run, limit it to one image by `--repo` and `--image`, and keep `--max-deletions` low.
//!
//! # A policy
//!
//! ```json
//! {
//!   "assumed_offset": "+08:00",
//!   "rules": [
//!     {
//!       "name": "services",
//!       "images": ["services/*"],
//!       "keep": { "newest": 10, "newer_than": "30d", "highest_versions": 5, "tags": ["release-*"] }
//!     },
//!     {
//!       "name": "branch builds",
//!       "images": ["ci/**"],
//!       "only": ["branch-*"],
//!       "keep": { "newer_than": "14d" },
//!       "keep_nothing": true
//!     }
//!   ]
//! }
//! ```
//!
//! - The first rule that matches an image decides. An image without a rule is not touched.
//! - A tag is kept if **one** of the clauses in [`keep`](Rule::keep) holds for it. `latest` is kept
//!   unless `"latest": false` is set.
//! - Only tags that match [`only`](Rule::only) are deleted, or counted by `newest` and the versions.
//! - A rule that could delete every tag of an image has to say so by `"keep_nothing": true`.
//! - Only semantic versions count as versions: `1.2.3` and `v1.2.3`, not `1.2`. `1.2.3-alpine` is a
//!   pre-release, which `highest_versions` does not keep.
//!
//! # Globs
//!
//! Globs match whole names, and case matters. Images are matched as `repository/image`; the name of
//! an image may have more slashes.
//!
//! | glob | matches |
//! | --- | --- |
//! | `*` | any text without a slash: `services/*` is `services/api`, not `services/team/api` |
//! | `**` | any components: `services/**` is both; `**` alone is every image |
//! | `?` | one character |
//! | `[0-9]`, `[!0-9]` | one character of a class, or not of it |
//!
//! Alternatives such as `{a,b}` and negation by a leading `!` are not supported: both are errors.
//!
//! # What is kept although no clause holds
//!
//! - A tag whose age a rule needs and whose time names no instant, is zero, or is in the future.
//!   Times without an offset from UTC need [`assumed_offset`](Policy::assumed_offset).
//! - A tag with the digest of a tag of the image that is kept, or without a digest. The documentation
//!   does not say whether deleting one tag deletes the image for the other, too. If you know that it
//!   does not, set [`delete_shared_digests`](Policy::delete_shared_digests).
//!
//! # What is skipped
//!
//! Between the plan and a deletion, the registry may change. These tags are left, and reported with
//! a [`SkipReason`]; the next plan decides about them:
//!
//! - a tag that was pushed again, also between two attempts to delete it;
//! - a tag with the digest of a tag that stays now;
//! - every tag of an image of which the plan keeps a tag that is gone.
//!
//! The service cannot delete a tag on a condition. A push in the moment between the look and the
//! deletion is lost: don't push over old tags while it runs.
//!
//! # What stops it
//!
//! - A list that cannot be read, or that ends before its total: [`plan`] returns an error.
//! - [`max_share`](Apply::max_share): nothing is deleted if the plan deletes a larger share of the
//!   tags than you expect, as after a typo in a policy.
//! - [`max_deletions`](Apply::max_deletions): the rest is left for the next run.
//! - An error that would meet every tag, such as wrong credentials or a missing permission. An error
//!   about one tag is reported, and the others are deleted.
//!
//! # After a failure
//!
//! Nothing has to be undone or repeated in order. Apply the same plan again: tags that are gone
//! are reported as already gone, and tags that were pushed again meanwhile are skipped. Or make a
//! new plan. A [`Failed`](TagOutcome::Failed) tag may be gone if its deletion could not be confirmed.
//!
//! # Examples
//!
//! ```
//! use std::time::SystemTime;
//! use uhub_sdk::{
//!     ClientBuilder,
//!     local::{Image, LocalUhub, Repository, Tag},
//!     recipes::retention::{Keep, Policy, Rule, Scope, plan},
//! };
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let tags = (1..=5).map(|n| Tag::new(format!("1.{n}.0")).digest(format!("sha256:{n}")));
//! let server = LocalUhub::builder()
//!     .repository(Repository::new("services").image(Image::new("api").tags(tags)))
//!     .start()
//!     .await?;
//! let client = ClientBuilder::for_local(&server).build()?;
//!
//! let keep = Keep::new().newest(1).highest_versions(2);
//! let policy = Policy::new([Rule::new("services").image("services/*").keep(keep)]);
//! let scope = Scope::project("org-local");
//! let plan = plan(&client, &scope, &policy, SystemTime::now()).await?;
//! for tag in &plan.images[0].tags {
//!     println!("{}: {:?}", tag.tag_name, tag.kept);
//! }
//!
//! let report = plan.apply(&client).max_share(0.8).await;
//! assert!(report.is_success(), "{report}");
//! # Ok(())
//! # }
//! ```

mod apply;
mod decide;
mod plan;
mod policy;

use std::{collections::BTreeMap, error::Error as StdError, fmt, time::SystemTime};

pub use apply::{
    Apply, Progress, Report, ReportTotals, ReportedTag, SkipReason, TagId, TagOutcome,
};
pub use plan::{ImagePlan, Plan, Reason, TagPlan, Totals};
pub use policy::{InvalidPolicy, Keep, Policy, Rule};

use crate::{
    actions::get_image_tag::Tag,
    client::Client,
    error::Error,
    recipes::{
        retention::{decide::decide, policy::CheckedPolicy},
        walk::{Entry, ImageEntry, TagEntry, walk},
    },
};

/// What a [`plan`] is about: a project, a repository or an image.
///
/// The project is always named, so that a plan is never about another account's default project.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Scope {
    project_id: String,
    repo_name: Option<String>,
    image_name: Option<String>,
}

impl Scope {
    /// Every repository of a project, private and public.
    pub fn project(project_id: impl Into<String>) -> Self {
        Self { project_id: project_id.into(), repo_name: None, image_name: None }
    }

    /// Limits the scope to a repository.
    #[must_use]
    pub fn repo(mut self, name: impl Into<String>) -> Self {
        self.repo_name = Some(name.into());
        self.image_name = None;
        self
    }

    /// Limits the scope to an image.
    #[must_use]
    pub fn image(mut self, repo_name: impl Into<String>, name: impl Into<String>) -> Self {
        self.repo_name = Some(repo_name.into());
        self.image_name = Some(name.into());
        self
    }
}

/// Why a [`plan`] could not be made.
#[derive(Debug)]
#[non_exhaustive]
pub enum PlanError {
    /// The policy is invalid.
    Policy(InvalidPolicy),
    /// A list could not be read completely.
    Call(Error),
    /// The repository or the image of the scope does not exist.
    NotFound(Scope),
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Policy(policy) => policy.fmt(f),
            Self::Call(_) => f.write_str("the tags could not be listed, so there is no plan"),
            Self::NotFound(Scope { project_id, repo_name, image_name }) => {
                let name = repo_name.as_deref().unwrap_or_default();
                write!(f, "the project `{project_id}` has no ")?;
                match image_name {
                    Some(image) => write!(f, "image `{name}/{image}`"),
                    None => write!(f, "repository `{name}`"),
                }
            }
        }
    }
}

impl StdError for PlanError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Call(error) => Some(error),
            Self::Policy(_) | Self::NotFound(_) => None,
        }
    }
}

/// Lists everything in a scope and decides which tags a policy deletes. It changes nothing.
///
/// `now` is what [`Keep::newer_than`] counts from: `SystemTime::now()`, or another time to see what
/// the policy will do then.
///
/// # Errors
///
/// - [`PlanError::Policy`]: the policy is invalid. Nothing was listed.
/// - [`PlanError::Call`]: a list could not be read, or ended before the total that the service
///   reports.
/// - [`PlanError::NotFound`]: the repository or the image of the scope does not exist.
pub async fn plan(
    client: &Client,
    scope: &Scope,
    policy: &Policy,
    now: SystemTime,
) -> Result<Plan, PlanError> {
    let checked = CheckedPolicy::new(policy).map_err(PlanError::Policy)?;
    let mut walk = walk(client).project_id(&scope.project_id).concurrency(8);
    if let Some(name) = &scope.repo_name {
        walk = walk.repo(name);
        if let Some(image) = &scope.image_name {
            walk = walk.image(name, image);
        }
    }
    let mut is_found = scope.repo_name.is_none();
    // Sorted, and without duplicates from a list that moved while it was read.
    let mut images: BTreeMap<(String, String), BTreeMap<String, Tag>> = BTreeMap::new();
    let key = |image: &ImageEntry| {
        (image.repo.details.repo_name.clone(), image.details.image_name.clone())
    };
    while let Some(entry) = walk.next().await {
        match entry.map_err(PlanError::Call)? {
            Entry::Project(_) => {}
            Entry::Repo(_) => is_found |= scope.image_name.is_none(),
            Entry::Image(image) => {
                is_found = true;
                images.entry(key(&image)).or_default();
            }
            Entry::Tag(TagEntry { image, details }) => {
                let tags = images.entry(key(&image)).or_default();
                tags.insert(details.tag_name.clone(), details);
            }
        }
    }
    if !is_found {
        return Err(PlanError::NotFound(scope.clone()));
    }
    let images = images.into_iter().map(|((repo_name, image_name), tags)| {
        let rule = checked.rule_of(&repo_name, &image_name);
        ImagePlan {
            project_id: scope.project_id.clone(),
            rule: rule.map(|rule| rule.name.to_owned()),
            tags: decide(&checked, rule, tags.into_values(), now),
            repo_name,
            image_name,
        }
    });
    Ok(Plan { images: images.collect(), delete_shared_digests: policy.delete_shared_digests })
}
