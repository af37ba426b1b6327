//! Reads a spec from its folder.

use std::{fs, path::Path};

use uhub_codegen::{Spec, SpecFile};

/// Reads `service.json` and `actions/*.json`. The error names the first file that cannot be read.
pub(crate) fn read(folder: &Path) -> Result<Spec, String> {
    let actions = read_actions(&folder.join("actions"))?;
    Ok(Spec::new(read_file(&folder.join("service.json"))?, actions))
}

/// Reads the `*.json` files of a folder, in the order of their names.
pub(crate) fn read_actions(folder: &Path) -> Result<Vec<SpecFile>, String> {
    let mut paths = fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, _>>())
        .map_err(|error| format!("cannot read the spec: {}: {error}", folder.display()))?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    paths.iter().map(|path| read_file(path)).collect()
}

pub(crate) fn read_file(path: &Path) -> Result<SpecFile, String> {
    let path = path.display().to_string();
    match fs::read_to_string(&path) {
        Ok(text) => Ok(SpecFile::new(path, text)),
        Err(error) => Err(format!("cannot read the spec: {path}: {error}")),
    }
}
