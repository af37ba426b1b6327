//! A page in Markdown, as the documentation's repository has it.

use std::ops::Range;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use crate::{
    import::facts::form::{Block, Cells, Code, Kind, Row, refuse_other_shape, squeeze},
    import::findings::Findings,
};

pub(crate) fn read(text: &str, findings: &mut Findings) -> Vec<Block> {
    let mut blocks = Vec::new();
    // What is being read: nested blocks (a paragraph in a list) end with their innermost one.
    let (mut words, mut cells) = (String::new(), Vec::new());
    let (mut header, mut rows) = (None, Vec::new());
    let mut code: Option<Code> = None;
    for (event, range) in Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter() {
        let mut block = |at, kind| blocks.push(Block { at, kind });
        match event {
            Event::Start(Tag::CodeBlock(_)) => {
                code = Some(Code::new(is_fence_open(&text[range])));
            }
            Event::Start(Tag::TableHead | Tag::TableRow) => cells.clear(),
            Event::Start(Tag::Table(_)) => (header, rows) = (None, Vec::new()),
            Event::Text(piece) => match &mut code {
                Some(code) => code.push(range.start, &piece),
                None => {
                    refuse_other_shape(range.start, &piece, findings);
                    words.push_str(&piece);
                }
            },
            Event::Code(piece) | Event::Html(piece) => words.push_str(&piece),
            Event::SoftBreak | Event::HardBreak => words.push('\n'),
            Event::InlineHtml(_) => words.push(' '),
            Event::End(TagEnd::Paragraph | TagEnd::Item) => {
                block(range.start, Kind::Words(std::mem::take(&mut words)));
            }
            Event::End(TagEnd::HtmlBlock) => {
                let html = std::mem::take(&mut words);
                let shown = html.rsplit("-->").next().unwrap_or_default();
                block(range.start, Kind::Words(shown.to_owned()));
            }
            Event::End(TagEnd::Heading(_)) => {
                block(range.start, Kind::Heading(squeeze(&words)));
                words.clear();
            }
            Event::End(TagEnd::TableCell) => {
                cells.push(squeeze(&words));
                words.clear();
            }
            Event::End(TagEnd::TableHead) => header = Some(row(&range, &mut cells)),
            Event::End(TagEnd::TableRow) => {
                let columns = cells.len();
                let found = pipes(&text[range.clone()]).saturating_sub(1);
                // Cells beyond the last column would be dropped without a word.
                if found > columns {
                    findings.error(
                        range.start,
                        format!("this row has {found} cells where its table has {columns} columns: write a `|` within a cell as `\\|`"),
                    );
                }
                rows.push(row(&range, &mut cells));
            }
            Event::End(TagEnd::Table) => {
                if let Some(header) = header.take() {
                    let rows = std::mem::take(&mut rows);
                    block(range.start, Kind::Table { header, rows });
                }
            }
            Event::End(TagEnd::CodeBlock) => {
                if let Some(code) = code.take() {
                    block(range.start, Kind::Code(code));
                }
            }
            _ => {}
        }
    }
    blocks
}

fn row(range: &Range<usize>, cells: &mut Vec<String>) -> Row {
    Row {
        at: range.start,
        cells: Cells::Apart(std::mem::take(cells)),
    }
}

/// The `|` of a row that divide cells, with one at each end.
fn pipes(row: &str) -> usize {
    let row = row.trim();
    let (mut count, mut is_escaped) = (0, false);
    for byte in row.bytes() {
        match byte {
            b'|' if !is_escaped => count += 1,
            _ => {}
        }
        is_escaped = byte == b'\\' && !is_escaped;
    }
    // Those at the ends may be left out.
    count + usize::from(!row.starts_with('|')) + usize::from(!row.ends_with('|'))
}

/// Whether a block of code begins with a fence and does not end with one.
fn is_fence_open(block: &str) -> bool {
    let fence =
        |line: &str| line.trim_start().starts_with("```") || line.trim_start().starts_with("~~~");
    let mut lines = block.trim_end().lines();
    lines.next().is_some_and(fence) && !lines.next_back().is_some_and(fence)
}
