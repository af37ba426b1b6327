//! `documentation.rs`: what is documented of each action, for a server to check requests against.

use super::{file, service};
use crate::model::{Action, Parameter, Scalar, Service, Shape};

pub(super) fn documentation(service: &Service) -> String {
    let mut out = file("actions/*.json");
    out.module_doc(
        "What is documented of each action: the parameters of a request, and an example of the answer.",
    );
    out.blank();
    out.line("use super::examples;");
    out.line("use crate::local::documented::{Action, Kind, Parameter};");
    out.blank();
    // Of two calls that are one documented action, the one that has the parameter.
    let has_all = |action: &&Action| {
        action
            .variant
            .as_ref()
            .is_none_or(|variant| variant.is_with)
    };
    let mut actions: Vec<&Action> = service.actions.iter().filter(has_all).collect();
    actions.sort_by(|a, b| a.wire.cmp(&b.wire));
    out.doc("Every documented action, in the order of their names.");
    // A table is easier to read with a parameter a line, however long.
    out.line("#[rustfmt::skip]");
    out.open("pub(crate) const ACTIONS: &[Action] = &[");
    for action in actions {
        out.open("Action {");
        out.line(format_args!("name: {:?},", action.wire));
        out.open("parameters: &[");
        for parameter in &action.parameters {
            out.line(format_args!(
                "{},",
                field(parameter, action, &mut Vec::new())
            ));
        }
        out.close("],");
        match action.example.response {
            Some(_) => {
                let constant = service::constant(&action.rust);
                out.line(format_args!("example: examples::{constant}.response,"));
            }
            None => out.line("example: \"\","),
        }
        out.close("},");
    }
    out.close("];");
    out.finish()
}

/// `within` are the groups that it is in.
fn field<'a>(parameter: &'a Parameter, action: &'a Action, within: &mut Vec<&'a str>) -> String {
    // What a call of ours requires may be optional in the documentation.
    let ours = parameter.is_explicit
        || action
            .variant
            .as_ref()
            .is_some_and(|variant| variant.parameter == parameter.wire);
    format!(
        "Parameter {{ name: {:?}, kind: {}, required: {} }}",
        parameter.wire,
        kind(&parameter.shape, action, within),
        parameter.required && !ours
    )
}

fn kind<'a>(shape: &'a Shape, action: &'a Action, within: &mut Vec<&'a str>) -> String {
    match shape {
        Shape::Scalar(Scalar::String) => "Kind::String".to_owned(),
        Shape::Scalar(Scalar::Int) => "Kind::Int".to_owned(),
        Shape::Scalar(Scalar::Float) => "Kind::Float".to_owned(),
        Shape::Scalar(Scalar::Boolean) => "Kind::Boolean".to_owned(),
        Shape::Scalar(Scalar::TextBoolean) => "Kind::Flag".to_owned(),
        Shape::Enum(rust) => {
            let documented = action.enums.iter().find(|each| each.rust == *rust);
            let variants = documented.into_iter().flat_map(|each| &each.variants);
            let values: Vec<String> = variants.map(|(_, value)| format!("{value:?}")).collect();
            format!("Kind::Enum(&[{}])", values.join(", "))
        }
        Shape::Object => "Kind::Any".to_owned(),
        Shape::List(element) => format!("Kind::List(&{})", kind(element, action, within)),
        // A group in itself would go on for ever.
        Shape::Group { rust, .. } if within.contains(&rust.as_str()) => "Kind::Any".to_owned(),
        Shape::Group { rust, .. } => {
            within.push(rust);
            let parameters = action
                .group(rust)
                .map_or(&[][..], |group| &group.parameters);
            let fields: Vec<String> = parameters
                .iter()
                .map(|parameter| field(parameter, action, within))
                .collect();
            within.pop();
            format!("Kind::Group(&[{}])", fields.join(", "))
        }
    }
}
