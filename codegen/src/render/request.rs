//! Requests, and the groups of parameters in them.

use proc_macro2::{Literal, TokenStream};
use quote::{ToTokens, quote};

use super::{
    print::{docs, ident},
    prose, types,
};
use crate::model::{self, Action, Form, Parameter, Scalar, Service, Shape, SharedEnum};

/// The request of an action and its groups of parameters.
pub(super) fn structs(action: &Action, service: &Service) -> TokenStream {
    let request = parameter_struct(&Owner {
        name: &action.request,
        docs: prose::request(action),
        noun: "request",
        parameters: &action.parameters,
        enums: &service.enums,
    });
    let groups = action.groups.iter().map(|group| {
        let definition = parameter_struct(&Owner {
            name: &group.rust,
            docs: group.description.clone(),
            noun: "group",
            parameters: &group.parameters,
            enums: &service.enums,
        });
        let name = ident(&group.rust);
        let (to, adds) = additions(&group.parameters, &service.enums);
        quote! {
            #definition

            impl parameters::Group for #name {
                fn add_to(&self, #to: &mut Parameters<'_>) {
                    #adds
                }
            }
        }
    });
    quote!(#request #(#groups)*)
}

/// A struct of parameters.
struct Owner<'a> {
    name: &'a str,
    docs: String,
    noun: &'a str,
    parameters: &'a [Parameter],
    enums: &'a [SharedEnum],
}

fn parameter_struct(owner: &Owner<'_>) -> TokenStream {
    let (required, optional): (Vec<&Parameter>, Vec<&Parameter>) =
        owner.parameters.iter().partition(|it| it.required);
    let name = ident(owner.name);
    let struct_docs = docs(&owner.docs, 0);
    let default = required.is_empty().then(|| quote!(Default,));
    let fields = owner.parameters.iter().map(|parameter| {
        let docs = docs(&prose::parameter(parameter, owner.enums), 1);
        let alias = alias(&parameter.rust, &parameter.wire);
        let serde = serde_attribute(parameter);
        let (name, ty) = (ident(&parameter.rust), types::parameter(parameter));
        quote!(#docs #alias #serde pub #name: #ty)
    });
    let new_docs = docs(&prose::constructor(owner.noun, !required.is_empty()), 1);
    let allow = allow_many(required.len());
    let arguments = required.iter().map(|parameter| argument(parameter));
    let values = owner.parameters.iter().map(|parameter| {
        let name = ident(&parameter.rust);
        match (types::converted(&parameter.shape, &quote!(#name)), &parameter.shape) {
            (Some(value), _) if parameter.required => quote!(#name: #value),
            (None, _) if parameter.required => quote!(#name),
            (_, Shape::List(_)) => quote!(#name: Vec::new()),
            _ => quote!(#name: None),
        }
    });
    let setters = optional.iter().map(|parameter| setter(parameter, "Self", &quote!(self)));
    quote! {
        #struct_docs
        #[derive(Debug, Clone, PartialEq, #default Serialize, Deserialize)]
        #[serde(rename_all = "PascalCase", deny_unknown_fields)]
        #[must_use]
        #[non_exhaustive]
        pub struct #name {
            #(#fields,)*
        }

        impl #name {
            #new_docs
            #allow
            pub fn new(#(#arguments),*) -> Self {
                Self { #(#values),* }
            }

            #(#setters)*
        }
    }
}

/// Some actions require more than clippy allows.
fn allow_many(arguments: usize) -> Option<TokenStream> {
    (arguments > 7).then(|| quote!(#[allow(clippy::too_many_arguments)]))
}

fn argument(parameter: &Parameter) -> TokenStream {
    let (name, ty) = (ident(&parameter.rust), types::argument(&parameter.shape));
    quote!(#name: #ty)
}

/// The documented name, for those who search for it, where rustdoc would not find ours.
pub(super) fn alias(rust: &str, wire: &str) -> Option<TokenStream> {
    prose::is_renamed(rust, wire).then(|| quote!(#[doc(alias = #wire)]))
}

/// The setter of an optional parameter, on the request or on the call that holds it.
fn setter(parameter: &Parameter, owner: &str, request: &TokenStream) -> TokenStream {
    let docs = docs(&prose::setter(&parameter.rust, owner), 1);
    let (name, ty) = (ident(&parameter.rust), types::argument(&parameter.shape));
    let value = quote!(value);
    let value = types::converted(&parameter.shape, &value).unwrap_or(value);
    let value = match parameter.shape {
        Shape::List(_) => value,
        _ => quote!(Some(#value)),
    };
    quote! {
        #docs
        pub fn #name(mut self, value: #ty) -> Self {
            #request.#name = #value;
            self
        }
    }
}

/// The name of the argument, and the statements that add every parameter to it, sorted by their
/// documented names as the signature needs them.
pub(super) fn additions(
    parameters: &[Parameter],
    enums: &[SharedEnum],
) -> (TokenStream, TokenStream) {
    if parameters.is_empty() {
        return (quote!(_), TokenStream::new());
    }
    let mut sorted: Vec<&Parameter> = parameters.iter().collect();
    sorted.sort_by(|a, b| a.wire.cmp(&b.wire));
    let adds = sorted.into_iter().map(|parameter| {
        let (wire, name) = (&parameter.wire, ident(&parameter.rust));
        let is_text_boolean = matches!(
            parameter.shape,
            Shape::Scalar(Scalar::TextBoolean) | Shape::Shared { form: Form::TextBoolean, .. }
        );
        let method = match parameter {
            _ if parameter.from_client => quote!(add_or_client_default),
            _ if parameter.allow_empty => quote!(add_allow_empty),
            _ if is_text_boolean => quote!(add_as_text),
            _ => quote!(add),
        };
        let value = match boolean_variant(&parameter.shape, enums) {
            Some(variant) if parameter.required => quote!((self.#name == #variant)),
            Some(variant) => quote!(self.#name.map(|value| value == #variant)),
            None => quote!(self.#name),
        };
        quote!(to.#method(#wire, &#value);)
    });
    (quote!(to), quote!(#(#adds)*))
}

/// The variant of a shared enum that is sent as `true`, where it is sent as a boolean.
fn boolean_variant(shape: &Shape, enums: &[SharedEnum]) -> Option<TokenStream> {
    let Shape::Shared { rust, form: Form::Boolean | Form::TextBoolean } = shape else {
        return None;
    };
    let shared = enums.iter().find(|shared| shared.rust == *rust)?;
    let (name, variant) = (ident(rust), ident(&shared.variant("true")?.rust));
    Some(quote!(#name::#variant))
}

/// The methods of the clients that start a call.
pub(super) fn client_methods(action: &Action, service: &Service) -> TokenStream {
    let (name, request) = (ident(&action.rust), ident(&action.request));
    let required: Vec<&Parameter> = action.parameters.iter().filter(|it| it.required).collect();
    let arguments: Vec<TokenStream> = required.iter().map(|it| argument(it)).collect();
    let names = required.iter().map(|parameter| ident(&parameter.rust));
    let values: Vec<String> = required
        .iter()
        .map(|parameter| example_value(parameter, &parameter.shape, action, service))
        .collect();
    let docs_of = docs(&prose::client_method(action, service, &values.join(", ")), 1);
    let blocking_docs = docs(&prose::blocking_method(action), 1);
    let aliases = action.aliases.iter();
    let aliases = quote!(#(#[doc(alias = #aliases)])*);
    let allow = allow_many(required.len() + 1);
    let body = quote!(self.call(#request::new(#(#names),*)));
    quote! {
        impl Client {
            #docs_of
            #aliases
            #allow
            pub fn #name(&self, #(#arguments),*) -> Call<#request> {
                #body
            }
        }

        #[cfg(feature = "blocking")]
        impl crate::blocking::Client {
            #blocking_docs
            #aliases
            #allow
            pub fn #name(&self, #(#arguments),*) -> Call<#request, Self> {
                #body
            }
        }
    }
}

/// A value for the example of a call.
fn example_value(
    parameter: &Parameter,
    shape: &Shape,
    action: &Action,
    service: &Service,
) -> String {
    let crate_name = prose::crate_name(service);
    let path = format!("{crate_name}::actions::{}", action.rust);
    match shape {
        Shape::Scalar(Scalar::String) => {
            format!("\"{}\"", super::print::module(&parameter.rust).replace('_', "-"))
        }
        Shape::Scalar(Scalar::Int) => "1".to_owned(),
        Shape::Scalar(Scalar::Float) => "1.0".to_owned(),
        Shape::Scalar(Scalar::Boolean | Scalar::TextBoolean) => "true".to_owned(),
        Shape::Enum(rust) => {
            let values = action.enums.iter().find(|values| values.rust == *rust);
            let last = values.and_then(|values| values.variants.last());
            format!("{path}::{rust}::{}", last.map_or("", |(variant, _)| variant))
        }
        Shape::Shared { rust, .. } => {
            let shared = service.enums.iter().find(|shared| shared.rust == *rust);
            let last = shared.and_then(|shared| shared.variants.last());
            format!("{crate_name}::{rust}::{}", last.map_or("", |it| &it.rust))
        }
        Shape::List(element) => match &**element {
            // A group that requires a list of itself would have no end.
            Shape::Group { rust, .. } if action.requires_itself(rust) => "[]".to_owned(),
            element => format!("[{}]", example_value(parameter, element, action, service)),
        },
        Shape::Object => "serde_json::json!({ \"key\": \"value\" })".to_owned(),
        Shape::Group { rust, .. } => {
            let parameters = action.group(rust).map_or(&[][..], |group| &group.parameters);
            let required = parameters.iter().filter(|parameter| parameter.required);
            let values: Vec<String> = required
                .map(|parameter| example_value(parameter, &parameter.shape, action, service))
                .collect();
            format!("{path}::{rust}::new({})", values.join(", "))
        }
    }
}

/// The same setters on the call, so that one chain is enough.
pub(super) fn call_setters(action: &Action) -> Option<TokenStream> {
    let optional = action.parameters.iter().filter(|it| !it.required);
    let setters: Vec<TokenStream> = optional
        .map(|parameter| setter(parameter, &action.request, &quote!(self.request)))
        .collect();
    let request = ident(&action.request);
    (!setters.is_empty()).then(|| quote!(impl<C> Call<#request, C> { #(#setters)* }))
}

/// The request of the documentation's example.
pub(super) fn example(action: &Action, arguments: &[(String, model::Literal)]) -> TokenStream {
    let find = |parameter: &Parameter| {
        let mut arguments = arguments.iter();
        arguments.find(|(rust, _)| *rust == parameter.rust).map(|(_, value)| literal(value))
    };
    let (required, optional): (Vec<&Parameter>, Vec<&Parameter>) =
        action.parameters.iter().partition(|it| it.required);
    let values = required.into_iter().filter_map(find);
    let setters = optional.into_iter().filter_map(|parameter| {
        let (name, value) = (ident(&parameter.rust), find(parameter)?);
        Some(quote!(.#name(#value)))
    });
    let request = ident(&action.request);
    quote!(#request::new(#(#values),*) #(#setters)*)
}

fn literal(value: &model::Literal) -> TokenStream {
    match value {
        model::Literal::Text(text) => quote!(#text),
        model::Literal::Int(number) => Literal::i64_unsuffixed(*number).into_token_stream(),
        model::Literal::Float(number) => Literal::f64_suffixed(*number).into_token_stream(),
        model::Literal::Boolean(boolean) => quote!(#boolean),
        model::Literal::Enum { rust, value } => {
            let name = ident(rust);
            quote!(#name::from(#value))
        }
        model::Literal::Shared { rust, variant } => {
            let (name, variant) = (ident(rust), ident(variant));
            quote!(#name::#variant)
        }
    }
}

/// What serde cannot derive from the field: another name, and that it may be absent.
fn serde_attribute(parameter: &Parameter) -> Option<TokenStream> {
    let wire = &parameter.wire;
    let rename = (pascal_case(&parameter.rust) != *wire).then(|| quote!(rename = #wire));
    let absent = match &parameter.shape {
        _ if parameter.required => None,
        Shape::List(_) => Some(quote!(default, skip_serializing_if = "Vec::is_empty")),
        _ => Some(quote!(skip_serializing_if = "Option::is_none")),
    };
    let arguments: Vec<TokenStream> = rename.into_iter().chain(absent).collect();
    (!arguments.is_empty()).then(|| quote!(#[serde(#(#arguments),*)]))
}

/// What serde's `rename_all = "PascalCase"` makes of a field's name.
pub(super) fn pascal_case(rust: &str) -> String {
    let words = rust.trim_start_matches("r#").split('_');
    words
        .map(|word| {
            word[..word.len().min(1)].to_ascii_uppercase() + word.get(1..).unwrap_or_default()
        })
        .collect()
}
