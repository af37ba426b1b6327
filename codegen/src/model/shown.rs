//! What the documentation's example shows of a response where the documented type could not take it.

use std::collections::BTreeSet;

use crate::{
    spec::json::{Node, Value},
    spec::{self, Type},
};

/// Fields by their places in the spec. Reading is tolerant: a scalar that comes as another one and says
/// the same is none of them.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    /// Lists that are shown as one element.
    pub(crate) single: BTreeSet<usize>,
    /// Values that are nothing that their type reads.
    pub(crate) unreadable: BTreeSet<usize>,
}

pub(crate) fn shown(action: &spec::Action) -> Shown {
    let mut shown = Shown::default();
    let response = action.example.as_ref().and_then(|it| it.response.as_ref());
    if let Some(node) = response {
        object(node, &action.response, action, &mut shown);
    }
    shown
}

fn object(node: &Node, fields: &[spec::Field], action: &spec::Action, shown: &mut Shown) {
    let Value::Object(members) = &node.value else {
        return;
    };
    for member in members {
        let field = fields.iter().find(|field| field.name.value == member.key);
        if let Some(field) = field
            && !reads(&member.value, &field.ty.value, field, action, shown)
        {
            shown.unreadable.insert(field.name.at);
        }
    }
}

fn reads(
    node: &Node,
    ty: &Type,
    field: &spec::Field,
    action: &spec::Action,
    shown: &mut Shown,
) -> bool {
    let format = field.format.as_ref().map(|format| format.value);
    match (ty, &node.value) {
        (Type::Object, _) | (_, Value::Null) => true,
        (Type::Array(element), Value::Array(nodes)) => nodes
            .iter()
            .all(|node| reads(node, element, field, action, shown)),
        (Type::Array(element), Value::String(_) | Value::Object(_))
            if is_whole(node, element, action) =>
        {
            let is_read = reads(node, element, field, action, shown);
            if is_read {
                shown.single.insert(field.name.at);
            }
            is_read
        }
        (Type::Model(name), value) => {
            let model = action.models.iter().find(|it| it.name.value == *name);
            let Some(model) = model else { return true };
            object(node, &model.fields, action, shown);
            match value {
                Value::Object(_) => true,
                Value::String(_) => model.fields.iter().any(spec::Field::is_shown_alone),
                _ => false,
            }
        }
        (Type::Array(_), _) | (_, Value::Array(_) | Value::Object(_)) => false,
        // A time is kept as it comes.
        _ if format == Some(spec::Format::Timestamp) => true,
        (Type::Boolean, value) => is_boolean(value),
        (Type::String, value) if format == Some(spec::Format::Boolean) => is_boolean(value),
        (Type::String, _) => true,
        (Type::Int, Value::String(text)) => text.trim().parse::<i64>().is_ok(),
        (Type::Float, Value::String(text)) => text.trim().parse::<f64>().is_ok(),
        (Type::Int, Value::Number(_)) => node.is_integer(),
        (Type::Int | Type::Float, _) => true,
    }
}

/// Whether a value can be an element of a list: of a model, it has all that the model requires.
fn is_whole(node: &Node, element: &Type, action: &spec::Action) -> bool {
    match (element, &node.value) {
        (Type::Array(_), _) => false,
        (Type::Model(name), Value::Object(members)) => {
            let mut models = action.models.iter();
            let model = models.find(|model| model.name.value == *name);
            model.is_none_or(|model| {
                let mut required = model.fields.iter().filter(|field| field.required);
                required.all(|field| {
                    let mut values = members.iter().filter(|it| it.key == field.name.value);
                    values.any(|it| it.value.value != Value::Null)
                })
            })
        }
        _ => true,
    }
}

fn is_boolean(value: &Value) -> bool {
    match value {
        Value::Boolean(_) => true,
        Value::String(text) | Value::Number(text) => {
            matches!(
                text.to_ascii_lowercase().as_str(),
                "true" | "false" | "0" | "1"
            )
        }
        _ => false,
    }
}
