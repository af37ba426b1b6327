//! Converts a page in Markdown to the other shapes: the HTML of a site, and text copied from it.

use std::fmt::Write;

/// A piece of the page. Markdown is read line by line here, independently of the code under test.
enum Piece {
    Heading(usize, String),
    Table(Vec<Vec<String>>),
    Code(Vec<String>),
    Words(String),
}

fn pieces(markdown: &str) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut lines = markdown.lines();
    while let Some(line) = lines.next() {
        if line.starts_with("```") {
            let code = lines.by_ref().take_while(|line| !line.starts_with("```"));
            pieces.push(Piece::Code(code.map(str::to_owned).collect()));
        } else if line.starts_with('#') {
            let level = line.bytes().take_while(|byte| *byte == b'#').count();
            pieces.push(Piece::Heading(level, line[level..].trim().to_owned()));
        } else if line.starts_with("|:") {
            // The line between a table's header and its rows.
        } else if line.starts_with('|') {
            let row = line.replace("\\|", "\u{1}");
            let cells: Vec<String> = row
                .trim()
                .trim_matches('|')
                .split('|')
                .map(|cell| cell.trim().replace('\u{1}', "|"))
                .collect();
            match pieces.last_mut() {
                Some(Piece::Table(rows)) => rows.push(cells),
                _ => pieces.push(Piece::Table(vec![cells])),
            }
        } else if !line.trim().is_empty() {
            pieces.push(Piece::Words(line.trim().to_owned()));
        }
    }
    pieces
}

/// A part of a line.
enum Part<'a> {
    Words(&'a str),
    Bold(&'a str),
    Code(&'a str),
    Link(&'a str, &'a str),
    Break,
}

/// Splits a line at its markup: `**bold**`, `*italic*`, `` `code` ``, `[link](address)`.
fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let cut = |open: &str, close: &str| {
            let inner = rest.strip_prefix(open)?;
            let end = inner.find(close)?;
            Some((&inner[..end], &inner[end + close.len()..]))
        };
        let link = || {
            let (words, after) = cut("[", "](")?;
            let end = after.find(')')?;
            let is_link = !words.contains(['[', ']']);
            is_link.then(|| (words, &after[..end], &after[end + 1..]))
        };
        if let Some((words, after)) = cut("**", "**") {
            parts.push(Part::Bold(words));
            rest = after;
        } else if let Some((words, after)) = cut("`", "`") {
            parts.push(Part::Code(words));
            rest = after;
        } else if let Some((words, address, after)) = link() {
            parts.push(Part::Link(words.trim_matches('*'), address));
            rest = after;
        } else if let Some(after) = rest.strip_prefix("<br />") {
            parts.push(Part::Break);
            rest = after;
        } else {
            let next = rest.char_indices().skip(1).find(|(_, c)| "*`[<".contains(*c));
            let end = next.map_or(rest.len(), |(at, _)| at);
            parts.push(Part::Words(&rest[..end]));
            rest = &rest[end..];
        }
    }
    parts
}

/// Returns the visible text of a line.
fn plain(text: &str, line_end: &str) -> String {
    let mut plain = String::new();
    for part in parts(text) {
        match part {
            Part::Words(words) | Part::Bold(words) | Part::Code(words) => plain.push_str(words),
            Part::Link(words, address) => {
                plain.push_str(words);
                if address.starts_with("http") {
                    plain.push_str(" (opens in a new tab)");
                }
            }
            Part::Break => plain.push_str(line_end),
        }
    }
    plain
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn inline(text: &str) -> String {
    let mut html = String::new();
    for part in parts(text) {
        let _ = match part {
            Part::Words(words) => write!(html, "{}", escaped(words)),
            Part::Bold(words) => write!(html, "<strong>{}</strong>", escaped(words)),
            Part::Code(words) => {
                write!(html, "<code class=\"nx-rounded\">{}</code>", escaped(words))
            }
            Part::Link(words, address) if address.starts_with("http") => write!(
                html,
                "<a href=\"{}\" target=\"_blank\" rel=\"noreferrer\">{}<span class=\"nx-sr-only nx-select-none\"> (opens in a new tab)</span></a>",
                escaped(address),
                escaped(words),
            ),
            Part::Link(words, address) => {
                write!(html, "<a href=\"{}\"><em>{}</em></a>", escaped(address), escaped(words))
            }
            Part::Break => write!(html, "<br/>"),
        };
    }
    html
}

/// Converts a page to HTML as a Nextra site serves it: in one line except for code.
pub(crate) fn html(markdown: &str) -> String {
    let pieces = pieces(markdown);
    let mut aside = String::new();
    let mut article = String::new();
    for piece in &pieces {
        match piece {
            Piece::Heading(level, words) => {
                let words = escaped(words);
                let _ = write!(aside, "<li><a href=\"#{level}\">{words}</a></li>");
                let _ = write!(
                    article,
                    "<h{level} class=\"nx-font-semibold\">{words}<a href=\"#a\" class=\"subheading-anchor\" aria-label=\"Permalink for this section\"></a></h{level}>"
                );
            }
            Piece::Table(rows) => {
                article.push_str("<table class=\"nx-block\">");
                for (index, row) in rows.iter().enumerate() {
                    let cell = if index == 0 { "th" } else { "td" };
                    let (open, close) = match index {
                        0 => ("<thead>", "</thead><tbody>"),
                        _ => ("", ""),
                    };
                    let _ = write!(article, "{open}<tr class=\"nx-m-0\">");
                    for words in row {
                        let _ =
                            write!(article, "<{cell} align=\"left\">{}</{cell}>", inline(words));
                    }
                    let _ = write!(article, "</tr>{close}");
                }
                article.push_str("</tbody></table>");
            }
            Piece::Code(lines) => {
                article.push_str("<div class=\"nextra-code-block\"><pre data-theme=\"default\"><code dir=\"ltr\">");
                for (index, line) in lines.iter().enumerate() {
                    let end = if index == 0 { "" } else { "\n" };
                    let tokens: Vec<String> = line
                        .split_inclusive(' ')
                        .map(|token| {
                            format!(
                                "<span style=\"color:var(--shiki-token)\">{}</span>",
                                escaped(token)
                            )
                        })
                        .collect();
                    let _ = write!(article, "{end}<span class=\"line\">{}</span>", tokens.concat());
                }
                article.push_str("</code></pre><div><button title=\"Copy code\">Copy<svg><path d=\"M4\"/></svg></button></div></div>");
            }
            Piece::Words(words) => {
                let _ = write!(article, "<p class=\"nx-mt-6\">{}</p>", inline(words));
            }
        }
    }
    format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"/><title>A page – GetOther</title><script>if (1 < 2) {{ \"<h1>No - GetNothing</h1>\" }}</script></head>\
         <body><nav><a href=\"/\">docs</a><a href=\"/api\">api</a></nav><div><aside class=\"nextra-sidebar\"><ul><li><a href=\"/x\">Request Parameters</a></li></ul></aside>\
         <nav class=\"nextra-toc\"><p>On This Page</p><ul>{aside}</ul></nav><article><main>{article}</main></article></div>\
         <footer><p>Copyright © Example</p></footer><script id=\"__NEXT_DATA__\" type=\"application/json\">{{}}</script></body></html>"
    )
}

/// Converts a page to text copied from a browser.
pub(crate) fn pasted(markdown: &str) -> String {
    copied(markdown, "\t", "\n")
}

/// Converts a page to text without anything between the cells.
pub(crate) fn text(markdown: &str) -> String {
    copied(markdown, "", " ")
}

fn copied(markdown: &str, between: &str, line_end: &str) -> String {
    let mut page = "docs\napi\nDepot\n".to_owned();
    for piece in pieces(markdown) {
        match piece {
            Piece::Heading(_, words) | Piece::Words(words) => {
                let _ = write!(page, "\n{}\n", plain(&words, line_end));
            }
            Piece::Table(rows) => {
                page.push('\n');
                for row in rows {
                    let cells: Vec<String> = row.iter().map(|cell| plain(cell, line_end)).collect();
                    page.push_str(&cells.join(between));
                    page.push('\n');
                }
            }
            Piece::Code(lines) => {
                let _ = write!(page, "\n{}\n", lines.join("\n"));
            }
        }
    }
    page.push_str("  • Company\n  • Blog\nCopyright © Example");
    page
}
