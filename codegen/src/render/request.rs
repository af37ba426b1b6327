//! Requests, and the groups of parameters in them.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{ToTokens, quote};

use super::{
    print::{deprecated, docs, ident},
    prose, serde, types,
};
use crate::model::{self, Action, Form, Parameter, Scalar, Service, Type, naming};

/// The request of an action and its groups of parameters.
pub(super) fn structs(action: &Action, service: &Service) -> TokenStream {
    let request = prose::request(action);
    let request = parameter_struct(
        &action.request,
        &request,
        "request",
        &action.parameters,
        action.required.as_deref(),
        service,
    );
    let groups = action.groups.iter().map(|group| {
        let definition = parameter_struct(
            &group.rust,
            &group.description,
            "group",
            &group.parameters,
            group.required.as_deref(),
            service,
        );
        let name = ident(&group.rust);
        let (to, adds) = additions(&group.parameters, service);
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

/// A struct of parameters. `noun` is what its docs call it, and `required_struct` what it is created
/// from if not from arguments.
fn parameter_struct(
    owner: &str,
    text: &str,
    noun: &str,
    parameters: &[Parameter],
    required_struct: Option<&str>,
    service: &Service,
) -> TokenStream {
    let (required, optional): (Vec<&Parameter>, Vec<&Parameter>) =
        parameters.iter().partition(|it| it.required);
    let (name, struct_docs) = (ident(owner), docs(text, 0));
    let default = required.is_empty().then(|| quote!(Default));
    let fields = parameters.iter().map(|parameter| {
        let attributes = attributes(parameter, service);
        let (name, ty) =
            (ident(&parameter.rust), types::stored(&parameter.ty, !parameter.required));
        quote!(#attributes pub #name: #ty)
    });
    let new_docs = docs(&prose::constructor(noun, !required.is_empty()), 1);
    let (arguments, _) = arguments(&required, required_struct);
    let values = parameters.iter().map(|parameter| {
        let name = ident(&parameter.rust);
        match (types::converted(&parameter.ty, &quote!(#name)), &parameter.ty) {
            _ if parameter.required && required_struct.is_some() => quote!(#name: required.#name),
            (Some(value), _) if parameter.required => quote!(#name: #value),
            (None, _) if parameter.required => quote!(#name),
            (_, Type::List(_)) => quote!(#name: Vec::new()),
            _ => quote!(#name: None),
        }
    });
    let setters = optional.iter().map(|parameter| setters(parameter, "Self", &quote!(self)));
    let required_struct =
        required_struct.map(|rust| self::required_struct(rust, owner, &required, service));
    let serde = serde::of_parameters(owner, parameters);
    quote! {
        #required_struct

        #struct_docs
        #[derive(Debug, Clone, PartialEq, #default)]
        #[must_use]
        #[non_exhaustive]
        pub struct #name {
            #(#fields,)*
        }

        impl #name {
            #new_docs
            pub fn new(#arguments) -> Self {
                Self { #(#values),* }
            }

            #(#setters)*
        }

        #serde
    }
}

/// The required parameters as a struct. It has no optional fields and is exhaustive: a literal names
/// each field, and the compiler finds what is missing.
fn required_struct(
    rust: &str,
    owner: &str,
    required: &[&Parameter],
    service: &Service,
) -> TokenStream {
    let (name, docs) = (ident(rust), docs(&prose::required_struct(owner), 0));
    let fields = required.iter().map(|parameter| {
        let attributes = attributes(parameter, service);
        let (name, ty) = (ident(&parameter.rust), types::stored(&parameter.ty, false));
        quote!(#attributes pub #name: #ty)
    });
    quote! {
        #docs
        #[derive(Debug, Clone, PartialEq)]
        pub struct #name {
            #(#fields,)*
        }
    }
}

/// The attributes of a parameter's field, except serde's.
fn attributes(parameter: &Parameter, service: &Service) -> TokenStream {
    let docs = docs(&prose::parameter(parameter, service), 1);
    let alias = alias(&parameter.rust, &parameter.wire);
    let deprecated = deprecated(parameter.deprecated.as_ref());
    quote!(#docs #alias #deprecated)
}

/// The arguments of a constructor, and their names.
fn arguments(required: &[&Parameter], required_struct: Option<&str>) -> (TokenStream, TokenStream) {
    if let Some(ty) = required_struct.map(ident) {
        return (quote!(required: #ty), quote!(required));
    }
    let names: Vec<Ident> = required.iter().map(|parameter| ident(&parameter.rust)).collect();
    let types = required.iter().map(|parameter| types::argument(&parameter.ty));
    (quote!(#(#names: #types),*), quote!(#(#names),*))
}

/// The documented name, for those who search for it, where rustdoc would not find ours.
pub(super) fn alias(rust: &str, wire: &str) -> Option<TokenStream> {
    let is_alias = naming::is_renamed(rust, wire) && naming::is_doc_alias(wire);
    is_alias.then(|| quote!(#[doc(alias = #wire)]))
}

/// The setters of an optional parameter, on the request or on the call that holds it. An empty list
/// is absent, so it needs one only.
fn setters(parameter: &Parameter, owner: &str, request: &TokenStream) -> TokenStream {
    let (name, ty) = (ident(&parameter.rust), types::argument(&parameter.ty));
    let setter = |text: String, setter: &Ident, ty: &TokenStream, value: &TokenStream| {
        let (docs, deprecated) = (docs(&text, 1), deprecated(parameter.deprecated.as_ref()));
        quote! {
            #docs
            #deprecated
            pub fn #setter(mut self, value: #ty) -> Self {
                #request.#name = #value;
                self
            }
        }
    };
    let value = types::converted(&parameter.ty, &quote!(value)).unwrap_or(quote!(value));
    let text = prose::setter(&parameter.rust, owner);
    if matches!(parameter.ty, Type::List(_)) {
        return setter(text, &name, &ty, &value);
    }
    let set = setter(text, &name, &ty, &quote!(Some(#value)));
    let (maybe, text) =
        (naming::maybe(&parameter.rust), prose::maybe_setter(&parameter.rust, owner));
    let (ty, value) = match &parameter.ty {
        Type::Struct { boxed: true, .. } => (quote!(Option<#ty>), quote!(value.map(Box::new))),
        ty => (types::stored(ty, true), quote!(value)),
    };
    let maybe = setter(text, &ident(&maybe), &ty, &value);
    quote!(#set #maybe)
}

/// The name of the argument, and the statements that add every parameter to it, sorted by their
/// documented names as the signature needs them.
pub(super) fn additions(parameters: &[Parameter], service: &Service) -> (TokenStream, TokenStream) {
    if parameters.is_empty() {
        return (quote!(_), TokenStream::new());
    }
    let mut sorted: Vec<&Parameter> = parameters.iter().collect();
    sorted.sort_by(|a, b| a.wire.cmp(&b.wire));
    let adds = sorted.into_iter().map(|parameter| {
        let (wire, name) = (&parameter.wire, ident(&parameter.rust));
        let is_text_boolean = matches!(
            parameter.ty,
            Type::Scalar(Scalar::TextBoolean) | Type::Shared { form: Form::TextBoolean, .. }
        );
        let method = match parameter {
            _ if parameter.from_client.is_some() => quote!(add_or_client_default),
            _ if parameter.allow_empty => quote!(add_allow_empty),
            _ if is_text_boolean => quote!(add_as_text),
            _ => quote!(add),
        };
        let value = match boolean_variant(&parameter.ty, service) {
            Some(variant) if parameter.required => quote!((self.#name == #variant)),
            Some(variant) => quote!(self.#name.map(|value| value == #variant)),
            None => quote!(self.#name),
        };
        quote!(to.#method(#wire, &#value);)
    });
    (quote!(to), quote!(#(#adds)*))
}

/// The variant of a shared enum that is sent as `true`, where it is sent as a boolean.
fn boolean_variant(ty: &Type, service: &Service) -> Option<TokenStream> {
    let Type::Shared { rust, form: Form::Boolean | Form::TextBoolean } = ty else {
        return None;
    };
    let shared = service.shared_enum(rust)?;
    let (name, variant) = (ident(rust), ident(&shared.variant("true")?.rust.value));
    Some(quote!(#name::#variant))
}

/// The methods of the clients that start a call.
pub(super) fn client_methods(action: &Action, service: &Service) -> TokenStream {
    let (name, request) = (ident(&action.rust), ident(&action.request));
    let required: Vec<&Parameter> = action.parameters.iter().filter(|it| it.required).collect();
    let (arguments, names) = arguments(&required, action.required.as_deref());
    let mut examples = ExampleValues { action, service, open: Vec::new() };
    let values = examples.arguments(&required, action.required.as_deref());
    let docs_of = docs(&prose::client_method(action, service, &values), 1);
    let blocking_docs = docs(&prose::blocking_method(action), 1);
    let (aliases, documented) = (action.aliases.iter(), &action.wire);
    let is_other_call = action.variant.as_ref().is_some_and(|variant| !variant.is_with);
    let documented = alias(&action.rust, documented).filter(|_| !is_other_call);
    let aliases = quote!(#documented #(#[doc(alias = #aliases)])*);
    let body = quote!(self.call(#request::new(#names)));
    quote! {
        impl Client {
            #docs_of
            #aliases
            pub fn #name(&self, #arguments) -> Call<#request> {
                #body
            }
        }

        #[cfg(feature = "blocking")]
        impl crate::blocking::Client {
            #blocking_docs
            #aliases
            pub fn #name(&self, #arguments) -> Call<#request, Self> {
                #body
            }
        }
    }
}

/// The values in the example of a call.
struct ExampleValues<'a> {
    action: &'a Action,
    service: &'a Service,
    /// The groups around a value.
    open: Vec<&'a str>,
}

impl<'a> ExampleValues<'a> {
    /// The arguments of a constructor.
    fn arguments(&mut self, required: &[&'a Parameter], required_struct: Option<&str>) -> String {
        let is_field = required_struct.is_some();
        let value = |parameter: &&'a Parameter| {
            let value = self.value(parameter, &parameter.ty, is_field);
            if is_field {
                format!("\n    {}: {},", parameter.rust, value.replace('\n', "\n    "))
            } else {
                value
            }
        };
        let values: Vec<String> = required.iter().map(value).collect();
        match required_struct {
            Some(rust) => format!("{}::{rust} {{{}\n}}", self.path(), values.concat()),
            None => values.join(", "),
        }
    }

    fn path(&self) -> String {
        format!("{}::actions::{}", prose::crate_name(self.service), self.action.rust)
    }

    /// A value, as an argument takes it or as a field has it.
    fn value(&mut self, parameter: &'a Parameter, ty: &'a Type, is_field: bool) -> String {
        let crate_name = prose::crate_name(self.service);
        let (into, list) = if is_field { (".into()", "vec!") } else { ("", "") };
        match ty {
            Type::Scalar(Scalar::String | Scalar::Secret) => {
                // A field has its name beside it.
                let name = super::print::module(&parameter.rust);
                let text = if is_field { "…".to_owned() } else { name.replace('_', "-") };
                format!("\"{text}\"{into}")
            }
            Type::Scalar(Scalar::Int) => "1".to_owned(),
            Type::Scalar(Scalar::Float) => "1.0".to_owned(),
            Type::Scalar(Scalar::Boolean | Scalar::TextBoolean) => "true".to_owned(),
            Type::Enum(rust) => {
                let last = self.action.own_enum(rust).and_then(|values| values.variants.last());
                let variant = last.map_or("", |(variant, _)| variant);
                format!("{}::{rust}::{variant}", self.path())
            }
            Type::Shared { rust, .. } => {
                let shared = self.service.shared_enum(rust);
                let variants = shared.map_or(&[][..], |shared| &shared.variants);
                let shown = variants.iter().rfind(|it| it.deprecated.is_none()).or(variants.last());
                format!("{crate_name}::{rust}::{}", shown.map_or("", |it| &it.rust.value))
            }
            Type::List(element) => match &**element {
                // A group in itself would have no end.
                Type::Struct { rust, .. } if self.open.contains(&rust.as_str()) => {
                    format!("{list}[]")
                }
                element => format!("{list}[{}]", self.value(parameter, element, is_field)),
            },
            Type::Object | Type::Timestamp => {
                "serde_json::json!({ \"key\": \"value\" })".to_owned()
            }
            Type::Struct { rust, .. } => {
                let Some(group) = self.action.group(rust) else { return String::new() };
                self.open.push(rust);
                let required: Vec<&Parameter> =
                    group.parameters.iter().filter(|it| it.required).collect();
                let arguments = self.arguments(&required, group.required.as_deref());
                self.open.pop();
                format!("{}::{rust}::new({arguments})", self.path())
            }
        }
    }
}

/// The same setters on the call, so that one chain is enough.
pub(super) fn call_setters(action: &Action) -> Option<TokenStream> {
    let optional = action.parameters.iter().filter(|it| !it.required);
    let setters: Vec<TokenStream> = optional
        .map(|parameter| setters(parameter, &action.request, &quote!(self.request)))
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
    let values = required.into_iter().filter_map(|parameter| {
        let value = find(parameter)?;
        if action.required.is_none() {
            return Some(value);
        }
        let name = ident(&parameter.rust);
        let into = types::converted(&parameter.ty, &value).unwrap_or(value);
        Some(quote!(#name: #into))
    });
    let setters = optional.into_iter().filter_map(|parameter| {
        let (name, value) = (ident(&parameter.rust), find(parameter)?);
        Some(quote!(.#name(#value)))
    });
    let request = ident(&action.request);
    let arguments = match action.required.as_deref().map(ident) {
        Some(required) => quote!(#required { #(#values),* }),
        None => quote!(#(#values),*),
    };
    quote!(#request::new(#arguments) #(#setters)*)
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
