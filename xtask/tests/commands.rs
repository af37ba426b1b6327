//! The commands as programs: where they read and write, and what they do without a reader.
#![allow(clippy::unwrap_used)]

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

fn xtask(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(arguments).current_dir(folder).env_remove("CARGO_MANIFEST_DIR");
    command
}

fn text(output: &Output) -> String {
    String::from_utf8([&output.stdout[..], &output.stderr].concat()).unwrap()
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

/// The folders of a repository that the commands use.
fn repository(root: &Path) {
    copy_folder(Path::new("../codegen/tests/data/uhub"), &root.join("api-spec/uhub"));
    for package in ["uhub-sdk", "xtask"] {
        fs::create_dir_all(root.join(package)).unwrap();
        fs::write(root.join(package).join("Cargo.toml"), "").unwrap();
    }
    fs::write(root.join("Cargo.toml"), "").unwrap();
}

/// The files under a folder, by their names.
fn files(folder: &Path) -> Vec<String> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files.extend(self::files(&path)),
            false => files.push(path.display().to_string()),
        }
    }
    files
}

/// Worktrees that share a target folder run one program, and a clone may have been moved.
#[test]
fn the_repository_is_the_one_that_the_command_is_called_in() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    let (first, second) = (root.join("first"), root.join("second"));
    for root in [&first, &second] {
        repository(root);
    }
    let here = || [files(Path::new("../api-spec")), files(Path::new("../uhub-sdk"))];
    let before = here();
    let inside = second.join("api-spec/uhub");

    // Cargo says which package it runs, from whatever folder.
    for (folder, arguments) in
        [(&*root, &["codegen"][..]), (&inside, &["codegen", "--check"]), (&root, &["codegen"])]
    {
        let mut command = xtask(folder, arguments);
        let output = command.env("CARGO_MANIFEST_DIR", first.join("xtask")).output().unwrap();
        assert!(output.status.success(), "{}", text(&output));
    }
    assert!(first.join("uhub-sdk/src/generated/get_repo.rs").exists());
    assert!(!second.join("uhub-sdk/src").exists());

    // Without Cargo, it is the one around the current folder, even if another program's package
    // is inherited.
    let output = xtask(&inside, &["codegen"]).env("CARGO_MANIFEST_DIR", &root).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    assert!(second.join("uhub-sdk/src/generated/get_repo.rs").exists());

    // After a move.
    let moved = root.join("moved");
    fs::rename(&first, &moved).unwrap();
    let page = root.join("page.md");
    fs::copy("../codegen/tests/data/pages/markdown/depot/get_scale.md", &page).unwrap();
    let output = xtask(&moved, &["import", page.to_str().unwrap()]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    assert!(moved.join("api-spec/uhub/actions/get_scale.json").exists());
    assert!(!first.exists());

    // Outside of a repository.
    for arguments in [&["codegen"][..], &["codegen", "--check"], &["diff", "--base", "HEAD"]] {
        let output = xtask(&root, arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", text(&output));
        let message = text(&output);
        assert!(message.contains("run `cargo xtask` in the repository"), "{message}");
    }
    let output = xtask(&root, &["import", "page.md"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(!root.join("api-spec").exists() && !root.join("uhub-sdk").exists());
    assert_eq!(here(), before, "nothing is written here");
}

#[test]
fn a_mistyped_folder_is_not_created() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    repository(root);
    fs::copy("../codegen/tests/data/pages/markdown/depot/get_scale.md", root.join("page.md"))
        .unwrap();
    for (arguments, option) in [
        (&["codegen", "--out", "uhub-skd"][..], "--out uhub-skd"),
        (&["codegen", "--spec", "api-spec/ubuh"], "--spec api-spec/ubuh"),
        (&["codegen", "--check", "--out", "uhub-skd"], "--out uhub-skd"),
    ] {
        let output = xtask(root, arguments).output().unwrap();
        let message = text(&output);
        assert_eq!(output.status.code(), Some(1), "{message}");
        assert!(message.starts_with(&format!("{option}: no such folder")), "{message}");
    }
    let output = xtask(root, &["import", "--out", "api-spec/ubuh", "page.md"]).output().unwrap();
    let message = text(&output);
    assert!(message.starts_with("api-spec/ubuh: ") && message.contains("--out"), "{message}");
    assert!(!root.join("uhub-skd").exists() && !root.join("api-spec/ubuh").exists());
}

#[test]
fn a_closed_pipe_is_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    repository(root);
    copy_folder(&root.join("api-spec/uhub"), &root.join("before"));
    fs::write(root.join("bad.md"), "no page").unwrap();
    for arguments in [
        &["--help"][..],
        &["--version"],
        &["nonsense"],
        &[],
        &["codegen", "--help"],
        &["codegen", "--check"],
        &["codegen"],
        &["codegen"],
        &["diff", "before", "api-spec/uhub"],
        &["diff", "before", "api-spec/uhub", "--deny", "documentation"],
        &["diff", "nowhere"],
        &["import", "bad.md"],
        &["import", "--check", "nowhere.md"],
    ] {
        let closed = || {
            let (reader, writer) = std::io::pipe().unwrap();
            drop(reader);
            Stdio::from(writer)
        };
        let status = xtask(root, arguments).stdout(closed()).stderr(closed()).status().unwrap();
        assert!(matches!(status.code(), Some(0..=2)), "{arguments:?}: {status}");
    }
}

#[test]
fn a_byte_order_mark_in_a_spec_is_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    repository(root);
    let generated = xtask(root, &["codegen"]).output().unwrap();
    assert!(generated.status.success(), "{}", text(&generated));
    for file in ["service.json", "actions/get_repo.json"] {
        let path = root.join("api-spec/uhub").join(file);
        let marked = format!("\u{feff}{}", fs::read_to_string(&path).unwrap());
        fs::write(&path, marked).unwrap();
    }
    let checked = xtask(root, &["codegen", "--check"]).output().unwrap();
    assert!(checked.status.success(), "{}", text(&checked));
}

/// Unlike a closed pipe, a full disk loses what the command was asked for.
#[cfg(target_os = "linux")]
#[test]
fn a_report_that_cannot_be_written_is_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    repository(root);
    copy_folder(&root.join("api-spec/uhub"), &root.join("before"));
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = xtask(root, &["diff", "before", "api-spec/uhub", "--json"])
        .stdout(full)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
        .wait_with_output()
        .unwrap();
    let message = text(&output);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.starts_with("cannot write to the standard output: "), "{message}");
}
