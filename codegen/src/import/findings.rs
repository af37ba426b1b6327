//! What is found in a page: mistakes, for which it is refused, and notes for its reader.

use crate::Diagnostic;

/// More of one page would hide the first ones.
const MOST: usize = 100;

/// The places of a page's text.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    file: String,
    text: String,
    line_starts: Vec<usize>,
}

impl Places {
    pub(crate) fn new(file: &str, text: &str) -> Self {
        let newlines = text.match_indices('\n').map(|(at, _)| at + 1);
        Self {
            file: file.to_owned(),
            text: text.to_owned(),
            line_starts: std::iter::once(0).chain(newlines).collect(),
        }
    }

    pub(crate) fn diagnostic(&self, at: usize, message: String) -> Diagnostic {
        let line = self.line_starts.partition_point(|start| *start <= at);
        let before = self.text.get(self.line_starts[line - 1]..at);
        Diagnostic {
            file: self.file.clone(),
            line,
            column: before.map_or(0, |before| before.chars().count()) + 1,
            message,
        }
    }
}

/// What was found so far, by byte offset.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    errors: Vec<(usize, String)>,
    notes: Vec<(usize, String)>,
}

impl Findings {
    /// Something for which the page is refused.
    pub(crate) fn error(&mut self, at: usize, message: impl Into<String>) {
        self.errors.push((at, message.into()));
    }

    /// Something that its reader should know.
    pub(crate) fn note(&mut self, at: usize, message: impl Into<String>) {
        self.notes.push((at, message.into()));
    }

    pub(crate) fn is_clean(&self) -> bool {
        self.errors.is_empty()
    }

    /// Errors and notes with their places.
    pub(crate) fn finish(self, places: &Places) -> (Vec<Diagnostic>, Vec<Diagnostic>) {
        (sorted(self.errors, places), sorted(self.notes, places))
    }
}

fn sorted(mut found: Vec<(usize, String)>, places: &Places) -> Vec<Diagnostic> {
    found.sort();
    found.dedup();
    let more = found.len().saturating_sub(MOST);
    found.truncate(MOST);
    if more > 0
        && let Some((_, last)) = found.last_mut()
    {
        last.push_str(&format!(" (and {more} more after this)"));
    }
    found
        .into_iter()
        .map(|(at, message)| places.diagnostic(at, message))
        .collect()
}
