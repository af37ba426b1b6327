//! Markdown as rustdoc reads it: what prose may contain, and values as code.

use pulldown_cmark::{BrokenLink, CowStr, Event, LinkType, Options, Parser, Tag};

use crate::text::{hidden, lines::lines};

/// A text as inline code that shows it literally.
pub(crate) fn code(text: &str) -> String {
    let text = match text {
        "" => "\"\"".into(),
        text => hidden::escaped(text),
    };
    // One mark more than the longest run of them in the text.
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let marks = "`".repeat(longest + 1);
    // Markdown removes one space of each side.
    let has_space = |end: Option<char>| end.is_some_and(|c| c == ' ' || c == '`');
    let is_padded = has_space(text.chars().next()) || has_space(text.chars().next_back());
    let pad = if is_padded && !text.trim_matches(' ').is_empty() { " " } else { "" };
    format!("{marks}{pad}{text}{pad}{marks}")
}

/// A text with its lines joined.
pub(crate) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Refuses prose that is more than text, emphasis, inline code and lists, as it will be written:
/// wrapped to lines, at the beginning of a paragraph or after a word, or on one line.
pub(crate) fn check(prose: &str) -> Result<(), String> {
    hidden::refuse(prose)?;
    // Below another paragraph, an indented one is a block of code. An empty text is another mistake.
    if prose.trim() != prose && !prose.trim().is_empty() {
        return Err("white space at the beginning or the end is not allowed: remove it".to_owned());
    }
    if is_plain(prose) {
        return Ok(());
    }
    let mut texts = vec![prose.to_owned()];
    // After a word or on one line, only these may be something else.
    if prose.contains('\n') || !prose.starts_with(char::is_alphabetic) {
        texts.extend([format!("0: {prose}"), one_line(prose)]);
    }
    let written = texts.iter().flat_map(|text| [0, 1].map(|depth| lines(text, depth).join("\n")));
    let mut written: Vec<String> = written.collect();
    written.dedup();
    written.iter().try_for_each(|text| {
        // rustdoc looks for doctests without extensions, and renders with them.
        [Options::empty(), rustdoc_options()].into_iter().try_for_each(|it| check_as(text, it))
    })
}

/// Whether a text is clearly nothing but words, which need not be parsed.
fn is_plain(text: &str) -> bool {
    let is_plain = |c: char| match c {
        ' ' | '.' | ',' | ';' | ':' | '-' | '(' | ')' | '\'' | '"' | '/' | '%' | '?' | '!' => true,
        _ => c.is_alphanumeric(),
    };
    text.starts_with(char::is_alphabetic)
        && text.chars().all(is_plain)
        && !text.contains("://")
        && !text.contains("  ")
}

fn rustdoc_options() -> Options {
    Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_SMART_PUNCTUATION
}

fn check_as(text: &str, options: Options) -> Result<(), String> {
    // rustdoc takes what has no definition for the name of an item.
    let mut resolve = |_: BrokenLink<'_>| Some((CowStr::Borrowed(""), CowStr::Borrowed("")));
    let parser = Parser::new_with_broken_link_callback(text, options, Some(&mut resolve));
    if let Some((name, _)) = parser.reference_definitions().iter().next() {
        return Err(refusal(Refused::Link, name));
    }
    // The words between two other events: a parser may divide them anywhere.
    let mut words = String::new();
    for (event, range) in parser.into_offset_iter() {
        let source = &text[range];
        let refused = match event {
            // Smart punctuation is not an entity.
            Event::Text(piece) if options.is_empty() && *piece != *source => Some(Refused::Entity),
            Event::Text(piece) => {
                words.push_str(&piece);
                refused_words(&words)
            }
            event => {
                words.clear();
                refused_event(&event)
            }
        };
        if let Some(refused) = refused {
            return Err(refusal(refused, source));
        }
    }
    Ok(())
}

/// What is not prose.
#[derive(Debug, Clone, Copy)]
enum Refused {
    CodeBlock,
    Tag,
    Link,
    Address,
    Entity,
    /// Anything else, by its name.
    Other(&'static str),
}

fn refused_words(words: &str) -> Option<Refused> {
    // Some of these would be markup to another version of the parser.
    if words.contains('<') {
        Some(Refused::Tag)
    } else if words.contains('[') {
        Some(Refused::Link)
    } else if words.contains("://") {
        Some(Refused::Address)
    } else {
        None
    }
}

fn refused_event(event: &Event<'_>) -> Option<Refused> {
    match event {
        Event::Code(_) | Event::SoftBreak | Event::HardBreak | Event::End(_) => None,
        Event::Start(Tag::Paragraph | Tag::List(_) | Tag::Item | Tag::Emphasis | Tag::Strong) => {
            None
        }
        Event::Start(Tag::CodeBlock(_)) => Some(Refused::CodeBlock),
        Event::Start(Tag::HtmlBlock) | Event::Html(_) | Event::InlineHtml(_) => Some(Refused::Tag),
        Event::Start(Tag::Link { link_type: LinkType::Autolink | LinkType::Email, .. }) => {
            Some(Refused::Tag)
        }
        Event::Start(Tag::Link { .. } | Tag::Image { .. } | Tag::FootnoteDefinition(_))
        | Event::FootnoteReference(_)
        | Event::TaskListMarker(_) => Some(Refused::Link),
        Event::Start(Tag::Heading { .. }) => Some(Refused::Other("a heading")),
        Event::Start(Tag::BlockQuote(_)) => Some(Refused::Other("a quote")),
        Event::Start(Tag::Strikethrough) => Some(Refused::Other("struck text")),
        Event::Start(Tag::Table(_)) => Some(Refused::Other("a table")),
        Event::Rule => Some(Refused::Other("a rule")),
        _ => Some(Refused::Other("this Markdown")),
    }
}

fn refusal(refused: Refused, source: &str) -> String {
    let (what, remedy) = match refused {
        Refused::CodeBlock => ("a code block would become a doctest", "describe it in words"),
        Refused::Tag => ("`<` would become a link or a tag", "put the whole name in backticks"),
        Refused::Link => ("`[` would become a link or a tag", "put the whole name in backticks"),
        Refused::Address => ("an address would become a link", "put it in backticks"),
        Refused::Entity => ("`&` would begin an entity", "write the character, or use backticks"),
        Refused::Other(name) => {
            return format!(
                "{name} is not allowed here: use sentences, lists, emphasis and backticks{}",
                place(source)
            );
        }
    };
    format!("{what}: {remedy}{}", place(source))
}

/// The beginning of what is refused.
fn place(source: &str) -> String {
    const MAX_CHARS: usize = 40;
    let line = source.trim_start().lines().next().unwrap_or_default();
    let end = line.char_indices().nth(MAX_CHARS).map_or(line.len(), |(at, _)| at);
    format!("; found at {:?}", &line[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_shows_every_text_literally() {
        for (text, expected) in [
            ("20", "`20`"),
            ("", "`\"\"`"),
            ("a`b", "``a`b``"),
            ("`", "`` ` ``"),
            ("```\nx", "```` ```\\nx ````"),
            (" a", "`  a `"),
            ("  ", "`  `"),
            ("<b>|[x](y)", "`<b>|[x](y)`"),
            ("\u{202e}", "`\\u{202e}`"),
        ] {
            assert_eq!(code(text), expected);
            let events: Vec<Event<'_>> = Parser::new_ext(expected, rustdoc_options()).collect();
            let shown = if text.is_empty() { "\"\"".into() } else { hidden::escaped(text) };
            assert_eq!(events.len(), 3, "{events:?}");
            assert_eq!(events[1], Event::Code((&*shown).into()));
        }
    }
}
