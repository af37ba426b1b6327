//! What is wrong with a file, where, and what to do about it.

use std::fmt;

use crate::text::hidden;

/// One problem of a file, at its place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Diagnostic {
    /// The path of the file, as the caller gave it.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, what was expected, and what to do.
    pub message: String,
}

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Severity {
    /// The file is refused.
    Error,
    /// The file is accepted; its reader should know this.
    Note,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, severity, message } = self;
        let severity = match severity {
            Severity::Error => "error",
            Severity::Note => "note",
        };
        // A message may quote a page, and is printed to a terminal.
        let message = hidden::escaped(message);
        write!(f, "{file}:{line}:{column}: {severity}: {message}")
    }
}

/// The problems found in one file so far, by byte offset.
#[derive(Debug, Default)]
pub(crate) struct Report {
    problems: Vec<(usize, Severity, String)>,
    /// Each empty description: its place, what it is in, and what it describes.
    undescribed: Vec<(usize, String, String)>,
    /// Whether the file may lack what an import leaves to a maintainer: descriptions, and the
    /// confirmation of proposals.
    pub(crate) is_draft: bool,
}

impl Report {
    /// Further problems of one file and severity are counted, not listed.
    const MAX_PROBLEMS: usize = 100;

    pub(crate) fn error(&mut self, at: usize, message: impl Into<String>) {
        self.problems.push((at, Severity::Error, message.into()));
    }

    /// Records an empty description of an item in a part of the file. All of a file are one error.
    pub(crate) fn undescribed(&mut self, at: usize, part: &str, item: &str) {
        if !self.is_draft {
            self.undescribed.push((at, part.to_owned(), item.to_owned()));
        }
    }

    pub(crate) fn note(&mut self, at: usize, message: impl Into<String>) {
        self.problems.push((at, Severity::Note, message.into()));
    }

    /// Returns the value, or reports the error and returns the default.
    pub(crate) fn check<T: Default>(&mut self, at: usize, value: Result<T, String>) -> T {
        value.unwrap_or_else(|message| {
            self.error(at, message);
            T::default()
        })
    }

    pub(crate) fn has_errors(&self) -> bool {
        let mut severities = self.problems.iter().map(|(_, severity, _)| severity);
        severities.any(|severity| *severity == Severity::Error)
    }

    /// The problems in the order of their places, each once.
    pub(crate) fn finish(mut self, file: &str, text: &str) -> Vec<Diagnostic> {
        self.undescribed.sort();
        if let Some((at, ..)) = self.undescribed.first() {
            self.error(*at, undescribed(&self.undescribed));
        }
        self.problems.sort();
        self.problems.dedup();
        let newlines = text.match_indices('\n').map(|(at, _)| at + 1);
        let line_starts: Vec<usize> = std::iter::once(0).chain(newlines).collect();
        let mut diagnostics = Vec::new();
        for severity in [Severity::Error, Severity::Note] {
            let mut problems = self.problems.iter().filter(|(_, it, _)| *it == severity);
            for (at, _, message) in problems.by_ref().take(Self::MAX_PROBLEMS) {
                let mut at = (*at).min(text.len());
                while !text.is_char_boundary(at) {
                    at -= 1;
                }
                let line = line_starts.partition_point(|start| *start <= at);
                diagnostics.push(Diagnostic {
                    file: file.to_owned(),
                    line,
                    column: text[line_starts[line - 1]..at].chars().count() + 1,
                    severity,
                    message: message.clone(),
                });
            }
            let rest = problems.count();
            if let Some(last) = diagnostics.last_mut().filter(|_| rest > 0) {
                last.message += &format!(" (and {rest} more after this)");
            }
        }
        diagnostics.sort();
        diagnostics
    }
}

/// Asks for descriptions: `` `Limit` and `Offset` (parameters) ``.
fn undescribed(all: &[(usize, String, String)]) -> String {
    let parts = all.chunk_by(|(_, a, _), (_, b, _)| a == b);
    let parts = parts.map(|items| {
        let names: Vec<String> = items.iter().map(|(.., item)| format!("`{item}`")).collect();
        let names = match &names[..] {
            [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
            _ => names.concat(),
        };
        match &items[0].1[..] {
            "" => names,
            part => format!("{names} ({part})"),
        }
    });
    let parts: Vec<String> = parts.collect();
    format!("this becomes documentation: write a sentence for {}", parts.join("; "))
}

/// `; did you mean …?` where a known name is close to the unknown one, else a short list of all.
pub(crate) fn suggest<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let mut known: Vec<&str> = known.into_iter().collect();
    known.sort_unstable();
    known.dedup();
    // The distance takes quadratic time, and a long text is not a misspelled name.
    let nearest = known
        .iter()
        .filter(|_| unknown.len() <= 100)
        .map(|name| {
            let (unknown, known) = (unknown.to_lowercase(), name.to_lowercase());
            (strsim::damerau_levenshtein(&unknown, &known), name)
        })
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, name)| *distance <= name.chars().count().div_ceil(3));
    match nearest {
        Some((_, name)) => format!("; did you mean `{name}`?"),
        None if known.is_empty() => "; there is none".to_owned(),
        None if known.len() <= 12 => format!("; expected one of: {}", known.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(report: Report, text: &str) -> Vec<String> {
        let diagnostics = report.finish("a.json", text);
        diagnostics.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn places_count_lines_and_characters_from_one() {
        let text = "{\n  \"é\": 1\n}";
        let mut report = Report::default();
        report.note(usize::MAX, "past the end");
        assert!(!report.has_errors());
        report.error(text.find('1').unwrap(), "here");
        assert!(report.has_errors());
        assert_eq!(
            lines(report, text),
            ["a.json:2:8: error: here", "a.json:3:2: note: past the end"]
        );
    }

    #[test]
    fn a_problem_is_reported_once_and_a_long_list_is_cut() {
        let mut report = Report::default();
        for at in (0..150).chain(0..150) {
            report.error(at, "wrong");
        }
        report.note(0, "odd");
        let lines = lines(report, &"\n".repeat(150));
        assert_eq!(lines.len(), 101);
        assert_eq!(lines[1], "a.json:1:1: note: odd");
        assert_eq!(lines[100], "a.json:100:1: error: wrong (and 50 more after this)");
    }

    #[test]
    fn the_nearest_name_is_suggested_and_a_far_one_is_not() {
        assert_eq!(suggest("ImageSets", ["ImageSet", "TagSet"]), "; did you mean `ImageSet`?");
        assert_eq!(suggest("Zzzz", ["ImageSet", "TagSet"]), "; expected one of: ImageSet, TagSet");
        assert_eq!(suggest("Zzzz", []), "; there is none");
    }
}
