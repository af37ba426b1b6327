//! The generator reads a spec.
//!
//! An input is the text of `service.json` and of the actions, with a line `---` between two files.

use std::{fs, path::Path};

use uhub_codegen::{Spec, SpecFile, diff, generate};

use crate::targets::{Check, docs, folder, shape};

const SEPARATOR: &str = "\n---\n";

pub(crate) struct Specs;

impl Check for Specs {
    fn check(&mut self, input: &[u8]) -> Result<String, String> {
        let text = String::from_utf8_lossy(input);
        let mut files = text.split(SEPARATOR);
        let service = SpecFile::new("service.json", files.next().unwrap_or_default());
        let actions = files.map(|text| SpecFile::new(path(text), text)).collect();
        let spec = Spec::new(service, actions);
        let outcome = match generate(&spec) {
            Ok(files) => {
                files.iter().try_for_each(|(name, text)| docs::check(name, text))?;
                if diff(&spec, &spec).is_err() {
                    return Err("the spec is accepted, but cannot be compared".to_owned());
                }
                // What was generated, by its lines without names.
                let lines: usize = files.values().map(|text| text.lines().count()).sum();
                format!("{} files of about {} lines", files.len(), lines.next_power_of_two())
            }
            Err(mistakes) if mistakes.is_empty() => {
                return Err("the spec is refused without a mistake".to_owned());
            }
            Err(mistakes) => {
                let mut shapes: Vec<_> = mistakes.iter().map(|each| shape(&each.message)).collect();
                shapes.sort();
                shapes.dedup();
                shapes.join(";")
            }
        };
        Ok(outcome)
    }
}

/// The path that an action's file must have, or another.
pub(crate) fn path(text: &str) -> String {
    let spec: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    let mut name = String::new();
    for c in spec["action"].as_str().unwrap_or("unknown").chars() {
        if c.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.extend(c.to_lowercase());
    }
    format!("actions/{name}.json")
}

/// Each action of the repository's spec and of the generator's tests, with its service.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let read = |path: &Path| fs::read_to_string(path).expect("a spec can be read");
    let mut seeds = Vec::new();
    for spec in ["../../api-spec/uhub", "../../codegen/tests/data/other"] {
        let spec = folder().join(spec);
        let service = read(&spec.join("service.json"));
        let entries = fs::read_dir(spec.join("actions")).expect("a spec has actions");
        let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        paths.sort();
        let actions: Vec<String> = paths.iter().map(|path| read(path)).collect();
        // A service has an action whose parameter selects the project.
        let project: serde_json::Value = serde_json::from_str(&service).expect("a service is JSON");
        let project = project["project_parameter"].to_string();
        let has_project = |action: &&String| action.contains(&project);
        let with_project = actions.iter().find(has_project);
        seeds.extend(actions.iter().map(|action| {
            let second = with_project.filter(|_| !has_project(&action));
            let files = [Some(&service), Some(action), second].into_iter().flatten();
            files.map(String::as_str).collect::<Vec<_>>().join(SEPARATOR).into_bytes()
        }));
    }
    seeds
}
