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
