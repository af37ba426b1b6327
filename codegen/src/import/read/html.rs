//! A page in HTML, as a documentation site serves it: the article, without what surrounds it.
//!
//! Elements are taken as they come, so a page may leave out the end tags that HTML lets it leave
//! out, and nesting costs nothing.

use std::ops::Range;

use html5gum::{DefaultEmitter, StartTag, Token, Tokenizer};

use crate::{
    import::facts::form::{Block, Cells, Code, Kind, Row, refuse_other_shape, squeeze},
    import::findings::Findings,
};

/// Elements whose contents are not the page's.
const ASIDE: &[&str] = &[
    "aside", "button", "footer", "head", "nav", "noscript", "script", "select", "style", "svg",
    "template",
];
/// Elements that end a paragraph where they begin and where they end.
const BREAKS: &[&str] = &[
    "article",
    "blockquote",
    "body",
    "dd",
    "div",
    "dl",
    "dt",
    "hr",
    "li",
    "main",
    "ol",
    "p",
    "section",
    "ul",
];

pub(crate) fn read(text: &str, findings: &mut Findings) -> Vec<Block> {
    let mut emitter = DefaultEmitter::<usize>::new_with_span();
    emitter.naively_switch_states(true);
    let mut page = Page::default();
    for token in Tokenizer::new_with_emitter(text, emitter) {
        let token = match token {
            Ok(token) => token,
            Err(never) => match never {},
        };
        match token {
            Token::StartTag(tag) => page.start(&tag),
            Token::EndTag(tag) => page.end(&String::from_utf8_lossy(&tag.name)),
            Token::String(words) => {
                let range = words.span.start..words.span.end;
                let words = String::from_utf8_lossy(&words.value);
                words
                    .lines()
                    .for_each(|line| refuse_other_shape(range.start, line, findings));
                page.words(range, &words);
            }
            _ => {}
        }
    }
    page.finish(findings)
}

#[derive(Debug, Default)]
struct Page {
    blocks: Vec<Block>,
    /// An element that is passed over, and how many of its name are open.
    aside: Option<(String, usize)>,
    /// The words of the paragraph, heading or cell that is open, and where it begins.
    words: String,
    words_at: usize,
    at: usize,
    is_heading: bool,
    tables: Vec<Table>,
    /// Tables within tables: which of the two a word belongs to would be a guess.
    nested: Vec<usize>,
    /// Rows and cells outside a table.
    outside: Vec<usize>,
    code: Option<(usize, Code)>,
}

#[derive(Debug, Default)]
struct Table {
    at: usize,
    rows: Vec<(usize, Vec<String>)>,
    is_in_cell: bool,
}

impl Page {
    fn start(&mut self, tag: &StartTag<usize>) {
        let name = String::from_utf8_lossy(&tag.name).into_owned();
        let at = tag.span.start;
        if let Some((aside, depth)) = &mut self.aside {
            *depth += usize::from(*aside == name);
            return;
        }
        if ASIDE.contains(&name.as_str()) || is_hidden(tag) {
            self.aside = (!tag.self_closing).then_some((name, 1));
            return;
        }
        if let Some((_, code)) = &mut self.code {
            let is_line = class(tag).split_whitespace().any(|class| class == "line");
            if name == "br" || (is_line && !code.text.is_empty() && !code.text.ends_with('\n')) {
                code.push(at, "\n");
            }
            return;
        }
        match name.as_str() {
            "table" => {
                self.flush();
                if !self.tables.is_empty() {
                    self.nested.push(at);
                }
                self.tables.push(Table {
                    at,
                    ..Table::default()
                });
            }
            "tr" | "td" | "th" if self.tables.is_empty() => self.outside.push(at),
            "tr" => {
                self.end_cell();
                if let Some(table) = self.tables.last_mut() {
                    table.rows.push((at, Vec::new()));
                }
            }
            "td" | "th" => {
                self.end_cell();
                self.flush();
                if let Some(table) = self.tables.last_mut() {
                    table.is_in_cell = true;
                    (self.words, self.at) = (String::new(), at);
                }
            }
            "pre" => {
                self.flush();
                self.code = Some((at, Code::new(true)));
            }
            // A mark for a footnote is no part of the word it stands at.
            "br" | "sub" | "sup" => self.words.push(' '),
            _ if is_heading(&name) => {
                self.flush();
                (self.is_heading, self.at) = (true, at);
            }
            _ if BREAKS.contains(&name.as_str()) => self.flush(),
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        if let Some((aside, depth)) = &mut self.aside {
            *depth -= usize::from(aside == name);
            if *depth == 0 {
                self.aside = None;
            }
            return;
        }
        match name {
            "pre" => {
                if let Some((at, mut code)) = self.code.take() {
                    code.is_cut = false;
                    self.block(at, Kind::Code(code));
                }
            }
            _ if self.code.is_some() => {}
            "td" | "th" | "tr" => self.end_cell(),
            "table" => {
                self.end_cell();
                self.flush();
                if let Some(table) = self.tables.pop() {
                    self.end_table(table);
                }
            }
            _ if is_heading(name) || BREAKS.contains(&name) => self.flush(),
            _ => {}
        }
    }

    fn words(&mut self, range: Range<usize>, words: &str) {
        if self.aside.is_some() {
            return;
        }
        match &mut self.code {
            Some((_, code)) => code.push_from(range, words),
            None => {
                if self.words.is_empty() {
                    self.words_at = range.start;
                }
                self.words.push_str(words);
            }
        }
    }

    /// Ends the heading or paragraph that is open. Within a cell, paragraphs are words of it.
    fn flush(&mut self) {
        if self.tables.last().is_some_and(|table| table.is_in_cell) {
            self.words.push(' ');
            return;
        }
        let words = squeeze(&std::mem::take(&mut self.words));
        let is_heading = std::mem::take(&mut self.is_heading);
        if words.is_empty() {
            return;
        }
        if is_heading {
            // Some sites put a link to the heading into it.
            let words = words.trim_matches(['#', '\u{200b}', ' ']).to_owned();
            self.block(self.at, Kind::Heading(words));
        } else {
            self.block(self.words_at, Kind::Words(words));
        }
    }

    fn end_cell(&mut self) {
        let Some(table) = self.tables.last_mut() else {
            return;
        };
        if std::mem::take(&mut table.is_in_cell) {
            let words = squeeze(&std::mem::take(&mut self.words));
            match table.rows.last_mut() {
                Some((_, cells)) => cells.push(words),
                None => table.rows.push((self.at, vec![words])),
            }
        }
    }

    fn end_table(&mut self, table: Table) {
        let mut rows = table.rows.into_iter().map(|(at, cells)| Row {
            at,
            cells: Cells::Apart(cells),
        });
        if let Some(header) = rows.next() {
            let rows = rows.collect();
            self.block(table.at, Kind::Table { header, rows });
        }
    }

    fn block(&mut self, at: usize, kind: Kind) {
        self.blocks.push(Block { at, kind });
    }

    fn finish(mut self, findings: &mut Findings) -> Vec<Block> {
        self.flush();
        for at in &self.outside {
            findings.error(*at, "a row outside a table");
        }
        for at in &self.nested {
            findings.error(*at, "a table within a table cannot be read");
        }
        if let Some((at, code)) = self.code.take() {
            self.block(at, Kind::Code(code));
        }
        self.blocks
    }
}

fn is_heading(name: &str) -> bool {
    matches!(name, "h1" | "h2" | "h3" | "h4" | "h5" | "h6")
}

fn class(tag: &StartTag<usize>) -> String {
    tag.attributes
        .get(b"class".as_slice())
        .map(|class| String::from_utf8_lossy(&class.value).into_owned())
        .unwrap_or_default()
}

/// Words for screen readers alone, such as "(opens in a new tab)", are not the page's.
fn is_hidden(tag: &StartTag<usize>) -> bool {
    let is_container = !matches!(
        tag.name.as_slice(),
        b"br" | b"hr" | b"img" | b"input" | b"link" | b"meta" | b"wbr"
    );
    is_container
        && (tag.attributes.contains_key(b"hidden".as_slice())
            || class(tag)
                .split_whitespace()
                .any(|class| class.ends_with("sr-only")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(html: &str) -> Vec<Block> {
        let mut findings = Findings::default();
        let blocks = read(html, &mut findings);
        assert!(findings.is_clean());
        blocks
    }

    #[test]
    fn a_cell_has_the_words_that_a_reader_sees() {
        let html = "<table><tr><th>A &amp; B</table><table><tr><td><strong>Na</strong>me<td>see <a href=x>Console<span class=\"nx-sr-only\"> (opens in a new tab)</span></a><br>\
                    or<p>not<button>Copy</button></p></td><td></td></tr></table>";
        let rows: Vec<Cells> = read_all(html)
            .into_iter()
            .filter_map(|block| match block.kind {
                Kind::Table { header, .. } => Some(header.cells),
                _ => None,
            })
            .collect();
        let apart = |cells: &[&str]| Cells::Apart(cells.iter().map(ToString::to_string).collect());
        assert_eq!(
            rows,
            [
                apart(&["A & B"]),
                apart(&["Name", "see Console or not", ""])
            ]
        );
    }

    #[test]
    fn code_keeps_its_lines_and_knows_where_they_stand() {
        let html = "<pre><code><span class=\"line\">{</span><span class=\"line\">  &quot;a&quot;: 1</span>\n<span class=\"line\">}</span></code></pre>";
        let Kind::Code(code) = &read_all(html)[0].kind else {
            panic!("code was expected")
        };
        assert_eq!(code.text, "{\n  \"a\": 1\n}");
        // What stands there in other words has the place where that begins.
        for (character, words) in [('{', "{"), ('1', "  &quot;a"), ('}', "}</span>")] {
            let place = code.place(code.text.find(character).unwrap());
            assert_eq!(place, html.find(words).unwrap());
        }
        assert!(!code.is_cut);
    }

    #[test]
    fn what_surrounds_the_article_is_passed_over() {
        let html = "<head><title>x</title></head><nav><nav><h1>No</h1></nav><h1>No</h1></nav><script>'<h1>No</h1>'</script>\
                    <main><h2>Yes<a href=#yes>#</a></h2><p>words</p></main><footer><h1>No</h1>";
        let headings: Vec<String> = read_all(html)
            .into_iter()
            .filter_map(|block| match block.kind {
                Kind::Heading(words) => Some(words),
                _ => None,
            })
            .collect();
        assert_eq!(headings, ["Yes"]);
    }
}
