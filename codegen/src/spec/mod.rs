//! The spec as written. `api-spec/README.md` describes the files and `keys` defines every key.
//!
//! This module knows the form of the files. Whether a model exists or an example fits its type is
//! checked when a spec is lowered to the [model](crate::model).

pub(crate) mod diagnostic;
mod form;
pub(crate) mod json;
pub(crate) mod keys;
pub(crate) mod reader;
pub(crate) mod schema;
mod types;
pub(crate) mod writer;

use crate::spec::json::Node;
pub(crate) use types::{Format, Idempotency, Outcome, Type, documented_name, is_word};

/// The text of a service's spec.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Spec {
    /// `service.json`.
    pub service: SpecFile,
    /// The files of `actions/`.
    pub actions: Vec<SpecFile>,
}

/// One file of a spec.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct SpecFile {
    /// Its path, for messages.
    pub path: String,
    /// Its text.
    pub text: String,
}

impl SpecFile {
    /// Creates a file from its path and text, without the text's byte order mark.
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        let mut text = text.into();
        if text.starts_with('\u{feff}') {
            text.remove(0);
        }
        Self { path: path.into(), text }
    }
}

impl Spec {
    /// Creates a spec from its files.
    #[must_use]
    pub fn new(service: SpecFile, actions: Vec<SpecFile>) -> Self {
        Self { service, actions }
    }

    /// Creates the spec of a single action, of a service that is not known.
    #[must_use]
    pub fn of_action(action: SpecFile) -> Self {
        let service = SpecFile::new("service.json", include_str!("any_service.json"));
        Self::new(service, vec![action])
    }
}

/// A value and its byte offset in the file.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) at: usize,
}

impl<T> At<T> {
    /// The place of a key's value, if the key is present.
    pub(crate) fn place(key: &Option<Self>) -> Option<usize> {
        key.as_ref().map(|key| key.at)
    }
}

/// `service.json`.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) service: At<String>,
    pub(crate) summary: At<String>,
    pub(crate) endpoint: At<String>,
    /// The names of the parameters of every action.
    pub(crate) parameters: Vec<At<String>>,
    /// The names of the response fields of every action.
    pub(crate) response: Vec<At<String>>,
    /// The parameter that names the project. The client sends its own where a call sets none.
    pub(crate) project_parameter: Option<At<String>>,
    /// The parameters that the client fills in likewise.
    pub(crate) client_parameters: Vec<At<String>>,
    pub(crate) enums: Vec<SharedEnum>,
    pub(crate) return_codes: Vec<ReturnCode>,
}

/// An enum that several actions share.
#[derive(Debug)]
pub(crate) struct SharedEnum {
    pub(crate) rust: At<String>,
    pub(crate) description: String,
    pub(crate) variants: Vec<SharedVariant>,
}

#[derive(Debug)]
pub(crate) struct SharedVariant {
    pub(crate) rust: At<String>,
    /// Every documented spelling. The first one is sent as text.
    pub(crate) values: Vec<At<String>>,
    pub(crate) description: String,
    /// Why not to use it, and what to use instead.
    pub(crate) deprecated: Option<String>,
}

impl SharedEnum {
    /// The variant with a documented spelling.
    pub(crate) fn variant(&self, value: &str) -> Option<&SharedVariant> {
        let mut variants = self.variants.iter();
        variants.find(|variant| variant.values.iter().any(|spelling| spelling.value == value))
    }
}

impl SharedVariant {
    /// The spelling that is sent as text.
    pub(crate) fn text(&self) -> &str {
        self.values.first().map_or("", |text| &text.value)
    }
}

#[derive(Debug)]
pub(crate) struct ReturnCode {
    pub(crate) code: At<i64>,
    /// The name of the Rust constant.
    pub(crate) rust: At<String>,
    pub(crate) meaning: String,
    pub(crate) remedy: String,
    pub(crate) outcome: Outcome,
}

/// One file of `actions/`.
#[derive(Debug, Clone)]
pub(crate) struct Action {
    pub(crate) action: At<String>,
    pub(crate) rust_name: Option<At<String>>,
    pub(crate) summary: At<String>,
    pub(crate) details: Option<At<String>>,
    pub(crate) deprecated: Option<String>,
    /// Other names that users search for the client's method by.
    pub(crate) aliases: Vec<At<String>>,
    pub(crate) idempotency: Idempotency,
    pub(crate) parameters: Vec<Field>,
    pub(crate) response: Vec<Field>,
    pub(crate) models: Vec<Model>,
    /// Documented names of models, each with its Rust name.
    pub(crate) model_names: Vec<(At<String>, At<String>)>,
    pub(crate) pagination: Option<Pagination>,
    pub(crate) example: Example,
}

#[derive(Debug, Clone)]
pub(crate) struct Model {
    pub(crate) name: At<String>,
    pub(crate) fields: Vec<Field>,
}

/// A parameter, or a field of a response or a model.
#[derive(Debug, Clone, Default)]
pub(crate) struct Field {
    pub(crate) name: At<String>,
    pub(crate) ty: At<Type>,
    pub(crate) required: bool,
    pub(crate) default: Option<Node>,
    pub(crate) choices: Option<At<Vec<At<String>>>>,
    /// Values of the enum, each with its Rust name.
    pub(crate) value_names: Vec<(At<String>, At<String>)>,
    pub(crate) enum_type: Option<At<String>>,
    pub(crate) format: Option<At<Format>>,
    pub(crate) example_type: Option<At<Type>>,
    pub(crate) example_omits: Option<At<bool>>,
    pub(crate) example_shorthand: Option<At<bool>>,
    pub(crate) explicit: Option<At<bool>>,
    pub(crate) secret: Option<At<bool>>,
    pub(crate) allow_empty: Option<At<bool>>,
    pub(crate) split_when_absent: Option<SplitWhenAbsent>,
    pub(crate) counted_by: Option<At<String>>,
    pub(crate) rust_name: Option<At<String>>,
    pub(crate) description: At<String>,
    pub(crate) deprecated: Option<String>,
    /// Whether it has the required keys only.
    pub(crate) is_plain: bool,
}

/// The second call of an action: the one without a parameter.
#[derive(Debug, Clone)]
pub(crate) struct SplitWhenAbsent {
    pub(crate) action: At<String>,
    pub(crate) summary: At<String>,
    pub(crate) idempotency: Idempotency,
}

#[derive(Debug, Clone)]
pub(crate) struct Pagination {
    pub(crate) offset: At<String>,
    pub(crate) limit: At<String>,
    pub(crate) total: Option<At<String>>,
    pub(crate) items: At<String>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Example {
    pub(crate) request: Option<Node>,
    pub(crate) response: Option<Node>,
}

impl Field {
    pub(crate) fn is_omitted_by_example(&self) -> bool {
        is_set(&self.example_omits)
    }

    pub(crate) fn is_shorthand(&self) -> bool {
        is_set(&self.example_shorthand)
    }
}

/// Whether a flag is present and true.
pub(crate) fn is_set(flag: &Option<At<bool>>) -> bool {
    flag.as_ref().is_some_and(|flag| flag.value)
}
