//! From a documentation page to a spec.
//!
//! A front-end for each shape of a page (`markdown`, `html`, `text`) makes a sequence of blocks of it
//! (`form`). `outline` finds what stands under which heading, `rows` reads the tables, `together` settles
//! where the cells of a row end that nothing divides, and `page` asks whether it all agrees.
//! `contradiction` compares the facts with what the page shows (`shown`), and `merge` brings them into
//! the spec there is, or makes a new one with what `proposal` suggests.

mod facts;
mod findings;
mod merge;
mod read;

use std::{collections::BTreeMap, fmt, str::FromStr};

use crate::{
    Diagnostic, SpecFile,
    model::naming,
    spec::diagnostic::Report,
    spec::json::{self, Node, Value},
};
use facts::{
    page::{self, Facts},
    run_together::Evidence,
    titles,
};
use findings::{Findings, Places};
use read::{html, markdown, text};

/// The shape a page comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shape {
    /// Plain text, the cells of its tables run together.
    Text,
    /// Markdown, as the documentation's repository has it.
    Markdown,
    /// HTML, as the documentation's site serves it.
    Html,
    /// Copied from a browser, the cells divided by tabs.
    Pasted,
}

impl Shape {
    /// The shape that a text looks like.
    #[must_use]
    pub fn of(text: &str) -> Self {
        if text.trim_start().starts_with('<') {
            return Self::Html;
        }
        let is_markdown =
            |line: &str| line.starts_with('|') || line.starts_with("# ") || line.starts_with("```");
        if text.lines().any(is_markdown) {
            return Self::Markdown;
        }
        if text
            .lines()
            .any(|line| line.contains('\t') && titles::is_header(line.trim()))
        {
            return Self::Pasted;
        }
        Self::Text
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Markdown => "markdown",
            Self::Html => "html",
            Self::Pasted => "pasted",
        })
    }
}

impl FromStr for Shape {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        [Self::Text, Self::Markdown, Self::Html, Self::Pasted]
            .into_iter()
            .find(|shape| shape.to_string() == name)
            .ok_or_else(|| {
                format!("`{name}` is no shape of a page: text, markdown, html or pasted")
            })
    }
}

/// What came of reading a page.
#[derive(Debug)]
#[non_exhaustive]
pub struct Reading {
    /// The page, if it was understood to the last row.
    pub page: Option<Page>,
    /// Why it was not.
    pub errors: Vec<Diagnostic>,
    /// What is odd about the page and does not stand in the way.
    pub notes: Vec<Diagnostic>,
}

/// A page that was read.
#[derive(Debug, Clone)]
pub struct Page {
    places: Places,
    facts: Facts,
}

/// How much a page says, and what settled its rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// The parameters.
    pub parameters: usize,
    /// The fields of the response and of the models.
    pub fields: usize,
    /// Rows whose cells the page divides.
    pub apart: usize,
    /// Rows that can be read in one way alone.
    pub by_grammar: usize,
    /// Rows that can be read in several ways, of which the page's example has one.
    pub by_example: usize,
    /// Rows that can be read in several ways, of which one is worded as rows are.
    pub by_wording: usize,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.parameters += other.parameters;
        self.fields += other.fields;
        self.apart += other.apart;
        self.by_grammar += other.by_grammar;
        self.by_example += other.by_example;
        self.by_wording += other.by_wording;
    }
}

/// A page has tens of kilobytes.
pub const LARGEST: usize = 16 << 20;

/// Reads a page. `file` is what messages call it; without a shape it is told by looking.
///
/// A page is read as a whole or not at all: one row that stays open is an error.
#[must_use]
pub fn read(file: &str, bytes: &[u8], shape: Option<Shape>) -> Reading {
    let refused = |errors| Reading {
        page: None,
        errors,
        notes: Vec::new(),
    };
    if bytes.len() > LARGEST {
        let message = format!("this has more than {} MiB: a page has less", LARGEST >> 20);
        return refused(vec![Places::new(file, "").diagnostic(0, message)]);
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            let message = "this is not UTF-8: save the page as UTF-8 text".to_owned();
            return refused(vec![
                Places::new(file, &before).diagnostic(before.len(), message),
            ]);
        }
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let shape = shape.unwrap_or_else(|| Shape::of(text));
    let mut findings = Findings::default();
    let blocks = match shape {
        Shape::Markdown => markdown::read(text, &mut findings),
        Shape::Html => html::read(text, &mut findings),
        Shape::Text | Shape::Pasted => text::read(text),
    };
    let facts = page::read(blocks, shape, text.len(), &mut findings);
    let places = Places::new(file, text);
    let (errors, notes) = findings.finish(&places);
    Reading {
        page: facts.map(|facts| Page { places, facts }),
        errors,
        notes,
    }
}

impl Page {
    /// The action that the page is of.
    #[must_use]
    pub fn action(&self) -> &str {
        &self.facts.action
    }

    /// The name of the action's file in a spec.
    #[must_use]
    pub fn file_name(&self) -> String {
        naming::file(&self.facts.action)
    }

    /// How much the page says.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let settled = |evidence| self.facts.settled.get(&evidence).copied().unwrap_or(0);
        Counts {
            parameters: self.facts.parameters.len(),
            fields: self.facts.fields().count() - self.facts.parameters.len(),
            apart: settled(Evidence::Apart),
            by_grammar: settled(Evidence::Grammar),
            by_example: settled(Evidence::Example),
            by_wording: settled(Evidence::Wording),
        }
    }

    /// The first fact in which another page of the same action differs, if any does.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Option<String> {
        let (one, other) = (tables(&self.facts), tables(&other.facts));
        let names = one.keys().chain(other.keys());
        names
            .map(|name| (name, one.get(name), other.get(name)))
            .find(|(_, one, other)| one != other)
            .map(|((table, name), one, other)| {
                let said = |facts: Option<&(String, bool)>| match facts {
                    Some((ty, true)) => format!("{ty}, required"),
                    Some((ty, false)) => ty.clone(),
                    None => "not there".to_owned(),
                };
                format!("`{name}` ({table}): {} and {}", said(one), said(other))
            })
    }

    /// The text of the action's spec: of the one there is, with the page's facts, or of a new one.
    ///
    /// # Errors
    ///
    /// Every mistake for which the spec there is cannot be read.
    pub fn spec(&self, old: Option<&SpecFile>) -> Result<Imported, Vec<Diagnostic>> {
        let old = old
            .map(|file| read_old(file, &self.facts.action))
            .transpose()?;
        let mut findings = Findings::default();
        let merged = merge::merge(&self.facts, old.as_ref(), &mut findings);
        let (_, notes) = findings.finish(&self.places);
        Ok(Imported {
            text: crate::spec::write_action(&merged),
            notes,
        })
    }
}

/// A spec made of a page.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Imported {
    /// The text of its file.
    pub text: String,
    /// Where the page contradicts itself: the spec records what matters to a client.
    pub notes: Vec<Diagnostic>,
}

/// The action that a file of a spec is of, if it is one.
#[must_use]
pub fn action_of(file: &SpecFile) -> Option<String> {
    let node = json::parse(&mut Report::new(&file.path, &file.text))?;
    merge::get(&node, "action")
        .and_then(merge::text)
        .map(str::to_owned)
}

fn read_old(file: &SpecFile, action: &str) -> Result<Node, Vec<Diagnostic>> {
    let mut report = Report::new(&file.path, &file.text);
    if let Some(node) = json::parse(&mut report) {
        let is_object = matches!(node.value, Value::Object(_));
        if is_object && merge::get(&node, "action").and_then(merge::text) == Some(action) {
            merge::check(&node, &mut report);
            if report.is_clean() {
                return Ok(node);
            }
        } else {
            report.error(node.at, format!("this is not the spec of `{action}`"));
        }
    }
    Err(report.into_diagnostics())
}

/// The facts of every row, by its table and name.
fn tables(facts: &Facts) -> BTreeMap<(String, &str), (String, bool)> {
    let mut tables = BTreeMap::new();
    let all = [
        ("parameters", &facts.parameters),
        ("response", &facts.response),
    ];
    let models = facts
        .models
        .iter()
        .map(|model| (model.name.as_str(), &model.fields));
    for (table, fields) in all.into_iter().chain(models) {
        for field in fields {
            let what = (field.kind.to_string(), field.required);
            tables.insert((table.to_owned(), field.name.as_str()), what);
        }
    }
    tables
}
