//! Characters that a reader does not see, or that change how others are seen.

use std::{borrow::Cow, fmt::Write};

/// Whether a character is hidden: a control character other than a newline, one that sets the
/// direction of text, one that separates lines, or one that takes no space.
pub(crate) fn is_hidden(c: char) -> bool {
    match c {
        '\n' => false,
        ' '..='~' => false,
        // Unicode's `Default_Ignorable_Code_Point`, and what separates or annotates.
        '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'..='\u{1160}'
        | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}' => true,
        _ => c.is_control(),
    }
}

/// The first hidden character is an error.
pub(crate) fn refuse(text: &str) -> Result<(), String> {
    match text.chars().find(|c| is_hidden(*c)) {
        Some(hidden) => {
            Err(format!("the character U+{:04X} is not allowed: remove it", u32::from(hidden)))
        }
        None => Ok(()),
    }
}

/// The text on one line, with escapes for newlines and hidden characters, as in Rust.
pub(crate) fn escaped(text: &str) -> Cow<'_, str> {
    replaced(text, |c| c == '\n' || is_hidden(c), |c, to| to.extend(c.escape_default()))
}

/// JSON with escapes for the hidden characters, which are all in its strings.
pub(crate) fn escaped_json(json: &str) -> Cow<'_, str> {
    let is_white_space = |c| matches!(c, '\n' | '\r' | '\t');
    replaced(
        json,
        |c| is_hidden(c) && !is_white_space(c),
        |c, to| {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(to, "\\u{unit:04x}");
            }
        },
    )
}

fn replaced(
    text: &str,
    is_replaced: impl Fn(char) -> bool,
    replace: impl Fn(char, &mut String),
) -> Cow<'_, str> {
    if !text.contains(&is_replaced) {
        return Cow::Borrowed(text);
    }
    let mut replaced = String::new();
    for c in text.chars() {
        if is_replaced(c) { replace(c, &mut replaced) } else { replaced.push(c) }
    }
    Cow::Owned(replaced)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_are_escaped_and_others_kept() {
        assert_eq!(escaped("a\nb\r\u{202e}\0é“中"), "a\\nb\\r\\u{202e}\\u{0}é“中");
        assert_eq!(
            escaped_json("{\n\t\"a\u{202e}\u{e0041}\"}"),
            "{\n\t\"a\\u202e\\udb40\\udc41\"}"
        );
        assert!(matches!(escaped("plain text"), Cow::Borrowed(_)));
    }
}
