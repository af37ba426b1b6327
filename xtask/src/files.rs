//! A folder of generated files: what has to change in it, and changing it safely.

use std::{collections::BTreeMap, fs, io::Write, path::Path};

/// What has to happen to one file.
#[derive(Debug)]
pub(crate) enum Change {
    Stale {
        name: String,
        old: String,
        new: String,
    },
    Missing {
        name: String,
        new: String,
    },
    Orphaned {
        name: String,
    },
}

impl Change {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Stale { name, .. } | Self::Missing { name, .. } | Self::Orphaned { name } => name,
        }
    }

    pub(crate) fn is(&self) -> &'static str {
        match self {
            Self::Stale { .. } => "stale",
            Self::Missing { .. } => "missing",
            Self::Orphaned { .. } => "orphaned: nothing generates it any more",
        }
    }

    pub(crate) fn done(&self) -> &'static str {
        match self {
            Self::Stale { .. } => "updated",
            Self::Missing { .. } => "created",
            Self::Orphaned { .. } => "removed",
        }
    }
}

/// The changes that would make a folder hold these files and no others.
///
/// A file that the generator did not write is neither overwritten nor removed: it is an error.
pub(crate) fn compare(
    files: &BTreeMap<String, String>,
    folder: &Path,
) -> Result<Vec<Change>, String> {
    let mut changes = Vec::new();
    let mut foreign = Vec::new();
    let mut present = BTreeMap::new();
    if folder.exists() {
        let entries =
            fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        for entry in entries {
            let path = entry
                .map_err(|error| format!("{}: {error}", folder.display()))?
                .path();
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            match fs::read_to_string(&path) {
                Ok(text) if text.starts_with(uhub_codegen::MARK) => {
                    present.insert(name, text);
                }
                _ => foreign.push(path.display().to_string()),
            }
        }
    }
    if !foreign.is_empty() {
        foreign.sort();
        return Err(format!(
            "{}: not written by `cargo xtask codegen`, and left alone; move it out of the folder of generated code, \
             or name another with --out",
            foreign.join(", ")
        ));
    }
    for (name, new) in files {
        match present.remove(name) {
            // A checkout may have turned the line ends; that is no difference.
            Some(old) if old.replace("\r\n", "\n") == *new => {}
            Some(old) => changes.push(Change::Stale {
                name: name.clone(),
                old,
                new: new.clone(),
            }),
            None => changes.push(Change::Missing {
                name: name.clone(),
                new: new.clone(),
            }),
        }
    }
    changes.extend(present.into_keys().map(|name| Change::Orphaned { name }));
    Ok(changes)
}

/// Carries the changes out. Every new text is on the disk before the first old one is replaced, and
/// each is replaced whole: a crash leaves old files or new ones, and no halves.
pub(crate) fn apply(changes: &[Change], folder: &Path) -> Result<(), String> {
    let failed =
        |name: &str, error: &std::io::Error| format!("{}: {error}", folder.join(name).display());
    fs::create_dir_all(folder).map_err(|error| failed("", &error))?;
    let mut ready = Vec::new();
    for change in changes {
        if let Change::Stale { name, new, .. } | Change::Missing { name, new } = change {
            let write = || {
                let mut file = tempfile::Builder::new()
                    .prefix(".")
                    .suffix(".tmp")
                    .tempfile_in(folder)?;
                file.write_all(new.as_bytes())?;
                file.as_file().sync_all()?;
                Ok(file)
            };
            ready.push((name, write().map_err(|error| failed(name, &error))?));
        }
    }
    for (name, file) in ready {
        let file = file.into_temp_path();
        set_permissions(&file).map_err(|error| failed(name, &error))?;
        file.persist(folder.join(name))
            .map_err(|error| failed(name, &error.error))?;
    }
    for change in changes {
        if let Change::Orphaned { name } = change {
            fs::remove_file(folder.join(name)).map_err(|error| failed(name, &error))?;
        }
    }
    Ok(())
}

/// A temporary file is its owner's alone; source is for everyone to read.
#[cfg(unix)]
fn set_permissions(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn set_permissions(_: &Path) -> std::io::Result<()> {
    Ok(())
}
