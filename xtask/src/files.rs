//! Paths of this repository, and folders of generated files: comparing and updating them.

use std::{
    collections::BTreeMap,
    env, fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

/// A path of this repository, from any current folder; relative if that is the root, or if there is
/// no repository.
pub(crate) fn in_repository(path: &str) -> PathBuf {
    match root() {
        Some(root) if env::current_dir().ok().as_ref() != Some(&root) => root.join(path),
        _ => PathBuf::from(path),
    }
}

/// The root of the repository that `cargo xtask` was called in, or that the current folder is in if
/// the program was started without Cargo. It is never the one that the program was compiled in:
/// worktrees may share a target folder, and a clone may be moved.
fn root() -> Option<PathBuf> {
    let is_root = |folder: &&Path| {
        let files = ["Cargo.toml", "api-spec", "uhub-sdk/Cargo.toml", "xtask/Cargo.toml"];
        files.iter().all(|file| folder.join(file).exists())
    };
    // `cargo run` and `cargo test` set it, and another package's may be inherited.
    let package = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let package = package.filter(|folder| folder.ends_with("xtask"));
    let by_cargo = package.as_deref().and_then(Path::parent).filter(is_root);
    let current = env::current_dir().ok();
    let by_folder = || current.as_deref()?.ancestors().find(is_root);
    by_cargo.or_else(by_folder).map(Path::to_owned)
}

/// Fails unless a folder exists: a mistyped path must not become a new folder.
pub(crate) fn require_folder(folder: &Path, option: &str) -> Result<(), String> {
    match folder.is_dir() {
        true => Ok(()),
        false => Err(format!(
            "{option} {}: no such folder; run `cargo xtask` in the repository, or create the folder first",
            folder.display()
        )),
    }
}

/// The change that one file needs: another text, or none.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) name: String,
    /// `None` if the file is missing.
    old: Option<String>,
    /// `None` if the file is orphaned.
    new: Option<String>,
}

impl Change {
    /// Returns the change to a new text, if it is one.
    pub(crate) fn to(name: &str, old: Option<String>, new: String) -> Option<Self> {
        // A checkout may have converted the line ends.
        let is_same = old.as_ref().is_some_and(|old| old.replace("\r\n", "\n") == new);
        (!is_same).then(|| Self { name: name.to_owned(), old, new: Some(new) })
    }

    /// Returns one of three words, for a changed, a new and a removed file.
    pub(crate) fn word<'a>(&self, changed: &'a str, new: &'a str, removed: &'a str) -> &'a str {
        match (&self.old, &self.new) {
            (_, None) => removed,
            (None, _) => new,
            _ => changed,
        }
    }

    pub(crate) fn done(&self) -> &'static str {
        self.word("updated", "created", "removed")
    }

    /// Returns the difference of a changed file with one line of context, cut to fit a screen.
    pub(crate) fn short_diff(&self) -> String {
        const LINES: usize = 20;
        let (Some(old), Some(new)) = (&self.old, &self.new) else {
            return String::new();
        };
        let diff = similar::TextDiff::from_lines(old, new);
        let diff = diff.unified_diff().context_radius(1).to_string();
        let lines = diff.lines().take(LINES);
        let mut text: String = lines.map(|line| format!("    {line}\n")).collect();
        if let more @ 1.. = diff.lines().count().saturating_sub(LINES) {
            text += &format!("    … {} more\n", count(more, "line"));
        }
        text
    }
}

/// A number with a noun: `1 page`, `2 pages`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// Returns the changes after which the folder holds these files and no others. A file that was not
/// generated is an error: it is neither overwritten nor removed.
pub(crate) fn compare(
    files: &BTreeMap<String, String>,
    folder: &Path,
) -> Result<Vec<Change>, String> {
    let failed = |error: io::Error| format!("{}: {error}", folder.display());
    let mut present = BTreeMap::new();
    let mut foreign = Vec::new();
    if folder.exists() {
        for entry in fs::read_dir(folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            match fs::read_to_string(entry.path()) {
                Ok(text) if text.starts_with(uhub_codegen::MARK) => {
                    present.insert(entry.file_name().to_string_lossy().into_owned(), text);
                }
                _ => foreign.push(entry.path().display().to_string()),
            }
        }
    }
    if !foreign.is_empty() {
        foreign.sort();
        let foreign = foreign.join(", ");
        return Err(format!(
            "{foreign}: not written by `cargo xtask codegen`; move it out of the folder of generated code, \
             or choose another folder with --out"
        ));
    }
    let changed = files.iter();
    let changed =
        changed.filter_map(|(name, new)| Change::to(name, present.remove(name), new.clone()));
    let mut changes: Vec<Change> = changed.collect();
    let orphaned = present.into_iter();
    changes.extend(orphaned.map(|(name, old)| Change { name, old: Some(old), new: None }));
    Ok(changes)
}

/// Applies the changes. Every new text is on disk before the first file is replaced, and each file
/// is replaced atomically, so a crash leaves no partial file.
pub(crate) fn apply(changes: &[Change], folder: &Path) -> Result<(), String> {
    let failed = |name: &str, error: io::Error| format!("{}: {error}", folder.join(name).display());
    fs::create_dir_all(folder).map_err(|error| failed("", error))?;
    let mut written = Vec::new();
    for Change { name, new, .. } in changes {
        let file = new.as_ref().map(|new| write_temporary(folder, new)).transpose();
        written.push((name, file.map_err(|error| failed(name, error))?));
    }
    for (name, file) in written {
        let path = folder.join(name);
        let done = match file {
            Some(file) => file.persist(path).map(drop).map_err(io::Error::from),
            None => fs::remove_file(path),
        };
        done.map_err(|error| failed(name, error))?;
    }
    Ok(())
}

fn write_temporary(folder: &Path, text: &str) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    // Temporary files are private by default; source is not.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
    let mut file = builder.prefix(".").suffix(".tmp").tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    Ok(file)
}
