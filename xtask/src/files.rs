//! Paths of this repository, and folders of generated files: comparing and updating them.

use std::{
    collections::BTreeMap,
    env, fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

/// A path of this repository, from any current folder; relative if that is the root.
pub(crate) fn in_repository(path: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    match env::current_dir() {
        Ok(current) if current == root => PathBuf::from(path),
        _ => root.join(path),
    }
}

/// The change that one file needs.
#[derive(Debug)]
pub(crate) enum Change {
    Stale { name: String, old: String, new: String },
    Missing { name: String, new: String },
    Orphaned { name: String },
}

impl Change {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Stale { name, .. } | Self::Missing { name, .. } | Self::Orphaned { name } => name,
        }
    }

    /// The state of the file before the change.
    pub(crate) fn is(&self) -> &'static str {
        match self {
            Self::Stale { .. } => "stale",
            Self::Missing { .. } => "missing",
            Self::Orphaned { .. } => "orphaned: it is no longer generated",
        }
    }

    /// The change, once applied.
    pub(crate) fn done(&self) -> &'static str {
        match self {
            Self::Stale { .. } => "updated",
            Self::Missing { .. } => "created",
            Self::Orphaned { .. } => "removed",
        }
    }
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
    let mut changes = Vec::new();
    for (name, new) in files {
        let (name, new) = (name.clone(), new.clone());
        match present.remove(&name) {
            // A checkout may have converted the line ends.
            Some(old) if old.replace("\r\n", "\n") == new => {}
            Some(old) => changes.push(Change::Stale { name, old, new }),
            None => changes.push(Change::Missing { name, new }),
        }
    }
    changes.extend(present.into_keys().map(|name| Change::Orphaned { name }));
    Ok(changes)
}

/// Applies the changes. Every new text is on disk before the first file is replaced, and each file
/// is replaced atomically, so a crash leaves no partial file.
pub(crate) fn apply(changes: &[Change], folder: &Path) -> Result<(), String> {
    let failed = |name: &str, error: io::Error| format!("{}: {error}", folder.join(name).display());
    fs::create_dir_all(folder).map_err(|error| failed("", error))?;
    let mut written = Vec::new();
    for change in changes {
        if let Change::Stale { name, new, .. } | Change::Missing { name, new } = change {
            let file = write_temporary(folder, new).map_err(|error| failed(name, error))?;
            written.push((name, file));
        }
    }
    for (name, file) in written {
        let renamed = file.persist(folder.join(name));
        renamed.map_err(|error| failed(name, error.error))?;
    }
    for change in changes {
        if let Change::Orphaned { name } = change {
            fs::remove_file(folder.join(name)).map_err(|error| failed(name, error))?;
        }
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
