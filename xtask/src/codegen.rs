//! `cargo xtask codegen`: writes the generated code, or checks that it is up to date.

use std::{
    collections::BTreeMap,
    fmt::Write,
    path::{Path, PathBuf},
};

use crate::{
    files::{self, Change, count},
    spec_files,
};

/// Updates the generated code in the SDK's folder.
pub(crate) fn write(spec: &Path, sdk: &Path) -> Result<String, String> {
    let folders = compare(spec, sdk)?;
    let mut message = String::new();
    for (folder, changes) in &folders {
        files::apply(changes, folder)?;
        for change in changes {
            let path = folder.join(&change.name);
            let _ = writeln!(message, "{}: {}", path.display(), change.done());
        }
    }
    message.push_str(if message.is_empty() { "nothing to change" } else { "done" });
    Ok(message)
}

/// Fails if the generated code in the SDK's folder is not up to date.
pub(crate) fn check(spec: &Path, sdk: &Path) -> Result<String, String> {
    let mut message = String::new();
    for (folder, changes) in compare(spec, sdk)? {
        for change in changes {
            let path = folder.join(&change.name);
            let is = change.word("stale", "missing", "orphaned: it is no longer generated");
            let _ = write!(message, "{}: {is}\n{}", path.display(), change.short_diff());
        }
    }
    if message.is_empty() {
        return Ok("the generated code is up to date".to_owned());
    }
    message.push_str(
        "the generated code is not up to date: run `cargo xtask codegen` with the same --spec and --out",
    );
    Err(message)
}

/// The changes of each folder of generated code.
fn compare(spec: &Path, sdk: &Path) -> Result<Vec<(PathBuf, Vec<Change>)>, String> {
    files::require_folder(spec, "--spec")?;
    files::require_folder(sdk, "--out")?;
    let mut folders: BTreeMap<PathBuf, BTreeMap<String, String>> = BTreeMap::new();
    for (path, text) in generate(spec)? {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
        let files = folders.entry(sdk.join(folder)).or_default();
        files.insert(name.to_owned(), text);
    }
    let folders = folders.into_iter();
    let folders = folders.map(|(folder, files)| {
        let changes = files::compare(&files, &folder)?;
        Ok((folder, changes))
    });
    folders.collect()
}

fn generate(spec: &Path) -> Result<BTreeMap<String, String>, String> {
    uhub_codegen::generate(&spec_files::read(spec)?).map_err(|mistakes| {
        let lines: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        format!(
            "{}\n{} in the spec; nothing was written",
            lines.join("\n"),
            count(mistakes.len(), "mistake")
        )
    })
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs};

    use proc_macro2::{TokenStream, TokenTree};

    use super::*;
    use crate::files::in_repository;

    #[test]
    fn the_committed_code_is_what_the_spec_generates() {
        let result = check(&in_repository("api-spec/uhub"), &in_repository("uhub-sdk"));
        assert_eq!(result.as_deref(), Ok("the generated code is up to date"));
    }

    /// A copy of the spec, and the folder of the code that is generated from it.
    fn copy() -> (tempfile::TempDir, PathBuf, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let (spec, out) = (folder.path().join("spec"), folder.path().join("sdk"));
        fs::create_dir_all(spec.join("actions")).unwrap();
        fs::create_dir(&out).unwrap();
        let original = in_repository("codegen/tests/data/uhub");
        fs::copy(original.join("service.json"), spec.join("service.json")).unwrap();
        for entry in fs::read_dir(original.join("actions")).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, spec.join("actions").join(path.file_name().unwrap())).unwrap();
        }
        write(&spec, &out).unwrap();
        (folder, spec, out)
    }

    /// The generated files, by their paths in the SDK's folder.
    fn contents(sdk: &Path) -> BTreeMap<String, String> {
        let mut contents = BTreeMap::new();
        for folder in ["src/generated", "local/src/generated"] {
            for entry in fs::read_dir(sdk.join(folder)).unwrap() {
                let path = entry.unwrap().path();
                let name = path.strip_prefix(sdk).unwrap().display().to_string();
                contents.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
        contents
    }

    fn edit(path: &Path, from: &str, to: &str) {
        let text = fs::read_to_string(path).unwrap();
        assert!(text.contains(from), "{from}");
        fs::write(path, text.replacen(from, to, 1)).unwrap();
    }

    #[test]
    fn a_second_run_changes_nothing() {
        let (_folder, spec, out) = copy();
        assert_eq!(write(&spec, &out).as_deref(), Ok("nothing to change"));
        assert!(check(&spec, &out).is_ok());
    }

    #[test]
    fn a_changed_type_changes_one_file() {
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
        assert!(found.contains("+    pub latest_tag: Vec<String>,"), "{found}");
        assert_eq!(found.matches(".rs:").count(), 1, "{found}");
        assert_eq!(contents(&out), before, "--check writes nothing");

        write(&spec, &out).unwrap();
        let changed: Vec<String> = contents(&out)
            .into_iter()
            .filter(|(path, text)| before[path] != *text)
            .map(|(path, _)| path)
            .collect();
        assert_eq!(changed, ["src/generated/get_repo_image.rs"]);
        assert!(check(&spec, &out).is_ok());
    }

    #[test]
    fn missing_and_orphaned_files_are_found_and_fixed() {
        let (_folder, spec, out) = copy();
        let before = contents(&out);
        let (actions, local) = (out.join("src/generated"), out.join("local/src/generated"));
        fs::rename(actions.join("get_repo_image.rs"), actions.join("get_gone.rs")).unwrap();
        fs::rename(local.join("mod.rs"), local.join("gone.rs")).unwrap();
        let found = check(&spec, &out).unwrap_err();
        for expected in [
            "get_repo_image.rs: missing",
            "get_gone.rs: orphaned",
            "local/src/generated/mod.rs: missing",
            "local/src/generated/gone.rs: orphaned",
        ] {
            assert!(found.contains(expected), "{found}");
        }
        write(&spec, &out).unwrap();
        assert_eq!(contents(&out), before);
    }

    #[test]
    fn a_file_that_was_not_generated_is_left_alone() {
        let (_folder, spec, out) = copy();
        let before = contents(&out);
        edit(&spec.join("actions/get_repo_image.json"), "one repository", "a repository");
        let notes = out.join("local/src/generated/notes.txt");
        fs::write(&notes, "mine").unwrap();
        for command in [check, write] {
            let refused = command(&spec, &out).unwrap_err();
            assert!(refused.contains("notes.txt"), "{refused}");
            assert!(refused.contains("not written by"), "{refused}");
        }
        fs::remove_file(notes).unwrap();
        assert_eq!(contents(&out), before, "nothing was written");
    }

    #[test]
    fn every_mistake_in_a_spec_is_shown_and_nothing_is_written() {
        let (_folder, spec, out) = copy();
        let before = contents(&out);
        let page = spec.join("actions/get_repo_image.json");
        edit(&page, "array[ImageSet]", "array[ImageSets]");
        edit(&page, "\"safe\"", "\"save\"");
        edit(&spec.join("service.json"), "\"THROTTLED\"", "\"throttled\"");
        let found = write(&spec, &out).unwrap_err();
        assert!(
            found.contains(
                "get_repo_image.json:6:18: error: `save` is unknown here; did you mean `safe`?"
            ),
            "{found}"
        );
        assert!(found.contains("service.json:"), "{found}");
        assert!(found.ends_with("3 mistakes in the spec; nothing was written"), "{found}");
        assert_eq!(contents(&out), before);
        assert!(write(&spec.join("nowhere"), &out).unwrap_err().contains("nowhere"));
    }

    /// The core knows no action by name, so it compiles with the generated code of another service.
    #[test]
    fn the_core_compiles_with_another_services_code() {
        compile(&in_repository("codegen/tests/data/other"), "another-service", &["check"]);
    }

    /// What the core's source defines.
    fn names_of_the_core() -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        let mut folders = vec![in_repository("uhub-sdk/src")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() && !path.ends_with("generated") && !path.ends_with("recipes") {
                    folders.push(path);
                } else if path.extension().is_some_and(|it| it == "rs") {
                    collect_names(fs::read_to_string(path).unwrap().parse().unwrap(), &mut names);
                }
            }
        }
        names
    }

    /// Collects the names of functions, types, traits, constants and modules, without those of tests.
    fn collect_names(tokens: TokenStream, names: &mut BTreeSet<String>) {
        let mut before = String::new();
        for token in tokens {
            let text = token.to_string();
            match token {
                TokenTree::Group(group) if before != "tests" => {
                    collect_names(group.stream(), names);
                }
                TokenTree::Ident(_)
                    if ["fn", "struct", "enum", "trait", "type", "const", "mod"]
                        .contains(&&*before) =>
                {
                    names.insert(text.clone());
                }
                _ => {}
            }
            before = text;
        }
    }

    /// `send_with_metadata` becomes `SendWithMetadata`.
    fn camel_case(name: &str) -> String {
        let words = name.trim_start_matches("r#").split('_').filter(|word| !word.is_empty());
        words.map(|word| word[..1].to_uppercase() + &word[1..]).collect()
    }

    /// A service that names its actions, parameters, fields, models and values after everything in
    /// the core and in Rust's prelude.
    #[test]
    fn names_of_the_core_and_of_rust_clash_with_nothing() {
        #[rustfmt::skip]
        const RUST: &str = "Self self super crate gen async dyn try union raw macro yield box priv final abstract \
            Clone Copy Debug Default Drop Eq PartialEq Ord PartialOrd Hash Fn FnMut FnOnce From Into TryFrom TryInto \
            Iterator IntoIterator Option Some None Result Ok Err String Vec Box ToString ToOwned Send Sync Sized Unpin \
            AsRef Future IntoFuture std core alloc serde serde_json i64 f64 bool str usize A B C D E F R S T U \
            into try_into to_owned borrow borrow_mut type_id clone_into clone_from eq ne fmt clone \
            Con Nul Com1 Lpt9 Mod Main Lib Tests Test Enums Service Actions MaybeSize WithTimeout Other Error";
        let mut names: BTreeSet<String> = names_of_the_core();
        names.extend(RUST.split_whitespace().map(str::to_owned));
        let names: BTreeSet<String> = names
            .iter()
            .map(|name| camel_case(name))
            // Those of every action, the index of a list and the client's parameter have a meaning.
            .filter(|name| !["Action", "N", "ProjectId", "RetCode"].contains(&name.as_str()))
            .filter(|name| name.starts_with(|c: char| c.is_ascii_uppercase()))
            .collect();
        assert!(names.contains("SendWithMetadata") && names.contains("Paged"), "{names:?}");

        let field = |name: &str, ty: &str, more: &str| {
            format!(
                r#"{{ "name": "{name}", "type": "{ty}", "required": false, "description": "X."{more} }}"#
            )
        };
        // Two names may be one in snake_case.
        let by_snake_case: BTreeMap<String, &String> =
            names.iter().map(|name| (name.to_lowercase(), name)).collect();
        let list = |item: &dyn Fn(&str) -> String| {
            by_snake_case.values().map(|name| item(name)).collect::<Vec<_>>().join(",\n")
        };
        let action = |name: &str, parameters: &str, response: &str, models: &str| {
            let models = if models.is_empty() {
                String::new()
            } else {
                format!(r#", "models": {{ {models} }}"#)
            };
            format!(
                r#"{{ "action": "{name}", "summary": "X.", "idempotency": "safe",
                "parameters": [{parameters}], "response": [{response}]{models} }}"#
            )
        };
        let folder = tempfile::tempdir().unwrap();
        let spec = folder.path();
        fs::create_dir(spec.join("actions")).unwrap();
        fs::copy(in_repository("codegen/tests/data/other/service.json"), spec.join("service.json"))
            .unwrap();
        let write_action = |name: &str, text: &str| {
            fs::write(spec.join("actions").join(format!("unnamed-{name}.json")), text).unwrap();
        };
        let all = |ty: &str| list(&|name| field(name, ty, ""));
        write_action(
            "HaveParameters",
            &action(
                "HaveParameters",
                &[all("string"), field("ProjectId", "string", "")].join(","),
                "",
                "",
            ),
        );
        // A type begins with a capital in the core already.
        let core = names_of_the_core();
        let is_type = |name: &&&String| {
            core.contains(**name) || RUST.split_whitespace().any(|it| it == **name)
        };
        let types: Vec<&&String> = by_snake_case.values().filter(is_type).collect();
        let models: Vec<String> = types
            .iter()
            .map(|name| format!(r#""{name}": [{}]"#, field("Size", "int", "")))
            .collect();
        let models = models.join(",");
        // Response structs have at most 128 fields.
        let used: Vec<String> = types.iter().map(|name| field(name, name, "")).collect();
        let responses: Vec<_> = used
            .chunks(120)
            .enumerate()
            .map(|(index, fields)| {
                let fields = fields.join(",");
                (format!("Part{index}"), fields)
            })
            .collect();
        let parts: Vec<String> =
            responses.iter().map(|(name, fields)| format!(r#""{name}": [{fields}]"#)).collect();
        let response: Vec<String> =
            responses.iter().map(|(name, _)| field(name, name, "")).collect();
        write_action(
            "ReadModels",
            &action(
                "ReadModels",
                "",
                &response.join(","),
                &format!("{models}, {}", parts.join(",")),
            ),
        );
        write_action("SendModels", &action("SendModels", &used.join(","), "", &models));
        let values: Vec<String> =
            names.iter().filter(|name| *name != "Other").map(|name| format!("{name:?}")).collect();
        let values = format!(
            r#", "enum": [{}, "1", "2FA", "+"],
            "value_names": {{ "1": "ValueOne", "2FA": "ValueTwoFactors", "+": "ValuePlus" }}"#,
            values.join(",")
        );
        let kind = field("Kind", "string", &values);
        write_action("HaveValues", &action("HaveValues", &kind, &kind, ""));
        // Only some words are methods or modules; the others would take long to compile.
        let methods: BTreeSet<&str> =
            ["client.rs", "blocking.rs", "call/mod.rs", "config/builder.rs", "call/pages.rs"]
                .into_iter()
                .flat_map(|path| {
                    let text =
                        fs::read_to_string(in_repository("uhub-sdk/src").join(path)).unwrap();
                    let names = text
                        .split("fn ")
                        .skip(1)
                        .map(|rest| rest.split(['(', '<']).next().unwrap_or_default().to_owned());
                    names.collect::<Vec<_>>()
                })
                .chain(RUST.split_whitespace().map(str::to_owned))
                .map(|name| camel_case(&name).to_lowercase())
                .filter_map(|name| by_snake_case.get(&name).map(|name| name.as_str()))
                .collect();
        assert!(methods.contains("FromEnv") && methods.contains("Items"), "{methods:?}");
        for name in methods {
            write_action(name, &action(name, &field("Size", "int", ""), "", ""));
        }
        // Each file gets the name that a mistake asks for.
        for line in generate(spec).unwrap_err().lines() {
            let Some((place, rest)) = line.split_once(".json:") else { continue };
            let Some((_, file)) = rest.split_once("belongs in a file named `") else { continue };
            let file = spec.join("actions").join(file.trim_end_matches('`'));
            fs::rename(format!("{place}.json"), file).unwrap();
        }
        compile(spec, "adversarial", &["check", "--features", "blocking"]);
    }

    /// Compiles the core with the code of another service.
    fn compile(spec: &Path, name: &str, arguments: &[&str]) {
        let target = std::env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| in_repository("target"), Into::into);
        let scratch = target.join("tmp").join(name);
        let _ = fs::remove_dir_all(&scratch);
        let sdk = scratch.join("uhub-sdk");
        copy_folder(&in_repository("uhub-sdk"), &sdk);
        fs::copy(in_repository("Cargo.lock"), scratch.join("Cargo.lock")).unwrap();
        let manifest = fs::read_to_string(in_repository("Cargo.toml")).unwrap();
        let (before, after) = manifest.split_once("members = [").unwrap();
        let (_, after) = after.split_once(']').unwrap();
        let manifest = format!("{before}members = [\"uhub-sdk\", \"uhub-sdk/local\"]{after}");
        // The generator's dependencies are not those of the SDK.
        let is_generators = |line: &&str| !line.contains("opt-level = ");
        let manifest: Vec<&str> = manifest.lines().filter(is_generators).collect();
        fs::write(scratch.join("Cargo.toml"), manifest.join("\n")).unwrap();
        fs::remove_dir_all(sdk.join("src/generated")).unwrap();
        write(spec, &sdk).unwrap_or_else(|mistakes| panic!("{mistakes}"));

        // Recipes know the service's actions.
        let lib = sdk.join("src/lib.rs");
        let core = fs::read_to_string(&lib).unwrap();
        assert!(core.contains("pub mod recipes;\n"));
        fs::write(&lib, core.replace("pub mod recipes;\n", "")).unwrap();

        let output = std::process::Command::new(env!("CARGO"))
            .args(arguments)
            .args(["--offline", "--package", "uhub-sdk"])
            .current_dir(&scratch)
            // Reuses what the workspace has compiled.
            .env("CARGO_TARGET_DIR", &target)
            .output()
            .unwrap();
        let output_text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && !output_text.contains("warning"), "{output_text}");
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
