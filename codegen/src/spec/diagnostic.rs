//! What is wrong with a spec, where, and what to do about it.

use std::fmt;

/// One mistake in a spec, at its place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Diagnostic {
    /// The file, as it was named to the reader.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong, what was expected, and what to do.
    pub message: String,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            line,
            column,
            message,
        } = self;
        write!(f, "{file}:{line}:{column}: {message}")
    }
}

/// The text of one spec file, and what has been found wrong with it so far.
#[derive(Debug)]
pub(crate) struct Report<'a> {
    pub(crate) file: &'a str,
    pub(crate) text: &'a str,
    found: Vec<Diagnostic>,
}

impl<'a> Report<'a> {
    pub(crate) fn new(file: &'a str, text: &'a str) -> Self {
        Self {
            file,
            text,
            found: Vec::new(),
        }
    }

    /// Notes a mistake at a byte offset of the text.
    pub(crate) fn error(&mut self, offset: usize, message: impl Into<String>) {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        self.error_at(
            before.matches('\n').count() + 1,
            before[line_start..].chars().count() + 1,
            message,
        );
    }

    /// Notes a mistake at a line and column, both from 1.
    pub(crate) fn error_at(&mut self, line: usize, column: usize, message: impl Into<String>) {
        self.found.push(Diagnostic {
            file: self.file.to_owned(),
            line: line.max(1),
            column: column.max(1),
            message: message.into(),
        });
    }

    pub(crate) fn is_clean(&self) -> bool {
        self.found.is_empty()
    }

    pub(crate) fn into_diagnostics(self) -> Vec<Diagnostic> {
        self.found
    }
}

/// `; did you mean …?` when one of the known names is close to the unknown one, else the names
/// themselves if they are few.
pub(crate) fn suggest<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let mut known: Vec<&str> = known.into_iter().collect();
    known.sort_unstable();
    known.dedup();
    // Measuring is quadratic in the length: nobody mistypes a name of hundreds of letters.
    let nearest = known
        .iter()
        .filter(|_| unknown.len() <= 100)
        .map(|name| {
            (
                strsim::damerau_levenshtein(&unknown.to_lowercase(), &name.to_lowercase()),
                name,
            )
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

    #[test]
    fn places_count_lines_and_characters_from_one() {
        let mut report = Report::new("a.json", "{\n  \"é\": 1\n}");
        let offset = report.text.find('1').unwrap();
        report.error(offset, "here");
        report.error(usize::MAX, "past the end");
        let found: Vec<String> = report
            .into_diagnostics()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(found, ["a.json:2:8: here", "a.json:3:2: past the end"]);
    }

    #[test]
    fn the_nearest_name_is_suggested_and_a_far_one_is_not() {
        assert_eq!(
            suggest("ImageSets", ["ImageSet", "TagSet"]),
            "; did you mean `ImageSet`?"
        );
        assert_eq!(
            suggest("Zzzz", ["ImageSet", "TagSet"]),
            "; expected one of: ImageSet, TagSet"
        );
        assert_eq!(suggest("Zzzz", []), "; there is none");
    }
}
