//! From a documentation page to a spec, in three steps.
//!
//! `read` turns a page of any shape into blocks. `facts` turns the blocks into what the page
//! documents. `merge` brings the facts into the spec, which may be new.

mod facts;
mod merge;
mod read;

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    model::naming,
    spec::{
        SpecFile,
        diagnostic::{Diagnostic, Report},
        json::{self, Node},
        writer,
    },
};
use facts::{Evidence, Facts};
pub use read::Shape;

/// The largest page in bytes. Real pages have tens of kilobytes.
pub const MAX_PAGE: usize = 16 << 20;

/// The result of [`read`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Reading {
    /// The page, unless there is an error.
    pub page: Option<Page>,
    /// The errors and notes, in the order of their places.
    pub diagnostics: Vec<Diagnostic>,
}

/// A documentation page of one action.
#[derive(Debug, Clone)]
pub struct Page {
    file: String,
    text: String,
    facts: Facts,
}

/// The number of facts in a page, and of run-together rows by the evidence for their cells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// The parameters.
    pub parameters: usize,
    /// The fields of the response and of the models.
    pub fields: usize,
    /// The rows that can be split in one way.
    pub by_grammar: usize,
    /// The rows that the example settles.
    pub by_example: usize,
    /// The rows that the wording settles.
    pub by_wording: usize,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.parameters += other.parameters;
        self.fields += other.fields;
        self.by_grammar += other.by_grammar;
        self.by_example += other.by_example;
        self.by_wording += other.by_wording;
    }
}

/// Reads a page. Messages name it `file`. Without a shape, the shape is detected.
///
/// A page is read completely or refused: a row that cannot be read is an error.
#[must_use]
pub fn read(file: &str, bytes: &[u8], shape: Option<Shape>) -> Reading {
    let mut report = Report::default();
    let (text, facts) = match str::from_utf8(bytes) {
        _ if bytes.len() > MAX_PAGE => {
            let limit = MAX_PAGE >> 20;
            report.error(0, format!("the page is larger than {limit} MiB"));
            (String::new(), None)
        }
        Err(error) => {
            let message = "invalid UTF-8: save the page as UTF-8 text";
            report.error(error.valid_up_to(), message);
            (String::from_utf8_lossy(bytes).into_owned(), None)
        }
        Ok(text) => {
            let text = without_mark(text);
            let shape = shape.unwrap_or_else(|| Shape::of(text));
            let blocks = shape.blocks(text, &mut report);
            let facts = facts::page::read(blocks, shape, text.len(), &mut report);
            (text.to_owned(), facts)
        }
    };
    let diagnostics = report.finish(file, &text);
    let page = facts.map(|facts| Page { file: file.to_owned(), text, facts });
    Reading { page, diagnostics }
}

impl Page {
    /// Returns the name of the documented action.
    #[must_use]
    pub fn action(&self) -> &str {
        &self.facts.action
    }

    /// Returns the name of the action's file in a spec.
    #[must_use]
    pub fn file_name(&self) -> String {
        naming::file(&self.facts.action)
    }

    /// Returns the number of facts.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let by = |evidence| self.facts.fields().filter(|field| field.evidence == evidence).count();
        Counts {
            parameters: self.facts.parameters.len(),
            fields: self.facts.fields().count() - self.facts.parameters.len(),
            by_grammar: by(Evidence::Grammar),
            by_example: by(Evidence::Example),
            by_wording: by(Evidence::Wording),
        }
    }

    /// Returns the facts that differ in another page of the same action.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let (one, other) = (rows(&self.facts), rows(&other.facts));
        let all: BTreeSet<_> = one.keys().chain(other.keys()).collect();
        let different = all.into_iter().filter(|row| one.get(row) != other.get(row));
        let absent = "absent".to_owned();
        let lines = different.map(|row| {
            let [one, other] = [&one, &other].map(|rows| rows.get(row).unwrap_or(&absent));
            let (table, name) = row;
            format!("`{name}` ({table}) is `{one}` in one and `{other}` in the other")
        });
        lines.collect()
    }

    /// Returns the action's spec: `old` with the facts of the page, or a new one.
    ///
    /// # Errors
    ///
    /// Every problem for which `old` cannot be read.
    pub fn spec(&self, old: Option<&SpecFile>) -> Result<Imported, Vec<Diagnostic>> {
        let old = old.map(|file| parse_old(file, self.action())).transpose()?;
        let mut report = Report::default();
        let merged = merge::merge(&self.facts, old.as_ref(), &mut report);
        Ok(Imported {
            text: writer::action(&merged),
            notes: report.finish(&self.file, &self.text),
            undescribed: merge::undescribed(&self.facts, &merged),
        })
    }
}

/// The spec of an action with the facts of a page.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Imported {
    /// The text of the file.
    pub text: String,
    /// Where the page contradicts itself, decisions that were lost, and words that changed.
    pub notes: Vec<Diagnostic>,
    /// What has no description of ours yet, each with its type and the page's words.
    pub undescribed: Vec<String>,
}

/// Returns the action that a file of a spec describes.
#[must_use]
pub fn action_of(file: &SpecFile) -> Option<String> {
    let node = json::parse(without_mark(&file.text)).ok()?;
    node.get("action")?.as_str().map(str::to_owned)
}

/// Returns a text without the byte order mark that some editors write.
fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

fn parse_old(file: &SpecFile, action: &str) -> Result<Node, Vec<Diagnostic>> {
    let mut report = Report::default();
    let text = without_mark(&file.text);
    let node = json::parse(text);
    match &node {
        Ok(node) if node.get("action").and_then(Node::as_str) == Some(action) => {
            merge::refuse_duplicates(node, &mut report);
        }
        Ok(node) => report.error(node.at, format!("this is not the spec of `{action}`")),
        Err(error) => report.error(error.at, error.message.clone()),
    }
    node.ok().filter(|_| !report.has_errors()).ok_or_else(|| report.finish(&file.path, text))
}

/// Returns the facts of every row by its table and name.
fn rows(facts: &Facts) -> BTreeMap<(String, String), String> {
    let tables = [("parameters", &facts.parameters), ("response", &facts.response)];
    let models = facts.models.iter();
    let models = models.map(|model| (model.name.as_str(), &model.fields));
    let rows = tables.into_iter().chain(models).flat_map(|(table, fields)| {
        fields.iter().map(move |field| {
            let row = (table.to_owned(), field.name.clone());
            (row, field.summary())
        })
    });
    rows.collect()
}
