//! `cargo xtask codegen`: the spec's folder in, the generated module's folder out.

use std::{collections::BTreeMap, fmt::Write, path::Path};

use crate::files::{self, Change};

/// Brings the generated module up to date.
pub(crate) fn write(spec: &Path, out: &Path) -> Result<String, String> {
    let changes = files::compare(&generate(spec)?, out)?;
    files::apply(&changes, out)?;
    let mut message = String::new();
    for change in &changes {
        let _ = writeln!(
            message,
            "{}: {}",
            out.join(change.name()).display(),
            change.done()
        );
    }
    message.push_str(if changes.is_empty() {
        "nothing to change"
    } else {
        "done"
    });
    Ok(message)
}

/// Fails when the generated module is not up to date.
pub(crate) fn check(spec: &Path, out: &Path) -> Result<String, String> {
    let changes = files::compare(&generate(spec)?, out)?;
    if changes.is_empty() {
        return Ok("the generated code is up to date".to_owned());
    }
    let mut message = String::new();
    for change in &changes {
        let _ = writeln!(
            message,
            "{}: {}",
            out.join(change.name()).display(),
            change.is()
        );
        if let Change::Stale { old, new, .. } = change {
            message.push_str(&short_diff(old, new));
        }
    }
    message.push_str("the generated code is not up to date: run `cargo xtask codegen`, with the same --spec and --out");
    Err(message)
}

fn generate(spec: &Path) -> Result<BTreeMap<String, String>, String> {
    let read =
        uhub_codegen::read(spec).map_err(|error| format!("cannot read the spec: {error}"))?;
    uhub_codegen::generate(&read).map_err(|mistakes| {
        let mut message: String = mistakes
            .iter()
            .map(|mistake| format!("{mistake}\n"))
            .collect();
        let _ = write!(
            message,
            "{} in the spec; nothing was written",
            count(mistakes.len(), "mistake")
        );
        message
    })
}

/// The lines that differ with one line around them, and no more than fit a screen.
pub(crate) fn short_diff(old: &str, new: &str) -> String {
    const LINES: usize = 20;
    let diff = similar::TextDiff::from_lines(old, new)
        .unified_diff()
        .context_radius(1)
        .to_string();
    let mut text: String = diff
        .lines()
        .take(LINES)
        .map(|line| format!("    {line}\n"))
        .collect();
    if let more @ 1.. = diff.lines().count().saturating_sub(LINES) {
        let _ = writeln!(text, "    … {} more", count(more, "line"));
    }
    text
}

/// A number of things: `1 page`, `2 pages`.
pub(crate) fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::in_repository;

    #[test]
    fn the_committed_code_is_what_the_spec_generates() {
        let result = check(
            &in_repository("api-spec/uhub"),
            &in_repository("uhub-sdk/src/generated"),
        );
        assert_eq!(result.as_deref(), Ok("the generated code is up to date"));
    }

    /// A copy of the spec, and the module generated from it.
    fn copy() -> (tempfile::TempDir, std::path::PathBuf, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let (spec, out) = (folder.path().join("spec"), folder.path().join("out"));
        fs::create_dir_all(spec.join("actions")).unwrap();
        let original = in_repository("api-spec/uhub");
        fs::copy(original.join("service.json"), spec.join("service.json")).unwrap();
        for entry in fs::read_dir(original.join("actions")).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, spec.join("actions").join(path.file_name().unwrap())).unwrap();
        }
        write(&spec, &out).unwrap();
        (folder, spec, out)
    }

    fn contents(out: &Path) -> BTreeMap<String, String> {
        let files = fs::read_dir(out)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        files
            .map(|path| {
                (
                    path.display().to_string(),
                    fs::read_to_string(&path).unwrap(),
                )
            })
            .collect()
    }

    fn edit(path: &Path, from: &str, to: &str) {
        let text = fs::read_to_string(path).unwrap();
        assert!(text.contains(from), "{from}");
        fs::write(path, text.replacen(from, to, 1)).unwrap();
    }

    #[test]
    fn twice_changes_nothing() {
        let (_folder, spec, out) = copy();
        assert_eq!(write(&spec, &out).as_deref(), Ok("nothing to change"));
        assert!(check(&spec, &out).is_ok());
    }

    #[test]
    fn a_changed_type_is_found_in_one_file_and_changes_that_file_alone() {
        let (_folder, spec, out) = copy();
        let before = contents(&out);
        let page = spec.join("actions/get_repo_image.json");
        edit(
            &page,
            r#""name": "LatestTag", "type": "string""#,
            r#""name": "LatestTag", "type": "array[string]""#,
        );
        edit(
            &page,
            r#""required": true, "description": "The tag"#,
            r#""required": false, "example_type": "string", "description": "The tag"#,
        );

        let found = check(&spec, &out).unwrap_err();
        assert!(found.contains("get_repo_image.rs: stale"), "{found}");
        assert!(found.contains("-    pub latest_tag: String,"), "{found}");
        assert!(
            found.contains("+    pub latest_tag: Vec<String>,"),
            "{found}"
        );
        assert_eq!(found.matches(".rs:").count(), 1, "{found}");
        assert_eq!(contents(&out), before, "--check writes nothing");

        write(&spec, &out).unwrap();
        let changed: Vec<String> = contents(&out)
            .into_iter()
            .filter(|(path, text)| before[path] != *text)
            .map(|(path, _)| path)
            .collect();
        assert_eq!(
            changed,
            [out.join("get_repo_image.rs").display().to_string()]
        );
        assert!(check(&spec, &out).is_ok());
    }

    #[test]
    fn missing_and_orphaned_files_are_found_and_mended() {
        let (_folder, spec, out) = copy();
        let before = contents(&out);
        fs::rename(out.join("get_repo_image.rs"), out.join("get_gone.rs")).unwrap();
        let found = check(&spec, &out).unwrap_err();
        assert!(found.contains("get_repo_image.rs: missing"), "{found}");
        assert!(found.contains("get_gone.rs: orphaned"), "{found}");
        write(&spec, &out).unwrap();
        assert_eq!(contents(&out), before);
    }

    #[test]
    fn what_codegen_did_not_write_it_does_not_touch() {
        let (_folder, spec, out) = copy();
        let before = contents(&out);
        edit(
            &spec.join("actions/get_repo_image.json"),
            "one repository",
            "a repository",
        );
        fs::write(out.join("notes.txt"), "mine").unwrap();
        for command in [check, write] {
            let refused = command(&spec, &out).unwrap_err();
            assert!(refused.contains("notes.txt"), "{refused}");
            assert!(refused.contains("not written by"), "{refused}");
        }
        fs::remove_file(out.join("notes.txt")).unwrap();
        assert_eq!(contents(&out), before, "nothing was written");
    }

    #[test]
    fn a_mistaken_spec_writes_nothing_and_shows_every_mistake() {
        let (_folder, spec, out) = copy();
        let before = contents(&out);
        let page = spec.join("actions/get_repo_image.json");
        edit(&page, "array[ImageSet]", "array[ImageSets]");
        edit(&page, "\"safe\"", "\"save\"");
        edit(&spec.join("service.json"), "\"THROTTLED\"", "\"throttled\"");
        let found = write(&spec, &out).unwrap_err();
        assert!(
            found.contains(
                "get_repo_image.json:5:13: `save` is not known here; did you mean `safe`?"
            ),
            "{found}"
        );
        assert!(found.contains("service.json:"), "{found}");
        assert!(
            found.ends_with("3 mistakes in the spec; nothing was written"),
            "{found}"
        );
        assert_eq!(contents(&out), before);
        assert!(
            write(&spec.join("nowhere"), &out)
                .unwrap_err()
                .contains("nowhere")
        );
    }

    /// The core knows no action by name: it takes any service's generated code.
    #[test]
    fn the_core_compiles_with_another_services_code() {
        let target = std::env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| in_repository("target"), Into::into);
        let scratch = target.join("tmp/another-service");
        let _ = fs::remove_dir_all(&scratch);
        copy_folder(&in_repository("uhub-sdk"), &scratch.join("uhub-sdk"));
        fs::copy(in_repository("Cargo.lock"), scratch.join("Cargo.lock")).unwrap();
        let manifest = fs::read_to_string(in_repository("Cargo.toml")).unwrap();
        let members = r#"members = ["codegen", "uhub-sdk", "xtask"]"#;
        assert!(manifest.contains(members));
        let manifest = manifest.replace(members, r#"members = ["uhub-sdk"]"#);
        fs::write(scratch.join("Cargo.toml"), manifest).unwrap();
        let generated = scratch.join("uhub-sdk/src/generated");
        fs::remove_dir_all(&generated).unwrap();
        write(&in_repository("codegen/tests/data/other"), &generated).unwrap();

        // What stands beside the core may know the service.
        let lib = scratch.join("uhub-sdk/src/lib.rs");
        let core = fs::read_to_string(&lib).unwrap();
        assert!(core.contains("pub mod recipes;\n"));
        fs::write(&lib, core.replace("pub mod recipes;\n", "")).unwrap();

        let output = std::process::Command::new(env!("CARGO"))
            .args(["check", "--offline", "--package", "uhub-sdk"])
            .current_dir(&scratch)
            // What the workspace has compiled already need not be compiled again.
            .env("CARGO_TARGET_DIR", &target)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && !said.contains("warning"),
            "{said}"
        );
    }

    fn copy_folder(from: &Path, to: &Path) {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let path = entry.unwrap().path();
            let to = to.join(path.file_name().unwrap());
            if path.is_dir() {
                copy_folder(&path, &to);
            } else {
                fs::copy(&path, &to).unwrap();
            }
        }
    }
}
