//! Writes a spec in the format of the repository: keys in the order of their table, a parameter or
//! field on a line of its own.

use std::fmt::Write;

use crate::{
    spec::{
        json::{Member, Node, Value},
        keys::{self, Key, ValueType},
    },
    text::hidden,
};

/// The text of an action's file.
pub(crate) fn action(action: &Node) -> String {
    let mut text = String::new();
    value(&mut text, action, ValueType::Object(keys::ACTION), 0);
    text + "\n"
}

/// A value over as many lines as it has parts, with a margin for all lines but the first. Fields,
/// and lists of plain values, take one line.
fn value(text: &mut String, node: &Node, ty: ValueType, margin: usize) {
    let is_plain = |node: &Node| !matches!(node.value, Value::Array(_) | Value::Object(_));
    let keys = match ty {
        ValueType::Object(object) => object.keys,
        _ => &[],
    };
    match &node.value {
        Value::Object(members) if !members.is_empty() && !is_field(ty) => {
            let members = ordered(members, keys);
            lines(text, ['{', '}'], members, margin, |text, member| {
                let ty = match ty {
                    ValueType::Object(object) => object.key(&member.key).map(|key| key.ty),
                    ValueType::Map(ty) => Some(*ty),
                    _ => None,
                };
                key(text, &member.key);
                value(text, &member.value, ty.unwrap_or(ValueType::Json), margin + 2);
            });
        }
        Value::Array(elements) if !elements.iter().all(is_plain) => {
            let ty = match ty {
                ValueType::List(ty) => *ty,
                _ => ValueType::Json,
            };
            lines(text, ['[', ']'], elements, margin, |text, element| {
                value(text, element, ty, margin + 2);
            });
        }
        _ => inline(text, node, keys),
    }
}

fn is_field(ty: ValueType) -> bool {
    matches!(ty, ValueType::Object(object) if object.name == keys::FIELD.name)
}

/// Parts between brackets, each on a line.
fn lines<T>(
    text: &mut String,
    [open, close]: [char; 2],
    parts: impl IntoIterator<Item = T>,
    margin: usize,
    mut write: impl FnMut(&mut String, T),
) {
    text.push(open);
    for (index, part) in parts.into_iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let _ = write!(text, "{comma}\n{:1$}", "", margin + 2);
        write(text, part);
    }
    let _ = write!(text, "\n{:margin$}{close}", "");
}

fn inline(text: &mut String, node: &Node, keys: &[Key]) {
    match &node.value {
        Value::Null => text.push_str("null"),
        Value::Boolean(value) => text.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => text.push_str(number),
        Value::String(string) => quoted(text, string),
        Value::Array(elements) => {
            text.push('[');
            for (index, element) in elements.iter().enumerate() {
                text.push_str(if index == 0 { "" } else { ", " });
                inline(text, element, &[]);
            }
            text.push(']');
        }
        Value::Object(members) => {
            text.push('{');
            for (index, member) in ordered(members, keys).into_iter().enumerate() {
                text.push_str(if index == 0 { " " } else { ", " });
                key(text, &member.key);
                inline(text, &member.value, &[]);
            }
            text.push_str(if members.is_empty() { "}" } else { " }" });
        }
    }
}

/// The members in the order of the table of keys; unknown keys come last.
fn ordered<'m>(members: &'m [Member], keys: &[Key]) -> Vec<&'m Member> {
    let mut ordered: Vec<&Member> = members.iter().collect();
    ordered.sort_by_key(|member| {
        let position = keys.iter().position(|key| key.name == member.key);
        position.unwrap_or(keys.len())
    });
    ordered
}

fn key(text: &mut String, name: &str) {
    quoted(text, name);
    text.push_str(": ");
}

fn quoted(text: &mut String, string: &str) {
    text.push_str(&hidden::escaped_json(&serde_json::Value::from(string).to_string()));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An import changes what the page changed and nothing else.
    #[test]
    fn committed_files_are_written_byte_for_byte() {
        for entry in std::fs::read_dir("tests/data/uhub/actions").unwrap() {
            let path = entry.unwrap().path();
            let committed = std::fs::read_to_string(&path).unwrap();
            let node = crate::spec::json::parse(&committed).unwrap();
            assert_eq!(action(&node), committed, "{}", path.display());
        }
    }

    #[test]
    fn hidden_characters_are_written_as_escapes() {
        let node = Node::object([("a\u{200b}", Node::string("b\u{202e}\n"))]);
        assert_eq!(action(&node), "{\n  \"a\\u200b\": \"b\\u202e\\n\"\n}\n");
    }

    #[test]
    fn unknown_keys_and_empty_parts_are_written_too() {
        let text = r#"{ "x": [], "models": {}, "parameters": [{ "y": [{}], "name": "A" }], "action": "B" }"#;
        let node = crate::spec::json::parse(text).unwrap();
        let expected = "{\n  \"action\": \"B\",\n  \"parameters\": [\n    { \"name\": \"A\", \"y\": [{}] }\n  ],\n  \"models\": {},\n  \"x\": []\n}\n";
        assert_eq!(action(&node), expected);
    }
}
