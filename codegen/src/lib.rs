//! From the description of a service's actions to the Rust source of its client.
//!
//! `spec` reads the files as they are written, `lower` turns them into a `model` that is checked,
//! named and ordered, `render` writes the source. All of it happens in memory: [`read`] is the only
//! function that touches a file, and nothing here writes one.

mod diagnostic;
mod json;
mod lower;
mod model;
mod naming;
mod render;
mod spec;

use std::{collections::BTreeMap, fs, io, path::Path};

pub use diagnostic::Diagnostic;
pub use render::MARK;

use diagnostic::Report;

/// The text of a service's spec.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Spec {
    /// `service.json`.
    pub service: SpecFile,
    /// The files of `actions/`.
    pub actions: Vec<SpecFile>,
}

/// One file of a spec.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct SpecFile {
    /// Its path, as messages shall name it.
    pub path: String,
    /// Its text.
    pub text: String,
}

impl SpecFile {
    /// A file that is named so in messages.
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            text: text.into(),
        }
    }
}

impl Spec {
    /// A spec from memory.
    #[must_use]
    pub fn new(service: SpecFile, actions: Vec<SpecFile>) -> Self {
        Self { service, actions }
    }
}

/// Reads a spec from a folder: `service.json` and `actions/*.json`.
///
/// # Errors
///
/// The first file that cannot be read, or is not UTF-8; the message names it.
pub fn read(folder: &Path) -> io::Result<Spec> {
    let named = |path: &Path, error: io::Error| {
        io::Error::new(error.kind(), format!("{}: {error}", path.display()))
    };
    let file = |path: &Path| {
        let text = fs::read_to_string(path).map_err(|error| named(path, error))?;
        Ok::<_, io::Error>(SpecFile {
            path: path.display().to_string(),
            text,
        })
    };
    let actions = folder.join("actions");
    let mut paths = fs::read_dir(&actions)
        .and_then(|entries| {
            entries
                .map(|entry| Ok(entry?.path()))
                .collect::<io::Result<Vec<_>>>()
        })
        .map_err(|error| named(&actions, error))?;
    paths.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "json")
    });
    paths.sort();
    Ok(Spec {
        service: file(&folder.join("service.json"))?,
        actions: paths
            .iter()
            .map(|path| file(path))
            .collect::<io::Result<_>>()?,
    })
}

/// The source of a service's client: every file of the generated module, by its name.
///
/// # Errors
///
/// Every mistake in the spec, in the order of its files and their lines.
pub fn generate(spec: &Spec) -> Result<BTreeMap<String, String>, Vec<Diagnostic>> {
    let mut diagnostics = Vec::new();
    let mut report = Report::new(&spec.service.path, &spec.service.text);
    let service =
        spec::read_service(&mut report).map(|service| lower::service(service, &mut report));
    diagnostics.extend(report.into_diagnostics());

    let mut modules = BTreeMap::new();
    let mut actions = Vec::new();
    for file in &spec.actions {
        let mut report = Report::new(&file.path, &file.text);
        if let Some(action) = spec::read_action(&mut report)
            && let Some((_, common)) = &service
        {
            for lowered in lower::action(&action, common, &mut report) {
                match modules.get(&lowered.rust) {
                    Some(other) => report.error(
                        action.action.at,
                        format!(
                            "`{}` and `{other}` would both be the module `{}`",
                            lowered.wire, lowered.rust
                        ),
                    ),
                    None => {
                        modules.insert(lowered.rust.clone(), lowered.wire.clone());
                    }
                }
                actions.push(lowered);
            }
        }
        diagnostics.extend(report.into_diagnostics());
    }
    match service {
        Some((mut service, _)) if diagnostics.is_empty() => {
            actions.sort_by(|a, b| a.rust.cmp(&b.rust));
            service.actions = actions;
            Ok(render::render(&service))
        }
        _ => {
            diagnostics.sort();
            diagnostics.dedup();
            Err(diagnostics)
        }
    }
}
