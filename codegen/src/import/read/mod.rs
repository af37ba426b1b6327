//! From the text of a page to blocks.

pub(crate) mod block;
mod html;
mod markdown;
mod text;
pub(crate) mod titles;

use std::{fmt, str::FromStr};

use crate::spec::diagnostic::Report;
use block::Block;

/// The shape of a documentation page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shape {
    /// Plain text. The cells of its tables are run together.
    Text,
    /// Markdown, as in the documentation's repository.
    Markdown,
    /// HTML, as served by the documentation's site.
    Html,
    /// Text copied from a browser. Tabs delimit the cells of its tables.
    Pasted,
}

impl Shape {
    const ALL: [Self; 4] = [Self::Text, Self::Markdown, Self::Html, Self::Pasted];

    /// Detects the shape of a page.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let is_markdown =
            |line: &str| line.starts_with('|') || line.starts_with("# ") || line.starts_with("```");
        let is_pasted = |line: &str| line.contains('\t') && titles::is_header(line.trim());
        if text.trim_start().starts_with('<') {
            Self::Html
        } else if text.lines().any(is_markdown) {
            Self::Markdown
        } else if text.lines().any(is_pasted) {
            Self::Pasted
        } else {
            Self::Text
        }
    }

    pub(crate) fn blocks(self, text: &str, report: &mut Report) -> Vec<Block> {
        match self {
            Self::Markdown => markdown::read(text, report),
            Self::Html => html::read(text, report),
            Self::Text | Self::Pasted => text::read(text),
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format!("{self:?}").to_lowercase())
    }
}

impl FromStr for Shape {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let shape = Self::ALL.into_iter().find(|shape| shape.to_string() == name);
        shape.ok_or_else(|| {
            format!("unknown shape `{name}`: expected text, markdown, html or pasted")
        })
    }
}
