//! The rules for imports inside the crates. ARCHITECTURE.md explains the walls.
//!
//! The test reads `use` trees and inline paths. It ignores doc comments and everything under
//! `#[cfg(test)]`. A `mod` declaration is not an import.
#![allow(clippy::unwrap_used)]

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fs,
    path::Path,
};

use syn::{
    Attribute, ImplItemFn, Item, ItemMod, ItemUse, Macro, Token, UseTree, braced, bracketed,
    ext::IdentExt,
    parenthesized,
    parse::ParseStream,
    token,
    visit::{self, Visit},
};

/// Modules of a crate, and the modules that they must not import.
struct Wall {
    name: &'static str,
    modules: &'static [&'static str],
    forbidden: &'static [&'static str],
    /// Exceptions: modules below a forbidden one.
    allowed: &'static [&'static str],
}

const SDK_WALLS: [Wall; 6] = [
    Wall {
        name: "`wire` works on bytes and knows no client, no errors of calls and no transport",
        modules: &["wire"],
        forbidden: &[
            "actions",
            "blocking",
            "call",
            "client",
            "config",
            "credentials",
            "error",
            "exchange",
            "recipes",
            "transport",
        ],
        allowed: &[],
    },
    Wall {
        name: "`error` knows no retry loop, no transport and no credentials",
        modules: &["error"],
        forbidden: &["call", "client", "config", "credentials", "exchange", "transport"],
        allowed: &[],
    },
    Wall {
        name: "`exchange` knows no client and nothing above it",
        modules: &["exchange"],
        forbidden: &["blocking", "call", "client", "recipes"],
        allowed: &[],
    },
    Wall {
        name: "`transport` knows HTTP and no action",
        modules: &["transport"],
        forbidden: &[
            "action", "actions", "blocking", "call", "client", "config", "exchange", "recipes",
        ],
        allowed: &[],
    },
    Wall {
        name: "the core names no action",
        modules: &[
            "action",
            "blocking",
            "call",
            "client",
            "config",
            "credentials",
            "error",
            "exchange",
            "ret_code",
            "transport",
            "wire",
        ],
        forbidden: &["actions", "recipes"],
        allowed: &["actions::enums", "actions::service"],
    },
    Wall {
        name: "`recipes` uses the public API only",
        modules: &["recipes"],
        forbidden: &["config", "credentials", "exchange", "transport", "wire"],
        // Public, and defined there.
        allowed: &["exchange::retry", "wire::timestamp"],
    },
];

const CODEGEN_WALLS: [Wall; 6] = [
    Wall {
        name: "`spec` knows the files alone",
        modules: &["spec"],
        forbidden: &["diff", "import", "model", "render"],
        allowed: &[],
    },
    Wall {
        name: "`model` knows the spec alone",
        modules: &["model"],
        forbidden: &["diff", "import", "render"],
        allowed: &[],
    },
    Wall {
        name: "`render` knows the model alone",
        modules: &["render"],
        forbidden: &["diff", "import", "spec"],
        allowed: &[],
    },
    Wall {
        name: "`diff` compares models",
        modules: &["diff"],
        forbidden: &["import"],
        allowed: &[],
    },
    Wall {
        name: "`import` writes specs",
        modules: &["import"],
        forbidden: &["diff", "render"],
        allowed: &[],
    },
    Wall {
        name: "an import goes from `read` to `facts` to `merge`",
        modules: &["import::read", "import::facts"],
        forbidden: &["import::merge"],
        allowed: &[],
    },
];

const IO: [&str; 5] = ["std::env", "std::fs", "std::io", "std::net", "std::process"];

#[test]
fn uhub_sdk_keeps_its_walls() {
    let sdk = Crate::read("../uhub-sdk/src");
    assert_none([sdk.broken_walls(&SDK_WALLS), sdk.imports_through_root(), sdk.circles()].concat());
}

#[test]
fn uhub_codegen_keeps_its_walls() {
    let codegen = Crate::read("../codegen/src");
    assert_none(
        [
            codegen.broken_walls(&CODEGEN_WALLS),
            codegen.uses_of_io(),
            codegen.imports_through_root(),
            codegen.circles(),
        ]
        .concat(),
    );
}

#[test]
fn uhub_local_keeps_its_walls() {
    let local = Crate::read("../uhub-sdk/local/src");
    let manifest = fs::read_to_string(folder("../uhub-sdk/local/Cargo.toml")).unwrap();
    assert_none([uses_of_sdk(&manifest), local.imports_through_root(), local.circles()].concat());
}

fn assert_none(violations: Vec<String>) {
    assert!(violations.is_empty(), "{} violations:\n{}", violations.len(), violations.join("\n"));
}

fn folder(relative: &str) -> std::path::PathBuf {
    // A test runs in the folder of its package.
    Path::new(relative).to_owned()
}

/// `uhub-local` must not depend on the client that it tests.
fn uses_of_sdk(manifest: &str) -> Vec<String> {
    manifest
        .lines()
        .filter(|line| line.contains("uhub-sdk") && !line.trim_start().starts_with('#'))
        .map(|line| format!("Cargo.toml: `{line}`: `uhub-local` does not depend on `uhub-sdk`"))
        .collect()
}

/// The modules and imports of a crate, without its tests.
#[derive(Default)]
struct Crate {
    /// The file of each module. The root's path is empty.
    modules: BTreeMap<Vec<String>, String>,
    imports: Vec<Import>,
}

struct Import {
    file: String,
    /// The module that contains the import.
    module: Vec<String>,
    /// The absolute path, from `crate` or the name of another crate.
    path: Vec<String>,
}

impl Crate {
    /// Reads a crate from its source folder.
    fn read(source: &str) -> Self {
        let source = folder(source);
        Self::parse(|file| fs::read_to_string(source.join(file)).ok())
    }

    /// Follows the `mod` declarations from `lib.rs`. `read` returns the text of a file, or `None`
    /// if it does not exist.
    fn parse(read: impl Fn(&str) -> Option<String>) -> Self {
        let mut parsed = Self::default();
        let mut collector = Collector::default();
        let mut queue = VecDeque::from([(Vec::new(), "lib.rs".to_owned())]);
        while let Some((module, file)) = queue.pop_front() {
            let text = read(&file).unwrap_or_else(|| panic!("{file} is missing"));
            let syntax = syn::parse_file(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
            collector.file.clone_from(&file);
            collector.module.clone_from(&module);
            parsed.modules.insert(module, file);
            collector.visit_file(&syntax);
            for (module, candidates) in collector.declared.drain(..) {
                let file = candidates.iter().find(|file| read(file).is_some());
                let file = file.unwrap_or_else(|| panic!("{candidates:?} are missing"));
                queue.push_back((module, file.clone()));
            }
            parsed.modules.append(&mut collector.inline);
        }
        for (file, module, path) in collector.paths {
            if let Some(path) = parsed.absolute(&module, path) {
                parsed.imports.push(Import { file, module, path });
            }
        }
        parsed
    }

    /// The path from `crate` or from the name of another crate; `None` for a local name.
    fn absolute(&self, module: &[String], mut path: Vec<String>) -> Option<Vec<String>> {
        let mut base = module.to_vec();
        match path[0].as_str() {
            "crate" | "std" | "core" => return Some(path),
            "super" => {
                while path.first().is_some_and(|segment| segment == "super") {
                    base.pop();
                    path.remove(0);
                }
            }
            "self" => {
                path.remove(0);
            }
            _ => {
                base.push(path[0].clone());
                if !self.modules.contains_key(&base) {
                    return None;
                }
                base.pop();
            }
        }
        let mut absolute = vec!["crate".to_owned()];
        absolute.extend(base);
        absolute.extend(path);
        Some(absolute)
    }

    /// The module that an import refers to: the longest prefix of its path that is a module.
    fn target<'a>(&self, import: &'a Import) -> Option<&'a [String]> {
        let path = import.path.strip_prefix(&["crate".to_owned()])?;
        let length = (0..=path.len()).rev();
        length.map(|length| &path[..length]).find(|prefix| self.modules.contains_key(*prefix))
    }

    fn broken_walls(&self, walls: &[Wall]) -> Vec<String> {
        let is_in = |module: &str, modules: &[&str]| {
            modules.iter().any(|of| {
                module
                    .strip_prefix(of)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
            })
        };
        let mut broken = BTreeSet::new();
        for import in &self.imports {
            let Some(target) = self.target(import) else {
                continue;
            };
            let (module, target) = (import.module.join("::"), target.join("::"));
            for wall in walls {
                if is_in(&module, wall.modules)
                    && is_in(&target, wall.forbidden)
                    && !is_in(&target, wall.allowed)
                {
                    broken.insert(import.violation(wall.name));
                }
            }
        }
        broken.into_iter().collect()
    }

    fn uses_of_io(&self) -> Vec<String> {
        let is_io = |import: &&Import| {
            import.path.len() > 1 && IO.contains(&import.path[..2].join("::").as_str())
        };
        let violations: BTreeSet<String> = self
            .imports
            .iter()
            .filter(is_io)
            .map(|import| import.violation("the generator does no I/O"))
            .collect();
        violations.into_iter().collect()
    }

    /// Only users of a crate import through its root.
    fn imports_through_root(&self) -> Vec<String> {
        let is_through_root = |import: &&Import| {
            !import.module.is_empty() && self.target(import).is_some_and(<[String]>::is_empty)
        };
        let violations: BTreeSet<String> = self
            .imports
            .iter()
            .filter(is_through_root)
            .map(|import| import.violation("import from the module that defines, not from lib.rs"))
            .collect();
        violations.into_iter().collect()
    }

    /// Groups of files that import each other, directly or through others. The root imports every
    /// module to re-export it and is left out.
    fn circles(&self) -> Vec<String> {
        let mut edges: BTreeMap<&str, BTreeMap<&str, &Import>> = BTreeMap::new();
        for import in &self.imports {
            let Some(target) = self.target(import) else {
                continue;
            };
            let target = self.modules[target].as_str();
            if import.file != "lib.rs" && target != "lib.rs" && import.file != target {
                let imported = edges.entry(&import.file).or_default();
                imported.entry(target).or_insert(import);
            }
        }
        let reachable = |from: &str| {
            let mut reached: BTreeSet<&str> = BTreeSet::new();
            let mut queue = vec![from];
            while let Some(file) = queue.pop() {
                for target in edges.get(file).into_iter().flatten().map(|edge| *edge.0) {
                    if reached.insert(target) {
                        queue.push(target);
                    }
                }
            }
            reached
        };
        let reached: BTreeMap<&str, BTreeSet<&str>> =
            edges.keys().map(|file| (*file, reachable(file))).collect();
        let mut grouped: BTreeSet<&str> = BTreeSet::new();
        let mut circles = Vec::new();
        for (file, targets) in &reached {
            if grouped.contains(file) || !targets.contains(file) {
                continue;
            }
            let group: BTreeSet<&str> = targets
                .iter()
                .copied()
                .filter(|target| reached.get(target).is_some_and(|back| back.contains(file)))
                .collect();
            let mut message = format!("a circle of {} files:", group.len());
            for from in &group {
                for (to, import) in edges[from].iter().filter(|(to, _)| group.contains(*to)) {
                    let path = import.path.join("::");
                    message.push_str(&format!("\n    {from} -> {to} (`{path}`)"));
                }
            }
            circles.push(message);
            grouped.extend(group);
        }
        circles
    }
}

impl Import {
    fn violation(&self, rule: &str) -> String {
        format!("{}: `{}`: {rule}", self.file, self.path.join("::"))
    }
}

/// Collects the modules and paths of a file.
#[derive(Default)]
struct Collector {
    file: String,
    module: Vec<String>,
    /// Modules in other files, with the files that each may be in.
    declared: Vec<(Vec<String>, Vec<String>)>,
    inline: BTreeMap<Vec<String>, String>,
    /// File, module and path as written.
    paths: Vec<(String, Vec<String>, Vec<String>)>,
}

impl Collector {
    fn add(&mut self, path: Vec<String>) {
        self.paths.push((self.file.clone(), self.module.clone(), path));
    }

    fn add_tree(&mut self, prefix: &[String], tree: &UseTree) {
        let with = |name: String| [prefix, &[name]].concat();
        match tree {
            UseTree::Path(path) => self.add_tree(&with(path.ident.unraw().to_string()), &path.tree),
            UseTree::Name(name) if name.ident == "self" => self.add(prefix.to_vec()),
            UseTree::Name(name) => self.add(with(name.ident.unraw().to_string())),
            UseTree::Rename(rename) if rename.ident == "self" => self.add(prefix.to_vec()),
            UseTree::Rename(rename) => self.add(with(rename.ident.unraw().to_string())),
            UseTree::Glob(_) => self.add(prefix.to_vec()),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.add_tree(prefix, tree);
                }
            }
        }
    }

    /// Collects the paths in a macro's tokens.
    fn scan(&mut self, input: ParseStream<'_>) -> syn::Result<()> {
        while !input.is_empty() {
            let group;
            if input.peek(token::Paren) {
                parenthesized!(group in input);
                self.scan(&group)?;
            } else if input.peek(token::Bracket) {
                bracketed!(group in input);
                self.scan(&group)?;
            } else if input.peek(token::Brace) {
                braced!(group in input);
                self.scan(&group)?;
            } else if input.peek(syn::Ident::peek_any) {
                let mut path = vec![syn::Ident::parse_any(input)?.unraw().to_string()];
                while input.peek(Token![::]) && input.peek3(syn::Ident::peek_any) {
                    input.parse::<Token![::]>()?;
                    path.push(syn::Ident::parse_any(input)?.unraw().to_string());
                }
                let is_quote = path.last().is_some_and(|name| is_quote(name));
                if is_quote && input.peek(Token![!]) {
                    input.parse::<Token![!]>()?;
                    input.parse::<proc_macro2::TokenTree>()?;
                } else if path.len() > 1 {
                    self.add(path);
                }
            } else {
                input.parse::<proc_macro2::TokenTree>()?;
            }
        }
        Ok(())
    }
}

impl<'ast> Visit<'ast> for Collector {
    fn visit_attribute(&mut self, _: &'ast Attribute) {}

    fn visit_item(&mut self, item: &'ast Item) {
        let attributes = match item {
            Item::Const(item) => &item.attrs,
            Item::Enum(item) => &item.attrs,
            Item::Fn(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            Item::Macro(item) => &item.attrs,
            Item::Mod(item) => &item.attrs,
            Item::Static(item) => &item.attrs,
            Item::Struct(item) => &item.attrs,
            Item::Trait(item) => &item.attrs,
            Item::Type(item) => &item.attrs,
            Item::Use(item) => &item.attrs,
            _ => &Vec::new(),
        };
        if !is_test(attributes) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        if !is_test(&item.attrs) {
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        self.module.push(item.ident.unraw().to_string());
        if item.content.is_some() {
            self.inline.insert(self.module.clone(), self.file.clone());
            visit::visit_item_mod(self, item);
        } else {
            let (folder, stem) = self.file.rsplit_once('/').unwrap_or(("", &self.file));
            let stem = stem.trim_end_matches(".rs");
            let candidates = match item.attrs.iter().find_map(path_attribute) {
                Some(path) => vec![format!("{folder}/{path}")],
                None => {
                    let is_folder_root = matches!(stem, "lib" | "mod");
                    let subfolder = if is_folder_root { "" } else { stem };
                    let name = item.ident.unraw();
                    let base = format!("{folder}/{subfolder}/{name}");
                    vec![format!("{base}.rs"), format!("{base}/mod.rs")]
                }
            };
            let normalized = candidates.iter().map(|file| {
                let parts: Vec<&str> = file.split('/').filter(|part| !part.is_empty()).collect();
                parts.join("/")
            });
            self.declared.push((self.module.clone(), normalized.collect()));
        }
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.add_tree(&[], &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.segments.len() > 1 {
            let segments = path.segments.iter();
            let segments = segments.map(|segment| segment.ident.unraw().to_string());
            self.add(segments.collect());
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, macro_: &'ast Macro) {
        visit::visit_macro(self, macro_);
        let name = macro_.path.segments.last();
        if !name.is_some_and(|name| is_quote(&name.ident.to_string())) {
            let scan = |input: ParseStream<'_>| self.scan(input);
            macro_.parse_body_with(scan).unwrap();
        }
    }
}

/// Whether the tokens of the macro are generated code.
fn is_quote(name: &str) -> bool {
    matches!(name, "quote" | "quote_spanned" | "parse_quote")
}

/// Whether the attributes have a `cfg` with `test` or `doctest`.
fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.meta.require_list().is_ok_and(|list| {
                let condition = list.tokens.to_string();
                condition.contains("test") && !condition.contains("not")
            })
    })
}

fn path_attribute(attribute: &Attribute) -> Option<String> {
    let pair = attribute.meta.require_name_value().ok()?;
    match &pair.value {
        syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. })
            if pair.path.is_ident("path") =>
        {
            Some(text.value())
        }
        _ => None,
    }
}

/// Unit tests of the rules, on crates of a few lines.
mod rules {
    use super::{CODEGEN_WALLS, Crate, SDK_WALLS, Wall, uses_of_sdk};

    fn parse(files: &[(&str, &str)]) -> Crate {
        Crate::parse(|wanted| {
            let file = files.iter().find(|(file, _)| *file == wanted);
            file.map(|(_, text)| (*text).to_owned())
        })
    }

    const WALL: [Wall; 1] = [Wall {
        name: "a does not know b",
        modules: &["a"],
        forbidden: &["b"],
        allowed: &["b::open"],
    }];

    /// What the wall reports of module `a` with this text.
    fn broken(text: &str) -> Vec<String> {
        parse(&[
            ("lib.rs", "mod a; mod b; mod c;"),
            ("a.rs", text),
            ("b.rs", "pub mod open {} pub mod inner {}"),
            ("c.rs", ""),
        ])
        .broken_walls(&WALL)
    }

    #[test]
    fn a_forbidden_import_is_reported_with_file_path_and_wall() {
        assert_eq!(broken("use crate::b::Thing;"), ["a.rs: `crate::b::Thing`: a does not know b"]);
    }

    #[test]
    fn a_forbidden_import_is_found_in_every_form() {
        for text in [
            "use crate::{c, b::{self, Thing}};",
            "use crate::b::inner as other;",
            "use super::b::*;",
            "fn f() { use crate::b; }",
            "fn f() { crate::b::g() }",
            "fn f(x: Vec<crate::b::T>) {}",
            "fn f() { println!(\"{}\", crate::b::g()) }",
            "macro_rules! m { () => { $crate::b::g() }; }",
            "mod inline { use super::super::b::T; }",
            "impl crate::b::Trait for X {}",
            "struct X(<Y as crate::b::Trait>::Z);",
        ] {
            assert!(!broken(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn other_imports_are_allowed() {
        for text in [
            "use crate::c::Thing; use std::b;",
            "use crate::b::open::Thing;",
            "/// See [`crate::b::Thing`].\nfn f() {}",
            "#[cfg(test)] mod tests { use crate::b::Thing; }",
            "#[cfg(test)] use crate::b::Thing;",
            "impl X { #[cfg(test)] fn f() { crate::b::g() } }",
            "fn f() { b::g() }",
            "fn f() { quote! { crate::b::g() } }",
            "fn f() { vec![quote::quote! { crate::b::g() }] }",
        ] {
            assert_eq!(broken(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn each_crate_has_its_walls() {
        let sdk = parse(&[
            ("lib.rs", "mod wire; mod error; mod exchange;"),
            ("wire/mod.rs", "mod sign;"),
            ("wire/sign.rs", "use crate::error::Error;"),
            ("error.rs", "use crate::exchange::retry::StopReason;"),
            ("exchange/mod.rs", "pub mod retry;"),
            ("exchange/retry.rs", ""),
        ]);
        assert_eq!(sdk.broken_walls(&SDK_WALLS).len(), 2);
        let codegen = parse(&[
            ("lib.rs", "mod spec; mod render; mod model;"),
            ("spec.rs", "use crate::model::Action;"),
            ("render.rs", "use crate::model::Action; use crate::spec::Type;"),
            ("model.rs", "use crate::spec::Type;"),
        ]);
        assert_eq!(codegen.broken_walls(&CODEGEN_WALLS).len(), 2);
    }

    #[test]
    fn io_is_reported() {
        let codegen = parse(&[
            ("lib.rs", "mod a; use std::{fmt, fs};"),
            ("a.rs", "fn f() { std::env::var(\"x\"); } #[cfg(test)] mod t { use std::io; }"),
        ]);
        assert_eq!(
            codegen.uses_of_io(),
            [
                "a.rs: `std::env::var`: the generator does no I/O",
                "lib.rs: `std::fs`: the generator does no I/O"
            ]
        );
    }

    #[test]
    fn an_import_through_the_root_is_reported() {
        let files = |text| {
            parse(&[
                ("lib.rs", "pub mod a; mod b; pub use b::Thing;"),
                ("a.rs", text),
                ("b.rs", "pub struct Thing;"),
            ])
        };
        for text in ["use crate::Thing;", "use super::Thing;", "fn f(x: crate::Thing) {}"] {
            let reported = files(text).imports_through_root();
            assert_eq!(reported.len(), 1, "{text}");
            assert!(reported[0].starts_with("a.rs: `crate::Thing`: "), "{reported:?}");
        }
        assert_eq!(files("use crate::b::Thing;").imports_through_root().len(), 0);
    }

    #[test]
    fn a_circle_is_reported_with_its_imports() {
        let files = |c| {
            parse(&[
                ("lib.rs", "mod a; mod b; mod c;"),
                ("a.rs", "use crate::b::B;"),
                ("b.rs", "use crate::c::C;"),
                ("c.rs", c),
            ])
        };
        assert_eq!(files("").circles().len(), 0);
        assert_eq!(
            files("use crate::a::A;").circles(),
            ["a circle of 3 files:\n    a.rs -> b.rs (`crate::b::B`)\n    \
              b.rs -> c.rs (`crate::c::C`)\n    c.rs -> a.rs (`crate::a::A`)"]
        );
    }

    #[test]
    fn a_folder_and_its_files_may_form_a_circle_too() {
        let files = |parent| {
            parse(&[
                ("lib.rs", "#[path = \"x/mod.rs\"] mod a;"),
                ("x/mod.rs", parent),
                ("x/child.rs", "use super::Thing;"),
            ])
        };
        assert_eq!(files("mod child; struct Thing;").circles().len(), 0);
        assert_eq!(files("mod child; pub use child::X;").circles().len(), 1);
    }

    #[test]
    fn a_dependency_on_the_sdk_is_reported() {
        for line in ["uhub-sdk.workspace = true", "x = { package = \"uhub-sdk\" }"] {
            let manifest = format!("[package]\nname = \"uhub-local\"\n[dependencies]\n{line}\n");
            assert_eq!(uses_of_sdk(&manifest).len(), 1, "{line}");
        }
        assert_eq!(uses_of_sdk("[dependencies]\nhyper = \"1\"\n").len(), 0);
    }
}
