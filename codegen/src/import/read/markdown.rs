//! Reads a page in Markdown, as in the documentation's repository.

use std::mem::take;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use crate::{
    import::read::block::{Block, BlockKind, Cells, Code, Row, refuse_other_shape, squeeze},
    spec::diagnostic::Report,
};

pub(crate) fn read(page: &str, report: &mut Report) -> Vec<Block> {
    let mut blocks = Vec::new();
    // The open block. Of nested blocks (a paragraph in a list), the innermost takes the text.
    let (mut text, mut cells) = (String::new(), Vec::new());
    let (mut header, mut rows) = (None, Vec::new());
    let mut code: Option<Code> = None;
    for (event, range) in Parser::new_ext(page, Options::ENABLE_TABLES).into_offset_iter() {
        let at = range.start;
        let mut block = |kind| blocks.push(Block { at, kind });
        match event {
            Event::Start(Tag::CodeBlock(_)) => {
                code = Some(Code::new(is_unclosed_fence(&page[range])));
            }
            Event::Start(Tag::TableHead | Tag::TableRow) => cells.clear(),
            Event::Start(Tag::Table(_)) => (header, rows) = (None, Vec::new()),
            Event::Text(piece) => match &mut code {
                Some(code) => code.push(at, &piece),
                None => {
                    refuse_other_shape(at, &piece, report);
                    text.push_str(&piece);
                }
            },
            Event::Code(piece) | Event::Html(piece) => text.push_str(&piece),
            Event::SoftBreak | Event::HardBreak => text.push('\n'),
            Event::InlineHtml(_) => text.push(' '),
            Event::End(TagEnd::Paragraph | TagEnd::Item) => {
                block(BlockKind::Text(take(&mut text)));
            }
            Event::End(TagEnd::HtmlBlock) => {
                let html = take(&mut text);
                let visible = html.rsplit("-->").next().unwrap_or_default();
                block(BlockKind::Text(visible.to_owned()));
            }
            Event::End(TagEnd::Heading(_)) => {
                block(BlockKind::Heading(squeeze(&take(&mut text))));
            }
            Event::End(TagEnd::TableCell) => cells.push(squeeze(&take(&mut text))),
            Event::End(TagEnd::TableHead) => header = Some(row(at, &mut cells)),
            Event::End(TagEnd::TableRow) => {
                refuse_extra_cells(at, &page[range], cells.len(), report);
                rows.push(row(at, &mut cells));
            }
            Event::End(TagEnd::Table) => {
                if let Some(header) = header.take() {
                    let rows = take(&mut rows);
                    block(BlockKind::Table { header, rows });
                }
            }
            Event::End(TagEnd::CodeBlock) => {
                if let Some(code) = code.take() {
                    block(BlockKind::Code(code));
                }
            }
            _ => {}
        }
    }
    blocks
}

fn row(at: usize, cells: &mut Vec<String>) -> Row {
    let cells = Cells::Delimited(take(cells));
    Row { at, cells }
}

/// Reports cells beyond the last column, which the parser drops silently.
fn refuse_extra_cells(at: usize, row: &str, columns: usize, report: &mut Report) {
    let row = row.trim();
    let (mut pipes, mut is_escaped) = (0, false);
    for byte in row.bytes() {
        pipes += usize::from(byte == b'|' && !is_escaped);
        is_escaped = byte == b'\\' && !is_escaped;
    }
    // The pipes at both ends are optional.
    let inner = pipes - usize::from(row.starts_with('|'));
    let cells = inner + usize::from(!row.ends_with('|'));
    if cells > columns {
        let message = format!(
            "this row has {cells} cells, its table {columns} columns: write a `|` within a cell as `\\|`"
        );
        report.error(at, message);
    }
}

/// Whether a block of code begins with a fence and does not end with one.
fn is_unclosed_fence(block: &str) -> bool {
    let is_fence = |line: &str| {
        let line = line.trim_start();
        line.starts_with("```") || line.starts_with("~~~")
    };
    let mut lines = block.trim_end().lines();
    lines.next().is_some_and(is_fence) && !lines.next_back().is_some_and(is_fence)
}
