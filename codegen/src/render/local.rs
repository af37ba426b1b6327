//! The tables of the local server: what is documented of each action, and the return codes.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::{
    print::{self, docs},
    prose,
};
use crate::model::{Action, Form, Parameter, Scalar, Service, SharedVariant, Type};

pub(super) fn tables(service: &Service) -> String {
    // Two calls of one documented action differ in a parameter: the one that has it documents both.
    let has_all = |action: &&Action| action.variant.as_ref().is_none_or(|variant| variant.is_with);
    let mut actions: Vec<&Action> = service.actions.iter().filter(has_all).collect();
    actions.sort_by(|a, b| a.wire.cmp(&b.wire));
    let actions = actions.into_iter().map(|action| {
        let context = Context { action, service };
        let (name, parameters) = (&action.wire, context.list(&action.parameters, &mut Vec::new()));
        let example = action.example.response.as_deref();
        let example = example.map_or_else(|| Literal::string(""), print::json_string);
        quote!(Action { name: #name, parameters: #parameters, example: #example })
    });
    let codes = service.return_codes.iter().map(|code| {
        let (number, meaning) = (Literal::i64_unsuffixed(code.code.value), &code.meaning);
        quote!(ReturnCode { code: #number, meaning: #meaning })
    });
    let (actions_docs, codes_docs) =
        (docs(prose::LOCAL_ACTIONS, 0), docs(prose::LOCAL_RETURN_CODES, 0));
    let items = quote! {
        use crate::documented::{Action, Kind, Parameter, ReturnCode};

        #actions_docs
        pub(crate) const ACTIONS: &[Action] = &[#(#actions),*];

        #codes_docs
        pub(crate) const RETURN_CODES: &[ReturnCode] = &[#(#codes),*];
    };
    print::file("service.json` and `actions/*.json", &prose::local(service), &quote!(), [items])
}

#[derive(Clone, Copy)]
struct Context<'a> {
    action: &'a Action,
    service: &'a Service,
}

impl<'a> Context<'a> {
    /// `open` are the groups around the parameters.
    fn list(self, parameters: &'a [Parameter], open: &mut Vec<&'a str>) -> TokenStream {
        let parameters = parameters.iter().map(|parameter| {
            // What our call requires may be optional in the documentation.
            let is_ours = parameter.is_explicit
                || self
                    .action
                    .variant
                    .as_ref()
                    .is_some_and(|variant| variant.parameter == parameter.wire);
            let (name, required) = (&parameter.wire, parameter.required && !is_ours);
            let kind = self.kind(&parameter.ty, open);
            quote!(Parameter { name: #name, kind: Kind::#kind, required: #required })
        });
        quote!(&[#(#parameters),*])
    }

    fn kind(self, ty: &'a Type, open: &mut Vec<&'a str>) -> TokenStream {
        match ty {
            Type::Scalar(Scalar::String | Scalar::Secret) => quote!(String),
            Type::Scalar(Scalar::Int) => quote!(Int),
            Type::Scalar(Scalar::Float) => quote!(Float),
            Type::Scalar(Scalar::Boolean) | Type::Shared { form: Form::Boolean, .. } => {
                quote!(Boolean)
            }
            Type::Scalar(Scalar::TextBoolean) | Type::Shared { form: Form::TextBoolean, .. } => {
                quote!(Flag)
            }
            Type::Enum(rust) => {
                let variants =
                    self.action.own_enum(rust).into_iter().flat_map(|values| &values.variants);
                let values = variants.map(|(_, value)| value);
                quote!(Enum(&[#(#values),*]))
            }
            Type::Shared { rust, .. } => {
                let shared = self.service.shared_enum(rust);
                let variants = shared.into_iter().flat_map(|shared| &shared.variants);
                let values = variants.map(SharedVariant::text);
                quote!(Enum(&[#(#values),*]))
            }
            Type::Object | Type::Timestamp => quote!(Any),
            Type::List(element) => {
                let element = self.kind(element, open);
                quote!(List(&Kind::#element))
            }
            // A group in itself would have no end.
            Type::Struct { rust, .. } if open.contains(&rust.as_str()) => quote!(Any),
            Type::Struct { rust, .. } => {
                open.push(rust);
                let group = self.action.group(rust);
                let parameters = self.list(group.map_or(&[], |group| &group.parameters), open);
                open.pop();
                quote!(Group(#parameters))
            }
        }
    }
}
