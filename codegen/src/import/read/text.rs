//! Reads a page in plain text: copied from a browser, with tabs between the cells of its tables, or
//! saved as text, with nothing between them.

use crate::import::read::{
    block::{Block, BlockKind, Cells, Code, Row},
    titles::{self, COLUMNS, Section, cut_required, is_header},
};

/// The most lines that a row is continued by.
const MAX_ROW_LINES: usize = 64;

pub(crate) fn read(page: &str) -> Vec<Block> {
    let mut lines = Lines { page, next: 0, blocks: Vec::new() };
    let mut is_before_sections = true;
    while let Some((at, line)) = lines.next() {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        let section = Section::of(line);
        is_before_sections &= section.is_none();
        let is_heading = section.is_some()
            || lines.is_before_header()
            || (is_before_sections && titles::action(line).is_some());
        if is_header(line) {
            lines.read_table(row(at, line));
        } else if is_heading {
            lines.push(at, BlockKind::Heading(line.to_owned()));
        } else {
            lines.push(at, BlockKind::Text(line.to_owned()));
        }
        match section {
            Some(Section::RequestExample) => lines.read_request(),
            Some(Section::ResponseExample) => lines.read_response(),
            _ => {}
        }
    }
    lines.blocks
}

fn row(at: usize, line: &str) -> Row {
    let cells = if line.contains('\t') {
        let cells = line.split('\t').map(|cell| cell.trim().to_owned());
        Cells::Delimited(cells.collect())
    } else {
        Cells::RunTogether(line.trim().to_owned())
    };
    Row { at, cells }
}

/// The lines of a page, and the blocks read so far.
struct Lines<'a> {
    page: &'a str,
    /// The offset of the next line.
    next: usize,
    blocks: Vec<Block>,
}

impl<'a> Lines<'a> {
    /// Takes the next line, without its end, and its offset.
    fn next(&mut self) -> Option<(usize, &'a str)> {
        let at = self.next;
        let line = self.page[at..].split_inclusive('\n').next()?;
        self.next += line.len();
        Some((at, line.trim_end_matches(['\n', '\r'])))
    }

    /// Takes the next line if it is part of the open section.
    fn next_in_section(&mut self) -> Option<(usize, &'a str)> {
        let before = self.next;
        let line = self.next().filter(|(_, line)| Section::of(line).is_none());
        if line.is_none() {
            self.next = before;
        }
        line
    }

    fn push(&mut self, at: usize, kind: BlockKind) {
        self.blocks.push(Block { at, kind });
    }

    /// Whether the next line with text is the header of a table. The line before it is its heading.
    fn is_before_header(&self) -> bool {
        let rest = self.page[self.next..].trim_start();
        is_header(rest.lines().next().unwrap_or_default())
    }

    /// Reads the rows up to an empty line or the next heading.
    fn read_table(&mut self, header: Row) {
        let mut rows = Vec::new();
        while let Some((at, line)) = self.next_in_section() {
            // A table may follow without an empty line before its heading.
            let is_heading = !line.contains('\t') && self.is_before_header();
            if line.trim().is_empty() || is_header(line.trim()) || is_heading {
                self.next = at;
                break;
            }
            rows.push(self.read_row(at, line));
        }
        self.push(header.at, BlockKind::Table { header, rows });
    }

    /// Reads a row with its continuation lines, for cells that have several lines. A row with tabs
    /// continues until it has all its cells. A row without tabs continues until it ends in Yes or
    /// No, by lines that cannot begin a row.
    fn read_row(&mut self, at: usize, line: &str) -> Row {
        let count_tabs = |line: &str| line.matches('\t').count();
        let (mut whole, mut tabs) = (line.to_owned(), count_tabs(line));
        let is_delimited = tabs > 0;
        for _ in 0..MAX_ROW_LINES {
            let is_complete = match is_delimited {
                true => tabs + 1 >= COLUMNS.len(),
                false => cut_required(&whole).is_some(),
            };
            let continues = |line: &str| match is_delimited {
                true => tabs + count_tabs(line) < COLUMNS.len(),
                false => {
                    !line.contains('\t') && !line.starts_with(|c: char| c.is_ascii_alphabetic())
                }
            };
            let before = self.next;
            let mut lines = std::iter::from_fn(|| self.next_in_section());
            match lines.find(|(_, line)| !line.trim().is_empty()) {
                Some((_, line)) if !is_complete && !is_header(line.trim()) && continues(line) => {
                    whole.push(' ');
                    whole.push_str(line.trim_end_matches(' '));
                    tabs += count_tabs(line);
                }
                _ => {
                    self.next = before;
                    break;
                }
            }
        }
        row(at, &whole)
    }

    /// Reads the example request: everything up to the next heading.
    fn read_request(&mut self) {
        let mut code = Code::default();
        while let Some((at, line)) = self.next_in_section() {
            code.push(at, line);
            code.push(at + line.len(), "\n");
        }
        if !code.text.trim().is_empty() {
            self.push(code.page_offset(0), BlockKind::Code(code));
        }
    }

    /// Reads the example response, a JSON object. The text after the object is the page's footer.
    fn read_response(&mut self) {
        let before = self.next;
        while let Some((at, line)) = self.next_in_section() {
            if line.trim_start().starts_with('{') {
                let end = end_of_object(&self.page[at..]);
                let mut code = Code::new(end.is_none());
                self.next = end.map_or(self.page.len(), |end| at + end);
                code.push(at, &self.page[at..self.next]);
                self.push(at, BlockKind::Code(code));
                return;
            }
        }
        if self.next == self.page.len() {
            // Without an example, the rest is text.
            self.next = before;
        }
    }
}

/// Returns the end of the first object of a text.
fn end_of_object(text: &str) -> Option<usize> {
    let (mut depth, mut is_string, mut is_escaped) = (0_usize, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_string => is_escaped = true,
            b'"' => is_string = !is_string,
            _ if is_string => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_response_ends_with_its_object() {
        for (text, expected) in [
            (
                "{\"a\": \"}\\\"}\", \"b\": [{}]}\n • Company",
                Some("{\"a\": \"}\\\"}\", \"b\": [{}]}"),
            ),
            ("{\"a\": [}", None),
            ("{", None),
        ] {
            assert_eq!(end_of_object(text).map(|end| &text[..end]), expected);
        }
    }

    fn rows(page: &str) -> Vec<Cells> {
        let mut blocks = read(page);
        let BlockKind::Table { rows, .. } = blocks.remove(0).kind else {
            panic!("a table was expected")
        };
        rows.into_iter().map(|row| row.cells).collect()
    }

    #[test]
    fn a_delimited_cell_may_have_several_lines() {
        let page = "Field Name\tType\tDescription\tRequired\nKind\tstring\tOne of\n\nA or B\tNo\nSize\tint\n\nExample";
        let delimited =
            |cells: &[&str]| Cells::Delimited(cells.iter().map(ToString::to_string).collect());
        assert_eq!(
            rows(page),
            [delimited(&["Kind", "string", "One of A or B", "No"]), delimited(&["Size", "int"])]
        );
    }

    #[test]
    fn a_run_together_row_continues_by_lines_that_cannot_begin_a_row() {
        let page = "Field NameTypeDescriptionRequired\nKindstring种类：\n\n> A\n默认为ANo\nSizeint\nWidthintNo\n\nExample";
        let run_together = |row: &str| Cells::RunTogether(row.to_owned());
        assert_eq!(
            rows(page),
            [
                run_together("Kindstring种类： > A 默认为ANo"),
                run_together("Sizeint"),
                run_together("WidthintNo"),
            ]
        );
    }
}
