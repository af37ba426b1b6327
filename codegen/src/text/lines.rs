//! Documentation in lines.

/// The columns of a line of documentation, with its indentation.
const WIDTH: usize = 100;

/// The beginning of a block of code in the generated documentation. [`lines`] knows no other.
pub(crate) const CODE: &str = "```no_run";

/// Documentation in lines, wrapped for an item at this depth of blocks. Paragraphs and lists are
/// wrapped, code is not.
pub(crate) fn lines(text: &str, depth: usize) -> Vec<String> {
    let width = WIDTH - 4 * depth - "/// ".len();
    let mut lines = Vec::new();
    let mut is_code = false;
    for line in text.trim().lines().map(str::trim_end) {
        // Prose has no such lines.
        match line {
            CODE => is_code = true,
            "```" => is_code = false,
            _ if is_code || line.is_empty() => {}
            _ => {
                wrap(line, width, &mut lines);
                continue;
            }
        }
        lines.push(line.to_owned());
    }
    lines
}

/// Wraps a line to at most this many characters, as far as its words allow. The further lines of a
/// list's item are indented.
fn wrap(line: &str, width: usize, lines: &mut Vec<String>) {
    let marker = marker(line);
    let indent = " ".repeat(marker);
    let (mut current, mut columns) = (String::new(), 0);
    let mut rest = line;
    while !rest.is_empty() {
        let skipped = if columns == 0 { marker } else { 0 };
        let (piece, after) = rest.split_at(breakable(rest, skipped));
        let piece_columns = piece.chars().count();
        if columns > 0 && columns + piece_columns > width {
            lines.push(std::mem::replace(&mut current, indent.clone()));
            current.push_str(&piece[1..]);
            columns = indent.len() + piece_columns - 1;
        } else {
            current.push_str(piece);
            columns += piece_columns;
        }
        rest = after;
    }
    lines.push(current);
}

/// The length of the beginning of a list's item: `- ` and `1. `, with the spaces before them.
fn marker(line: &str) -> usize {
    let item = line.trim_start_matches(' ');
    let digits = item.bytes().take_while(u8::is_ascii_digit).count();
    let is_bullet = item.starts_with(['-', '*', '+']);
    let is_number = digits > 0 && item[digits..].starts_with(['.', ')']);
    let sign = if is_bullet || is_number { digits + 1 } else { 0 };
    if sign > 0 && item[sign..].starts_with(' ') { line.len() - item.len() + sign + 1 } else { 0 }
}

/// The length of what stands before the next space at which a line may end.
fn breakable(text: &str, skipped: usize) -> usize {
    let mut spaces = text.match_indices(' ').map(|(at, _)| at).filter(|at| *at > skipped);
    let may_end = |at: &usize| {
        let (before, after) = text.split_at(*at);
        // A backslash at the end of a line would be a line break.
        !before.ends_with([' ', '\\']) && may_start_line(&after[1..])
    };
    spaces.find(may_end).unwrap_or(text.len())
}

/// Whether a line that starts so continues the paragraph: it starts no list, quote, heading, rule,
/// table, block of code or HTML.
fn may_start_line(text: &str) -> bool {
    let word = text.split(' ').next().unwrap_or_default();
    match word.chars().next() {
        Some('0'..='9') => {
            !word.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with(['.', ')'])
        }
        Some('`') => !word.starts_with("```"),
        // Not a footnote.
        Some('[') => !word.starts_with("[^"),
        Some('(' | '"' | '\'' | '“' | '‘') => true,
        Some(first) => first.is_alphanumeric(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(line: &str, width: usize) -> Vec<String> {
        let mut lines = Vec::new();
        wrap(line, width, &mut lines);
        lines
    }

    #[test]
    fn lines_end_where_the_next_word_is_a_plain_one() {
        for (line, expected) in [
            ("one two three four", &["one two", "three four"][..]),
            ("one two # three", &["one two #", "three"]),
            ("one two - three", &["one two -", "three"]),
            ("one two 1. three", &["one two 1.", "three"]),
            ("one two 10 three", &["one two 10", "three"]),
            ("one two ~~~ === ---", &["one", "two ~~~ === ---"]),
            ("one two\\ three", &["one", "two\\ three"]),
            ("one two   three", &["one", "two   three"]),
            ("one two [^1]: three", &["one", "two [^1]:", "three"]),
            ("one two ``` three", &["one", "two ```", "three"]),
            ("- one two three", &["- one two", "  three"]),
            ("  12) one two", &["  12) one", "      two"]),
            ("averyveryverylongword", &["averyveryverylongword"]),
            ("- averyverylongword", &["- averyverylongword"]),
        ] {
            assert_eq!(wrapped(line, 10), expected, "{line}");
        }
    }

    #[test]
    fn code_is_not_wrapped() {
        let code = format!("Before.\n\n```no_run\n{}\n```", "x ".repeat(100).trim_end());
        assert_eq!(lines(&code, 1).len(), 5);
    }
}
