//! Enums: those of one action, which keep unknown values, and those that several actions share.

use proc_macro2::TokenStream;
use quote::quote;

use super::{
    print::{deprecated, docs, ident},
    prose,
    request::alias,
    serde,
};
use crate::model::{Action, Enum, SharedEnum, SharedVariant, Type};

/// The enums of one action.
pub(super) fn of_action(action: &Action) -> TokenStream {
    let (sent, read) = (sent(action), read(action));
    let enums = action.enums.iter().map(|values| {
        let definition = action_enum(values);
        let is_it = |ty: &&Type| matches!(ty, Type::Enum(rust) if *rust == values.rust);
        let to_parameters = sent.iter().any(is_it).then(|| to_parameters(&values.rust));
        let from_wire = read.iter().any(is_it).then(|| {
            let body = quote! {
                let value: String = decode::FromWire::from_wire(from, field)?;
                Ok(Self::from(value.as_str()))
            };
            from_wire(&values.rust, &body)
        });
        quote!(#definition #to_parameters #from_wire)
    });
    quote!(#(#enums)*)
}

/// The innermost types of the parameters.
pub(super) fn sent(action: &Action) -> Vec<&Type> {
    let groups = action.groups.iter().flat_map(|group| &group.parameters);
    let parameters = action.parameters.iter().chain(groups);
    parameters.map(|it| it.ty.innermost().0).collect()
}

/// The innermost types of the response's fields.
pub(super) fn read(action: &Action) -> Vec<&Type> {
    let models = action.models.iter().flat_map(|model| &model.fields);
    let fields = action.response.fields.iter().chain(models);
    fields.map(|it| it.ty.innermost().0).collect()
}

fn action_enum(values: &Enum) -> TokenStream {
    let (docs_of, name) = (docs(&prose::action_enum(values), 0), ident(&values.rust));
    let names: Vec<_> = values.variants.iter().map(|(rust, _)| ident(rust)).collect();
    let texts: Vec<&String> = values.variants.iter().map(|(_, value)| value).collect();
    let variants = values.variants.iter().map(|(rust, value)| {
        let (docs, alias, name) = (docs(&prose::value(value), 1), alias(rust, value), ident(rust));
        quote!(#docs #alias #name)
    });
    let (other, as_str) = (docs(prose::OTHER_VALUE, 1), docs(prose::AS_STR, 1));
    let (display, serde) = (display(&values.rust), serde::of_enum(&values.rust));
    quote! {
        #docs_of
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum #name {
            #(#variants,)*
            #other
            Other(String),
        }

        impl #name {
            #as_str
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    #(Self::#names => #texts,)*
                    Self::Other(value) => value,
                }
            }
        }

        impl From<&str> for #name {
            fn from(value: &str) -> Self {
                match value {
                    #(#texts => Self::#names,)*
                    _ => Self::Other(value.to_owned()),
                }
            }
        }

        impl Default for #name {
            fn default() -> Self {
                Self::Other(String::new())
            }
        }

        #display
        #serde
    }
}

fn display(rust: &str) -> TokenStream {
    let name = ident(rust);
    quote! {
        impl std::fmt::Display for #name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    }
}

fn to_parameters(rust: &str) -> TokenStream {
    let name = ident(rust);
    quote! {
        impl parameters::ToParameters for #name {
            fn add_to(&self, name: &str, to: &mut Parameters<'_>) {
                to.add_text(name, self.as_str());
            }
        }
    }
}

fn from_wire(rust: &str, body: &TokenStream) -> TokenStream {
    let name = ident(rust);
    quote! {
        impl decode::FromWire for #name {
            fn from_wire<'de, D: serde::Deserializer<'de>>(
                from: D,
                field: decode::FieldContext<'_>,
            ) -> Result<Self, D::Error> {
                #body
            }
        }
    }
}

/// Whether a variant of a shared enum is deprecated.
pub(super) fn has_deprecated(shared: &SharedEnum) -> bool {
    shared.variants.iter().any(|variant| variant.deprecated.is_some())
}

/// The enums that several actions share.
pub(super) fn shared(enums: &[SharedEnum]) -> TokenStream {
    if enums.is_empty() {
        return TokenStream::new();
    }
    let definitions = enums.iter().map(shared_enum);
    quote! {
        use serde::{Deserialize, Serialize};

        use crate::wire::decode;
        use crate::wire::parameters::{self, Parameters};

        #(#definitions)*
    }
}

fn shared_enum(shared: &SharedEnum) -> TokenStream {
    let (docs_of, name) = (docs(&shared.description, 0), ident(&shared.rust.value));
    let names: Vec<_> = shared.variants.iter().map(|it| ident(&it.rust.value)).collect();
    let texts: Vec<&str> = shared.variants.iter().map(SharedVariant::text).collect();
    let variants = shared.variants.iter().zip(&texts).map(|(variant, text)| {
        let (docs, name) = (docs(&variant.description, 1), ident(&variant.rust.value));
        let deprecated = deprecated(variant.deprecated.as_ref());
        quote!(#docs #deprecated #[serde(rename = #text)] #name)
    });
    let spellings = shared.variants.iter().flat_map(|variant| {
        let name = ident(&variant.rust.value);
        let values = variant.values.iter().map(|value| &value.value);
        values.map(move |value| quote!((#value, Self::#name)))
    });
    let as_str = docs(prose::AS_STR, 1);
    let (display, to_parameters) = (display(&shared.rust.value), to_parameters(&shared.rust.value));
    let from_wire = from_wire(&shared.rust.value, &quote!(decode::read_spelled(from, field)));
    quote! {
        #docs_of
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
        #[non_exhaustive]
        pub enum #name {
            #(#variants,)*
        }

        impl #name {
            #as_str
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    #(Self::#names => #texts,)*
                }
            }
        }

        impl decode::Spelled for #name {
            const SPELLINGS: &'static [(&'static str, Self)] = &[#(#spellings),*];
        }

        #from_wire

        impl<'de> Deserialize<'de> for #name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                decode::read_value(from)
            }
        }

        #to_parameters

        #display
    }
}
