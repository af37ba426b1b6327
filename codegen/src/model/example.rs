//! Lowers the example of an action, and checks that the spec records what it contradicts.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    model::{
        Example, Form, Literal, Parameter, Scalar, Service, Type,
        comparison::{Contradiction, Owner, Tables},
    },
    spec::{
        self, Format,
        diagnostic::{Report, suggest},
        json::{Member, Node, Value},
    },
};

/// What the example of an action says about its fields, by the places of their names in the spec.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    /// Lists of which the example has one element in place of the list.
    pub(super) single: BTreeSet<usize>,
    /// Fields with a value that their type cannot read. Reading is tolerant: `"5"` is an `int`.
    pub(super) unreadable: BTreeSet<usize>,
    mismatched: BTreeSet<usize>,
    /// The contradictions that the spec does not record, each with its first place.
    errors: BTreeMap<String, usize>,
}

impl Evidence {
    pub(super) fn new(action: &spec::Action, service: &Service) -> Self {
        let tables = Tables::new(&action.parameters, &action.response, &action.models);
        let examples = [
            (Owner::Request, &action.example.request, &service.common_parameters),
            (Owner::Response, &action.example.response, &service.common_response),
        ];
        let [request, mut response] = examples.map(|(owner, node, common)| {
            let mut evidence = Self::default();
            if let Some(node) = node {
                let mut members = own(node, common).cloned().collect();
                tables.compare(owner, node.at, &mut members, &mut |at, contradiction| {
                    evidence.record(at, contradiction, &tables)
                });
            }
            evidence
        });
        response.errors.extend(request.errors);
        response
    }

    /// Records a contradiction, whose value is kept.
    fn record(
        &mut self,
        at: usize,
        contradiction: Contradiction<'_, '_>,
        tables: &Tables<'_>,
    ) -> bool {
        if let Some(message) = self.error(contradiction, tables) {
            self.errors.entry(message).or_insert(at);
        }
        true
    }

    /// Records a contradiction. Returns what is wrong if the spec does not have it.
    fn error(
        &mut self,
        contradiction: Contradiction<'_, '_>,
        tables: &Tables<'_>,
    ) -> Option<String> {
        match contradiction {
            Contradiction::Undocumented { owner, name } => {
                let is_request = owner == Owner::Request;
                let kind = if is_request { "parameter" } else { "field" };
                let rows = tables.rows(owner).unwrap_or_default();
                let known = suggest(name, rows.iter().map(|row| row.name.value.as_str()));
                Some(format!("no {kind} `{name}`{known}"))
            }
            Contradiction::Repeated { name } => Some(format!("the example repeats `{name}`")),
            Contradiction::Omitted { field } => {
                let name = &field.name.value;
                (!field.is_omitted_by_example()).then(|| {
                    format!("the example omits the required `{name}`: if the page does, add `\"example_omits\": true`")
                })
            }
            Contradiction::Shorthand { field, model } => {
                let is_any =
                    field.example_type.as_ref().is_some_and(|ty| ty.value == spec::Type::Object);
                (!is_any && tables.shorthand(model).is_none()).then(|| {
                    format!("a string in place of `{model}`: add `\"example_shorthand\": true` to the field that it is")
                })
            }
            Contradiction::Mismatch { field, ty, node, message, .. } => {
                let mut is_single = false;
                if !reads(node, ty, field, tables, &mut is_single) {
                    self.unreadable.insert(field.name.at);
                } else if is_single {
                    self.single.insert(field.name.at);
                }
                let is_first = self.mismatched.insert(field.name.at);
                let name = &field.name.value;
                match &field.example_type {
                    // A mismatch in every element of a list is reported once.
                    _ if !is_first => None,
                    Some(shown) if tables.fits_example_type(node, &shown.value) => None,
                    Some(shown) => Some(format!(
                        "the example of `{name}` is neither {ty} nor {}: {message}",
                        shown.value
                    )),
                    None => Some(format!(
                        "the example of `{name}` does not fit its type: {message}; if the page has it, add `\"example_type\"`"
                    )),
                }
            }
        }
    }

    /// Reports the contradictions that the spec does not record. A recorded one that the example
    /// does not show is kept: pages regenerate their examples at random.
    pub(super) fn check(&self, report: &mut Report) {
        for (message, at) in &self.errors {
            report.error(*at, message);
        }
    }
}

/// Whether a value that does not fit its type is read all the same. `is_single` is set where it is
/// the one element of a list.
fn reads(
    node: &Node,
    ty: &spec::Type,
    field: &spec::Field,
    tables: &Tables<'_>,
    is_single: &mut bool,
) -> bool {
    let format = field.format.as_ref().map(|format| format.value);
    match (ty, &node.value) {
        (spec::Type::Object, _) | (_, Value::Null) => true,
        (spec::Type::Model(name), Value::Object(members)) => tables.is_object_of(name, members),
        (spec::Type::Array(element), Value::Array(nodes)) => nodes.iter().all(|node| {
            node.value != Value::Null && reads(node, element, field, tables, is_single)
        }),
        (spec::Type::Array(element), _) => {
            let is_read =
                tables.is_element(node, element) && reads(node, element, field, tables, is_single);
            *is_single |= is_read;
            is_read
        }
        (spec::Type::Model(name), Value::String(_)) => tables.shorthand(name).is_some(),
        (spec::Type::Model(name), _) => tables.rows(Owner::Model(name)).is_none(),
        (_, Value::Array(_) | Value::Object(_)) => false,
        // A time is kept unchanged.
        (_, value) if format == Some(Format::Timestamp) => !matches!(value, Value::Boolean(_)),
        (spec::Type::Boolean, value) => is_boolean(value),
        (spec::Type::String, value) if format == Some(Format::Boolean) => is_boolean(value),
        (spec::Type::String, _) => true,
        (spec::Type::Int, Value::String(text)) => text.trim().parse::<i64>().is_ok(),
        (spec::Type::Float, Value::String(text)) => {
            text.trim().parse::<f64>().is_ok_and(f64::is_finite)
        }
        (spec::Type::Int, Value::Number(number)) => node.is_integer() || is_whole(number),
        (spec::Type::Int | spec::Type::Float, _) => true,
    }
}

/// Whether a number such as `5.0` is read as an integer: beyond the limit, a float no longer tells
/// one from the next.
fn is_whole(number: &str) -> bool {
    let is_float = number.contains(['.', 'e', 'E']);
    let float = number.parse::<f64>().ok().filter(|_| is_float);
    float.is_some_and(|float| float.fract() == 0.0 && float.abs() <= 9_007_199_254_740_992.0)
}

fn is_boolean(value: &Value) -> bool {
    match value {
        Value::Boolean(_) => true,
        Value::String(text) | Value::Number(text) => {
            ["true", "false", "0", "1"].contains(&text.to_ascii_lowercase().as_str())
        }
        _ => false,
    }
}

/// The members of an example that are the action's own.
fn own<'n>(node: &'n Node, common: &[String]) -> impl Iterator<Item = &'n Member> {
    let members = node.members().iter();
    members.filter(|member| !common.contains(&member.key))
}

/// The example of an action, from the spec in `text`.
pub(super) fn lower(
    action: &spec::Action,
    text: &str,
    parameters: &[Parameter],
    service: &Service,
) -> Example {
    let spec::Example { request, response } = &action.example;
    Example {
        arguments: request.as_ref().and_then(|node| arguments(node, parameters, service)),
        request: request.as_ref().map(|node| source(node, text)),
        response: response.as_ref().map(|node| source(node, text)),
    }
}

/// The request in Rust; `None` if its type cannot hold what the example has, or requires more.
fn arguments(
    node: &Node,
    parameters: &[Parameter],
    service: &Service,
) -> Option<Vec<(String, Literal)>> {
    let arguments = own(node, &service.common_parameters).map(|member| {
        let parameter = parameters.iter().find(|it| it.wire == member.key)?;
        // Of a parameter that the page repeats, the first value is as good as any.
        let value = member.value.elements().first().unwrap_or(&member.value);
        Some((parameter.rust.clone(), argument(parameter, value, service)?))
    });
    let arguments: Vec<(String, Literal)> = arguments.collect::<Option<_>>()?;
    let mut required = parameters.iter().filter(|parameter| parameter.required);
    required
        .all(|parameter| arguments.iter().any(|(rust, _)| *rust == parameter.rust))
        .then_some(arguments)
}

/// A value of a parameter, if it is a plain one that the parameter's type can hold.
fn argument(parameter: &Parameter, node: &Node, service: &Service) -> Option<Literal> {
    match (&parameter.ty, &node.value) {
        // The core refuses an empty string.
        (_, Value::String(text)) if text.is_empty() && !parameter.allow_empty => None,
        (Type::Scalar(Scalar::String | Scalar::Secret), Value::String(text)) => {
            Some(Literal::Text(text.clone()))
        }
        (Type::Scalar(Scalar::Int), Value::Number(number)) => number.parse().ok().map(Literal::Int),
        (Type::Scalar(Scalar::Float), Value::Number(number)) => {
            let number = number.parse().ok().filter(|number: &f64| number.is_finite());
            number.map(Literal::Float)
        }
        (Type::Scalar(Scalar::Boolean), Value::Boolean(boolean)) => {
            Some(Literal::Boolean(*boolean))
        }
        (Type::Scalar(Scalar::TextBoolean), Value::String(text)) => {
            text.parse().ok().map(Literal::Boolean)
        }
        (Type::Enum(rust), Value::String(text)) => {
            Some(Literal::Enum { rust: rust.clone(), value: text.clone() })
        }
        (Type::Shared { rust, form }, value) => {
            let shared = service.shared_enum(rust)?;
            let variant = match (form, value) {
                (Form::Boolean, Value::Boolean(boolean)) => shared.variant(&boolean.to_string()),
                (Form::TextBoolean, Value::String(text)) => shared.variant(text),
                (Form::Text, Value::String(text)) => {
                    shared.variants.iter().find(|variant| variant.text() == text)
                }
                _ => None,
            }?;
            Some(Literal::Shared { rust: rust.clone(), variant: variant.rust.value.clone() })
        }
        _ => None,
    }
}

/// The text of a value in the spec, without its margin.
fn source(node: &Node, text: &str) -> String {
    let line_start = text[..node.at].rfind('\n').map_or(0, |newline| newline + 1);
    let margin: String = text[line_start..].chars().take_while(|c| *c == ' ').collect();
    let lines = text[node.at..node.end].lines();
    lines.map(|line| line.strip_prefix(&margin).unwrap_or(line)).collect::<Vec<_>>().join("\n")
}
