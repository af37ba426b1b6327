//! Requests, and the groups of parameters in them.

use super::source::Source;
use crate::model::{Action, Parameter, Scalar, Shape};

/// The request of an action and its groups of parameters.
pub(super) fn request(out: &mut Source, action: &Action) {
    let Action {
        wire,
        request,
        rust,
        ..
    } = action;
    let doc = format!(
        "The parameters of `{wire}`, as plain data.\n\n\
         [`Client::{rust}`] makes a call of them at once; [`Client::send`] sends a request that was kept."
    );
    parameter_struct(out, &doc, request, &action.parameters);
    groups(out, &action.parameters);
}

fn groups(out: &mut Source, parameters: &[Parameter]) {
    for parameter in parameters {
        if let Some((rust, inner)) = group(&parameter.shape) {
            out.blank();
            parameter_struct(out, &parameter.description, rust, inner);
            out.blank();
            out.open(format_args!("impl crate::parameters::Group for {rust} {{"));
            add_parameters(out, "add_to", inner);
            out.close("}");
            groups(out, inner);
        }
    }
}

fn group(shape: &Shape) -> Option<(&str, &[Parameter])> {
    match shape {
        Shape::Scalar(_) => None,
        Shape::List(element) => group(element),
        Shape::Group { rust, parameters } => Some((rust, parameters)),
    }
}

/// A struct of parameters: its fields, its constructor and its setters.
fn parameter_struct(out: &mut Source, doc: &str, name: &str, parameters: &[Parameter]) {
    let (required, optional): (Vec<&Parameter>, Vec<&Parameter>) =
        parameters.iter().partition(|parameter| parameter.required);
    out.doc(doc);
    let default = if required.is_empty() { ", Default" } else { "" };
    out.line(format_args!(
        "#[derive(Debug, Clone, PartialEq{default}, Serialize, Deserialize)]"
    ));
    out.line("#[serde(rename_all = \"PascalCase\")]");
    out.line("#[must_use]");
    out.line("#[non_exhaustive]");
    if parameters.is_empty() {
        out.line(format_args!("pub struct {name} {{}}"));
    } else {
        out.open(format_args!("pub struct {name} {{"));
        for parameter in parameters {
            out.doc(&documentation(parameter));
            let arguments = serde(parameter);
            if !arguments.is_empty() {
                out.attribute("serde", &arguments);
            }
            out.line(format_args!(
                "pub {}: {},",
                parameter.rust,
                field_type(parameter)
            ));
        }
        out.close("}");
    }
    out.blank();
    out.open(format_args!("impl {name} {{"));
    out.doc("The parameters that are required; the others are left to the service.");
    allow_many(out, required.len());
    let arguments: Vec<String> = required
        .iter()
        .map(|parameter| argument(parameter))
        .collect();
    out.signature("pub fn new", &arguments, " -> Self {");
    let fields: Vec<String> = parameters
        .iter()
        .map(|parameter| {
            let Parameter { rust, shape, .. } = parameter;
            match (parameter.required, shape) {
                (true, shape) => initializer(rust, &converted(shape, rust)),
                (false, Shape::List(_)) => format!("{rust}: Vec::new()"),
                (false, _) => format!("{rust}: None"),
            }
        })
        .collect();
    if fields.is_empty() {
        out.line("Self {}");
    } else {
        out.literal("Self", &fields, "");
    }
    out.close("}");
    for parameter in optional {
        out.blank();
        setter(out, parameter, "self");
    }
    out.close("}");
}

/// Some actions require more than clippy thinks a function should take.
fn allow_many(out: &mut Source, arguments: usize) {
    if arguments > 7 {
        out.line("#[allow(clippy::too_many_arguments)]");
    }
}

/// `name: value`, or `name` alone where the two are one.
fn initializer(rust: &str, value: &str) -> String {
    if rust == value {
        rust.to_owned()
    } else {
        format!("{rust}: {value}")
    }
}

/// The setter of an optional parameter, on the request or on the call that holds it.
fn setter(out: &mut Source, parameter: &Parameter, request: &str) {
    let Parameter { rust, shape, .. } = parameter;
    out.doc(&documentation(parameter));
    let value = format!("value: {}", argument_type(shape));
    out.signature(
        &format!("pub fn {rust}"),
        &["mut self".to_owned(), value],
        " -> Self {",
    );
    let value = converted(shape, "value");
    if matches!(shape, Shape::List(_)) {
        out.line(format_args!("{request}.{rust} = {value};"));
    } else {
        out.line(format_args!("{request}.{rust} = Some({value});"));
    }
    out.line("self");
    out.close("}");
}

/// Hands every parameter over, sorted by its documented name as the signature wants it.
pub(super) fn add_parameters(out: &mut Source, function: &str, parameters: &[Parameter]) {
    let mut sorted: Vec<&Parameter> = parameters.iter().collect();
    sorted.sort_by(|a, b| a.wire.cmp(&b.wire));
    if sorted.is_empty() {
        return out.line(format_args!(
            "fn {function}(&self, _: &mut Parameters<'_>) {{}}"
        ));
    }
    out.open(format_args!(
        "fn {function}(&self, to: &mut Parameters<'_>) {{"
    ));
    for Parameter {
        wire,
        rust,
        from_client,
        ..
    } in sorted
    {
        let method = if *from_client {
            "add_or_client_default"
        } else {
            "add"
        };
        out.call(
            &format!("to.{method}"),
            &[format!("{wire:?}"), format!("&self.{rust}")],
            ";",
        );
    }
    out.close("}");
}

/// The client's method that begins a call.
pub(super) fn client_method(out: &mut Source, action: &Action, service: &str) {
    let Action {
        rust,
        request,
        wire,
        ..
    } = action;
    let required: Vec<&Parameter> = action
        .parameters
        .iter()
        .filter(|parameter| parameter.required)
        .collect();
    let crate_name = format!("{}_sdk", service.to_lowercase());
    let path = format!("{crate_name}::actions::{rust}");
    let arguments: Vec<String> = required
        .iter()
        .map(|parameter| example_value(&parameter.shape, &path))
        .collect();
    let docs = format!(
        "`{wire}`: {}\n\n\
         # Examples\n\n\
         ```no_run\n\
         # async fn example(client: {crate_name}::Client) -> Result<(), {crate_name}::Error> {{\n\
         let response = client.{rust}({}).send().await?;\n\
         println!(\"{{response:?}}\");\n\
         # Ok(())\n\
         # }}\n\
         ```",
        action.summary,
        arguments.join(", "),
    );
    out.doc(&docs);
    allow_many(out, required.len() + 1);
    let mut parameters = vec!["&self".to_owned()];
    parameters.extend(required.iter().map(|parameter| argument(parameter)));
    out.signature(
        &format!("pub fn {rust}"),
        &parameters,
        &format!(" -> Call<{request}> {{"),
    );
    let names: Vec<String> = required
        .iter()
        .map(|parameter| parameter.rust.clone())
        .collect();
    out.call(&format!("let request = {request}::new"), &names, ";");
    out.line("self.call(request)");
    out.close("}");
}

/// A value for an example of a call; `path` is where the types of its module are.
fn example_value(shape: &Shape, path: &str) -> String {
    match shape {
        Shape::Scalar(Scalar::String) => "\"base\"".to_owned(),
        Shape::Scalar(Scalar::Int) => "1".to_owned(),
        Shape::Scalar(Scalar::Float) => "1.0".to_owned(),
        Shape::Scalar(Scalar::Boolean) => "true".to_owned(),
        Shape::List(element) => format!("[{}]", example_value(element, path)),
        Shape::Group { rust, parameters } => {
            let required = parameters.iter().filter(|parameter| parameter.required);
            let values: Vec<String> = required
                .map(|parameter| example_value(&parameter.shape, path))
                .collect();
            format!("{path}::{rust}::new({})", values.join(", "))
        }
    }
}

/// The same setters on the call, so that one chain says it all.
pub(super) fn call_setters(out: &mut Source, action: &Action) {
    let optional: Vec<&Parameter> = action
        .parameters
        .iter()
        .filter(|parameter| !parameter.required)
        .collect();
    if optional.is_empty() {
        return;
    }
    out.open(format_args!("impl Call<{}> {{", action.request));
    for (index, parameter) in optional.into_iter().enumerate() {
        if index > 0 {
            out.blank();
        }
        setter(out, parameter, "self.request");
    }
    out.close("}");
    out.blank();
}

/// Whether the request shown can be written with constructor and setters alone.
pub(super) fn is_said_by(action: &Action) -> bool {
    let is_said = |parameter: &Parameter| {
        action
            .example
            .arguments
            .iter()
            .any(|(rust, _)| *rust == parameter.rust)
    };
    action
        .parameters
        .iter()
        .all(|parameter| matches!(parameter.shape, Shape::Scalar(_)))
        && action
            .parameters
            .iter()
            .filter(|parameter| parameter.required)
            .all(is_said)
}

/// `let request = …;`, as the documentation's example has it.
pub(super) fn construct_example(out: &mut Source, action: &Action) {
    let shown = |parameter: &Parameter| {
        let arguments = &action.example.arguments;
        arguments
            .iter()
            .find(|(rust, _)| *rust == parameter.rust)
            .map(|(_, value)| value.clone())
    };
    let required = action
        .parameters
        .iter()
        .filter(|parameter| parameter.required);
    let values: Vec<String> = required.filter_map(shown).collect();
    let optional: Vec<&Parameter> = action
        .parameters
        .iter()
        .filter(|parameter| !parameter.required)
        .collect();
    let is_plain = optional.iter().all(|parameter| shown(parameter).is_none());
    let binding = if is_plain {
        "let request"
    } else {
        "let mut request"
    };
    out.call(
        &format!("{binding} = {}::new", action.request),
        &values,
        ";",
    );
    for parameter in optional {
        if let Some(value) = shown(parameter) {
            let value = match parameter.shape {
                Shape::Scalar(Scalar::String) => format!("{value}.to_owned()"),
                _ => value,
            };
            out.line(format_args!("request.{} = Some({value});", parameter.rust));
        }
    }
}

fn documentation(parameter: &Parameter) -> String {
    let mut text = parameter.description.clone();
    if let Some(default) = &parameter.default {
        text.push_str(&format!("\n\nThe service's default: `{default}`."));
    }
    if parameter.from_client {
        text.push_str("\n\nLeft out, the client's own is sent, if it has one.");
    }
    text.push_str(&format!("\n\nDocumented as `{}`.", parameter.wire));
    text
}

/// What serde cannot tell from the field: another name, and that it may be left out.
fn serde(parameter: &Parameter) -> Vec<String> {
    let mut arguments = Vec::new();
    if pascal_case(&parameter.rust) != parameter.wire {
        arguments.push(format!("rename = {:?}", parameter.wire));
    }
    match &parameter.shape {
        _ if parameter.required => {}
        Shape::List(_) => {
            arguments.push("default".to_owned());
            arguments.push("skip_serializing_if = \"Vec::is_empty\"".to_owned());
        }
        _ => arguments.push("skip_serializing_if = \"Option::is_none\"".to_owned()),
    }
    arguments
}

/// What serde's `rename_all = "PascalCase"` makes of a field's name.
fn pascal_case(rust: &str) -> String {
    let words = rust.trim_start_matches("r#").split('_');
    words
        .map(|word| {
            word[..word.len().min(1)].to_ascii_uppercase() + word.get(1..).unwrap_or_default()
        })
        .collect()
}

fn field_type(parameter: &Parameter) -> String {
    let ty = owned_type(&parameter.shape);
    if parameter.required || matches!(parameter.shape, Shape::List(_)) {
        ty
    } else {
        format!("Option<{ty}>")
    }
}

fn owned_type(shape: &Shape) -> String {
    match shape {
        Shape::Scalar(scalar) => scalar_type(*scalar).to_owned(),
        Shape::List(element) => format!("Vec<{}>", owned_type(element)),
        Shape::Group { rust, .. } => rust.clone(),
    }
}

pub(super) fn scalar_type(scalar: Scalar) -> &'static str {
    match scalar {
        Scalar::String => "String",
        Scalar::Int => "i64",
        Scalar::Float => "f64",
        Scalar::Boolean => "bool",
    }
}

/// A required parameter of a constructor.
fn argument(parameter: &Parameter) -> String {
    format!("{}: {}", parameter.rust, argument_type(&parameter.shape))
}

fn argument_type(shape: &Shape) -> String {
    match shape {
        Shape::Scalar(Scalar::String) => "impl Into<String>".to_owned(),
        Shape::List(element) if !matches!(**element, Shape::List(_)) => {
            format!("impl IntoIterator<Item = {}>", argument_type(element))
        }
        _ => owned_type(shape),
    }
}

/// An argument as the field that keeps it.
fn converted(shape: &Shape, value: &str) -> String {
    match shape {
        Shape::Scalar(Scalar::String) => format!("{value}.into()"),
        Shape::List(element) if !matches!(**element, Shape::List(_)) => {
            format!("crate::parameters::list({value})")
        }
        _ => value.to_owned(),
    }
}
