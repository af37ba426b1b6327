//! Reads a page in HTML, as served by a documentation site: the article without its surroundings.
//!
//! Tokens are read as a stream. So end tags that HTML makes optional may be absent, and deep
//! nesting costs no stack.

use std::{mem::take, ops::Range};

use html5gum::{DefaultEmitter, StartTag, Token, Tokenizer};

use crate::{
    import::read::block::{Block, BlockKind, Cells, Code, Row, refuse_other_shape, squeeze},
    spec::diagnostic::Report,
};

/// Elements whose contents are not part of the article.
const SKIPPED: &[&str] = &[
    "aside", "button", "footer", "head", "nav", "noscript", "script", "select", "style", "svg",
    "template",
];

pub(crate) fn read(page: &str, report: &mut Report) -> Vec<Block> {
    let mut emitter = DefaultEmitter::<usize>::new_with_span();
    emitter.naively_switch_states(true);
    let mut article = Article::default();
    for token in Tokenizer::new_with_emitter(page, emitter) {
        let Ok(token) = token;
        match token {
            Token::StartTag(tag) => article.start(&tag, report),
            Token::EndTag(tag) => article.end(&String::from_utf8_lossy(&tag.name)),
            Token::String(text) => {
                let range = text.span.start..text.span.end;
                let text = String::from_utf8_lossy(&text.value);
                for line in text.lines() {
                    refuse_other_shape(range.start, line, report);
                }
                article.text(range, &text);
            }
            _ => {}
        }
    }
    article.finish()
}

/// The blocks so far and the open elements.
#[derive(Debug, Default)]
struct Article {
    blocks: Vec<Block>,
    /// The skipped element that is open, and how many of its name are nested.
    skipped: Option<(String, usize)>,
    /// The text of the open paragraph, heading or cell.
    text: String,
    text_at: usize,
    /// The offset of the open heading or cell.
    element_at: usize,
    is_heading: bool,
    tables: Vec<Table>,
    code: Option<(usize, Code)>,
}

#[derive(Debug, Default)]
struct Table {
    at: usize,
    rows: Vec<(usize, Vec<String>)>,
    is_in_cell: bool,
}

impl Article {
    fn start(&mut self, tag: &StartTag<usize>, report: &mut Report) {
        let name = String::from_utf8_lossy(&tag.name).into_owned();
        let at = tag.span.start;
        if let Some((skipped, depth)) = &mut self.skipped {
            if !ends_element(skipped, &name, true) {
                *depth += usize::from(*skipped == name);
                return;
            }
            self.skipped = None;
        }
        if SKIPPED.contains(&name.as_str()) || is_hidden(tag) {
            self.skipped = (!tag.self_closing).then_some((name, 1));
            return;
        }
        if let Some((_, code)) = &mut self.code {
            let is_line = has_class(tag, |class| class == "line");
            if name == "br" || (is_line && !code.text.is_empty() && !code.text.ends_with('\n')) {
                code.push(at, "\n");
            }
            return;
        }
        match name.as_str() {
            "table" => {
                self.flush();
                if !self.tables.is_empty() {
                    report.error(at, "nested tables are not supported");
                }
                self.tables.push(Table { at, ..Table::default() });
            }
            "tr" | "td" | "th" if self.tables.is_empty() => {
                report.error(at, "a row outside a table");
            }
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
                    (self.text, self.element_at) = (String::new(), at);
                }
            }
            "pre" => {
                self.flush();
                self.code = Some((at, Code::new(true)));
            }
            // A footnote's mark is not part of the word before it.
            "br" | "sub" | "sup" => self.text.push(' '),
            _ if is_heading(&name) => {
                self.flush();
                (self.is_heading, self.element_at) = (true, at);
            }
            _ if ends_paragraph(&name) => self.flush(),
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        if let Some((skipped, depth)) = &mut self.skipped {
            let is_end = skipped == name;
            *depth -= usize::from(is_end);
            let is_implied = !is_end && ends_element(skipped, name, false);
            if *depth == 0 || is_implied {
                self.skipped = None;
            }
            if !is_implied {
                return;
            }
        }
        match name {
            "pre" => {
                if let Some((at, mut code)) = self.code.take() {
                    code.is_cut = false;
                    self.push(at, BlockKind::Code(code));
                }
            }
            _ if self.code.is_some() => {}
            "td" | "th" | "tr" => self.end_cell(),
            "table" => self.end_table(),
            _ if is_heading(name) || ends_paragraph(name) => self.flush(),
            _ => {}
        }
    }

    fn text(&mut self, range: Range<usize>, text: &str) {
        if self.skipped.is_some() {
            return;
        }
        match &mut self.code {
            Some((_, code)) => code.push_decoded(range, text),
            None => {
                if self.text.is_empty() {
                    self.text_at = range.start;
                }
                self.text.push_str(text);
            }
        }
    }

    /// Ends the open heading or paragraph. A paragraph within a cell only ends a word.
    fn flush(&mut self) {
        if self.tables.last().is_some_and(|table| table.is_in_cell) {
            self.text.push(' ');
            return;
        }
        let text = squeeze(&take(&mut self.text));
        let is_heading = take(&mut self.is_heading);
        if text.is_empty() {
            return;
        }
        if is_heading {
            // Some sites add a link to the heading.
            let text = text.trim_matches(['#', '\u{200b}', ' ']).to_owned();
            self.push(self.element_at, BlockKind::Heading(text));
        } else {
            self.push(self.text_at, BlockKind::Text(text));
        }
    }

    fn end_cell(&mut self) {
        let Some(table) = self.tables.last_mut() else {
            return;
        };
        if take(&mut table.is_in_cell) {
            let text = squeeze(&take(&mut self.text));
            match table.rows.last_mut() {
                Some((_, cells)) => cells.push(text),
                None => table.rows.push((self.element_at, vec![text])),
            }
        }
    }

    fn end_table(&mut self) {
        self.end_cell();
        self.flush();
        let Some(Table { at, rows, .. }) = self.tables.pop() else {
            return;
        };
        let mut rows =
            rows.into_iter().map(|(at, cells)| Row { at, cells: Cells::Delimited(cells) });
        if let Some(header) = rows.next() {
            let rows = rows.collect();
            self.push(at, BlockKind::Table { header, rows });
        }
    }

    fn push(&mut self, at: usize, kind: BlockKind) {
        self.blocks.push(Block { at, kind });
    }

    fn finish(mut self) -> Vec<Block> {
        self.flush();
        if let Some((at, code)) = self.code.take() {
            self.push(at, BlockKind::Code(code));
        }
        self.blocks
    }
}

fn is_heading(name: &str) -> bool {
    matches!(name, "h1" | "h2" | "h3" | "h4" | "h5" | "h6")
}

/// Whether an element ends the paragraph before it and its own last paragraph.
fn ends_paragraph(name: &str) -> bool {
    const ELEMENTS: &str = "article blockquote body dd div dl dt hr li main ol p section ul";
    ELEMENTS.split(' ').any(|element| element == name)
}

fn has_class(tag: &StartTag<usize>, is_class: impl Fn(&str) -> bool) -> bool {
    let classes = tag.attributes.get(b"class".as_slice());
    let classes = classes.map(|classes| String::from_utf8_lossy(&classes.value));
    classes.is_some_and(|classes| classes.split_whitespace().any(is_class))
}

/// Whether an element is invisible, such as "(opens in a new tab)" for screen readers.
fn is_hidden(tag: &StartTag<usize>) -> bool {
    let is_void = matches!(
        tag.name.as_slice(),
        b"br" | b"hr" | b"img" | b"input" | b"link" | b"meta" | b"wbr"
    );
    let is_hidden = tag.attributes.contains_key(b"hidden".as_slice());
    !is_void
        && (is_hidden
            || has_hiding_style(tag)
            || has_class(tag, |class| class.ends_with("sr-only")))
}

/// Whether the style of an element hides it.
fn has_hiding_style(tag: &StartTag<usize>) -> bool {
    let Some(style) = tag.attributes.get(b"style".as_slice()) else {
        return false;
    };
    let style = String::from_utf8_lossy(&style.value).to_ascii_lowercase();
    style.split(';').any(|rule| {
        let (property, value) = rule.split_once(':').unwrap_or_default();
        let value = value.trim().trim_end_matches("!important").trim_end();
        matches!(
            (property.trim(), value),
            ("display", "none") | ("visibility", "hidden" | "collapse")
        )
    })
}

/// Whether a tag ends an open element whose end tag may be absent: a row ends where the next row
/// or the end of its table is.
fn ends_element(open: &str, tag: &str, is_start: bool) -> bool {
    let ends = match (open, is_start) {
        ("tr", true) => "tr tbody tfoot thead",
        ("tr", false) => "table tbody tfoot thead",
        ("td" | "th", true) => "td th tr tbody tfoot thead",
        ("td" | "th", false) => "tr table tbody tfoot thead",
        ("tbody" | "thead" | "tfoot", true) => "tbody tfoot thead",
        ("tbody" | "thead" | "tfoot", false) => "table",
        ("li", true) => "li",
        ("li", false) => "ol ul",
        ("dd" | "dt", true) => "dd dt",
        ("dd" | "dt", false) => "dl",
        ("p", true) => "article div dl h1 h2 h3 h4 h5 h6 hr main ol p pre section table ul",
        ("p", false) => "article body div li main section td th",
        _ => "",
    };
    ends.split(' ').any(|end| end == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(html: &str) -> Vec<Block> {
        let mut report = Report::default();
        let blocks = read(html, &mut report);
        assert!(!report.has_errors());
        blocks
    }

    #[test]
    fn a_cell_holds_its_visible_text() {
        let html = "<table><tr><th>A &amp; B</table><table><tr><td><strong>Na</strong>me<td>see <a href=x>Console<span class=\"nx-sr-only\"> (opens in a new tab)</span></a><br>\
                    or<p>not<button>Copy</button></p></td><td></td></tr></table>";
        let rows: Vec<Cells> = read_all(html)
            .into_iter()
            .filter_map(|block| match block.kind {
                BlockKind::Table { header, .. } => Some(header.cells),
                _ => None,
            })
            .collect();
        let delimited =
            |cells: &[&str]| Cells::Delimited(cells.iter().map(ToString::to_string).collect());
        assert_eq!(rows, [delimited(&["A & B"]), delimited(&["Name", "see Console or not", ""])]);
    }

    #[test]
    fn hidden_elements_are_skipped_and_what_follows_them_is_not() {
        let rows = |html: &str| -> usize {
            let blocks = read_all(html);
            let rows = blocks.iter().map(|block| match &block.kind {
                BlockKind::Table { rows, .. } => rows.len(),
                _ => 0,
            });
            rows.sum()
        };
        let row = "<tr><td>a</td></tr>";
        for hiding in [
            "hidden",
            "hidden=''",
            "style='display:none'",
            "style='color: red; DISPLAY : None !important'",
            "style=visibility:hidden",
            "style='visibility: collapse;'",
            "class=sr-only",
        ] {
            for hidden in [
                format!("<tr {hiding}><td>b</td></tr>"),
                format!("<tr {hiding}><td>b"),
                format!("<tr {hiding}><td>b</td></tr><tr {hiding}><td>c"),
            ] {
                let html =
                    format!("<table>{row}{row}{hidden}{row}</table><table>{row}{row}</table>");
                assert_eq!(rows(&html), 3, "{html}");
                // The last row of its table.
                let html = format!("<table>{row}{row}{hidden}</table><table>{row}{row}</table>");
                assert_eq!(rows(&html), 2, "{html}");
            }
        }
        for shown in
            ["style='display:table-row'", "style='overflow:hidden'", "class=overflow-hidden"]
        {
            assert_eq!(rows(&format!("<table>{row}<tr {shown}><td>b</td></tr></table>")), 1);
        }
    }

    #[test]
    fn code_keeps_its_lines_and_their_offsets() {
        let html = "<pre><code><span class=\"line\">{</span><span class=\"line\">  &quot;a&quot;: 1</span>\n<span class=\"line\">}</span></code></pre>";
        let BlockKind::Code(code) = &read_all(html)[0].kind else { panic!("code was expected") };
        assert_eq!(code.text, "{\n  \"a\": 1\n}");
        // A decoded piece has the offset of its beginning.
        for (character, html_text) in [('{', "{"), ('1', "  &quot;a"), ('}', "}</span>")] {
            let offset = code.page_offset(code.text.find(character).unwrap());
            assert_eq!(offset, html.find(html_text).unwrap());
        }
        assert!(!code.is_cut);
    }

    #[test]
    fn the_surroundings_of_the_article_are_skipped() {
        let html = "<head><title>x</title></head><nav><nav><h1>No</h1></nav><h1>No</h1></nav><script>'<h1>No</h1>'</script>\
                    <main><h2>Yes<a href=#yes>#</a></h2><p>words</p></main><footer><h1>No</h1>";
        let headings: Vec<String> = read_all(html)
            .into_iter()
            .filter_map(|block| match block.kind {
                BlockKind::Heading(text) => Some(text),
                _ => None,
            })
            .collect();
        assert_eq!(headings, ["Yes"]);
    }
}
