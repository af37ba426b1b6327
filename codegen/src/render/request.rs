//! Requests, and the groups of parameters in them.

use super::{module, source::Source};
use crate::model::{Action, Group, Parameter, Scalar, Service, Shape, Variant};

/// What makes a list of whatever can be one.
const LIST: &str = "crate::wire::parameters::list";

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
    for Group {
        rust,
        description,
        parameters,
        ..
    } in &action.groups
    {
        out.blank();
        parameter_struct(out, description, rust, parameters);
        out.blank();
        out.open(format_args!(
            "impl crate::wire::parameters::Group for {rust} {{"
        ));
        add_parameters(out, "add_to", parameters);
        out.close("}");
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
    // A name that is not known was mistyped, or is another request's.
    out.line("#[serde(rename_all = \"PascalCase\", deny_unknown_fields)]");
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
            out.part(&format!(
                "pub {}: {}",
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
    let place = format!("{request}.{rust}");
    match shape {
        Shape::List(element) if matches!(**element, Shape::List(_)) => {
            out.line(format_args!("{place} = value;"));
        }
        Shape::List(_) => out.assign(&place, LIST, "value"),
        _ => out.assign(&place, "Some", &converted(shape, "value")),
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
    for parameter in sorted {
        let Parameter { wire, rust, .. } = parameter;
        let method = match parameter.shape {
            _ if parameter.from_client => "add_or_client_default",
            _ if parameter.allow_empty => "add_even_empty",
            Shape::Scalar(Scalar::TextBoolean) => "add_as_text",
            _ => "add",
        };
        let arguments = [format!("{wire:?}"), format!("&self.{rust}")];
        out.call(&format!("to.{method}"), &arguments, ";");
    }
    out.close("}");
}

/// The client's methods that begin a call: the one that is awaited, and the one that blocks.
pub(super) fn client_methods(out: &mut Source, action: &Action, service: &Service) {
    let Action {
        rust,
        request,
        wire,
        ..
    } = action;
    let crate_name = format!("{}_sdk", service.name.to_lowercase());
    let path = format!("{crate_name}::actions::{rust}");
    let required = || {
        action
            .parameters
            .iter()
            .filter(|parameter| parameter.required)
    };
    let values: Vec<String> = required()
        .map(|parameter| example_value(parameter, &parameter.shape, action, &path))
        .collect();
    let values = values.join(", ");

    let mut docs = format!("{}\n\n", action.summary);
    if let Some(variant) = &action.variant {
        docs.push_str(&twin_documentation(variant, wire));
    }
    docs.push_str(&format!(
        "Documented as `{wire}`; its traps are told in [its module](crate::actions::{rust}).\n\n\
         # Examples\n\n\
         ```no_run\n\
         # async fn example(client: {crate_name}::Client) -> Result<(), {crate_name}::Error> {{\n\
         let response = client.{rust}({values}).send().await?;\n\
         println!(\"{{response:?}}\");\n\
         # Ok(())\n\
         # }}\n\
         ```",
    ));
    out.open("impl Client {");
    out.doc(&docs);
    client_method(out, action, &format!("Call<{request}>"));
    out.close("}");
    out.blank();
    out.line("#[cfg(feature = \"blocking\")]");
    out.open("impl crate::blocking::Client {");
    out.doc(&format!(
        "{}\n\nAs [`Client::{rust}`](crate::Client::{rust}), and waits for the answer.",
        action.summary
    ));
    client_method(out, action, &format!("Call<{request}, Self>"));
    out.close("}");
}

fn twin_documentation(variant: &Variant, wire: &str) -> String {
    let Variant {
        parameter,
        rust,
        is_with,
    } = variant;
    if *is_with {
        format!(
            "Without `{parameter}` the service would do another thing, which is a call of its own: \
             [`{rust}`](Self::{rust}).\n\n"
        )
    } else {
        format!(
            "This is `{wire}` without its `{parameter}`; with it, it is [`{rust}`](Self::{rust}).\n\n"
        )
    }
}

fn client_method(out: &mut Source, action: &Action, call: &str) {
    let required: Vec<&Parameter> = action
        .parameters
        .iter()
        .filter(|parameter| parameter.required)
        .collect();
    allow_many(out, required.len() + 1);
    let mut parameters = vec!["&self".to_owned()];
    parameters.extend(required.iter().map(|parameter| argument(parameter)));
    let head = format!("pub fn {}", action.rust);
    out.signature(&head, &parameters, &format!(" -> {call} {{"));
    let names: Vec<String> = required
        .iter()
        .map(|parameter| parameter.rust.clone())
        .collect();
    out.call(
        &format!("let request = {}::new", action.request),
        &names,
        ";",
    );
    out.line("self.call(request)");
    out.close("}");
}

/// A value for an example of a call; `path` is where the types of its module are.
fn example_value(parameter: &Parameter, shape: &Shape, action: &Action, path: &str) -> String {
    match shape {
        Shape::Scalar(Scalar::String) => {
            format!("\"{}\"", module(&parameter.rust).replace('_', "-"))
        }
        Shape::Scalar(Scalar::Int) => "1".to_owned(),
        Shape::Scalar(Scalar::Float) => "1.0".to_owned(),
        Shape::Scalar(Scalar::Boolean | Scalar::TextBoolean) => "true".to_owned(),
        Shape::Enum(rust) => {
            let values = action.enums.iter().find(|values| values.rust == *rust);
            let first = values.and_then(|values| values.variants.last());
            format!(
                "{path}::{rust}::{}",
                first.map_or("", |(variant, _)| variant)
            )
        }
        Shape::List(element) => match &**element {
            // One that requires a list of its own kind would be shown without end.
            Shape::Group { rust, .. } if action.requires_itself(rust) => "[]".to_owned(),
            element => format!("[{}]", example_value(parameter, element, action, path)),
        },
        Shape::Object => "serde_json::json!({ \"key\": \"value\" })".to_owned(),
        Shape::Group { rust, .. } => {
            let parameters = action
                .group(rust)
                .map_or(&[][..], |group| &group.parameters);
            let required = parameters.iter().filter(|parameter| parameter.required);
            let values: Vec<String> = required
                .map(|parameter| example_value(parameter, &parameter.shape, action, path))
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
    out.open(format_args!("impl<C> Call<{}, C> {{", action.request));
    for (index, parameter) in optional.into_iter().enumerate() {
        if index > 0 {
            out.blank();
        }
        setter(out, parameter, "self.request");
    }
    out.close("}");
    out.blank();
}

/// `let request = …;`, with the arguments that the documentation's example has.
pub(super) fn construct_example(out: &mut Source, action: &Action, arguments: &[(String, String)]) {
    let shown = |parameter: &Parameter| {
        arguments
            .iter()
            .find(|(rust, _)| *rust == parameter.rust)
            .map(|(_, value)| value.clone())
    };
    let (required, optional): (Vec<&Parameter>, Vec<&Parameter>) = action
        .parameters
        .iter()
        .partition(|parameter| parameter.required);
    let values: Vec<String> = required.into_iter().filter_map(shown).collect();
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
            out.assign(&format!("request.{}", parameter.rust), "Some", &value);
        }
    }
}

fn documentation(parameter: &Parameter) -> String {
    let mut text = parameter.description.clone();
    match &parameter.default {
        Some(default) if parameter.is_explicit => text.push_str(&format!(
            "\n\nThe documentation calls it optional, with `{default}` as its default; here it is chosen each time."
        )),
        Some(default) => text.push_str(&format!("\n\nThe service's default: `{default}`.")),
        None => {}
    }
    if parameter.allow_empty {
        text.push_str("\n\nAn empty text is sent as it is.");
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

pub(crate) fn field_type(parameter: &Parameter) -> String {
    let ty = owned_type(&parameter.shape);
    if parameter.required || matches!(parameter.shape, Shape::List(_)) {
        ty
    } else {
        format!("Option<{ty}>")
    }
}

pub(crate) fn owned_type(shape: &Shape) -> String {
    match shape {
        Shape::Scalar(scalar) => scalar_type(*scalar).to_owned(),
        Shape::Object => "serde_json::Value".to_owned(),
        Shape::List(element) => format!("Vec<{}>", owned_type(element)),
        Shape::Group { rust, boxed: true } => format!("Box<{rust}>"),
        Shape::Enum(rust) | Shape::Group { rust, boxed: false } => rust.clone(),
    }
}

pub(crate) fn scalar_type(scalar: Scalar) -> &'static str {
    match scalar {
        Scalar::String => "String",
        Scalar::Int => "i64",
        Scalar::Float => "f64",
        Scalar::Boolean | Scalar::TextBoolean => "bool",
    }
}

/// A required parameter of a constructor.
fn argument(parameter: &Parameter) -> String {
    format!("{}: {}", parameter.rust, argument_type(&parameter.shape))
}

pub(crate) fn argument_type(shape: &Shape) -> String {
    match shape {
        Shape::Scalar(Scalar::String) => "impl Into<String>".to_owned(),
        Shape::Object => "impl Into<serde_json::Value>".to_owned(),
        Shape::Group { rust, .. } => rust.clone(),
        Shape::List(element) if !matches!(**element, Shape::List(_)) => {
            format!("impl IntoIterator<Item = {}>", argument_type(element))
        }
        _ => owned_type(shape),
    }
}

/// An argument as the field that keeps it.
fn converted(shape: &Shape, value: &str) -> String {
    match shape {
        Shape::Scalar(Scalar::String) | Shape::Object => format!("{value}.into()"),
        Shape::Group { boxed: true, .. } => format!("Box::new({value})"),
        Shape::List(element) if !matches!(**element, Shape::List(_)) => {
            format!("{LIST}({value})")
        }
        _ => value.to_owned(),
    }
}
