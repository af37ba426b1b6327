//! Holds a spec file against the table of keys: reports what is malformed and keeps the rest.

use std::collections::BTreeSet;

use crate::{
    spec::{
        Type,
        diagnostic::{Report, suggest},
        json::{self, Member, Node, Value},
        keys::{Object, ValueType},
    },
    text::{hidden, markdown},
};

/// The well-formed parts of a file; `None` if it is not a JSON object.
pub(super) fn read(text: &str, root: &'static Object, report: &mut Report) -> Option<Node> {
    match json::parse(text) {
        Ok(mut node) => retain(&mut node, ValueType::Object(root), report).then(|| {
            report_undescribed(&node, root, "", "", report);
            node
        }),
        Err(error) => {
            report.error(error.at, error.message);
            None
        }
    }
}

/// Removes and reports the malformed parts of a value. Returns whether the value itself has the
/// type.
fn retain(node: &mut Node, ty: ValueType, report: &mut Report) -> bool {
    let (at, kind, is_integer) = (node.at, node.kind(), node.is_integer());
    let expected = match (ty, &mut node.value) {
        (ValueType::Object(object), Value::Object(members)) => {
            retain_members(at, members, object, report);
            return true;
        }
        (ValueType::Map(ty), Value::Object(members)) => {
            report_repeated(members, report);
            for Member { at, key, .. } in members.iter() {
                if let Err(message) = hidden::refuse(key) {
                    report.error(*at, message);
                }
            }
            members.retain_mut(|member| retain(&mut member.value, *ty, report));
            return true;
        }
        (ValueType::List(ty), Value::Array(elements)) => {
            elements.retain_mut(|element| retain(element, *ty, report));
            return true;
        }
        (
            ValueType::Text
            | ValueType::Name(_)
            | ValueType::Prose
            | ValueType::Type
            | ValueType::Word(_),
            Value::String(text),
        ) => {
            let checked = check_text(text, ty);
            let is_valid = checked.is_ok();
            checked.unwrap_or_else(|message| report.error(at, message));
            return is_valid;
        }
        (ValueType::Scalar, Value::String(_) | Value::Number(_) | Value::Boolean(_))
        | (ValueType::Boolean, Value::Boolean(_))
        | (ValueType::Json, Value::Object(_)) => return true,
        (ValueType::Integer, _) if is_integer => return true,
        (ValueType::Object(_) | ValueType::Map(_) | ValueType::Json, _) => "an object",
        (ValueType::List(_), _) => "an array",
        (ValueType::Boolean, _) => "true or false",
        (ValueType::Integer, _) => "an integer",
        (ValueType::Scalar, _) => "a string, a number or a boolean",
        _ => "a string",
    };
    report.error(at, format!("expected {expected}; found {kind}"));
    false
}

fn retain_members(at: usize, members: &mut Vec<Member>, object: &Object, report: &mut Report) {
    report_repeated(members, report);
    for key in object.keys.iter().filter(|key| key.required) {
        if !members.iter().any(|member| member.key == key.name) {
            report.error(at, format!("`{}` is missing here", key.name));
        }
    }
    members.retain_mut(|member| match object.key(&member.key) {
        Some(key) => retain(&mut member.value, key.ty, report),
        None => {
            let known = suggest(&member.key, object.keys.iter().map(|key| key.name));
            report.error(member.at, format!("`{}` is unknown here{known}", member.key));
            false
        }
    });
}

/// Reports the empty descriptions of an object, by the part of the file that it is in and its name.
fn report_undescribed(node: &Node, object: &Object, part: &str, name: &str, report: &mut Report) {
    let own_name = ["name", "code"].into_iter().find_map(|key| match &node.get(key)?.value {
        Value::String(name) | Value::Number(name) => Some(&name[..]),
        _ => None,
    });
    let name = own_name.unwrap_or(name);
    for Member { key, value, .. } in node.members() {
        match object.key(key).map(|key| key.ty) {
            Some(ValueType::Prose) if value.as_str().is_some_and(|it| it.trim().is_empty()) => {
                let is_only_prose = key == "description" && !name.is_empty();
                let item = if is_only_prose { name } else { key };
                let part = if is_only_prose || name.is_empty() { part } else { name };
                report.undescribed(value.at, part, item);
            }
            Some(ty) => report_undescribed_in(value, ty, part, key, report),
            None => {}
        }
    }
}

/// Likewise, of the objects in a value with a name.
fn report_undescribed_in(node: &Node, ty: ValueType, part: &str, name: &str, report: &mut Report) {
    match ty {
        ValueType::Object(object) => report_undescribed(node, object, part, name, report),
        ValueType::List(element) => {
            for node in node.elements() {
                report_undescribed_in(node, *element, name, "", report);
            }
        }
        ValueType::Map(element) => {
            for Member { key, value, .. } in node.members() {
                report_undescribed_in(value, *element, name, key, report);
            }
        }
        _ => {}
    }
}

fn report_repeated(members: &[Member], report: &mut Report) {
    let mut keys = BTreeSet::new();
    for Member { at, key, .. } in members {
        if !keys.insert(key) {
            report.error(*at, format!("`{key}` is repeated"));
        }
    }
}

fn check_text(text: &str, ty: ValueType) -> Result<(), String> {
    hidden::refuse(text)?;
    match ty {
        ValueType::Name(_) if text.is_empty() => Err("a name must not be empty".to_owned()),
        ValueType::Name(_) if text.contains(char::is_whitespace) => {
            Err(format!("{text:?} must not contain white space"))
        }
        ValueType::Prose => markdown::check(text),
        ValueType::Type => Type::parse(text).map(drop),
        ValueType::Word(words) if !words().contains(&text) => {
            Err(format!("`{text}` is unknown here{}", suggest(text, words())))
        }
        _ => Ok(()),
    }
}
