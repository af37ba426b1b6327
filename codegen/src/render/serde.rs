//! How serde writes and reads requests, groups, models and enums. Its derives would say the same, but
//! most of the time to compile the generated code would be theirs.

use proc_macro2::TokenStream;
use quote::quote;

use super::print::ident;
use crate::model::{Parameter, Struct, Type};

/// A request, or a group of parameters: what is not set is left out.
pub(super) fn of_parameters(rust: &str, parameters: &[Parameter]) -> TokenStream {
    let name = ident(rust);
    let wires = parameters.iter().map(|parameter| &parameter.wire);
    let (writes, reads): (Vec<TokenStream>, Vec<TokenStream>) = parameters
        .iter()
        .map(|parameter| {
            let (name, wire) = (ident(&parameter.rust), &parameter.wire);
            let method = match parameter.ty {
                _ if parameter.required => quote!(field),
                Type::List(_) => quote!(list),
                _ => quote!(optional),
            };
            (quote!(to.#method(#wire, &self.#name)?;), quote!(#name: from.#method(#wire)?))
        })
        .unzip();
    let write = write(rust, &writes);
    let from = if parameters.is_empty() { quote!(_) } else { quote!(from) };
    quote! {
        #write

        impl fields::ReadFields for #name {
            const NAMES: &'static [&'static str] = &[#(#wires),*];

            fn read(#from: &mut fields::FieldReader) -> serde_json::Result<Self> {
                Ok(Self { #(#reads),* })
            }
        }

        impl<'de> Deserialize<'de> for #name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                fields::deserialize(#rust, from)
            }
        }
    }
}

/// A model: it has all its fields. [`response`](super::response) has how it is read.
pub(super) fn of_model(model: &Struct) -> TokenStream {
    let writes = model.fields.iter().map(|field| {
        let (name, wire) = (ident(&field.rust), &field.wire);
        quote!(to.field(#wire, &self.#name)?;)
    });
    write(&model.rust, &writes.collect::<Vec<_>>())
}

fn write(rust: &str, writes: &[TokenStream]) -> TokenStream {
    let name = ident(rust);
    let to = if writes.is_empty() { quote!(_) } else { quote!(to) };
    quote! {
        impl fields::WriteFields for #name {
            fn write<W: fields::FieldWriter>(&self, #to: &mut W) -> Result<(), W::Error> {
                #(#writes)*
                Ok(())
            }
        }

        impl Serialize for #name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                fields::serialize(self, #rust, to)
            }
        }
    }
}

/// An enum that keeps unknown values: a string.
pub(super) fn of_enum(rust: &str) -> TokenStream {
    let name = ident(rust);
    quote! {
        impl Serialize for #name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for #name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                String::deserialize(from).map(|value| Self::from(value.as_str()))
            }
        }
    }
}
