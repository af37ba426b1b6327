//! `cargo xtask diff`: what a changed spec means to the users of the generated crate.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
};

use clap::{Args, ValueEnum};
use uhub_codegen::{Class, Spec, SpecFile};

use crate::in_repository;

/// The version that is out: the next one is counted from it.
const VERSION: &str = env!("CARGO_PKG_VERSION");

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The spec before and the spec after: two folders of service.json and actions/, or two files of one
    /// action. With --base, the one after alone [default: api-spec/uhub].
    #[arg(value_name = "SPEC", num_args = 0..=2)]
    specs: Vec<PathBuf>,
    /// Compare with what the spec was at a revision of git.
    #[arg(long, value_name = "REV")]
    base: Option<String>,
    /// For programs.
    #[arg(long, conflicts_with = "markdown")]
    json: bool,
    /// For a changelog.
    #[arg(long)]
    markdown: bool,
    /// Fail where a change is of this class, or of a worse one.
    #[arg(long, value_name = "CLASS")]
    deny: Option<Deny>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Deny {
    Breaking,
    Additive,
    Documentation,
}

impl From<Deny> for Class {
    fn from(deny: Deny) -> Self {
        match deny {
            Deny::Breaking => Self::Breaking,
            Deny::Additive => Self::Additive,
            Deny::Documentation => Self::Documentation,
        }
    }
}

/// The changes, in the form that was asked for.
pub(crate) fn run(arguments: &Arguments) -> Result<String, String> {
    let (old, new) = specs(arguments)?;
    let changes = uhub_codegen::diff(&old, &new).map_err(|mistakes| {
        let mistakes: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        format!(
            "{}\nthe specs cannot be compared before they are right",
            mistakes.join("\n")
        )
    })?;
    let shown = if arguments.json {
        changes.to_json(VERSION)
    } else if arguments.markdown {
        changes.to_markdown().trim_end().to_owned()
    } else {
        changes.to_text(VERSION)
    };
    match (arguments.deny.map(Class::from), changes.class()) {
        (Some(denied), Some(worst)) if worst <= denied => {
            println!("{shown}");
            Err(format!("--deny {denied}: there are {worst} changes"))
        }
        _ => Ok(shown),
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
            Ok((read_at(base, &folder)?, read(&folder)?))
        }
        ([new], Some(base)) => Ok((read_at(base, new)?, read(new)?)),
        _ => Err("name two specs, or one and the --base to compare it with".to_owned()),
    }
}

fn read(path: &Path) -> Result<Spec, String> {
    let named = |error| format!("cannot read the spec: {error}");
    if path.is_dir() {
        return uhub_codegen::read(path).map_err(|error| named(error.to_string()));
    }
    let text =
        fs::read_to_string(path).map_err(|error| named(format!("{}: {error}", path.display())))?;
    Ok(Spec::of_action(SpecFile::new(
        path.display().to_string(),
        text,
    )))
}

/// A spec as it was at a revision.
fn read_at(revision: &str, path: &Path) -> Result<Spec, String> {
    let is_folder = path.is_dir();
    let (folder, inside) = if is_folder {
        (path, ".".as_ref())
    } else {
        let name = path.file_name().unwrap_or_default();
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        (folder.unwrap_or(Path::new(".")), Path::new(name))
    };
    // A revision is not taken for an option, whatever it begins with.
    let commit = git(
        folder,
        &[
            "rev-parse",
            "--verify",
            "--end-of-options",
            &format!("{revision}^{{commit}}"),
        ],
        "",
    )?;
    let commit = text(commit, revision)?;
    let inside = inside.to_string_lossy();
    let listed = git(
        folder,
        &[
            "ls-tree",
            "-r",
            "-z",
            "--name-only",
            commit.trim(),
            "--",
            &inside,
        ],
        "",
    )?;
    let mut names: Vec<String> = text(listed, revision)?
        .split_terminator('\0')
        .filter(|name| !is_folder || is_of_spec(name))
        .map(str::to_owned)
        .collect();
    names.sort();
    let mut files = contents(folder, commit.trim(), &names)?
        .into_iter()
        .zip(&names)
        .map(|(content, name)| {
            let path = format!("{revision}:{}", folder.join(name).display());
            Ok((name, SpecFile::new(path.clone(), text(content, &path)?)))
        })
        .collect::<Result<Vec<_>, String>>()?;
    let nothing = || format!("{revision} has no spec at {}", path.display());
    if !is_folder {
        let (_, file) = files.pop().ok_or_else(nothing)?;
        return Ok(Spec::of_action(file));
    }
    let service = files
        .iter()
        .position(|(name, _)| *name == "service.json")
        .ok_or_else(nothing)?;
    let (_, service) = files.remove(service);
    let actions = files.into_iter().map(|(_, file)| file).collect();
    Ok(Spec::new(service, actions))
}

/// What [`uhub_codegen::read`] reads of a folder.
fn is_of_spec(name: &str) -> bool {
    let action = name.strip_prefix("actions/");
    name == "service.json"
        || action.is_some_and(|file| file.ends_with(".json") && !file.contains('/'))
}

/// The files of a commit, by one process for them all.
fn contents(folder: &Path, commit: &str, names: &[String]) -> Result<Vec<Vec<u8>>, String> {
    let asked: String = names
        .iter()
        .map(|name| format!("{commit}:./{name}\n"))
        .collect();
    let answer = git(folder, &["cat-file", "--batch"], &asked)?;
    let mut rest = &answer[..];
    let mut contents = Vec::new();
    for name in names {
        // `<object> blob <size>`, the content, and the end of a line.
        let read = || {
            let line = rest.iter().position(|byte| *byte == b'\n')?;
            let head = std::str::from_utf8(&rest[..line]).ok()?;
            let size: usize = head
                .rsplit_once(" blob ")
                .and_then(|(_, size)| size.parse().ok())?;
            let content = rest.get(line + 1..)?;
            Some((content.get(..size)?.to_vec(), content.get(size + 1..)?))
        };
        let (content, after) =
            read().ok_or_else(|| format!("git does not give {commit}:{name} as a file"))?;
        contents.push(content);
        rest = after;
    }
    Ok(contents)
}

/// What git prints, run in a folder.
fn git(folder: &Path, arguments: &[&str], input: &str) -> Result<Vec<u8>, String> {
    let failed = |error: std::io::Error| format!("cannot run git: {error}");
    let mut git = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(arguments)
        // The repository is the one that the folder is in, also where a hook runs this.
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .env_remove("GIT_INDEX_FILE")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let stdin = git.stdin.take();
    let output = thread::scope(|scope| {
        // It answers while it is being asked.
        scope.spawn(|| stdin.map(|mut stdin| stdin.write_all(input.as_bytes())));
        git.wait_with_output()
    })
    .map_err(failed)?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        let said = String::from_utf8_lossy(&output.stderr);
        Err(format!("git {}: {}", arguments[0], said.trim_end()))
    }
}

fn text(bytes: Vec<u8>, what: &str) -> Result<String, String> {
    String::from_utf8(bytes).map_err(|_| format!("{what}: this is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A repository with a spec in it, and one change that is not committed.
    fn repository() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let spec = folder.path().join("my spec");
        fs::create_dir_all(spec.join("actions")).unwrap();
        let uhub = in_repository("api-spec/uhub");
        for file in [
            "service.json",
            "actions/get_repo_image.json",
            "actions/delete_repo.json",
        ] {
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
            git(folder.path(), arguments, "").unwrap();
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
    fn a_folder_is_compared_with_what_it_was() {
        let repository = repository();
        let spec = repository.path().join("my spec");
        let said = run(&arguments(&[&spec], Some("HEAD"))).unwrap();
        for expected in [
            "DeleteRepo\n  breaking      action is gone\n",
            "  documentation parameter `Limit`: default, `20` → `50` (silent)\n",
            "1 breaking, 0 additive, 1 documentation: minor, ",
        ] {
            assert!(said.contains(expected), "{said}");
        }
        let uhub = in_repository("api-spec/uhub");
        assert_eq!(
            run(&arguments(&[&uhub, &uhub], None)).as_deref(),
            Ok("nothing has changed")
        );
    }

    #[test]
    fn one_action_is_compared_with_another_file_or_with_what_it_was() {
        let repository = repository();
        let action = repository
            .path()
            .join("my spec/actions/get_repo_image.json");
        let before = in_repository("api-spec/uhub/actions/get_repo_image.json");
        let anywhere = repository.path().join("page of today.json");
        fs::copy(&action, &anywhere).unwrap();
        for said in [
            run(&arguments(&[&action], Some("HEAD"))),
            run(&arguments(&[&before, &anywhere], None)),
        ] {
            let said = said.unwrap();
            assert!(
                said.contains("0 breaking, 0 additive, 1 documentation"),
                "{said}"
            );
        }
    }

    #[test]
    fn a_class_can_be_denied() {
        let repository = repository();
        let spec = repository.path().join("my spec");
        let denying = |deny, json| Arguments {
            deny: Some(deny),
            json,
            ..arguments(&[&spec], Some("HEAD"))
        };
        for deny in [Deny::Breaking, Deny::Additive, Deny::Documentation] {
            let said = run(&denying(deny, true)).unwrap_err();
            assert!(said.contains("there are breaking changes"), "{said}");
        }
        let deleted = spec.join("actions/delete_repo.json");
        fs::copy(
            in_repository("api-spec/uhub/actions/delete_repo.json"),
            deleted,
        )
        .unwrap();
        assert!(run(&denying(Deny::Additive, false)).is_ok());
        assert!(run(&denying(Deny::Documentation, false)).is_err());
    }

    #[test]
    fn what_cannot_be_compared_is_said() {
        let repository = repository();
        let spec = repository.path().join("my spec");
        let action = spec.join("actions/get_repo_image.json");
        let text = fs::read_to_string(&action).unwrap();
        fs::write(&action, text.replace("\"safe\"", "\"save\"")).unwrap();
        for (specs, base, expected) in [
            (
                &[&*spec][..],
                Some("HEAD"),
                "get_repo_image.json:5:13: `save` is not known here",
            ),
            (&[&spec], Some("nowhere"), "git rev-parse: "),
            (&[&spec], Some("--help"), "git rev-parse: "),
            (&[repository.path()], Some("HEAD"), "HEAD has no spec at "),
            (&[&spec], None, "name two specs"),
            (&[&spec, &action], None, "one is a folder and one is not"),
            (&[&spec, &spec], Some("HEAD"), "name two specs"),
            (
                &[&spec.join("a"), &spec.join("b")],
                None,
                "cannot read the spec: ",
            ),
        ] {
            let said = run(&arguments(specs, base)).unwrap_err();
            assert!(said.contains(expected), "{expected}: {said}");
        }
    }
}
