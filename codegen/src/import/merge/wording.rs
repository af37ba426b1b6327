//! Reports what changed in a page's words since the last import, and proposes what they say.

use crate::import::facts::{Facts, Field, words};
use crate::{
    model::comparison::Owner,
    spec::{
        diagnostic::Report,
        json::{Member, Node, Value},
    },
};

/// The language of a page, and whether the old spec has traces of a page in that language.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wording {
    language: &'static str,
    pub(crate) is_traced: bool,
}

/// What is known of a row's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Novelty {
    /// The row is new, or its spec has no trace.
    New,
    Same,
    Changed {
        are_values: bool,
    },
}

impl Wording {
    pub(crate) fn of(facts: &Facts, old: Option<&Node>) -> Self {
        let language = facts.language();
        let lists = ["parameters", "response"].map(|key| old.and_then(|old| old.get(key)));
        let models = old.and_then(|old| old.get("models")).into_iter().flat_map(Node::members);
        let lists = lists.into_iter().flatten().chain(models.map(|model| &model.value));
        let mut objects = lists.flat_map(Node::elements).chain(old);
        let is_traced = objects.any(|object| old_trace(Some(object), language).is_some());
        Self { language, is_traced }
    }

    /// Returns the trace of these words beside the traces of pages in other languages.
    pub(crate) fn traces(&self, text: &str, old: Option<&Node>) -> Option<Node> {
        let traces = old.and_then(|old| old.get("words")).map_or(&[][..], Node::members);
        let others = traces.iter().filter(|trace| trace.key != self.language).cloned();
        let own = words::trace(text).map(|trace| Member::new(self.language, Node::string(trace)));
        let mut traces: Vec<Member> = others.chain(own).collect();
        traces.sort_by(|one, other| one.key.cmp(&other.key));
        (!traces.is_empty()).then(|| Node::new(Value::Object(traces)))
    }

    fn novelty(&self, text: &str, old: Option<&Node>) -> Novelty {
        if old.is_none() || !self.is_traced {
            return Novelty::New;
        }
        let (before, after) = (old_trace(old, self.language), words::trace(text));
        if before == after.as_deref() {
            return Novelty::Same;
        }
        let both = before.zip(after);
        let differ = |(before, after): (&str, String)| words::differ_in_values(before, &after);
        Novelty::Changed { are_values: both.is_some_and(differ) }
    }

    /// Whether the words say that what they describe is deprecated, and no decision is recorded.
    pub(crate) fn proposes_deprecation(&self, text: &str, old: Option<&Node>) -> bool {
        let is_decided = old.is_some_and(|old| old.get("deprecated").is_some());
        !is_decided && words::say_deprecated(text) && self.novelty(text, old) != Novelty::Same
    }

    /// Notes what changed in the words of an object of the spec: of a row, or of the action.
    pub(crate) fn note_change(
        &self,
        at: usize,
        name: &str,
        text: &str,
        old: Option<&Node>,
        report: &mut Report,
    ) {
        let quoted = words::quoted(text);
        match self.novelty(text, old) {
            Novelty::Changed { .. } if text.trim().is_empty() => {
                report.note(at, format!("the page's words of {name} are gone"));
            }
            Novelty::Changed { are_values } => {
                let with = if are_values { ", with values or limits in them" } else { "" };
                let gone = gone_values(text, old);
                report
                    .note(at, format!("the page's words of {name} changed{with}: {quoted}{gone}"));
            }
            _ => {}
        }
        let is_deprecated = words::say_deprecated(text);
        let had = old.and_then(|old| old.get("deprecated")).is_some();
        if self.proposes_deprecation(text, old) {
            let message = format!(
                "the page's words say that {name} is deprecated: {quoted}: \
                 complete the proposed `deprecated`, or remove it"
            );
            report.note(at, message);
        } else if had
            && !is_deprecated
            && matches!(self.novelty(text, old), Novelty::Changed { .. })
        {
            let message = format!(
                "the page's words no longer say that {name} is deprecated: \
                 remove `deprecated` if it is not"
            );
            report.note(at, message);
        }
    }

    /// Notes a default of the spec that the page does not state, or states differently.
    pub(crate) fn note_default(&self, field: &Field, old: &Node, report: &mut Report) {
        let Some(before) = old.get("default") else { return };
        let name = &field.name;
        let shown = shown(before);
        let description = old.get("description").and_then(Node::as_str).unwrap_or_default();
        let is_new = self.novelty(&field.description, Some(old)) != Novelty::Same;
        let message = match &field.default {
            None if field.required => {
                format!("`{name}` is now required: its default `{shown}` is dropped")
            }
            None if is_new => format!(
                "the page states no default of `{name}` ({}); the spec keeps `{shown}`, and describes it as {}: \
                 remove what no longer holds",
                words::quoted(&field.description),
                words::quoted(description),
            ),
            Some(after) if after.value != before.value && has_word(description, &shown) => format!(
                "the default of `{name}` is now another; its description still has `{shown}`: {}",
                words::quoted(description),
            ),
            _ => return,
        };
        report.note(field.at, message);
    }
}

fn old_trace<'a>(old: Option<&'a Node>, language: &str) -> Option<&'a str> {
    old?.get("words")?.get(language)?.as_str()
}

fn shown(value: &Node) -> String {
    match &value.value {
        Value::String(text) | Value::Number(text) => text.clone(),
        Value::Boolean(value) => value.to_string(),
        _ => value.kind().to_owned(),
    }
}

/// Whether a text has a word.
fn has_word(text: &str, word: &str) -> bool {
    let is_end = |c: Option<char>| c.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '_');
    !word.is_empty()
        && text.match_indices(word).any(|(at, _)| {
            is_end(text[..at].chars().next_back()) && is_end(text[at + word.len()..].chars().next())
        })
}

/// Returns, for a message, the values of the row's `enum` that the words do not have.
fn gone_values(text: &str, old: Option<&Node>) -> String {
    let values = old.and_then(|old| old.get("enum")).map_or(&[][..], Node::elements);
    let gone = values.iter().filter_map(Node::as_str).filter(|value| !has_word(text, value));
    let gone: Vec<String> = gone.map(|value| format!("`{value}`")).collect();
    match gone.as_slice() {
        [] => String::new(),
        gone => format!("; its `enum` has {}, which the words do not", gone.join(", ")),
    }
}

/// Returns a row's name for a message.
pub(crate) fn row(owner: Owner<'_>, name: &str) -> String {
    match owner {
        Owner::Request => format!("the parameter `{name}`"),
        Owner::Response => format!("the response field `{name}`"),
        Owner::Model(model) => format!("`{model}.{name}`"),
    }
}
