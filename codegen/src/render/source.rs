//! Rust source, line by line, as rustfmt would write it: for names of up to 45 letters, of which the
//! longest documented one has 36. Beyond that the source is right, and `cargo fmt` would break its lines
//! elsewhere.

use std::fmt::{Display, Write};

/// rustfmt's `max_width`.
const MAX_WIDTH: usize = 100;
/// rustfmt's `fn_call_width`: wider arguments stand on lines of their own.
const CALL_WIDTH: usize = 60;
/// rustfmt's `attr_fn_like_width`.
const ATTRIBUTE_WIDTH: usize = 70;
/// rustfmt's `short_array_element_width_threshold`: what is no longer shares a line with others.
const SHORT_WIDTH: usize = 10;
/// rustfmt's `struct_lit_width`.
const LITERAL_WIDTH: usize = 18;

#[derive(Debug, Default)]
pub(super) struct Source {
    text: String,
    indent: usize,
}

impl Source {
    pub(super) fn line(&mut self, line: impl Display) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "{:1$}{line}", "", self.indent);
    }

    pub(super) fn blank(&mut self) {
        self.text.push('\n');
    }

    /// A line that opens a block.
    pub(super) fn open(&mut self, line: impl Display) {
        self.line(line);
        self.indent += 4;
    }

    /// The line that closes it.
    pub(super) fn close(&mut self, line: impl Display) {
        self.indent -= 4;
        self.line(line);
    }

    /// Documentation of what follows.
    pub(super) fn doc(&mut self, text: &str) {
        self.comment("///", text);
    }

    /// Documentation of the module.
    pub(super) fn module_doc(&mut self, text: &str) {
        self.comment("//!", text);
    }

    /// Prose is wrapped, code is left as it is.
    fn comment(&mut self, mark: &str, text: &str) {
        let width = MAX_WIDTH - self.indent - mark.len() - 1;
        let mut is_code = false;
        for line in text.trim().lines().map(str::trim_end) {
            is_code ^= line.starts_with("```");
            if line.is_empty() {
                self.line(mark);
            } else if is_code {
                self.line(format_args!("{mark} {line}"));
            } else {
                for line in wrapped(line, width) {
                    self.line(format_args!("{mark} {line}"));
                }
            }
        }
    }

    /// `name: r#"…"#,`: the text keeps its own margin.
    pub(super) fn raw_string(&mut self, name: &str, text: &str) {
        // One mark more than the longest run of them in the text.
        let longest = text.split(|c| c != '#').map(str::len).max().unwrap_or(0);
        let marks = "#".repeat(longest + 1);
        self.line(format_args!("{name}: r{marks}\"{text}\"{marks},"));
    }

    /// `head(a, b)tail`, on one line or with an argument a line; `place = head(a, b)tail` may also break
    /// behind its `=`.
    pub(super) fn call(&mut self, head: &str, arguments: &[String], tail: &str) {
        let joined = arguments.join(", ");
        let line = format!("{head}({joined}){tail}");
        let fits = |line: &str| joined.len() <= CALL_WIDTH && self.indent + line.len() <= MAX_WIDTH;
        let broken = head.split_once(" = ").and_then(|(place, function)| {
            let value = format!("    {function}({joined}){tail}");
            fits(&value).then_some((place, value))
        });
        if fits(&line) {
            self.line(line);
        } else if let Some((place, value)) = broken {
            self.line(format_args!("{place} ="));
            self.line(value);
        } else if arguments.iter().all(|argument| is_short(argument)) {
            self.open(format_args!("{head}("));
            for line in wrapped(&format!("{joined},"), MAX_WIDTH - self.indent) {
                self.line(line);
            }
            self.close(format_args!("){tail}"));
        } else {
            self.bracketed((head, "(", ")", tail), arguments, false, &joined);
        }
    }

    /// `#[name(a, b)]`, on one line or with an argument a line.
    pub(super) fn attribute(&mut self, name: &str, arguments: &[String]) {
        let joined = arguments.join(", ");
        if joined.len() <= ATTRIBUTE_WIDTH {
            self.line(format_args!("#[{name}({joined})]"));
            return;
        }
        self.open(format_args!("#[{name}("));
        self.line(arguments.join(&format!(",\n{:1$}", "", self.indent)));
        self.close(")]");
    }

    /// The head of a function, which opens its block: `head(a: A, b: B)tail`.
    pub(super) fn signature(&mut self, head: &str, parameters: &[String], tail: &str) {
        let joined = parameters.join(", ");
        self.bracketed((head, "(", ")", tail), parameters, true, &joined);
        self.indent += 4;
    }

    /// `head { a, b }`.
    pub(super) fn literal(&mut self, head: &str, fields: &[String], tail: &str) {
        let joined = fields.join(", ");
        let fits = joined.len() <= LITERAL_WIDTH;
        self.bracketed((head, " { ", " }", tail), fields, fits, &joined);
    }

    fn bracketed(
        &mut self,
        (head, open, close, tail): (&str, &str, &str, &str),
        parts: &[String],
        fits: bool,
        joined: &str,
    ) {
        let width = self.indent + head.len() + open.len() + joined.len() + close.len() + tail.len();
        if fits && width <= MAX_WIDTH {
            self.line(format_args!("{head}{open}{joined}{close}{tail}"));
            return;
        }
        self.open(format_args!("{head}{}", open.trim_end()));
        for part in parts {
            self.part(part);
        }
        self.close(format_args!("{}{tail}", close.trim_start()));
    }

    /// `place = function(argument);`
    pub(super) fn assign(&mut self, place: &str, function: &str, argument: &str) {
        let value = format!("{function}({argument});");
        if self.indent + place.len() + " = ".len() + value.len() <= MAX_WIDTH {
            self.line(format_args!("{place} = {value}"));
        } else if self.indent + 4 + value.len() <= MAX_WIDTH {
            self.line(format_args!("{place} ="));
            self.line(format_args!("    {value}"));
        } else {
            self.call(
                &format!("{place} = {function}"),
                &[argument.to_owned()],
                ";",
            );
        }
    }

    /// `name: value,`, the value as far as it fits.
    pub(super) fn part(&mut self, part: &str) {
        let (name, value) = match part.split_once(": ") {
            Some(split) if self.indent + part.len() + 1 > MAX_WIDTH => split,
            _ => return self.line(format_args!("{part},")),
        };
        match value
            .strip_suffix(')')
            .and_then(|call| call.split_once('('))
        {
            // A function takes its argument to a line of its own; a method goes there with it.
            Some((function, argument)) if !function.contains('.') => {
                self.open(format_args!("{name}: {function}("));
                self.line(format_args!("{argument},"));
                self.close("),");
            }
            _ => {
                self.open(format_args!("{name}:"));
                self.line(format_args!("{value},"));
                self.indent -= 4;
            }
        }
    }

    pub(super) fn finish(self) -> String {
        self.text
    }
}

/// A name or a literal that is short, and has nothing to break a line at.
fn is_short(argument: &str) -> bool {
    argument.len() <= SHORT_WIDTH && !argument.contains([' ', '(', '['])
}

/// A paragraph as lines of at most this many characters, as far as its words allow.
fn wrapped(paragraph: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut length = 0;
    for word in paragraph.split(' ') {
        let added = word.chars().count();
        match lines.last_mut() {
            Some(line) if length + 1 + added <= width => {
                line.push(' ');
                line.push_str(word);
                length += 1 + added;
            }
            _ => {
                lines.push(word.to_owned());
                length = added;
            }
        }
    }
    lines
}
