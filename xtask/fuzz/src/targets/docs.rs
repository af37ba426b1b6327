//! Checks generated source: it must be Rust, and no text of a spec may become more than text in its
//! documentation.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use pulldown_cmark::{BrokenLink, CodeBlockKind, CowStr, Event, Options, Parser, Tag};

/// Checks one file.
pub(crate) fn check(name: &str, source: &str) -> Result<(), String> {
    if let Some(c) = source.chars().find(|&c| is_deceptive(c)) {
        return Err(format!("`{name}` contains the character U+{:04X}", u32::from(c)));
    }
    let tokens: TokenStream =
        source.parse().map_err(|error| format!("`{name}` is not Rust: {error}"))?;
    if let Err(error) = syn::parse_file(source) {
        return Err(format!("`{name}` is not Rust: {error}"));
    }
    let mut comments = Vec::new();
    collect(tokens, &mut comments);
    comments.iter().try_for_each(|comment| {
        check_comment(comment)
            .map_err(|reason| format!("{reason} in a doc comment of `{name}`\n{comment}"))
    })
}

/// Control characters, and characters that reorder text.
fn is_deceptive(c: char) -> bool {
    let is_bidirectional = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    is_bidirectional || c.is_control() && c != '\n'
}

/// Collects the text of every doc comment.
fn collect(tokens: TokenStream, comments: &mut Vec<String>) {
    let mut lines: Vec<String> = Vec::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        if matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '#') {
            tokens
                .next_if(|next| matches!(next, TokenTree::Punct(punct) if punct.as_char() == '!'));
            if let Some(TokenTree::Group(group)) = tokens.peek()
                && group.delimiter() == Delimiter::Bracket
            {
                lines.extend(doc(group.stream()));
                tokens.next();
                continue;
            }
        }
        if !lines.is_empty() {
            comments.push(unindented(&std::mem::take(&mut lines)));
        }
        if let TokenTree::Group(group) = token {
            collect(group.stream(), comments);
        }
    }
    if !lines.is_empty() {
        comments.push(unindented(&lines));
    }
}

/// The lines of an attribute `doc = "…"`.
fn doc(attribute: TokenStream) -> Vec<String> {
    let tokens: Vec<TokenTree> = attribute.into_iter().collect();
    let [TokenTree::Ident(name), _, TokenTree::Literal(text)] = &tokens[..] else {
        return Vec::new();
    };
    let text = syn::parse_str::<syn::LitStr>(&text.to_string());
    match text {
        Ok(text) if name == "doc" => text.value().split('\n').map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// Removes the common indentation, as rustdoc does.
fn unindented(lines: &[String]) -> String {
    let indentation = |line: &String| line.len() - line.trim_start_matches(' ').len();
    let filled = lines.iter().filter(|line| !line.trim().is_empty());
    let common = filled.map(indentation).min().unwrap_or(0);
    let lines: Vec<&str> = lines.iter().map(|line| line.get(common..).unwrap_or("")).collect();
    lines.join("\n")
}

fn check_comment(comment: &str) -> Result<(), String> {
    // Rustdoc's.
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_SMART_PUNCTUATION;
    // Rustdoc takes `[text]` for a link to an item.
    let mut link = |link: BrokenLink<'_>| {
        let target: CowStr<'_> = link.reference.to_string().into();
        Some((target, CowStr::from("")))
    };
    let mut code: Option<(String, String)> = None;
    let events = Parser::new_with_broken_link_callback(comment, options, Some(&mut link));
    for event in events {
        match event {
            Event::Start(Tag::CodeBlock(kind)) => {
                let language = match kind {
                    CodeBlockKind::Indented => "(indented)".to_owned(),
                    CodeBlockKind::Fenced(language) => language.to_string(),
                };
                code = Some((language, String::new()));
            }
            Event::Text(text) => {
                if let Some((_, code)) = &mut code {
                    code.push_str(&text);
                }
            }
            Event::End(pulldown_cmark::TagEnd::CodeBlock) => {
                if let Some((language, text)) = code.take()
                    && !is_our_example(&language, &text)
                {
                    return Err("a code block".to_owned());
                }
            }
            Event::Html(_) | Event::InlineHtml(_) => return Err("HTML".to_owned()),
            Event::Start(Tag::Image { .. }) => return Err("an image".to_owned()),
            Event::Start(Tag::Link { dest_url, .. }) if !is_our_link(&dest_url) => {
                return Err("a foreign link".to_owned());
            }
            Event::Start(Tag::FootnoteDefinition(_)) => return Err("a footnote".to_owned()),
            _ => {}
        }
    }
    Ok(())
}

/// A link to an item of the generated crate.
fn is_our_link(target: &str) -> bool {
    let target = target.trim_matches('`');
    let starts = ["Self::", "field@", "mod@", "crate::", "Client::", "Call::", "RetCode::"];
    let is_path =
        target.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_:@#".contains(&byte));
    is_path && (target.ends_with("::new") || starts.iter().any(|start| target.starts_with(start)))
}

/// The example of a method: one function that calls it, compiled and not run.
fn is_our_example(language: &str, code: &str) -> bool {
    let code: String = code.lines().map(|line| line.strip_prefix("# ").unwrap_or(line)).collect();
    let Ok(file) = syn::parse_file(&code) else {
        return false;
    };
    let [syn::Item::Fn(function)] = &file.items[..] else {
        return false;
    };
    language == "no_run" && function.sig.ident == "example" && function.block.stmts.len() == 3
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(lines: &[&str]) -> Result<(), String> {
        let docs: String = lines.iter().map(|line| format!("/// {line}\n")).collect();
        check("a.rs", &format!("{docs}pub struct A;\n"))
    }

    #[test]
    fn text_is_text() {
        let words = ["*Some* words, `code` and [`new`](Self::new).", "", "- one", "- two"];
        assert_eq!(result(&words), Ok(()));
        let example = [
            "```no_run",
            "# async fn example(client: a::Client) -> Result<(), a::Error> {",
            "let response = client.a(\"b\").send().await?;",
            "println!(\"{response:?}\");",
            "# Ok(())",
            "# }",
            "```",
        ];
        assert_eq!(result(&example), Ok(()));
    }

    #[test]
    fn more_than_text_is_found() {
        for (lines, reason) in [
            (&["```", "panic!()", "```"][..], "a code block"),
            (&["~~~", "panic!()", "~~~"], "a code block"),
            (&["> ```", "> panic!()", "> ```"], "a code block"),
            (&["words", "", "    panic!()"], "a code block"),
            (&["<script>alert(1)</script>"], "HTML"),
            (&["[text](javascript:alert)"], "a foreign link"),
            (&["<https://page.example>"], "a foreign link"),
            (&["see [Foo]"], "a foreign link"),
            (&["a \u{202e}b"], "U+202E"),
        ] {
            let error = result(lines).unwrap_err();
            assert!(error.contains(reason), "{error}");
        }
        assert!(check("a.rs", "pub struct A {").is_err());
        assert!(check("a.rs", "#[doc = \"```\\npanic!()\\n```\"] struct A;").is_err());
    }
}
