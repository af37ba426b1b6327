//! One action, before and after.

use std::collections::BTreeSet;

use super::{Class, Log};
use crate::{
    model::{Action, Enum, Field, Idempotency, Pagination},
    render::{request, response},
};

/// What is compared, and what has been compared already.
pub(super) struct Comparison<'a> {
    pub(super) old: &'a Action,
    pub(super) new: &'a Action,
    pub(super) log: &'a mut Log,
    /// Types by their Rust names, before and after.
    pub(super) seen: BTreeSet<(&'a str, &'a str)>,
}

/// The documented name of a call.
pub(super) fn name(action: &Action) -> String {
    match &action.variant {
        Some(variant) if !variant.is_with => {
            format!("{} without {}", action.wire, variant.parameter)
        }
        _ => action.wire.clone(),
    }
}

/// What an action takes and answers: its documented names and their types.
pub(super) fn shape(action: &Action) -> Vec<(&str, String)> {
    let takes = action.parameters.iter();
    let answers = action.response.fields.iter();
    takes
        .map(|it| (it.wire.as_str(), request::field_type(it)))
        .chain(answers.map(|it| (it.wire.as_str(), response::field_type(it))))
        .collect()
}

pub(super) fn compare(old: &Action, new: &Action, log: &mut Log) {
    let mut comparison = Comparison {
        old,
        new,
        log,
        seen: BTreeSet::new(),
    };
    comparison.action();
    comparison.requests();
    comparison.responses();
    comparison.pagination();
}

impl<'a> Comparison<'a> {
    /// A Rust item of the old action, as its users name it.
    pub(super) fn item(&self, name: &str) -> String {
        format!("actions::{}::{name}", self.old.rust)
    }

    fn action(&mut self) {
        let (old, new) = (self.old, self.new);
        let module = format!("actions::{}", old.rust);
        if old.rust != new.rust {
            let reason = "Its module and the client's method have another name.";
            self.log
                .note(Class::Breaking, "action", "Rust name", &module, reason)
                .between(&old.rust, &new.rust);
        }
        if old.idempotency != new.idempotency {
            let reason = match new.idempotency {
                Idempotency::NonIdempotent => {
                    "Sending it again may do it twice: after an error whose outcome is unknown it is no longer said to be repeatable, nor repeated by itself."
                }
                Idempotency::Safe | Idempotency::Idempotent
                    if old.idempotency == Idempotency::NonIdempotent =>
                {
                    "After an error whose outcome is unknown it is now said to be repeatable, and may be sent again by itself."
                }
                Idempotency::Safe | Idempotency::Idempotent => {
                    "It may be sent again as before; what is said of it is another thing."
                }
            };
            let item = self.item(&format!("{}::IDEMPOTENCY", old.request));
            let noted = self
                .log
                .note(Class::Documentation, "action", "idempotency", item, reason)
                .between(idempotency(old.idempotency), idempotency(new.idempotency));
            if Idempotency::NonIdempotent == old.idempotency
                || Idempotency::NonIdempotent == new.idempotency
            {
                noted.silently();
            }
        }
        for (what, is_same) in [
            ("summary", old.summary == new.summary),
            ("details", old.details == new.details),
        ] {
            self.log.words("action", what, &module, is_same);
        }
        if shown(old) != shown(new) {
            let reason = "The documentation's example is another one; the tests of the generated code follow it.";
            self.log
                .note(Class::Documentation, "action", "example", &module, reason);
        }
    }

    /// Two types of the same values.
    pub(super) fn enums(&mut self, old_rust: &'a str, new_rust: &'a str) {
        let find = |all: &'a [Enum], rust: &str| all.iter().find(|it| it.rust == rust);
        let (Some(old), Some(new)) = (
            find(&self.old.enums, old_rust),
            find(&self.new.enums, new_rust),
        ) else {
            return;
        };
        if !self.seen.insert((old_rust, new_rust)) {
            return;
        }
        let item = self.item(old_rust);
        let place = format!("values of `{}`", old.field);
        if old_rust != new_rust {
            let reason = "The enum has another name.";
            self.log
                .note(Class::Breaking, &place, "Rust name", &item, reason)
                .between(old_rust, new_rust);
        }
        for (rust, value) in &old.variants {
            let place = format!("value `{value}` of `{}`", old.field);
            let item = format!("{item}::{rust}");
            match new.variants.iter().find(|(_, other)| other == value) {
                None => {
                    let reason =
                        "The variant is gone; where the service still says it, it is in `Other`.";
                    self.log.note(Class::Breaking, place, "gone", item, reason);
                }
                Some((now, _)) if now != rust => {
                    let reason = "The variant has another name.";
                    self.log
                        .note(Class::Breaking, place, "Rust name", item, reason)
                        .between(rust, now);
                }
                Some(_) => {}
            }
        }
        let values = |values: &Enum| -> Vec<String> {
            values
                .variants
                .iter()
                .map(|(_, value)| value.clone())
                .collect()
        };
        let (before, after) = (values(old), values(new));
        for (rust, value) in &new.variants {
            if !before.contains(value) {
                let reason = "The enum is `#[non_exhaustive]`, so every `match` on it has an arm for more. Code that looked for this value in `Other` no longer finds it there.";
                let place = format!("value `{value}` of `{}`", old.field);
                let item = format!("{item}::{rust}");
                self.log
                    .note(Class::Additive, place, "new", item, reason)
                    .silently();
            }
        }
        order(self.log, &place, &item, &before, &after);
    }

    fn pagination(&mut self) {
        let (old, new) = (self.old, self.new);
        let item = self.item(&old.request);
        let place = "pagination";
        match (&old.pagination, &new.pagination) {
            (None, None) => {}
            (None, Some(_)) => {
                let reason = "Its calls can be walked: they have `items` and `pages`.";
                self.log.note(Class::Additive, place, "new", item, reason);
            }
            (Some(_), None) => {
                let reason =
                    "Its calls can no longer be walked: they have no `items` and no `pages`.";
                self.log.note(Class::Breaking, place, "gone", item, reason);
            }
            (Some(before), Some(after)) => {
                let parts = documented(old, before)
                    .into_iter()
                    .zip(documented(new, after));
                for ((what, before, rust), (_, after, now)) in parts {
                    // With one of its two names it is the same.
                    if before == after || rust == now {
                        continue;
                    }
                    let (class, reason) = match what {
                        "items" => (Class::Breaking, "`items` yields another list's."),
                        "key" => (
                            Class::Documentation,
                            "A walk tells one item from another by another field.",
                        ),
                        _ => (Class::Documentation, "A walk asks for its pages otherwise."),
                    };
                    self.log
                        .note(class, place, what, &item, reason)
                        .between(before, after)
                        .silently();
                }
            }
        }
    }
}

/// What an example says, however it is written.
fn shown(action: &Action) -> [Option<serde_json::Value>; 2] {
    [&action.example.request, &action.example.response].map(|text| {
        let text = text.as_deref()?;
        Some(serde_json::from_str(text).unwrap_or_else(|_| text.into()))
    })
}

/// The documented names of what pages an action, and its Rust names.
fn documented<'a>(
    action: &Action,
    pages: &'a Pagination,
) -> [(&'static str, String, &'a String); 5] {
    let parameter = |rust: &str| {
        let found = action.parameters.iter().find(|it| it.rust == rust);
        found.map_or_else(String::new, |it| it.wire.clone())
    };
    let field = |fields: &[Field], rust: &str| {
        let found = fields.iter().find(|it| it.rust == rust);
        found.map_or_else(String::new, |it| it.wire.clone())
    };
    let item = action.models.iter().find(|model| model.rust == pages.item);
    let item_fields = item.map_or(&[][..], |model| &model.fields);
    let fields = &action.response.fields;
    [
        ("items", field(fields, &pages.items), &pages.items),
        ("key", field(item_fields, &pages.key), &pages.key),
        ("offset", parameter(&pages.offset), &pages.offset),
        ("limit", parameter(&pages.limit), &pages.limit),
        ("total", field(fields, &pages.total), &pages.total),
    ]
}

/// Notes that what is there before and after stands in another order.
pub(super) fn order(log: &mut Log, place: &str, item: &str, old: &[String], new: &[String]) {
    let kept: Vec<&String> = old.iter().filter(|name| new.contains(name)).collect();
    if !new.iter().filter(|name| old.contains(name)).eq(kept) {
        let reason = "They stand in another order, in the documentation and in what is written out; code that names them is the same.";
        log.note(Class::Documentation, place, "order", item, reason);
    }
}

fn idempotency(idempotency: Idempotency) -> &'static str {
    match idempotency {
        Idempotency::Safe => "safe",
        Idempotency::Idempotent => "idempotent",
        Idempotency::NonIdempotent => "non_idempotent",
    }
}
