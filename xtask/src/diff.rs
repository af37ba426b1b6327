//! `cargo xtask diff`: reports what a changed spec means for users of the generated crate.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use clap::Args;
use uhub_codegen::{Class, Spec, SpecFile};

use crate::{
    files::{self, in_repository},
    git::git,
    spec_files,
};

/// The released version, from which the next one is counted.
const VERSION: &str = env!("CARGO_PKG_VERSION");

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The old and the new spec: two folders of service.json and actions/, or two files of one
    /// action. With --base, the new one only [default: api-spec/uhub].
    #[arg(value_name = "SPEC", num_args = 0..=2)]
    specs: Vec<PathBuf>,
    /// Compare with the spec at a git revision.
    #[arg(long, value_name = "REV")]
    base: Option<String>,
    /// Print JSON, for programs.
    #[arg(long, conflicts_with = "markdown")]
    json: bool,
    /// Print Markdown, for a changelog.
    #[arg(long)]
    markdown: bool,
    /// Fail on changes of this class or a worse one: breaking, additive or documentation.
    #[arg(long, value_name = "CLASS", value_parser = class)]
    deny: Option<Class>,
}

fn class(name: &str) -> Result<Class, String> {
    let mut classes = [Class::Breaking, Class::Additive, Class::Documentation].into_iter();
    let class = classes.find(|class| class.to_string() == name);
    class.ok_or_else(|| "expected breaking, additive or documentation".to_owned())
}

/// Returns the changes in the requested format.
pub(crate) fn run(arguments: &Arguments) -> Result<String, String> {
    let (old, new) = specs(arguments)?;
    let changes = uhub_codegen::diff(&old, &new).map_err(|mistakes| {
        let mistakes: String = mistakes.iter().map(|it| format!("{it}\n")).collect();
        format!("{mistakes}the specs cannot be compared until these errors are fixed")
    })?;
    let output = if arguments.json {
        changes.to_json(VERSION)
    } else if arguments.markdown {
        changes.to_markdown().trim_end().to_owned()
    } else {
        changes.to_text(VERSION)
    };
    match (arguments.deny, changes.class()) {
        (Some(denied), Some(worst)) if worst <= denied => {
            let _ = writeln!(io::stdout(), "{output}");
            Err(format!("--deny {denied}: there are {worst} changes"))
        }
        _ => Ok(output),
    }
}

fn specs(arguments: &Arguments) -> Result<(Spec, Spec), String> {
    match (&arguments.specs[..], &arguments.base) {
        ([old, new], None) if old.is_dir() == new.is_dir() => Ok((read(old)?, read(new)?)),
        ([old, new], None) => Err(format!(
            "{} and {}: one is a folder and one is not; name two folders, or two files of one action",
            old.display(),
            new.display()
        )),
        ([], Some(base)) => {
            let folder = in_repository("api-spec/uhub");
            files::require_folder(&folder, "SPEC")?;
            Ok((read_at(base, &folder)?, read(&folder)?))
        }
        ([new], Some(base)) => Ok((read_at(base, new)?, read(new)?)),
        _ => Err("name two specs, or one and the --base to compare it with".to_owned()),
    }
}

fn read(path: &Path) -> Result<Spec, String> {
    match path.is_dir() {
        true => spec_files::read(path),
        false => spec_files::read_file(path).map(Spec::of_action),
    }
}

/// Reads a spec as it was at a revision.
pub(crate) fn read_at(revision: &str, path: &Path) -> Result<Spec, String> {
    let (folder, file) = match (path.parent(), path.file_name()) {
        _ if path.is_dir() => (path, None),
        (Some(folder), Some(name)) if folder != Path::new("") => (folder, Some(name)),
        (_, name) => (Path::new("."), name),
    };
    let show = |name: &str| {
        let text = git(folder, &["show", "--end-of-options", &format!("{revision}:./{name}")])?;
        let path = folder.join(name);
        Ok::<_, String>(SpecFile::new(format!("{revision}:{}", path.display()), text))
    };
    if let Some(name) = file {
        return show(&name.to_string_lossy()).map(Spec::of_action);
    }
    let list = ["ls-tree", "-z", "--name-only", "--end-of-options", revision, "actions/"];
    let names = git(folder, &list)?;
    let names = names.split_terminator('\0').filter(|name| name.ends_with(".json"));
    let actions = names.map(show).collect::<Result<_, _>>()?;
    Ok(Spec::new(show("service.json")?, actions))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A repository with a spec, in which one file is changed and one is deleted after the commit.
    fn repository() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let spec = folder.path().join("my spec");
        fs::create_dir_all(spec.join("actions")).unwrap();
        let uhub = in_repository("codegen/tests/data/uhub");
        for file in ["service.json", "actions/get_repo_image.json", "actions/delete_repo.json"] {
            fs::copy(uhub.join(file), spec.join(file)).unwrap();
        }
        fs::write(spec.join("actions/notes.txt"), "no spec").unwrap();
        for arguments in [
            &["init", "--quiet"][..],
            &["add", "."],
            &[
                "-c",
                "user.name=Test",
                "-c",
                "user.email=test@example.com",
                "-c",
                "commit.gpgsign=false",
                "commit",
                "--quiet",
                "--message",
                "A spec",
            ],
        ] {
            git(folder.path(), arguments).unwrap();
        }
        let action = spec.join("actions/get_repo_image.json");
        let text = fs::read_to_string(&action).unwrap();
        fs::write(&action, text.replace("\"default\": 20", "\"default\": 50")).unwrap();
        fs::remove_file(spec.join("actions/delete_repo.json")).unwrap();
        folder
    }

    fn arguments(specs: &[&Path], base: Option<&str>) -> Arguments {
        Arguments {
            specs: specs.iter().map(|path| path.to_path_buf()).collect(),
            base: base.map(str::to_owned),
            json: false,
            markdown: false,
            deny: None,
        }
    }

    #[test]
    fn a_folder_is_compared_with_a_revision() {
        let repository = repository();
        let spec = repository.path().join("my spec");
        let output = run(&arguments(&[&spec], Some("HEAD"))).unwrap();
        for expected in [
            "DeleteRepo\n  breaking      action is gone\n",
            "  documentation parameter `Limit`: default, `20` → `50` (silent)\n",
            "1 breaking, 0 additive, 1 documentation: minor, ",
        ] {
            assert!(output.contains(expected), "{output}");
        }
        let uhub = in_repository("codegen/tests/data/uhub");
        assert_eq!(run(&arguments(&[&uhub, &uhub], None)).as_deref(), Ok("no changes"));
    }

    #[test]
    fn one_action_is_compared_with_a_file_or_a_revision() {
        let repository = repository();
        let action = repository.path().join("my spec/actions/get_repo_image.json");
        let before = in_repository("codegen/tests/data/uhub/actions/get_repo_image.json");
        let anywhere = repository.path().join("page of today.json");
        fs::copy(&action, &anywhere).unwrap();
        for output in [
            run(&arguments(&[&action], Some("HEAD"))),
            run(&arguments(&[&before, &anywhere], None)),
        ] {
            let output = output.unwrap();
            assert!(output.contains("0 breaking, 0 additive, 1 documentation"), "{output}");
        }
    }

    #[test]
    fn a_class_can_be_denied() {
        let repository = repository();
        let spec = repository.path().join("my spec");
        let denying =
            |deny, json| Arguments { deny: Some(deny), json, ..arguments(&[&spec], Some("HEAD")) };
        for deny in [Class::Breaking, Class::Additive, Class::Documentation] {
            let output = run(&denying(deny, true)).unwrap_err();
            assert!(output.contains("there are breaking changes"), "{output}");
        }
        let deleted = spec.join("actions/delete_repo.json");
        fs::copy(in_repository("codegen/tests/data/uhub/actions/delete_repo.json"), deleted)
            .unwrap();
        assert!(run(&denying(Class::Additive, false)).is_ok());
        assert!(run(&denying(Class::Documentation, false)).is_err());
    }

    #[test]
    fn errors_say_what_cannot_be_compared() {
        let repository = repository();
        let spec = repository.path().join("my spec");
        let action = spec.join("actions/get_repo_image.json");
        let text = fs::read_to_string(&action).unwrap();
        fs::write(&action, text.replace("\"safe\"", "\"save\"")).unwrap();
        for (specs, base, expected) in [
            (
                &[&*spec][..],
                Some("HEAD"),
                "get_repo_image.json:6:18: error: `save` is unknown here",
            ),
            (&[&spec], Some("nowhere"), "git ls-tree: fatal: "),
            (&[&spec], Some("--help"), "git ls-tree: fatal: "),
            (&[&action], Some("--help"), "git show: fatal: "),
            (&[repository.path()], Some("HEAD"), "git show: fatal: path 'service.json' "),
            (&[&spec], None, "name two specs"),
            (&[&spec, &action], None, "one is a folder and one is not"),
            (&[&spec, &spec], Some("HEAD"), "name two specs"),
            (&[&spec.join("a"), &spec.join("b")], None, "cannot read the spec: "),
        ] {
            let output = run(&arguments(specs, base)).unwrap_err();
            assert!(output.contains(expected), "{expected}: {output}");
        }
    }
}
