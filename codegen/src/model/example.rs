//! Lowers the example of an action, and checks that the spec records what it contradicts.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    model::{
        Example, Form, Literal, Parameter, Scalar, Shape, SharedVariant,
        comparison::{Contradiction, Owner, Tables},
        service::Common,
    },
    spec::{
        self, Format, Type,
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
    omitted: BTreeSet<usize>,
    mismatched: BTreeSet<usize>,
    /// The contradictions that the spec does not record, each with its first place.
    errors: BTreeMap<String, usize>,
    has_response: bool,
}

impl Evidence {
    pub(super) fn new(action: &spec::Action, common: &Common) -> Self {
        let tables = Tables::new(&action.parameters, &action.response, &action.models);
        let (mut request, mut response) = (Self::default(), Self::default());
        let Some(example) = &action.example else {
            return response;
        };
        if let Some(node) = &example.request {
            let mut members = own(node, &common.parameters).cloned().collect();
            tables.compare_request(node.at, &mut members, &mut |at, contradiction| {
                request.record(at, contradiction, &tables);
                true
            });
        }
        if let Some(node) = &example.response {
            response.has_response = true;
            let mut members = own(node, &common.response).cloned().collect();
            tables.compare_response(node.at, &mut members, &mut |at, contradiction| {
                response.record(at, contradiction, &tables);
                true
            });
        }
        response.errors.append(&mut request.errors);
        response
    }

    fn record(&mut self, at: usize, contradiction: Contradiction<'_, '_>, tables: &Tables<'_>) {
        if let Some(message) = self.error(contradiction, tables) {
            self.errors.entry(message).or_insert(at);
        }
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
                self.omitted.insert(field.name.at);
                let name = &field.name.value;
                (!field.is_omitted_by_example()).then(|| {
                    format!("the example omits the required `{name}`: if the page does, add `\"example_omits\": true`")
                })
            }
            Contradiction::Shorthand { model } => tables.shorthand(model).is_none().then(|| {
                format!("a string in place of `{model}`: add `\"example_shorthand\": true` to the field that it is")
            }),
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
                    Some(shown) if tables.fits(node, &shown.value).is_ok() => None,
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

    /// Reports the contradictions that the spec does not record, and, if nothing else is wrong,
    /// those that it records and the example does not have.
    pub(super) fn check<'f>(
        &self,
        response: impl IntoIterator<Item = &'f spec::Field>,
        report: &mut Report,
    ) {
        for (message, at) in &self.errors {
            report.error(*at, message);
        }
        if report.has_errors() || !self.has_response {
            return;
        }
        for field in response {
            let (place, name) = (field.name.at, &field.name.value);
            if let Some(flag) = &field.example_omits
                && flag.value
                && !self.omitted.contains(&place)
            {
                report.error(flag.at, format!("the example does not omit `{name}`"));
            }
            if let Some(ty) = &field.example_type
                && !self.mismatched.contains(&place)
            {
                let message = format!("the example of `{name}` is not {}", ty.value);
                report.error(ty.at, message);
            }
        }
    }
}

/// Whether a value that does not fit its type is read all the same. `is_single` is set where it is
/// the one element of a list.
fn reads(
    node: &Node,
    ty: &Type,
    field: &spec::Field,
    tables: &Tables<'_>,
    is_single: &mut bool,
) -> bool {
    let format = field.format.as_ref().map(|format| format.value);
    match (ty, &node.value) {
        (Type::Object, _) | (_, Value::Null) | (Type::Model(_), Value::Object(_)) => true,
        (Type::Array(element), Value::Array(nodes)) => {
            nodes.iter().all(|node| reads(node, element, field, tables, is_single))
        }
        (Type::Array(element), _) => {
            let is_read =
                tables.is_element(node, element) && reads(node, element, field, tables, is_single);
            *is_single |= is_read;
            is_read
        }
        (Type::Model(name), Value::String(_)) => tables.shorthand(name).is_some(),
        (Type::Model(name), _) => tables.rows(Owner::Model(name)).is_none(),
        (_, Value::Array(_) | Value::Object(_)) => false,
        // A time is kept unchanged.
        _ if format == Some(Format::Timestamp) => true,
        (Type::Boolean, value) => is_boolean(value),
        (Type::String, value) if format == Some(Format::Boolean) => is_boolean(value),
        (Type::String, _) => true,
        (Type::Int, Value::String(text)) => text.trim().parse::<i64>().is_ok(),
        (Type::Float, Value::String(text)) => text.trim().parse::<f64>().is_ok(),
        (Type::Int, Value::Number(_)) => node.is_integer(),
        (Type::Int | Type::Float, _) => true,
    }
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
fn own<'n>(node: &'n Node, common: &BTreeSet<String>) -> impl Iterator<Item = &'n Member> {
    let members = node.members().iter();
    members.filter(|member| !common.contains(&member.key))
}

/// The example of an action, from the spec in `text`.
pub(super) fn lower(
    action: &spec::Action,
    text: &str,
    parameters: &[Parameter],
    common: &Common,
) -> Example {
    let Some(spec::Example { request, response }) = &action.example else {
        return Example::default();
    };
    Example {
        arguments: request.as_ref().and_then(|node| arguments(node, parameters, common)),
        request: request.as_ref().map(|node| source(node, text)),
        response: response.as_ref().map(|node| source(node, text)),
    }
}

/// The request in Rust; `None` if its type cannot hold what the example has, or requires more.
fn arguments(
    node: &Node,
    parameters: &[Parameter],
    common: &Common,
) -> Option<Vec<(String, Literal)>> {
    let arguments = own(node, &common.parameters).map(|member| {
        let parameter = parameters.iter().find(|it| it.wire == member.key)?;
        // Of a parameter that the page repeats, the first value is as good as any.
        let value = member.value.elements().first().unwrap_or(&member.value);
        Some((parameter.rust.clone(), argument(parameter, value, common)?))
    });
    let arguments: Vec<(String, Literal)> = arguments.collect::<Option<_>>()?;
    let mut required = parameters.iter().filter(|parameter| parameter.required);
    required
        .all(|parameter| arguments.iter().any(|(rust, _)| *rust == parameter.rust))
        .then_some(arguments)
}

/// A value of a parameter, if it is a plain one that the parameter's type can hold.
fn argument(parameter: &Parameter, node: &Node, common: &Common) -> Option<Literal> {
    match (&parameter.shape, &node.value) {
        (Shape::Scalar(Scalar::String), Value::String(text)) => Some(Literal::Text(text.clone())),
        (Shape::Scalar(Scalar::Int), Value::Number(number)) => {
            number.parse().ok().map(Literal::Int)
        }
        (Shape::Scalar(Scalar::Float), Value::Number(number)) => {
            let number = number.parse().ok().filter(|number: &f64| number.is_finite());
            number.map(Literal::Float)
        }
        (Shape::Scalar(Scalar::Boolean), Value::Boolean(boolean)) => {
            Some(Literal::Boolean(*boolean))
        }
        (Shape::Scalar(Scalar::TextBoolean), Value::String(text)) => {
            text.parse().ok().map(Literal::Boolean)
        }
        (Shape::Enum(rust), Value::String(text)) => {
            Some(Literal::Enum { rust: rust.clone(), value: text.clone() })
        }
        (Shape::Shared { rust, form }, value) => {
            let shared = common.enums.iter().find(|it| it.rust == *rust)?;
            let variant = match (form, value) {
                (Form::Boolean, Value::Boolean(boolean)) => shared.variant(&boolean.to_string()),
                (Form::TextBoolean, Value::String(text)) => shared.variant(text),
                (Form::Text, Value::String(text)) => {
                    let is_sent = |it: &&SharedVariant| it.values.first() == Some(text);
                    shared.variants.iter().find(is_sent)
                }
                _ => None,
            }?;
            Some(Literal::Shared { rust: rust.clone(), variant: variant.rust.clone() })
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
