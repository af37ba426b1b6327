//! The module of one action.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::quote;

use super::{
    enums,
    print::{self, ident},
    prose, request, response, types,
};
use crate::model::{Action, PageNumber, Pagination, Scalar, Service, Type, naming};

pub(super) fn file(action: &Action, service: &Service) -> String {
    let wire = &action.wire;
    let (name, response) = (ident(&action.request), ident(&action.response.rust));
    // The core's variants have the same names.
    let idempotency = ident(&format!("{:?}", action.idempotency));
    let (to, additions) = request::additions(&action.parameters, service);
    let page_limit = action.pagination.as_ref().map(|pagination| {
        let limit = number(&pagination.limit, &quote!(self), false);
        quote! {
            fn page_limit(&self) -> Option<i64> {
                #limit
            }
        }
    });
    let names = secret_names(action);
    let secrets = (!names.is_empty())
        .then(|| quote!(const SECRETS: &'static [&'static str] = &[#(#names),*];));
    let action_impls = quote! {
        impl Action for #name {
            const NAME: &'static str = #wire;
            const IDEMPOTENCY: Idempotency = Idempotency::#idempotency;
            #secrets
            type Response = #response;

            fn add_parameters(&self, #to: &mut Parameters<'_>) {
                #additions
            }

            #page_limit
        }

        impl Sealed for #name {}
    };
    let parts = [
        imports(action),
        request::structs(action, service),
        enums::of_action(action),
        action_impls,
        action.pagination.as_ref().map(|pages| paged(action, pages)).unwrap_or_default(),
        request::client_methods(action, service),
        request::call_setters(action).unwrap_or_default(),
        response::structs(action),
        tests(action).unwrap_or_default(),
    ];
    let source = format!("actions/{}", naming::file(&action.wire));
    print::file(
        &source,
        &prose::action(action),
        &print::allow_deprecated(names_deprecated(action, service)),
        parts,
    )
}

/// The documented names of what must not be shown.
fn secret_names(action: &Action) -> BTreeSet<&str> {
    let is_secret = |ty: &Type| *ty.innermost().0 == Type::Scalar(Scalar::Secret);
    let groups = action.groups.iter().flat_map(|group| &group.parameters);
    let parameters = action.parameters.iter().chain(groups);
    let parameters = parameters.filter(|it| is_secret(&it.ty)).map(|it| it.wire.as_str());
    let models = action.models.iter().flat_map(|model| &model.fields);
    let fields = action.response.fields.iter().chain(models);
    parameters.chain(fields.filter(|it| is_secret(&it.ty)).map(|it| it.wire.as_str())).collect()
}

/// Whether the module names what is deprecated.
fn names_deprecated(action: &Action, service: &Service) -> bool {
    let groups = action.groups.iter().flat_map(|group| &group.parameters);
    let parameters = action.parameters.iter().chain(groups).map(|it| &it.deprecated);
    let models = action.models.iter().flat_map(|model| &model.fields);
    let fields = action.response.fields.iter().chain(models).map(|it| &it.deprecated);
    let types = enums::sent(action).into_iter().chain(enums::read(action));
    let mut shared = types.filter_map(|ty| match ty {
        Type::Shared { rust, .. } => service.shared_enum(rust),
        _ => None,
    });
    parameters.chain(fields).any(Option::is_some) || shared.any(enums::has_deprecated)
}

/// The imports of what the module names, and of nothing else.
fn imports(action: &Action) -> TokenStream {
    let (sent, read) = (enums::sent(action), enums::read(action));
    let mut shared: Vec<&str> = sent
        .iter()
        .chain(&read)
        .filter_map(|ty| match ty {
            Type::Shared { rust, .. } => Some(rust.as_str()),
            _ => None,
        })
        .collect();
    shared.sort_unstable();
    shared.dedup();
    let shared = shared.into_iter().map(ident);
    let paged = action.pagination.as_ref().map(|_| quote! { use crate::call::pages::Paged; });
    let names_parameters = !action.groups.is_empty()
        || sent.iter().any(|ty| matches!(ty, Type::Enum(_)))
        // Setters and constructors convert lists. The fields of a struct are not converted.
        || action.parameters.iter().any(|it| {
            it.ty.innermost().1 == 1 && (!it.required || action.required.is_none())
        });
    let parameters = if names_parameters { quote!({self, Parameters}) } else { quote!(Parameters) };
    let is_timed = read.iter().any(|ty| **ty == Type::Timestamp);
    let timestamp = is_timed.then(|| quote! { use crate::wire::timestamp::Timestamp; });
    let secret =
        (!secret_names(action).is_empty()).then(|| quote! { use crate::secret::SecretString; });
    quote! {
        use serde::{Deserialize, Serialize};

        use crate::action::{Action, Idempotency, Sealed};
        #(use crate::actions::enums::#shared;)*
        use crate::call::Call;
        #paged
        use crate::client::Client;
        #secret
        use crate::wire::decode;
        use crate::wire::fields;
        use crate::wire::parameters::#parameters;
        #timestamp
    }
}

/// How the core paginates the action.
fn paged(action: &Action, pagination: &Pagination) -> TokenStream {
    let (request, response) = (ident(&action.request), ident(&action.response.rust));
    let Pagination { offset, limit, total, items, item } = pagination;
    let (items, item) = (ident(items), types::stored(item, false));
    let numbers = [offset, limit].map(|it| number(it, &quote!(self), true));
    let set = [(offset, quote!(offset)), (limit, quote!(limit))].map(|(it, value)| {
        let name = ident(&it.rust);
        let value = if it.is_text { quote!(#value.to_string()) } else { value };
        let value = if it.is_optional { quote!(Some(#value)) } else { value };
        quote!(self.#name = #value;)
    });
    let (total, from) = match total {
        Some(total) => (number(total, &quote!(response), false), quote!(response)),
        None => (quote!(None), quote!(_)),
    };
    quote! {
        impl Paged for #request {
            type Item = #item;

            fn page_range(&self) -> Option<(Option<i64>, Option<i64>)> {
                Some((#(#numbers),*))
            }

            fn set_page_range(&mut self, offset: i64, limit: i64) {
                #(#set)*
            }

            fn total(#from: &#response) -> Option<i64> {
                #total
            }

            fn items(response: &mut #response) -> &mut Vec<#item> {
                &mut response.#items
            }
        }
    }
}

/// A number of a pagination as an `Option<i64>`. A text that is no number is `None`, or returns
/// `None` if it `must_parse`.
fn number(of: &PageNumber, owner: &TokenStream, must_parse: bool) -> TokenStream {
    let name = ident(&of.rust);
    match (of.is_text, of.is_optional) {
        (false, false) => quote!(Some(#owner.#name)),
        (false, true) => quote!(#owner.#name),
        (true, false) if must_parse => quote!(Some(#owner.#name.parse().ok()?)),
        (true, false) => quote!(#owner.#name.parse().ok()),
        (true, true) if must_parse => {
            quote!(#owner.#name.as_ref().map(|text| text.parse()).transpose().ok()?)
        }
        (true, true) => quote!(#owner.#name.as_ref().and_then(|text| text.parse().ok())),
    }
}

/// Tests that the documentation's example is what the code sends and reads.
fn tests(action: &Action) -> Option<TokenStream> {
    let example = &action.example;
    let sends = example.arguments.as_ref().zip(example.request.as_ref());
    let sends = sends.map(|(arguments, text)| {
        let (request, text) = (request::example(action, arguments), print::json_string(text));
        quote! {
            const REQUEST: &str = #text;

            #[test]
            fn sends_the_documented_request() {
                let request = #request;
                testing::assert_sends(&request, REQUEST);
            }
        }
    });
    let reads = example.response.as_ref().map(|text| {
        let (response, text) = (ident(&action.response.rust), print::json_string(text));
        quote! {
            pub(crate) const RESPONSE: &str = #text;

            #[test]
            fn reads_the_documented_response() {
                testing::assert_reads::<#response>(RESPONSE);
            }
        }
    });
    if sends.is_none() && reads.is_none() {
        return None;
    }
    Some(quote! {
        #[cfg(test)]
        pub(crate) mod tests {
            use super::*;
            use crate::testing;

            #sends
            #reads
        }
    })
}
