//! The Rust types of parameters and fields.

use proc_macro2::TokenStream;
use quote::quote;

use super::print::ident;
use crate::model::{Absent, Field, Parameter, Scalar, Shape, Type};

/// The type of a parameter, as the request stores it.
pub(super) fn parameter(parameter: &Parameter) -> TokenStream {
    let ty = stored(&parameter.shape);
    if parameter.required || matches!(parameter.shape, Shape::List(_)) {
        ty
    } else {
        quote!(Option<#ty>)
    }
}

fn stored(shape: &Shape) -> TokenStream {
    match shape {
        Shape::Scalar(scalar) => self::scalar(*scalar),
        Shape::Object => quote!(serde_json::Value),
        Shape::List(element) => list(&stored(element)),
        Shape::Group { rust, boxed } => in_box(rust, *boxed),
        Shape::Enum(rust) | Shape::Shared { rust, .. } => in_box(rust, false),
    }
}

/// The type of a constructor's or setter's argument.
pub(super) fn argument(shape: &Shape) -> TokenStream {
    match shape {
        Shape::Scalar(Scalar::String) => quote!(impl Into<String>),
        Shape::Object => quote!(impl Into<serde_json::Value>),
        Shape::Group { rust, .. } => in_box(rust, false),
        Shape::List(element) if !matches!(**element, Shape::List(_)) => {
            let item = argument(element);
            quote!(impl IntoIterator<Item = #item>)
        }
        _ => stored(shape),
    }
}

/// An argument as the request stores it; `None` if it is stored as it is.
pub(super) fn converted(shape: &Shape, value: &TokenStream) -> Option<TokenStream> {
    match shape {
        Shape::Scalar(Scalar::String) | Shape::Object => Some(quote!(#value.into())),
        Shape::Group { boxed: true, .. } => Some(quote!(Box::new(#value))),
        Shape::List(element) if !matches!(**element, Shape::List(_)) => {
            Some(quote!(parameters::list(#value)))
        }
        _ => None,
    }
}

/// The type of a response's or model's field.
pub(super) fn field(field: &Field) -> TokenStream {
    let ty = read(&field.ty);
    match field.ty {
        Type::List(_) => ty,
        _ if field.absent == Absent::Optional => quote!(Option<#ty>),
        _ => ty,
    }
}

fn read(ty: &Type) -> TokenStream {
    match ty {
        Type::Scalar(scalar) => self::scalar(*scalar),
        Type::Timestamp => quote!(Timestamp),
        Type::Object => quote!(serde_json::Value),
        Type::List(element) => list(&read(element)),
        Type::Model { rust, boxed } => in_box(rust, *boxed),
        Type::Enum(rust) | Type::Shared { rust, .. } => in_box(rust, false),
    }
}

fn scalar(scalar: Scalar) -> TokenStream {
    match scalar {
        Scalar::String => quote!(String),
        Scalar::Int => quote!(i64),
        Scalar::Float => quote!(f64),
        Scalar::Boolean | Scalar::TextBoolean => quote!(bool),
    }
}

fn list(element: &TokenStream) -> TokenStream {
    quote!(Vec<#element>)
}

fn in_box(rust: &str, boxed: bool) -> TokenStream {
    let name = ident(rust);
    if boxed { quote!(Box<#name>) } else { quote!(#name) }
}
