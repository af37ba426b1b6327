//! A page as plain text: copied from a browser, with tabs between the cells of its tables, or saved
//! as text, with nothing between them.

use crate::{
    import::facts::form::{Block, Cells, Code, Kind, Row},
    import::facts::titles::{COLUMNS, Section, cut_required, is_header},
};

pub(crate) fn read(text: &str) -> Vec<Block> {
    let mut lines = Lines {
        text,
        next: 0,
        blocks: Vec::new(),
    };
    let mut is_before_sections = true;
    while let Some((at, line)) = lines.take() {
        let words = line.trim();
        if words.is_empty() {
            continue;
        }
        let section = Section::of(words);
        is_before_sections &= section.is_none();
        if let Some(header) = header(at, words) {
            lines.table(header);
        } else if section.is_some()
            || lines.is_before_header()
            || (is_before_sections && words.contains(" - "))
        {
            lines.block(at, Kind::Heading(words.to_owned()));
        } else {
            lines.block(at, Kind::Words(words.to_owned()));
        }
        match section {
            Some(Section::RequestExample) => lines.request(),
            Some(Section::ResponseExample) => lines.response(),
            _ => {}
        }
    }
    lines.blocks
}

/// A table's header, its titles divided by tabs or not at all.
fn header(at: usize, line: &str) -> Option<Row> {
    is_header(line).then(|| row(at, line))
}

fn row(at: usize, line: &str) -> Row {
    let cells = if line.contains('\t') {
        Cells::Apart(
            line.split('\t')
                .map(|cell| cell.trim().to_owned())
                .collect(),
        )
    } else {
        Cells::Together(line.trim().to_owned())
    };
    Row { at, cells }
}

struct Lines<'a> {
    text: &'a str,
    next: usize,
    blocks: Vec<Block>,
}

impl<'a> Lines<'a> {
    /// The next line without its end, and where it begins.
    fn take(&mut self) -> Option<(usize, &'a str)> {
        let at = self.next;
        let rest = self.text.get(at..).filter(|rest| !rest.is_empty())?;
        let line = rest.split_inclusive('\n').next()?;
        self.next += line.len();
        Some((at, line.trim_end_matches(['\n', '\r'])))
    }

    fn peek(&mut self) -> Option<&'a str> {
        let next = self.next;
        let line = self.take();
        self.next = next;
        line.map(|(_, line)| line)
    }

    fn block(&mut self, at: usize, kind: Kind) {
        self.blocks.push(Block { at, kind });
    }

    /// Whether the next line that says anything is a table's header: what stands over it is its
    /// heading.
    fn is_before_header(&self) -> bool {
        let rest = self.text[self.next..].trim_start();
        is_header(rest.lines().next().unwrap_or_default())
    }

    /// Rows, up to an empty line or the next heading.
    fn table(&mut self, header: Row) {
        let at = header.at;
        let mut rows = Vec::new();
        while let Some(line) = self.peek() {
            if line.trim().is_empty() || Section::of(line).is_some() {
                break;
            }
            let Some((at, line)) = self.take() else { break };
            if is_header(line.trim()) || (!line.contains('\t') && self.is_before_header()) {
                // The heading of the next table, with no empty line before it.
                self.next = at;
                break;
            }
            rows.push(self.row(at, line));
        }
        self.block(at, Kind::Table { header, rows });
    }

    /// A row goes on in the next lines where a cell has lines of its own. With tabs it is whole when it
    /// has them all; without, when it says Yes or No, and a line that could begin a row is never part of
    /// the one before.
    fn row(&mut self, at: usize, line: &str) -> Row {
        const MOST_LINES: usize = 64;
        let tabs = |line: &str| line.matches('\t').count();
        let (mut whole, mut found) = (line.to_owned(), tabs(line));
        let is_apart = found > 0;
        for _ in 0..MOST_LINES {
            let is_whole = match is_apart {
                true => found + 1 >= COLUMNS.len(),
                false => cut_required(&whole).is_some(),
            };
            let before = self.next;
            let next = std::iter::from_fn(|| self.take()).find(|(_, line)| !line.trim().is_empty());
            let goes_on = |line: &str| match is_apart {
                true => found + tabs(line) < COLUMNS.len(),
                false => tabs(line) == 0 && !line.starts_with(|c: char| c.is_ascii_alphabetic()),
            };
            match next {
                Some((_, line))
                    if !is_whole
                        && Section::of(line).is_none()
                        && !is_header(line.trim())
                        && goes_on(line) =>
                {
                    whole.push(' ');
                    whole.push_str(line.trim_end_matches(' '));
                    found += tabs(line);
                }
                _ => {
                    self.next = before;
                    break;
                }
            }
        }
        row(at, &whole)
    }

    /// The request shown: everything up to the next heading.
    fn request(&mut self) {
        let mut code = Code::default();
        while let Some((at, line)) = self.take() {
            if Section::of(line).is_some() {
                self.next = at;
                break;
            }
            code.push(at, line);
            code.push(at + line.len(), "\n");
        }
        self.code(code);
    }

    /// The response shown: a JSON object. What the page's foot says after it is not part of it.
    fn response(&mut self) {
        let from = self.next;
        while let Some((at, line)) = self.take() {
            if Section::of(line).is_some() {
                self.next = at;
                return;
            }
            if line.trim_start().starts_with('{') {
                let mut code = Code::default();
                let end = end_of_object(&self.text[at..]);
                code.is_cut = end.is_none();
                self.next = end.map_or(self.text.len(), |end| at + end);
                code.push(at, &self.text[at..self.next]);
                self.code(code);
                return;
            }
        }
        // No response is shown: what follows is read as words.
        self.next = from;
    }

    fn code(&mut self, code: Code) {
        if !code.text.trim().is_empty() {
            self.block(code.place(0), Kind::Code(code));
        }
    }
}

/// Where the first object of a text ends.
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
    fn a_response_ends_where_its_object_does() {
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
        let Kind::Table { rows, .. } = blocks.remove(0).kind else {
            panic!("a table was expected")
        };
        rows.into_iter().map(|row| row.cells).collect()
    }

    #[test]
    fn a_cell_divided_by_tabs_may_have_lines_of_its_own() {
        let page = "Field Name\tType\tDescription\tRequired\nKind\tstring\tOne of\n\nA or B\tNo\nSize\tint\n\nExample";
        let apart = |cells: &[&str]| Cells::Apart(cells.iter().map(ToString::to_string).collect());
        assert_eq!(
            rows(page),
            [
                apart(&["Kind", "string", "One of A or B", "No"]),
                apart(&["Size", "int"])
            ]
        );
    }

    #[test]
    fn a_row_without_tabs_goes_on_where_no_row_can_begin() {
        let page = "Field NameTypeDescriptionRequired\nKindstring种类：\n\n> A\n默认为ANo\nSizeint\nWidthintNo\n\nExample";
        let together = |row: &str| Cells::Together(row.to_owned());
        assert_eq!(
            rows(page),
            [
                together("Kindstring种类： > A 默认为ANo"),
                together("Sizeint"),
                together("WidthintNo"),
            ]
        );
    }
}
