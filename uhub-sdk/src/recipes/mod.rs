//! What several calls do together.
//!
//! - [`ensure_repo`] makes sure that a repository is there.
//! - [`walk`] goes over everything an account has: projects, repositories, images and tags.
//! - [`pull_reference`] writes what `docker pull` takes.
//!
//! They stand beside the core and use what every program can use: whoever needs something else writes
//! it in the same way.

// What calls the service here is `#[inline]`, and so compiled only in programs that use it: it would draw
// the whole of a call, for five actions, into every build.
mod ensure;
mod reference;
mod walk;

pub use ensure::{EnsuredRepo, Outcome, ensure_repo};
pub use reference::{InvalidReference, ReferencePart, Version, pull_reference};
pub use walk::{Entry, ImageEntry, ProjectEntry, RepoEntry, TagEntry, Walk, walk};
