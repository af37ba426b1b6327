//! `cargo xtask release`: prepares a release, up to what has to be uploaded. `RELEASE.md` has the
//! whole path.

use std::path::Path;

use uhub_codegen::{Bump, Class};

use crate::{
    codegen, diff,
    files::{self, Change},
    git::git,
    package::{self, PUBLISHED, cargo, succeed},
    spec_files,
};

const SPEC: &str = "api-spec/uhub";

/// Prepare a release: choose the version, edit the manifests and the changelog, and test the
/// packages.
///
/// Nothing is committed, tagged, pushed or uploaded. The output lists the commands for that.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Change nothing: show the edits, and test the packages in a copy of the repository.
    #[arg(long)]
    dry_run: bool,
    /// The version to release. Defaults to the lowest that the changes allow.
    #[arg(long, value_name = "X.Y.Z")]
    version: Option<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<String, String> {
    let root = package::root()?;
    let today = jiff::Timestamp::now().strftime("%F").to_string();
    let mut plan = Plan::new(&root, arguments.version.as_deref(), &today)?;
    let target = package::target(&root);
    let mut report = plan.report.clone();
    if arguments.dry_run {
        report += &plan.changes.iter().map(Change::short_diff).collect::<String>();
        match plan.check_in_copy(&root, &target) {
            Ok(sizes) => report += &format!("{sizes}\n"),
            Err(problem) => plan.problems.push(problem),
        }
    } else if plan.problems.is_empty() {
        plan.apply(&root)?;
        let sizes = checks(&root, &target, plan.last_tag.as_deref());
        let sizes = sizes.map_err(|problem| {
            format!("{problem}\nThe edits are done; `git restore .` undoes them.")
        })?;
        report += &format!("{sizes}\n");
    }
    if !plan.problems.is_empty() {
        return Err(format!("{report}\nNot ready:\n- {}", plan.problems.join("\n- ")));
    }
    Ok(report + &plan.next_steps())
}

/// A release, and what is in its way.
struct Plan {
    last_tag: Option<String>,
    version: String,
    /// What leads to the version.
    report: String,
    changes: Vec<Change>,
    problems: Vec<String>,
}

impl Plan {
    fn new(root: &Path, requested: Option<&str>, today: &str) -> Result<Self, String> {
        let mut problems = Vec::new();
        let tags = ["tag", "--list", "v[0-9]*", "--merged", "HEAD", "--sort=-version:refname"];
        let last_tag = git(root, &tags)?.lines().next().map(str::to_owned);
        let current = package::version(root)?;
        let manifest = package::read(&root.join("Cargo.toml"))?;
        let changelog = package::read(&root.join("CHANGELOG.md"))?;
        let unreleased = Unreleased::of(&changelog);

        let mut report = "No release yet.\n".to_owned();
        let mut lowest = current.clone();
        if let Some(tag) = &last_tag {
            if tag[1..] != current {
                problems.push(format!(
                    "Cargo.toml has version {current}, but the last release is {tag}: restore the \
                     version, and choose another with --version."
                ));
            }
            let spec = spec_bump(root, tag, &current).unwrap_or_else(|problem| {
                problems.push(problem);
                Bump::None
            });
            let text = unreleased.class().map_or(Bump::None, |class| class.bump(&current));
            report = format!("Since {tag}: the spec calls for {spec}, the changelog for {text}.\n");
            lowest = spec.max(text).after(&current).unwrap_or(lowest);
        }
        let version = requested.unwrap_or(&lowest).to_owned();
        match (numbers(&version), numbers(&lowest)) {
            (None, _) => problems.push(format!("--version {version}: expected X.Y.Z.")),
            (chosen, needed) if chosen < needed => problems
                .push(format!("--version {version}: the changes call for {lowest} or later.")),
            _ => {}
        }
        report += &format!("Version {version}, tag v{version}.\n");

        if !git(root, &["tag", "--list", &format!("v{version}")])?.is_empty() {
            problems.push(format!("The tag v{version} exists already."));
        }
        if changelog.contains(&format!("\n## {version} ")) {
            problems.push(format!("CHANGELOG.md has a section {version} already."));
        }
        if unreleased.text.trim().is_empty() {
            problems.push("CHANGELOG.md has nothing under \"Unreleased\".".to_owned());
        }
        let dirty = git(root, &["status", "--porcelain"])?;
        if !dirty.is_empty() {
            problems.push(format!("Not committed:\n{}", dirty.trim_end()));
        }
        problems.extend(codegen::check(&root.join(SPEC), &root.join("uhub-sdk")).err());

        let released = unreleased.released(&version, today);
        let changes = [
            Change::to(
                "Cargo.toml",
                Some(manifest.clone()),
                with_version(&manifest, &current, &version),
            ),
            Change::to("CHANGELOG.md", Some(changelog.clone()), released),
        ];
        let changes = changes.into_iter().flatten().collect();
        Ok(Self { last_tag, version, report, changes, problems })
    }

    /// Applies the edits, and brings `Cargo.lock` up to date.
    fn apply(&self, root: &Path) -> Result<(), String> {
        files::apply(&self.changes, root)?;
        let mut update = cargo(root);
        succeed(update.args(["update", "--workspace", "--offline", "--quiet"]), "cargo update")
    }

    /// Applies the edits to a copy of what is committed, and tests its packages.
    fn check_in_copy(&self, root: &Path, target: &Path) -> Result<String, String> {
        let copy = tempfile::tempdir().map_err(|error| error.to_string())?;
        let (from, to) = (root.display().to_string(), copy.path().display().to_string());
        git(root, &["clone", "--quiet", &from, &to])?;
        self.apply(copy.path())?;
        checks(copy.path(), target, self.last_tag.as_deref())
    }

    fn next_steps(&self) -> String {
        let version = &self.version;
        let crates = PUBLISHED.map(|name| format!("--package {name}")).join(" ");
        format!(
            "\nReady. Next:\n    \
             git commit --all --message 'Release {version}'\n    \
             .ci/run\n    \
             git tag --annotate v{version} --message 'uhub-sdk {version}'\n    \
             cargo publish {crates}\n    \
             git push --follow-tags"
        )
    }
}

/// Tests the packages, and compares the API with that of the last release. Returns their sizes.
fn checks(root: &Path, target: &Path, last_tag: Option<&str>) -> Result<String, String> {
    let sizes = package::check(root, target)?;
    let semver = cargo(root).args(["semver-checks", "--version"]).output();
    let has_semver = semver.is_ok_and(|output| output.status.success());
    Ok(match last_tag {
        Some(tag) if has_semver => {
            let mut semver = cargo(root);
            semver.args(["semver-checks", "--all-features", "--baseline-rev", tag]);
            for name in PUBLISHED {
                semver.args(["--package", name]);
            }
            succeed(semver.env("CARGO_TARGET_DIR", target), "cargo semver-checks")?;
            sizes
        }
        Some(_) => format!(
            "{sizes}\nThe API was not compared: `cargo install --locked cargo-semver-checks` does that."
        ),
        None => sizes,
    })
}

/// Returns what the changes of the spec since a tag call for.
fn spec_bump(root: &Path, tag: &str, current: &str) -> Result<Bump, String> {
    let folder = root.join(SPEC);
    let (old, new) = (diff::read_at(tag, &folder)?, spec_files::read(&folder)?);
    let changes = uhub_codegen::diff(&old, &new).map_err(|mistakes| {
        let mistakes: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        format!("The spec cannot be compared with {tag}:\n{}", mistakes.join("\n"))
    })?;
    Ok(changes.bump(current))
}

/// The section "Unreleased" of a changelog.
struct Unreleased<'a> {
    before: &'a str,
    text: &'a str,
    after: &'a str,
}

impl<'a> Unreleased<'a> {
    const TITLE: &'static str = "## Unreleased\n";

    fn of(changelog: &'a str) -> Self {
        let Some(start) = changelog.find(Self::TITLE) else {
            return Self { before: changelog, text: "", after: "" };
        };
        let (before, rest) = changelog.split_at(start);
        let rest = &rest[Self::TITLE.len()..];
        let (text, after) = rest.split_at(rest.find("\n## ").map_or(rest.len(), |end| end + 1));
        Self { before, text, after }
    }

    /// Returns the worst class of its headings: those of `cargo xtask diff --markdown` and of Keep
    /// a Changelog.
    fn class(&self) -> Option<Class> {
        let titles = self.text.lines().filter_map(|line| line.strip_prefix("### "));
        let classes = titles.map(|title| match title {
            "Breaking" | "Removed" => Class::Breaking,
            "Added" | "Changed" | "Deprecated" => Class::Additive,
            _ => Class::Documentation,
        });
        let has_text = !self.text.trim().is_empty();
        classes.min().or(has_text.then_some(Class::Documentation))
    }

    /// Returns the changelog with the section moved to that of a version.
    fn released(&self, version: &str, today: &str) -> String {
        let Self { before, text, after } = self;
        format!("{before}{}\n## {version} - {today}\n{text}{after}", Self::TITLE)
    }
}

/// Returns the workspace's manifest with another version of its packages.
fn with_version(manifest: &str, current: &str, version: &str) -> String {
    let old = format!("version = \"{current}\"");
    let new = format!("version = \"{version}\"");
    let lines = manifest.split_inclusive('\n').map(|line| {
        match line.starts_with("version = ") || line.contains("path = ") {
            true => line.replace(&old, &new),
            false => line.to_owned(),
        }
    });
    lines.collect()
}

fn numbers(version: &str) -> Option<[u64; 3]> {
    let numbers: Result<Vec<u64>, _> = version.split('.').map(str::parse).collect();
    numbers.ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const CHANGELOG: &str = "# Changelog\n\n## Unreleased\n\n### Added\n\n- A thing.\n\n## 0.1.0 - 2026-01-01\n\n- Old.\n";
    const MANIFEST: &str = "[workspace]\n\n[workspace.package]\nversion = \"0.1.0\"\n\n[workspace.dependencies]\n\
        uhub-local = { path = \"uhub-sdk/local\", version = \"0.1.0\" }\nother = \"0.1.0\"\n";

    /// A committed repository with the spec and generated code of this one.
    fn repository() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let ours = package::root().unwrap();
        for copied in [
            SPEC,
            "api-spec/uhub/actions",
            "uhub-sdk/src/generated",
            "uhub-sdk/local/src/generated",
        ] {
            fs::create_dir_all(root.join(copied)).unwrap();
            for entry in fs::read_dir(ours.join(copied)).unwrap() {
                let path = entry.unwrap().path();
                if path.is_file() {
                    fs::copy(&path, root.join(copied).join(path.file_name().unwrap())).unwrap();
                }
            }
        }
        fs::write(root.join("Cargo.toml"), MANIFEST).unwrap();
        fs::write(root.join("CHANGELOG.md"), CHANGELOG).unwrap();
        git(root, &["init", "--quiet"]).unwrap();
        for (name, value) in
            [("name", "Test"), ("email", "test@example.com"), ("commit.gpgsign", "false")]
        {
            let key = if name.contains('.') { name.to_owned() } else { format!("user.{name}") };
            git(root, &["config", &key, value]).unwrap();
        }
        commit(root);
        folder
    }

    fn commit(root: &Path) {
        git(root, &["add", "."]).unwrap();
        git(root, &["commit", "--quiet", "--message", "A change"]).unwrap();
    }

    fn plan(root: &Path, version: Option<&str>) -> Plan {
        Plan::new(root, version, "2026-02-03").unwrap()
    }

    #[test]
    fn the_first_release_has_the_version_of_the_manifests() {
        let folder = repository();
        let root = folder.path();
        fs::write(root.join("CHANGELOG.md"), CHANGELOG.split("## 0.1.0").next().unwrap()).unwrap();
        commit(root);
        let plan = plan(root, None);
        assert_eq!((plan.version.as_str(), &plan.problems[..]), ("0.1.0", &[][..]));
        assert!(plan.next_steps().contains("git tag --annotate v0.1.0"), "{}", plan.next_steps());
    }

    #[test]
    fn the_version_follows_from_the_spec_and_the_changelog() {
        let folder = repository();
        let root = folder.path();
        git(root, &["tag", "v0.1.0"]).unwrap();
        let additive = plan(root, None);
        assert_eq!((additive.version.as_str(), &additive.problems[..]), ("0.1.1", &[][..]));
        fs::write(root.join("CHANGELOG.md"), CHANGELOG.replace("Added", "Breaking")).unwrap();
        commit(root);
        assert_eq!(plan(root, None).version, "0.2.0");
        assert_eq!(plan(root, Some("1.0.0")).problems, [""; 0]);
        assert_eq!(
            plan(root, Some("0.1.9")).problems,
            ["--version 0.1.9: the changes call for 0.2.0 or later."]
        );
        // The spec decides where the changelog is silent about it.
        fs::write(root.join("CHANGELOG.md"), CHANGELOG).unwrap();
        fs::remove_file(root.join(SPEC).join("actions/get_image_tag.json")).unwrap();
        commit(root);
        let removed = plan(root, None);
        assert_eq!(removed.version, "0.2.0");
        assert!(removed.problems[0].contains("orphaned"), "{:?}", removed.problems);
    }

    #[test]
    fn the_version_and_the_changelog_are_edited() {
        let folder = repository();
        let root = folder.path();
        git(root, &["tag", "v0.1.0"]).unwrap();
        let plan = plan(root, None);
        files::apply(&plan.changes, root).unwrap();
        let manifest = package::read(&root.join("Cargo.toml")).unwrap();
        let expected = MANIFEST.replace("version = \"0.1.0\"", "version = \"0.1.1\"");
        assert_eq!(manifest, expected);
        let changelog = package::read(&root.join("CHANGELOG.md")).unwrap();
        let expected =
            CHANGELOG.replace("## Unreleased\n", "## Unreleased\n\n## 0.1.1 - 2026-02-03\n");
        assert_eq!(changelog, expected);
        assert!(Unreleased::of(&changelog).text.trim().is_empty());
    }

    #[test]
    fn all_problems_are_reported_at_once() {
        let folder = repository();
        let root = folder.path();
        git(root, &["tag", "v0.1.0"]).unwrap();
        git(root, &["tag", "v0.2.0", "HEAD"]).unwrap();
        fs::write(root.join("CHANGELOG.md"), CHANGELOG.replace("### Added\n\n- A thing.\n", ""))
            .unwrap();
        fs::remove_file(root.join("uhub-sdk/src/generated/get_repo.rs")).unwrap();
        let problems = plan(root, Some("0.2.0")).problems.join("\n");
        for expected in [
            "Cargo.toml has version 0.1.0, but the last release is v0.2.0",
            "The tag v0.2.0 exists already.",
            "nothing under \"Unreleased\"",
            "Not committed:\n M CHANGELOG.md\n D uhub-sdk/src/generated/get_repo.rs",
            "get_repo.rs: missing",
        ] {
            assert!(problems.contains(expected), "{expected}: {problems}");
        }
    }
}
