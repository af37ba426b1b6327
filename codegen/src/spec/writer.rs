//! Writes a spec as people keep it: a field a line, everything in its order.

use std::fmt::Write;

use crate::spec::json::{Member, Node, Value};

/// The keys of an action, in the order of `api-spec/README.md`.
const ACTION: &[&str] = &[
    "$schema",
    "action",
    "summary",
    "details",
    "idempotency",
    "proposed",
    "parameters",
    "response",
    "models",
    "pagination",
    "example",
];
/// The keys of a parameter or field, likewise; what it is stands last.
const FIELD: &[&str] = &[
    "name",
    "type",
    "required",
    "default",
    "enum",
    "format",
    "example_type",
    "example_omits",
    "example_shorthand",
    "explicit",
    "allow_empty",
    "split_when_absent",
    "counted_by",
    "rust_name",
    "description",
];

/// The text of an action's file.
pub(crate) fn action(action: &Node) -> String {
    let mut text = String::new();
    let Value::Object(members) = &action.value else {
        return text;
    };
    text.push('{');
    for (index, member) in ordered(members, ACTION).into_iter().enumerate() {
        text.push_str(if index == 0 { "\n  " } else { ",\n  " });
        key(&mut text, &member.key);
        match (member.key.as_str(), &member.value.value) {
            ("parameters" | "response", Value::Array(fields)) => list(&mut text, fields, 2),
            ("models", Value::Object(models)) => {
                text.push('{');
                for (index, model) in models.iter().enumerate() {
                    text.push_str(if index == 0 { "\n    " } else { ",\n    " });
                    key(&mut text, &model.key);
                    match &model.value.value {
                        Value::Array(fields) => list(&mut text, fields, 4),
                        _ => inline(&mut text, &model.value),
                    }
                }
                text.push_str(if models.is_empty() { "}" } else { "\n  }" });
            }
            _ => spread(&mut text, &member.value, 2),
        }
    }
    text.push_str(if members.is_empty() { "}\n" } else { "\n}\n" });
    text
}

fn ordered<'a>(members: &'a [Member], order: &[&str]) -> Vec<&'a Member> {
    let mut ordered: Vec<&Member> = members.iter().collect();
    ordered.sort_by_key(|member| {
        order
            .iter()
            .position(|key| *key == member.key)
            .unwrap_or(order.len())
    });
    ordered
}

/// Fields, each on its line.
fn list(text: &mut String, fields: &[Node], margin: usize) {
    text.push('[');
    for (index, field) in fields.iter().enumerate() {
        text.push_str(if index == 0 { "" } else { "," });
        let _ = write!(text, "\n{:margin$}  ", "");
        match &field.value {
            Value::Object(members) => {
                object(text, ordered(members, FIELD));
            }
            _ => inline(text, field),
        }
    }
    if !fields.is_empty() {
        let _ = write!(text, "\n{:margin$}", "");
    }
    text.push(']');
}

/// A value over as many lines as it has parts; lists of plain values stay on one.
fn spread(text: &mut String, node: &Node, margin: usize) {
    let is_plain = |node: &Node| !matches!(node.value, Value::Array(_) | Value::Object(_));
    let inner = margin + 2;
    match &node.value {
        Value::Object(members) if !members.is_empty() => {
            text.push('{');
            for (index, member) in members.iter().enumerate() {
                text.push_str(if index == 0 { "" } else { "," });
                let _ = write!(text, "\n{:inner$}", "");
                key(text, &member.key);
                spread(text, &member.value, inner);
            }
            let _ = write!(text, "\n{:margin$}}}", "");
        }
        Value::Array(elements) if !elements.iter().all(is_plain) => {
            text.push('[');
            for (index, element) in elements.iter().enumerate() {
                text.push_str(if index == 0 { "" } else { "," });
                let _ = write!(text, "\n{:inner$}", "");
                spread(text, element, inner);
            }
            let _ = write!(text, "\n{:margin$}]", "");
        }
        _ => inline(text, node),
    }
}

fn inline(text: &mut String, node: &Node) {
    match &node.value {
        Value::Null => text.push_str("null"),
        Value::Boolean(value) => text.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => text.push_str(number),
        Value::String(string) => quoted(text, string),
        Value::Array(elements) => {
            text.push('[');
            for (index, element) in elements.iter().enumerate() {
                text.push_str(if index == 0 { "" } else { ", " });
                inline(text, element);
            }
            text.push(']');
        }
        Value::Object(members) => object(text, members.iter().collect()),
    }
}

fn object(text: &mut String, members: Vec<&Member>) {
    text.push('{');
    let is_empty = members.is_empty();
    for (index, member) in members.into_iter().enumerate() {
        text.push_str(if index == 0 { " " } else { ", " });
        key(text, &member.key);
        inline(text, &member.value);
    }
    text.push_str(if is_empty { "}" } else { " }" });
}

fn key(text: &mut String, name: &str) {
    quoted(text, name);
    text.push_str(": ");
}

fn quoted(text: &mut String, string: &str) {
    text.push_str(&serde_json::Value::from(string).to_string());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::diagnostic::Report;

    #[test]
    fn every_key_of_a_spec_has_its_place() {
        for (order, keys) in [
            (ACTION, super::super::ACTION_KEYS),
            (FIELD, super::super::FIELD_KEYS),
        ] {
            let mut order = order.to_vec();
            order.sort_unstable();
            let mut known = [keys.required, keys.optional].concat();
            known.sort_unstable();
            assert_eq!(order, known);
        }
    }

    /// Importing a page changes what the page changed and not a byte more.
    #[test]
    fn what_is_committed_is_written_byte_for_byte() {
        for entry in std::fs::read_dir("../api-spec/uhub/actions").unwrap() {
            let path = entry.unwrap().path();
            let committed = std::fs::read_to_string(&path).unwrap();
            let node = crate::spec::json::parse(&mut Report::new("", &committed)).unwrap();
            assert_eq!(action(&node), committed, "{}", path.display());
        }
    }
}
