//! A page as a sequence of blocks: what the front-ends make of each shape, and all that is known of
//! a page's form from there on.

use std::ops::Range;

use crate::{import::facts::titles::is_header, import::findings::Findings};

/// A piece of a page, at its byte offset.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) at: usize,
    pub(crate) kind: Kind,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Heading(String),
    Table {
        header: Row,
        rows: Vec<Row>,
    },
    Code(Code),
    /// Words under no heading of their own. They say no facts, but a row that lost its table is one.
    Words(String),
}

/// A row of a table.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) at: usize,
    pub(crate) cells: Cells,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cells {
    Apart(Vec<String>),
    /// Nothing divides the cells: `OffsetintOffset, default 0No`.
    Together(String),
}

/// A block of code, which knows where each piece of its text stands in the page.
#[derive(Debug, Clone, Default)]
pub(crate) struct Code {
    pub(crate) text: String,
    pieces: Vec<Piece>,
    /// Whether the page ends before the block does.
    pub(crate) is_cut: bool,
}

/// A piece of a text: where it begins there and in the page.
#[derive(Debug, Clone, Copy)]
struct Piece {
    start: usize,
    at: usize,
    /// Whether the page has it character by character, or in other words: `&quot;`.
    is_literal: bool,
}

impl Code {
    pub(crate) fn new(is_cut: bool) -> Self {
        Self {
            is_cut,
            ..Self::default()
        }
    }

    pub(crate) fn push(&mut self, at: usize, piece: &str) {
        self.push_from(at..at + piece.len(), piece);
    }

    /// Adds what the page has in this range, perhaps in other words.
    pub(crate) fn push_from(&mut self, range: Range<usize>, piece: &str) {
        self.pieces.push(Piece {
            start: self.text.len(),
            at: range.start,
            is_literal: range.len() == piece.len(),
        });
        self.text.push_str(piece);
    }

    /// Where in the page an offset of the text stands.
    pub(crate) fn place(&self, offset: usize) -> usize {
        let next = self.pieces.partition_point(|piece| piece.start <= offset);
        match self.pieces.get(next.saturating_sub(1)) {
            Some(piece) if piece.is_literal => piece.at + offset.saturating_sub(piece.start),
            Some(piece) => piece.at,
            None => 0,
        }
    }
}

/// The words of a page that has its tables as tables may not hold one whose cells run together: half of
/// the page would be read, and half of it passed over.
pub(crate) fn refuse_other_shape(at: usize, words: &str, findings: &mut Findings) {
    if is_header(words) {
        findings.error(
            at,
            "a table of another shape than the page's: are these two pages in one?",
        );
    }
}

/// Text with each run of white space as one space, and none around it.
pub(crate) fn squeeze(text: &str) -> String {
    let mut squeezed = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !squeezed.is_empty() {
            squeezed.push(' ');
        }
        squeezed.push_str(word);
    }
    squeezed
}
