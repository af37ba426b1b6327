//! A page as a sequence of blocks, the same for every shape.

use std::ops::Range;

use crate::{import::read::titles::is_header, spec::diagnostic::Report};

/// A part of a page, at its byte offset.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) at: usize,
    pub(crate) kind: BlockKind,
}

#[derive(Debug)]
pub(crate) enum BlockKind {
    Heading(String),
    Table {
        header: Row,
        rows: Vec<Row>,
    },
    Code(Code),
    /// Any other text. It holds no facts, but may be a row that was cut off from its table.
    Text(String),
}

/// A row of a table.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) at: usize,
    pub(crate) cells: Cells,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cells {
    Delimited(Vec<String>),
    /// The cells without anything between them: `OffsetintOffset, default 0No`.
    RunTogether(String),
}

/// A block of code with the page's offset of each piece of its text.
#[derive(Debug, Clone, Default)]
pub(crate) struct Code {
    pub(crate) text: String,
    pieces: Vec<Piece>,
    /// Whether the page ends before the block does.
    pub(crate) is_cut: bool,
}

/// The offsets of a piece of code in the block and in the page.
#[derive(Debug, Clone, Copy)]
struct Piece {
    start: usize,
    at: usize,
    /// False where the page writes the piece with entities such as `&quot;`.
    is_literal: bool,
}

impl Code {
    pub(crate) fn new(is_cut: bool) -> Self {
        Self { is_cut, ..Self::default() }
    }

    pub(crate) fn push(&mut self, at: usize, piece: &str) {
        self.push_decoded(at..at + piece.len(), piece);
    }

    /// Adds the decoded text of a range of the page.
    pub(crate) fn push_decoded(&mut self, range: Range<usize>, piece: &str) {
        self.pieces.push(Piece {
            start: self.text.len(),
            at: range.start,
            is_literal: range.len() == piece.len(),
        });
        self.text.push_str(piece);
    }

    /// Converts an offset in the block to one in the page.
    pub(crate) fn page_offset(&self, offset: usize) -> usize {
        let next = self.pieces.partition_point(|piece| piece.start <= offset);
        match self.pieces.get(next.saturating_sub(1)) {
            Some(piece) if piece.is_literal => piece.at + offset.saturating_sub(piece.start),
            Some(piece) => piece.at,
            None => 0,
        }
    }
}

/// Reports a run-together table in a page that delimits its cells: its rows would be skipped
/// silently.
pub(crate) fn refuse_other_shape(at: usize, line: &str, report: &mut Report) {
    if is_header(line) {
        let message =
            "this table has a different shape from the page; put two pages into two files"
                .to_owned();
        report.error(at, message);
    }
}

/// Replaces each run of white space by one space and trims the ends.
pub(crate) fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
