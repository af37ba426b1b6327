//! Reads a spec from its folder, for tests and benchmarks.

use std::{fs, path::Path};

use uhub_codegen::{Spec, SpecFile};

/// The spec in a folder of the repository, by its path from the folder of this crate.
pub(crate) fn read(folder: &str) -> Spec {
    let file =
        |path: &Path| SpecFile::new(path.display().to_string(), fs::read_to_string(path).unwrap());
    let folder = Path::new(folder);
    let entries = fs::read_dir(folder.join("actions")).unwrap();
    let mut actions: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    actions.sort();
    let actions = actions.iter().map(|path| file(path)).collect();
    Spec::new(file(&folder.join("service.json")), actions)
}
