//! Functions that combine several calls.
//!
//! | recipe | does |
//! | --- | --- |
//! | [`ensure_repo`] | creates a repository unless it exists |
//! | [`walk`] | lists everything of an account: projects, repositories, images and tags |
//! | [`pull_reference`] | builds the reference of an image for `docker pull` |
//!
//! Recipes use only the public API, so you can write your own the same way.

// Functions that make calls are `#[inline]`: they are compiled only in programs that use them.
// Otherwise every build would compile five actions.
mod ensure;
mod reference;
mod walk;

pub use ensure::{EnsuredRepo, Outcome, ensure_repo};
pub use reference::{InvalidReference, pull_reference};
pub use walk::{Entry, ImageEntry, ProjectEntry, RepoEntry, TagEntry, Walk, walk};
