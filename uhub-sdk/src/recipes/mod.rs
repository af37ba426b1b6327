//! Functions that combine several calls.
//!
//! | recipe | does |
//! | --- | --- |
//! | [`ensure_repo`] | creates a repository unless it exists |
//! | [`ensure_repo_deleted`], [`ensure_tag_deleted`] | delete what may be gone already |
//! | [`walk`] | lists everything of an account: projects, repositories, images and tags |
//! | `retention` | deletes old tags by a policy (feature `retention`) |
//! | [`pull_reference`] | builds the reference of an image for `docker pull` |
//!
//! Recipes use only the public API, so you can write your own the same way.
//!
//! # With the blocking client
//!
//! `blocking::Client::block_on` waits for a recipe, `iter` goes through a [`walk`], and `as_async` is
//! the client to pass:
//!
//! ```
//! # #[cfg(all(feature = "blocking", feature = "retention"))]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::SystemTime;
//! use uhub_sdk::{
//!     ClientBuilder,
//!     actions::{
//!         create_repo::CreateRepoRequest, delete_repo::DeleteRepoRequest,
//!         delete_repo_image::DeleteRepoImageRequest,
//!     },
//!     local::LocalUhub,
//!     recipes::{
//!         Entry, ensure_repo, ensure_repo_deleted, ensure_tag_deleted,
//!         retention::{Keep, Policy, Rule, Scope, plan},
//!         walk,
//!     },
//! };
//!
//! let runtime = tokio::runtime::Runtime::new()?; // For the local server.
//! let server = runtime.block_on(LocalUhub::start())?;
//! let blocking = ClientBuilder::for_local(&server).build_blocking()?;
//! let client = blocking.as_async();
//!
//! blocking.block_on(ensure_repo(client, CreateRepoRequest::new("base")))?;
//! for entry in blocking.iter(walk(client)) {
//!     if let Entry::Repo(repo) = entry? {
//!         println!("{}", repo.details.repo_name);
//!     }
//! }
//! let tag = DeleteRepoImageRequest::new("base", "nginx", "1.26");
//! blocking.block_on(ensure_tag_deleted(client, tag))?;
//!
//! // `block_on` expects an error of this crate. Wrap what has another one, or none.
//! let policy = Policy::new([Rule::new("all").image("**").keep(Keep::new().newest(10))]);
//! let scope = Scope::project("org-local");
//! let planned = plan(client, &scope, &policy, SystemTime::now());
//! let plan = blocking.block_on(async { Ok(planned.await) })??;
//! let report = blocking.block_on(async { Ok(plan.apply(client).await) })?;
//! assert!(report.is_success(), "{report}");
//!
//! blocking.block_on(ensure_repo_deleted(client, DeleteRepoRequest::new("base")))?;
//! # Ok(())
//! # }
//! # #[cfg(not(all(feature = "blocking", feature = "retention")))]
//! # fn main() {}
//! ```

// Functions that make calls are `#[inline]`: they are compiled only in programs that use them.
// Otherwise every build would compile five actions.
mod delete;
mod ensure;
mod lookup;
mod reference;
#[cfg(feature = "retention")]
pub mod retention;
mod walk;

pub use delete::{ensure_repo_deleted, ensure_tag_deleted};
pub use ensure::{EnsuredRepo, Outcome, ensure_repo};
pub use reference::{InvalidReference, pull_reference};
pub use walk::{Entry, ImageEntry, ProjectEntry, RepoEntry, TagEntry, Walk, walk};
