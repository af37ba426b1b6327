//! Generates the Rust source of a service's client from the description of its actions.
//!
//! [`import`] reads a documentation page into a spec, [`generate`] turns a spec into source, and
//! [`diff`()] reports how two specs differ for the users of the generated code. This crate does no
//! I/O: its callers read and write the files.

mod diff;
pub mod import;
mod model;
mod render;
mod spec;
mod text;

use std::collections::BTreeMap;

pub use diff::{Bump, Change, Changes, Class};
pub use render::print::MARK;
pub use spec::{
    Spec, SpecFile,
    diagnostic::{Diagnostic, Severity},
    schema::schemas,
};

use model::lower::{Purpose, lower};

/// Generates the source of a service's client: every file of the generated module, by its name.
///
/// # Errors
///
/// Every mistake in the spec, in the order of its files and their lines.
pub fn generate(spec: &Spec) -> Result<BTreeMap<String, String>, Vec<Diagnostic>> {
    lower(spec, Purpose::Generation).map(|service| render::render(&service))
}

/// Compares two specs: what changed, and what that means for the users of the generated code. The
/// names of the files do not matter, and descriptions and confirmed proposals may be missing, as
/// after an import.
///
/// # Errors
///
/// Every mistake in either spec.
pub fn diff(old: &Spec, new: &Spec) -> Result<Changes, Vec<Diagnostic>> {
    match (lower(old, Purpose::Comparison), lower(new, Purpose::Comparison)) {
        (Ok(old), Ok(new)) => Ok(diff::diff(&old, &new)),
        (old, new) => {
            let mistakes = [old, new].into_iter().filter_map(Result::err);
            Err(mistakes.flatten().collect())
        }
    }
}
