//! The import reads a documentation page.

use std::{fs, path::PathBuf};

use uhub_codegen::{Severity, Spec, SpecFile, generate, import::read};

use crate::targets::{Check, docs, folder, shape, shapes, spec};

/// A service has an action whose parameter selects the project.
const LIST_PROJECTS: &str = r#"{"action": "ListProjects", "summary": "Lists projects.",
    "idempotency": "safe", "parameters": [{"name": "ProjectId", "type": "string",
    "required": false, "description": "The project."}], "response": []}"#;

pub(crate) struct Pages;

impl Check for Pages {
    fn check(&mut self, input: &[u8]) -> Result<String, String> {
        let reading = read("page", input, None);
        let mut outcome: Vec<String> =
            reading.diagnostics.iter().map(|each| shape(&each.message)).collect();
        outcome.sort();
        outcome.dedup();
        let outcome = outcome.join(";");
        let mut severities = reading.diagnostics.iter().map(|each| each.severity);
        if severities.any(|each| each == Severity::Error) != reading.page.is_none() {
            return Err("refused without an error, or accepted with one".to_owned());
        }
        let Some(page) = reading.page else {
            return Ok(outcome);
        };
        let import = |old: Option<&SpecFile>| {
            let imported = page.spec(old).map_err(|errors| format!("{errors:?}"));
            imported.map(|imported| imported.text)
        };
        let first = import(None)?;
        let first = SpecFile::new("actions/page.json", first);
        if import(Some(&first))? != first.text {
            return Err("importing the page again changed the spec".to_owned());
        }
        // A person has to write some words first: the page's own must be harmless all the same.
        let mut spec = Spec::of_action(with_words(first));
        spec.actions.push(SpecFile::new("actions/list_projects.json", LIST_PROJECTS));
        match generate(&spec) {
            Ok(files) => {
                files.iter().try_for_each(|(name, text)| docs::check(name, text))?;
                Ok(format!("generated;{outcome}"))
            }
            Err(mistakes) => {
                let mistake = mistakes.first().map_or_else(String::new, ToString::to_string);
                Ok(format!("accepted;{outcome};{}", shape(&mistake)))
            }
        }
    }
}

/// Decides what an import leaves to a person, so that the source can be generated.
fn with_words(file: SpecFile) -> SpecFile {
    let Ok(mut spec) = serde_json::from_str::<serde_json::Value>(&file.text) else {
        return file;
    };
    fill(&mut spec);
    let text = spec.to_string();
    SpecFile::new(spec::path(&text), text)
}

fn fill(spec: &mut serde_json::Value) {
    match spec {
        serde_json::Value::Object(fields) => {
            fields.remove("proposed");
            for (name, value) in fields.iter_mut() {
                if matches!(name.as_str(), "summary" | "description")
                    && value.as_str().is_some_and(str::is_empty)
                {
                    *value = "Some words.".into();
                }
                fill(value);
            }
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(fill),
        _ => {}
    }
}

/// The pages of the import's tests in every shape.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let folder = folder().join("../../codegen/tests/data/pages/markdown/depot");
    let entries = fs::read_dir(folder).expect("the import's tests have pages");
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    let pages = paths.iter().map(|path| fs::read_to_string(path).expect("a page is text"));
    let shapes = pages.flat_map(|markdown| {
        [shapes::html(&markdown), shapes::pasted(&markdown), shapes::text(&markdown), markdown]
    });
    shapes.map(String::into_bytes).collect()
}
