//! Responses and the models in them.

use super::{request::scalar_type, source::Source};
use crate::model::{Absent, Action, Enum, Field, Scalar, Struct, Type};

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

/// The values of strings that have a few.
pub(super) fn enums(out: &mut Source, action: &Action) {
    for Enum {
        rust,
        field,
        variants,
    } in &action.enums
    {
        out.blank();
        out.doc(&format!(
            "The values of `{field}`. One that the documentation does not know is kept."
        ));
        out.line("#[derive(Debug, Clone, PartialEq, Eq, Hash)]");
        out.line("#[non_exhaustive]");
        out.open(format_args!("pub enum {rust} {{"));
        for (variant, value) in variants {
            out.doc(&format!("Documented as `{value}`."));
            out.line(format_args!("{variant},"));
        }
        out.doc("Another value, as it is.");
        out.line("Other(String),");
        out.close("}");
        out.blank();
        out.open("crate::choice::choice! {");
        out.open(format_args!("{rust} {{"));
        for (variant, value) in variants {
            out.line(format_args!("{variant} = {value:?};"));
        }
        out.close("}");
        out.close("}");
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
            out.part(&format!("pub {}: {}", field.rust, field_type(field)));
        }
        out.close("}");
    }
    out.blank();
    out.open("model! {");
    out.open(format_args!("{rust} {{"));
    for field in fields {
        let Field {
            wire, rust, absent, ..
        } = field;
        let presence = match absent {
            Absent::Empty => "required".to_owned(),
            Absent::Optional => "optional".to_owned(),
            Absent::Refused { counted_by: None } => "list".to_owned(),
            Absent::Refused {
                counted_by: Some(total),
            } => format!("list counted by {total}"),
        };
        let presence = match (&field.ty, field.is_shorthand) {
            (_, true) => format!("{presence} as whole"),
            _ if field.is_single => format!("{presence} as single"),
            (Type::Scalar(Scalar::TextBoolean), _) => format!("{presence} as text"),
            _ => presence,
        };
        out.line(format_args!("{rust} = {wire:?}, {presence};"));
    }
    out.close("}");
    out.close("}");
}

fn documentation(field: &Field) -> String {
    let mut text = field.description.clone();
    if let Some(shown) = &field.example_type {
        let read = match field.ty {
            Type::Object => "which its type could not take: it is given as it comes",
            _ => "which is read as well",
        };
        text.push_str(&format!(
            "\n\nThe documentation's example shows `{shown}` in its place, {read}."
        ));
    }
    if field.example_omits {
        text.push_str("\n\nThe documentation calls it required, and shows it absent.");
    }
    text.push_str(&format!("\n\nDocumented as `{}`.", field.wire));
    text
}

pub(crate) fn field_type(field: &Field) -> String {
    let ty = owned_type(&field.ty);
    match field.ty {
        Type::List(_) => ty,
        _ if field.absent == Absent::Optional => format!("Option<{ty}>"),
        _ => ty,
    }
}

pub(crate) fn owned_type(ty: &Type) -> String {
    match ty {
        Type::Scalar(scalar) => scalar_type(*scalar).to_owned(),
        Type::Enum(rust) => rust.clone(),
        Type::Timestamp => "crate::wire::timestamp::Timestamp".to_owned(),
        Type::Object => "serde_json::Value".to_owned(),
        Type::List(element) => format!("Vec<{}>", owned_type(element)),
        Type::Model { rust, boxed: true } => format!("Box<{rust}>"),
        Type::Model { rust, boxed: false } => rust.clone(),
    }
}
