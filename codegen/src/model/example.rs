//! The documentation's example against its tables: whatever the two disagree on has to be recorded.

use std::collections::BTreeSet;

use crate::{model::fields::Models, model::lower::Common};
use crate::{
    model::{Example, Parameter, Scalar, Shape},
    spec::diagnostic::{Report, suggest},
    spec::json::{Member, Node, Value},
    spec::{self, Type},
};

pub(crate) fn lower(
    action: &spec::Action,
    parameters: &[Parameter],
    models: &Models,
    common: &Common,
    report: &mut Report<'_>,
) -> Example {
    let Some(example) = &action.example else {
        return Example::default();
    };
    Example {
        arguments: example
            .request
            .as_ref()
            .and_then(|node| request(node, action, parameters, common, report)),
        request: example
            .request
            .as_ref()
            .map(|node| source(node, report.text)),
        response: example.response.as_ref().map(|node| {
            response(node, action, models, common, report);
            source(node, report.text)
        }),
    }
}

/// Checks the request shown, and says it in Rust.
fn request(
    node: &Node,
    action: &spec::Action,
    parameters: &[Parameter],
    common: &Common,
    report: &mut Report<'_>,
) -> Option<Vec<(String, String)>> {
    let Value::Object(shown) = &node.value else {
        report.error(
            node.at,
            format!(
                "the request shown is an object of parameters; found {}",
                node.kind()
            ),
        );
        return None;
    };
    let mut arguments = Some(Vec::new());
    let own = || {
        shown
            .iter()
            .filter(|member| !common.parameters.contains(&member.key))
    };
    for Member { at, key, value } in own() {
        check_parameter(key, *at, value, action, report);
        let lowered = parameters.iter().find(|parameter| parameter.wire == *key);
        let said = lowered.and_then(|found| {
            Some((
                found.rust.clone(),
                argument(found, repeated(value).first()?)?,
            ))
        });
        arguments = arguments.zip(said).map(|(mut arguments, said)| {
            arguments.push(said);
            arguments
        });
    }
    // `Disks.0` and `Disks.0.Type` show `Disks`.
    let shown: BTreeSet<&str> = own()
        .filter_map(|member| member.key.split('.').next())
        .collect();
    for parameter in &action.parameters {
        let name = &parameter.name.value;
        if parameter.required
            && !parameter.is_shown_absent()
            && !name.contains('.')
            && !shown.contains(name.as_str())
        {
            report.error(
                node.at,
                format!("the request shown lacks the required `{name}`: {RECORD_ABSENCE}"),
            );
        }
    }
    // Rust cannot say a request that lacks what it requires.
    arguments.filter(|arguments| {
        let is_there = |it: &Parameter| arguments.iter().any(|(rust, _)| *rust == it.rust);
        let mut required = parameters.iter().filter(|it| it.required);
        required.all(is_there)
    })
}

/// A page that repeats a parameter shows all its values.
fn repeated(node: &Node) -> &[Node] {
    match &node.value {
        Value::Array(values) if !values.is_empty() => values,
        _ => std::slice::from_ref(node),
    }
}

/// Checks what is shown of a parameter: `Disks.0.Type` and `Disks` with all that is in it alike.
fn check_parameter(
    key: &str,
    at: usize,
    node: &Node,
    action: &spec::Action,
    report: &mut Report<'_>,
) {
    let Some((field, ty)) = documented(key, action) else {
        let inner = format!("{}.", documented_key(key));
        let is_group = |field: &spec::Field| field.name.value.starts_with(&inner);
        match &node.value {
            Value::Object(members) if action.parameters.iter().any(is_group) => {
                for Member {
                    at,
                    key: inner,
                    value,
                } in members
                {
                    check_parameter(&format!("{key}.{inner}"), *at, value, action, report);
                }
            }
            Value::Array(elements) if action.parameters.iter().any(is_group) => {
                for (index, element) in elements.iter().enumerate() {
                    check_parameter(
                        &format!("{key}.{index}"),
                        element.at,
                        element,
                        action,
                        report,
                    );
                }
            }
            _ => {
                let known = action
                    .parameters
                    .iter()
                    .map(|field| field.name.value.as_str());
                report.error(at, format!("no parameter `{key}`{}", suggest(key, known)));
            }
        }
        return;
    };
    // What stands in an object can be anything.
    let Some(ty) = ty else { return };
    let values = match ty {
        Type::Array(_) => std::slice::from_ref(node),
        _ => repeated(node),
    };
    for value in values {
        if fits(value, ty, &|name| model(action, name)).is_ok() {
            descend(value, ty, action, &mut Seen::default(), report);
        }
        check(value, field, ty, action, report);
    }
}

/// `Disks.0.Type` is documented as `Disks.N.Type`.
fn documented_key(key: &str) -> String {
    let is_index = |part: &&str| part.parse::<u32>().is_ok();
    let parts = key
        .split('.')
        .map(|part| if is_index(&part) { "N" } else { part });
    parts.collect::<Vec<_>>().join(".")
}

/// The row that documents what a key of the request leads to, and the type of that: the row of a
/// parameter, or of a field in the models that it holds. Inside an object there is no type.
fn documented<'a>(
    key: &str,
    action: &'a spec::Action,
) -> Option<(&'a spec::Field, Option<&'a Type>)> {
    let key = documented_key(key);
    let mut rest = "";
    let mut field = action.parameters.iter().find(|field| {
        let inner = key.strip_prefix(field.name.value.as_str());
        let inner = inner.and_then(|inner| match inner {
            "" => Some(""),
            inner => inner.strip_prefix('.'),
        });
        rest = inner.unwrap_or(rest);
        inner.is_some()
    })?;
    let mut ty = &field.ty.value;
    for part in rest.split('.').filter(|part| !part.is_empty()) {
        ty = match ty {
            Type::Array(element) if part == "N" => element,
            Type::Model(name) => {
                let fields = &model(action, name)?.fields;
                field = fields.iter().find(|field| field.name.value == part)?;
                &field.ty.value
            }
            Type::Object => return Some((field, None)),
            _ => return None,
        };
    }
    Some((field, Some(ty)))
}

/// A value of a parameter as a Rust expression, where it is a plain one.
fn argument(parameter: &Parameter, node: &Node) -> Option<String> {
    match (&parameter.shape, &node.value) {
        (Shape::Scalar(Scalar::String), Value::String(text)) => Some(format!("{text:?}")),
        (Shape::Scalar(Scalar::Int), Value::Number(number)) => Some(number.clone()),
        (Shape::Scalar(Scalar::Float), Value::Number(number)) => Some(format!("{number}_f64")),
        (Shape::Scalar(Scalar::Boolean), Value::Boolean(boolean)) => Some(boolean.to_string()),
        (Shape::Scalar(Scalar::TextBoolean), Value::String(text)) if is_boolean(text) => {
            Some(text.clone())
        }
        (Shape::Enum(rust), Value::String(text)) => Some(format!("{rust}::from({text:?})")),
        _ => None,
    }
}

fn response(
    node: &Node,
    action: &spec::Action,
    models: &Models,
    common: &Common,
    report: &mut Report<'_>,
) {
    let Value::Object(members) = &node.value else {
        report.error(
            node.at,
            format!("the response shown is an object; found {}", node.kind()),
        );
        return;
    };
    let own: Vec<Member> = members
        .iter()
        .filter(|member| !common.response.contains(&member.key))
        .cloned()
        .collect();
    let mut seen = Seen::default();
    object(node.at, &own, &action.response, action, &mut seen, report);
    // A contradiction that the example does not bear out is a mistake in the spec; after another
    // mistake it may be no more than a consequence.
    if !report.is_clean() {
        return;
    }
    let models = action
        .models
        .iter()
        .filter(|model| models.in_response(&model.name.value).is_some());
    let fields = models.flat_map(|model| &model.fields);
    for field in fields.chain(&action.response) {
        if let Some(shown) = &field.example_omits
            && shown.value
            && !seen.absent.contains(&field.name.at)
        {
            report.error(
                shown.at,
                format!("the example does not show `{}` absent", field.name.value),
            );
        }
        if let Some(shown) = &field.example_type
            && !seen.other_type.contains(&field.name.at)
        {
            report.error(
                shown.at,
                format!(
                    "the example does not show `{}` as {}",
                    field.name.value, shown.value
                ),
            );
        }
    }
}

/// The fields, by their place in the spec, that the example contradicts.
#[derive(Debug, Default)]
struct Seen {
    absent: BTreeSet<usize>,
    other_type: BTreeSet<usize>,
}

const RECORD_ABSENCE: &str = "if the page has it so, record `\"example_omits\": true`";

fn object(
    at: usize,
    members: &[Member],
    fields: &[spec::Field],
    action: &spec::Action,
    seen: &mut Seen,
    report: &mut Report<'_>,
) {
    for Member { at, key, value } in members {
        let Some(field) = fields.iter().find(|field| field.name.value == *key) else {
            let known = fields.iter().map(|field| field.name.value.as_str());
            report.error(*at, format!("no field `{key}`{}", suggest(key, known)));
            continue;
        };
        // What stands in every element of a list is said once.
        if fits_field(value, field, &field.ty.value, action).is_err()
            && seen.other_type.insert(field.name.at)
        {
            check(value, field, &field.ty.value, action, report);
        }
        descend(value, &field.ty.value, action, seen, report);
    }
    for field in fields.iter().filter(|field| field.required) {
        if members.iter().any(|member| member.key == field.name.value) {
            continue;
        }
        absent(at, field, seen, report);
    }
}

/// Looks into a value for the models it holds.
fn descend(
    node: &Node,
    ty: &Type,
    action: &spec::Action,
    seen: &mut Seen,
    report: &mut Report<'_>,
) {
    match (&node.value, ty) {
        (Value::Array(elements), Type::Array(element)) => {
            for node in elements {
                descend(node, element, action, seen, report);
            }
        }
        // In place of the model stands the one field that is shown alone.
        (Value::String(_), Type::Model(name)) => {
            let Some(model) = model(action, name) else {
                return;
            };
            if !model.fields.iter().any(spec::Field::is_shown_alone) {
                report.error(node.at, format!("a string in place of `{name}`: record `\"example_shorthand\": true` of the field that it is"));
            }
            for field in model
                .fields
                .iter()
                .filter(|field| field.required && !field.is_shown_alone())
            {
                absent(node.at, field, seen, report);
            }
        }
        (Value::Object(members), Type::Model(name)) => {
            if let Some(model) = model(action, name) {
                object(node.at, members, &model.fields, action, seen, report);
            }
        }
        _ => {}
    }
}

/// A required field that is not shown: that has to be recorded.
fn absent(at: usize, field: &spec::Field, seen: &mut Seen, report: &mut Report<'_>) {
    if seen.absent.insert(field.name.at) && !field.is_shown_absent() {
        report.error(
            at,
            format!(
                "the example lacks the required `{}`: {RECORD_ABSENCE}",
                field.name.value
            ),
        );
    }
}

fn model<'a>(action: &'a spec::Action, name: &str) -> Option<&'a spec::Model> {
    action.models.iter().find(|model| model.name.value == name)
}

/// A value fits the documented type, or the one that is recorded as shown.
fn check(
    node: &Node,
    field: &spec::Field,
    ty: &Type,
    action: &spec::Action,
    report: &mut Report<'_>,
) {
    let models = |name: &str| model(action, name);
    let Err(message) = fits_field(node, field, ty, action) else {
        return;
    };
    match &field.example_type {
        Some(shown) if fits(node, &shown.value, &models).is_ok() => {}
        Some(shown) => report.error(
            node.at,
            format!(
                "the example of `{}` is neither {} nor {}: {message}",
                field.name.value, ty, shown.value
            ),
        ),
        None => report.error(
            node.at,
            format!(
                "the example of `{}` does not fit its type: {message}; if the page has it so, record `\"example_type\"`",
                field.name.value
            ),
        ),
    }
}

/// Whether a value is what the field is documented to be, its format included.
fn fits_field(
    node: &Node,
    field: &spec::Field,
    ty: &Type,
    action: &spec::Action,
) -> Result<(), String> {
    fits(node, ty, &|name| model(action, name))?;
    match (&node.value, &field.format) {
        (Value::String(text), Some(format))
            if format.value == spec::Format::Boolean && !is_boolean(text) =>
        {
            Err(format!("expected \"true\" or \"false\"; found {text:?}"))
        }
        _ => Ok(()),
    }
}

fn is_boolean(text: &str) -> bool {
    matches!(text, "true" | "false")
}

/// Whether a value has a type, or what was expected in its place.
pub(crate) fn fits<'a>(
    node: &Node,
    ty: &Type,
    models: &impl Fn(&str) -> Option<&'a spec::Model>,
) -> Result<(), String> {
    let fits = match (ty, &node.value) {
        (Type::Array(element), Value::Array(elements)) => {
            return elements
                .iter()
                .try_for_each(|node| fits(node, element, models));
        }
        (Type::String, Value::String(_))
        | (Type::Float, Value::Number(_))
        | (Type::Boolean, Value::Boolean(_))
        | (Type::Object, Value::Object(_)) => true,
        (Type::Int, _) => node.is_integer(),
        // A model that is not there has been reported where it is named.
        (Type::Model(name), value) => matches!(value, Value::Object(_)) || models(name).is_none(),
        _ => false,
    };
    if fits {
        Ok(())
    } else {
        Err(format!("expected {ty}; found {}", node.kind()))
    }
}

/// A value as it stands in the spec, moved to the left margin.
fn source(node: &Node, text: &str) -> String {
    let line_start = text[..node.at].rfind('\n').map_or(0, |newline| newline + 1);
    let margin: String = text[line_start..]
        .chars()
        .take_while(|c| *c == ' ')
        .collect();
    let lines = text[node.at..node.end].lines();
    lines
        .map(|line| line.strip_prefix(&margin).unwrap_or(line))
        .collect::<Vec<_>>()
        .join("\n")
}
