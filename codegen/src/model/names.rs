//! The Rust names of one action's module: each is unique.

use std::collections::BTreeMap;

use crate::{
    model::naming,
    spec::{At, diagnostic::Report},
};

/// The names of types, each with what it names.
#[derive(Debug)]
pub(super) struct TypeNames(BTreeMap<String, String>);

impl TypeNames {
    pub(super) fn new(taken: impl IntoIterator<Item = (String, &'static str)>) -> Self {
        let taken = taken.into_iter();
        Self(taken.map(|(rust, of)| (rust, of.to_owned())).collect())
    }

    /// Takes a name, with the ending if it is taken already; reports that both are.
    pub(super) fn claim(
        &mut self,
        mut rust: String,
        ending: &str,
        of: String,
        at: usize,
        report: &mut Report,
    ) -> String {
        if self.0.contains_key(&rust) {
            rust.push_str(ending);
        }
        if let Some(other) = self.0.get(&rust) {
            let is_model = [&of, other].iter().any(|of| of.starts_with("the model"));
            let way_out = if is_model { ": rename a model by `model_names`" } else { "" };
            let message = format!("{of} and {other} would both be the Rust type `{rust}`{way_out}");
            report.error(at, message);
        } else {
            self.0.insert(rust.clone(), of);
        }
        rust
    }
}

/// The Rust names of some fields, each with its documented name.
#[derive(Debug, Default)]
pub(super) struct FieldNames(BTreeMap<String, String>);

impl FieldNames {
    /// The Rust name of a field: the one that the spec gives it, else the documented one in
    /// snake_case.
    pub(super) fn claim(
        &mut self,
        wire: &str,
        rust_name: Option<&At<String>>,
        at: usize,
        report: &mut Report,
    ) -> String {
        let at = rust_name.map_or(at, |name| name.at);
        let name = match rust_name {
            Some(name) => naming::given_field(&name.value),
            None => naming::field(wire),
        };
        let rust = report.check(at, name);
        match self.0.get(&rust) {
            _ if rust.is_empty() => {}
            Some(other) if other == wire => report.error(at, format!("`{wire}` is repeated")),
            Some(other) => {
                let message = format!(
                    "`{wire}` and `{other}` would both be `{rust}` in Rust: add a `rust_name` to one of them"
                );
                report.error(at, message);
            }
            None => {
                self.0.insert(rust.clone(), wire.to_owned());
            }
        }
        rust
    }
}
