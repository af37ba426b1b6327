//! The names of the handwritten core, read from its source. Generated code adds methods, constants
//! and types beside them.

use std::{collections::BTreeSet, sync::LazyLock};

use syn::{ImplItem, Item, Type, UseTree};

/// The files of the core in which [`CORE`] looks. A test reads all others.
const SOURCES: [(&str, &str); 8] = [
    ("lib.rs", include_str!("../../../uhub-sdk/src/lib.rs")),
    ("client.rs", include_str!("../../../uhub-sdk/src/client.rs")),
    ("blocking.rs", include_str!("../../../uhub-sdk/src/blocking.rs")),
    ("ret_code.rs", include_str!("../../../uhub-sdk/src/ret_code.rs")),
    ("call/mod.rs", include_str!("../../../uhub-sdk/src/call/mod.rs")),
    ("call/pages.rs", include_str!("../../../uhub-sdk/src/call/pages.rs")),
    ("call/untyped.rs", include_str!("../../../uhub-sdk/src/call/untyped.rs")),
    ("config/builder.rs", include_str!("../../../uhub-sdk/src/config/builder.rs")),
];

/// What the core's source names.
pub(super) static CORE: LazyLock<CoreNames> = LazyLock::new(|| {
    let mut names = CoreNames::default();
    for (path, text) in SOURCES {
        match syn::parse_file(text) {
            Ok(file) => names.add(&file.items, path == "lib.rs"),
            Err(error) => {
                names.unreadable.push(format!("cannot read uhub-sdk/src/{path}: {error}"));
            }
        }
    }
    names
});

/// The names that generated code must not use again.
#[derive(Debug, Default)]
pub(super) struct CoreNames {
    /// The methods of both clients.
    pub(super) client: BTreeSet<String>,
    /// The methods of a call.
    pub(super) call: BTreeSet<String>,
    /// The constants of `RetCode`.
    pub(super) ret_code: BTreeSet<String>,
    /// What is at the root of the crate, beside the shared enums.
    pub(super) root: BTreeSet<String>,
    /// Why a file could not be read.
    pub(super) unreadable: Vec<String>,
}

impl CoreNames {
    fn add(&mut self, items: &[Item], is_root: bool) {
        for item in items {
            match item {
                Item::Impl(block) => self.add_impl(block),
                Item::Use(item) if is_root => add_leaves(&item.tree, &mut self.root),
                Item::Struct(item) if is_root => _ = self.root.insert(item.ident.to_string()),
                _ => {}
            }
        }
    }

    fn add_impl(&mut self, block: &syn::ItemImpl) {
        let Type::Path(path) = &*block.self_ty else { return };
        let Some(last) = path.path.segments.last() else { return };
        let names = match last.ident.to_string().as_str() {
            "Client" => &mut self.client,
            "Call" => &mut self.call,
            "RetCode" => &mut self.ret_code,
            _ => return,
        };
        names.extend(block.items.iter().filter_map(|item| match item {
            ImplItem::Fn(item) => Some(item.sig.ident.to_string()),
            ImplItem::Const(item) => Some(item.ident.to_string()),
            _ => None,
        }));
    }
}

/// Adds the names that an import brings into scope.
fn add_leaves(tree: &UseTree, to: &mut BTreeSet<String>) {
    match tree {
        UseTree::Path(path) => add_leaves(&path.tree, to),
        UseTree::Name(name) => _ = to.insert(name.ident.to_string()),
        UseTree::Rename(rename) => _ = to.insert(rename.rename.to_string()),
        UseTree::Group(group) => group.items.iter().for_each(|tree| add_leaves(tree, to)),
        UseTree::Glob(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::PathBuf};

    use super::*;

    /// No file but those that are read has a method of a client or call, or a constant of a code.
    #[test]
    fn every_file_with_such_names_is_read() {
        let mut all = CoreNames::default();
        let mut folders = vec![PathBuf::from("../uhub-sdk/src")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.ends_with("generated") {
                } else if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|it| it == "rs") {
                    let file = syn::parse_file(&fs::read_to_string(&path).unwrap()).unwrap();
                    all.add(&file.items, path.ends_with("src/lib.rs"));
                }
            }
        }
        assert!(CORE.unreadable.is_empty(), "{:?}", CORE.unreadable);
        for (names, all, example) in [
            (&CORE.client, &all.client, "from_env"),
            (&CORE.call, &all.call, "send_with_metadata"),
            (&CORE.ret_code, &all.ret_code, "new"),
            (&CORE.root, &all.root, "Error"),
        ] {
            assert!(names.contains(example), "{names:?}");
            let missing: Vec<_> = all.difference(names).collect();
            assert!(missing.is_empty(), "add their files to `SOURCES`: {missing:?}");
        }
    }
}
