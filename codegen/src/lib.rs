//! From the description of a service's actions to the Rust source of its client.
//!
//! `document` reads a documentation page into a spec. `spec` reads the files as they are written,
//! `lower` turns them into a `model` that is checked, named and ordered, `render` writes the source, and
//! `diff` says how two models differ. All of it happens in memory: [`read`] is the only function that
//! touches a file, and nothing here writes one.

mod diff;
pub mod import;
mod model;
mod render;
mod spec;

use std::{collections::BTreeMap, fs, io, path::Path};

pub use diff::{Bump, Change, Changes, Class};
pub use render::MARK;
pub use spec::diagnostic::Diagnostic;

use model::lower;
use spec::diagnostic::Report;

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

    /// The spec of one action alone, of whatever service of the platform.
    #[must_use]
    pub fn of_action(action: SpecFile) -> Self {
        let service = SpecFile::new("service.json", include_str!("spec/any_service.json"));
        Self::new(service, vec![action])
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
    lower(spec, true).map(|service| render::render(&service))
}

/// What has changed between two specs, and what that means for those who use the generated code.
///
/// # Errors
///
/// Every mistake in either of them. What its file is called is none.
pub fn diff(old: &Spec, new: &Spec) -> Result<Changes, Vec<Diagnostic>> {
    match (lower(old, false), lower(new, false)) {
        (Ok(old), Ok(new)) => Ok(diff::diff(&old, &new)),
        (old, new) => {
            let mistakes = [old, new].into_iter().filter_map(Result::err);
            Err(mistakes.flatten().collect())
        }
    }
}

/// The model of a spec, or every mistake in it.
fn lower(spec: &Spec, is_named_by_file: bool) -> Result<model::Service, Vec<Diagnostic>> {
    let mut diagnostics = Vec::new();
    let mut service_report = Report::new(&spec.service.path, &spec.service.text);
    let service = spec::read_service(&mut service_report);
    let (service, common) =
        match service.map(|service| lower::service(service, &mut service_report)) {
            Some((service, common)) => (Some(service), common),
            None => (None, lower::Common::default()),
        };

    // Each module's name, and the file that it comes from.
    let mut modules: BTreeMap<String, &str> = BTreeMap::new();
    let mut actions = Vec::new();
    for file in &spec.actions {
        let mut report = Report::new(&file.path, &file.text);
        if let Some(action) = spec::read_action(&mut report) {
            let at = action.action.at;
            if is_named_by_file {
                lower::check_file(&action, &mut report);
            }
            for lowered in lower::action(action, &common, &mut report) {
                if let Some(other) = modules.insert(lowered.rust.clone(), &file.path) {
                    let what = format!(
                        "`{}` would be the module `{}`, which comes from {other}",
                        lowered.wire, lowered.rust
                    );
                    report.error(at, what);
                }
                actions.push(lowered);
            }
        }
        diagnostics.extend(report.into_diagnostics());
    }
    if diagnostics.is_empty() && !actions.is_empty() {
        for (name, at) in &common.from_client {
            let mut parameters = actions.iter().flat_map(|action| &action.parameters);
            if !parameters.any(|parameter| parameter.wire == *name) {
                service_report.error(*at, format!("no action has a parameter `{name}`"));
            }
        }
    }
    diagnostics.extend(service_report.into_diagnostics());
    match service {
        Some(mut service) if diagnostics.is_empty() => {
            actions.sort_by(|a, b| a.rust.cmp(&b.rust));
            service.actions = actions;
            Ok(service)
        }
        _ => {
            diagnostics.sort();
            diagnostics.dedup();
            Err(diagnostics)
        }
    }
}
