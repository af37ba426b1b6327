//! What a changed spec means to code that is written against the generated crate.
//!
//! Each spec's model becomes a [surface]: a tree of the items that users' code can name, each with
//! a signature. [`compare`] reports the items that are gone, new or changed between two surfaces.
//! [`rules`] is the table of what each change means: whether code still compiles, and whether code
//! that compiles behaves differently (a silent change).

mod change;
mod compare;
mod hint;
mod rules;
mod show;
mod surface;

pub use change::{Bump, Change, Changes, Class};

use crate::model::Service;

pub(crate) fn diff(old: &Service, new: &Service) -> Changes {
    let (old, new) = (surface::service(old), surface::service(new));
    let mut comparison = compare::Comparison::default();
    comparison.compare(&old, &new);
    let mut changes = comparison.changes;
    changes.sort_by(|a, b| (&a.action, a.class).cmp(&(&b.action, b.class)));
    Changes { changes }
}
