//! Responses and the models in them.

use super::{request::scalar_type, source::Source};
use crate::model::{Absent, Action, Field, Format, Struct, Type};

pub(super) fn structs(out: &mut Source, action: &Action) {
    let doc = format!("The response of `{}`.", action.wire);
    model(out, &doc, &action.response);
    for inner in &action.models {
        out.blank();
        let doc = format!(
            "The model `{}` in a response of `{}`.",
            inner.wire, action.wire
        );
        model(out, &doc, inner);
    }
}

/// A struct, and how it is read and written.
fn model(out: &mut Source, doc: &str, model: &Struct) {
    let Struct { rust, fields, .. } = model;
    out.doc(doc);
    out.line("#[derive(Debug, Clone, Default, PartialEq)]");
    out.line("#[non_exhaustive]");
    if fields.is_empty() {
        out.line(format_args!("pub struct {rust} {{}}"));
    } else {
        out.open(format_args!("pub struct {rust} {{"));
        for field in fields {
            out.doc(&documentation(field));
            out.line(format_args!("pub {}: {},", field.rust, field_type(field)));
        }
        out.close("}");
    }
    out.blank();
    out.open("model! {");
    out.open(format_args!("{rust} {{"));
    for Field {
        wire, rust, absent, ..
    } in fields
    {
        let presence = match absent {
            Absent::Empty => "required".to_owned(),
            Absent::Optional => "optional".to_owned(),
            Absent::Refused { counted_by: None } => "list".to_owned(),
            Absent::Refused {
                counted_by: Some(total),
            } => format!("list counted by {total}"),
        };
        out.line(format_args!("{rust} = {wire:?}, {presence};"));
    }
    out.close("}");
    out.close("}");
}

fn documentation(field: &Field) -> String {
    let mut text = field.description.clone();
    if field.format == Some(Format::Timestamp) {
        text.push_str("\n\nA time as the service writes it: text, or seconds since 1970.");
    }
    if let Some(shown) = &field.shown_as {
        text.push_str(&format!(
            "\n\nThe documentation's example shows `{shown}` in its place, which is read as well."
        ));
    }
    if field.shown_absent {
        text.push_str("\n\nThe documentation calls it required, and shows it absent.");
    }
    text.push_str(&format!("\n\nDocumented as `{}`.", field.wire));
    text
}

fn field_type(field: &Field) -> String {
    let ty = owned_type(&field.ty);
    match field.ty {
        Type::List(_) => ty,
        _ if field.absent == Absent::Optional => format!("Option<{ty}>"),
        _ => ty,
    }
}

fn owned_type(ty: &Type) -> String {
    match ty {
        Type::Scalar(scalar) => scalar_type(*scalar).to_owned(),
        Type::Object => "serde_json::Value".to_owned(),
        Type::List(element) => format!("Vec<{}>", owned_type(element)),
        Type::Model { rust, boxed: true } => format!("Box<{rust}>"),
        Type::Model { rust, boxed: false } => rust.clone(),
    }
}
