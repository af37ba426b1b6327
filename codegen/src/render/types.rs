//! The Rust types of parameters and fields.

use proc_macro2::TokenStream;
use quote::quote;

use super::print::ident;
use crate::model::{Scalar, Type};

/// The type as a struct has it. A list that may be absent is empty then.
pub(super) fn stored(ty: &Type, is_optional: bool) -> TokenStream {
    let stored = match ty {
        Type::Scalar(Scalar::String) => quote!(String),
        Type::Scalar(Scalar::Secret) => quote!(SecretString),
        Type::Scalar(Scalar::Int) => quote!(i64),
        Type::Scalar(Scalar::Float) => quote!(f64),
        Type::Scalar(Scalar::Boolean | Scalar::TextBoolean) => quote!(bool),
        Type::Timestamp => quote!(Timestamp),
        Type::Object => quote!(serde_json::Value),
        Type::List(element) => {
            let element = self::stored(element, false);
            return quote!(Vec<#element>);
        }
        Type::Enum(rust) | Type::Shared { rust, .. } | Type::Struct { rust, boxed: false } => {
            let name = ident(rust);
            quote!(#name)
        }
        Type::Struct { rust, boxed: true } => {
            let name = ident(rust);
            quote!(Box<#name>)
        }
    };
    if is_optional { quote!(Option<#stored>) } else { stored }
}

/// The type of a constructor's or setter's argument.
pub(super) fn argument(ty: &Type) -> TokenStream {
    match ty {
        Type::Scalar(Scalar::String) => quote!(impl Into<String>),
        Type::Scalar(Scalar::Secret) => quote!(impl Into<SecretString>),
        Type::Object => quote!(impl Into<serde_json::Value>),
        Type::Struct { rust, .. } => {
            let name = ident(rust);
            quote!(#name)
        }
        Type::List(element) if !matches!(**element, Type::List(_)) => {
            let item = argument(element);
            quote!(impl IntoIterator<Item = #item>)
        }
        _ => stored(ty, false),
    }
}

/// An argument as the request stores it; `None` if it is stored as it is.
pub(super) fn converted(ty: &Type, value: &TokenStream) -> Option<TokenStream> {
    match ty {
        Type::Scalar(Scalar::String | Scalar::Secret) | Type::Object => Some(quote!(#value.into())),
        Type::Struct { boxed: true, .. } => Some(quote!(Box::new(#value))),
        Type::List(element) if !matches!(**element, Type::List(_)) => {
            Some(quote!(parameters::list(#value)))
        }
        _ => None,
    }
}
