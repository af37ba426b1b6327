//! From blocks to the facts of a page. The types are here; `page` reads them.

pub(crate) mod defaults;
pub(crate) mod example;
mod example_index;
mod outline;
pub(crate) mod page;
mod rows;
mod run_together;
pub(crate) mod words;

use crate::spec::{
    Type, is_word,
    json::{Node, Value},
};

/// What a page documents of its action.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    pub(crate) action: String,
    /// The words of the title and of the overview.
    pub(crate) overview: String,
    pub(crate) parameters: Vec<Field>,
    pub(crate) response: Vec<Field>,
    pub(crate) models: Vec<Model>,
    /// The example request.
    pub(crate) arguments: Option<Vec<Argument>>,
    /// The example response.
    pub(crate) example_response: Option<Node>,
}

impl Facts {
    /// Returns the parameters, the fields of the response and the fields of the models.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &Field> {
        let models = self.models.iter().flat_map(|model| &model.fields);
        self.parameters.iter().chain(&self.response).chain(models)
    }

    /// Returns the language of the page.
    pub(crate) fn language(&self) -> &'static str {
        words::language(self.fields().map(|field| field.description.as_str()))
    }
}

/// A row of a table.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) at: usize,
    pub(crate) name: String,
    /// The type as the page spells it.
    pub(crate) ty: String,
    pub(crate) kind: Type,
    pub(crate) required: bool,
    /// The default that the description of an optional parameter states.
    pub(crate) default: Option<Node>,
    pub(crate) description: String,
    pub(crate) evidence: Evidence,
}

impl Field {
    /// Whether two rows of one name state the same facts. A default that only one of them states
    /// is not a contradiction.
    pub(crate) fn agrees(&self, other: &Self) -> bool {
        let defaults = self.default.as_ref().zip(other.default.as_ref());
        (&self.name, &self.kind, self.required) == (&other.name, &other.kind, other.required)
            && defaults.is_none_or(|(one, other)| one.value == other.value)
    }

    /// Returns the facts as a message shows them: `int, required`, `int, default 20`.
    pub(crate) fn summary(&self) -> String {
        let required = if self.required { ", required" } else { "" };
        let default = match self.default.as_ref().map(|default| &default.value) {
            Some(Value::String(text) | Value::Number(text)) => format!(", default {text}"),
            Some(Value::Boolean(value)) => format!(", default {value}"),
            _ => String::new(),
        };
        format!("{}{required}{default}", self.kind)
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Model {
    pub(crate) at: usize,
    pub(crate) name: String,
    pub(crate) fields: Vec<Field>,
}

/// A parameter of the example request. A repeated parameter is there several times.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Argument {
    pub(crate) at: usize,
    /// The name as shown: `Disks.0.Type`.
    pub(crate) name: String,
    pub(crate) value: ArgumentValue,
}

/// The value of an argument. A query has only text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ArgumentValue {
    Text(String),
    Json(Node),
}

/// What settled where the cells of a row end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Evidence {
    /// The page delimits the cells.
    Delimited,
    /// The row can be split in one way.
    Grammar,
    /// The row can be split in several ways. The example shows the name of one.
    Example,
    /// The row can be split in several ways. One is worded as rows are.
    Wording,
}

/// The parameters and response fields of every action, which no action's spec repeats.
pub(crate) const COMMON_PARAMETERS: [&str; 3] = ["Action", "PublicKey", "Signature"];
pub(crate) const COMMON_RESPONSE: [&str; 3] = ["RetCode", "Action", "Message"];

/// The longest name. It bounds the work on a text that is not a row.
pub(crate) const MAX_NAME: usize = 128;

/// Whether a text can name a parameter or field: ASCII words, possibly delimited by dots.
pub(crate) fn is_name(name: &str) -> bool {
    name.len() <= MAX_NAME
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.split('.').all(|part| is_word(part) && !part.ends_with('-'))
}

/// Returns the only element, if there is exactly one.
pub(crate) fn only<T>(mut elements: impl Iterator<Item = T>) -> Option<T> {
    let first = elements.next()?;
    elements.next().is_none().then_some(first)
}

/// Returns the beginning of a text, short enough for a message.
pub(crate) fn excerpt(text: &str) -> String {
    text.chars().take(60).collect()
}
