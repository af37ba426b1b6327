//! What the actions share: their index, and the facts of the service.

use proc_macro2::Literal;
use quote::quote;

use super::{
    print::{self, deprecated, docs, ident, module},
    prose,
};
use crate::model::Service;

/// `mod.rs`.
pub(super) fn index(service: &Service) -> String {
    let actions = service.actions.iter().map(|it| (it.rust.as_str(), it.deprecated.as_ref()));
    let mut modules: Vec<_> = actions.chain([("enums", None), ("service", None)]).collect();
    modules.sort_by_key(|(rust, _)| module(rust));
    let modules = modules.into_iter().map(|(rust, note)| {
        // All that is in a deprecated module is deprecated, the clients' methods included.
        let (name, deprecated) = (ident(rust), deprecated(note));
        let visibility = if rust == "service" { quote!(pub(crate)) } else { quote!(pub) };
        quote!(#deprecated #visibility mod #name;)
    });
    print::file("service.json", &prose::index(service), &quote!(), modules)
}

/// `service.rs`.
pub(super) fn service(service: &Service) -> String {
    let (endpoint, endpoint_docs) = (&service.endpoint, docs(&service.summary, 0));
    let (project, project_docs) = (&service.project_parameter, docs(prose::PROJECT_PARAMETER, 0));
    let constants = service.return_codes.iter().map(|code| {
        let (docs, name) = (docs(&prose::return_code(code), 1), ident(&code.rust.value));
        let number = Literal::i64_unsuffixed(code.code.value);
        quote!(#docs pub const #name: Self = Self::new(#number);)
    });
    let table = service.return_codes.iter().map(|code| {
        let (name, meaning, remedy) = (ident(&code.rust.value), &code.meaning, &code.remedy);
        // The core's variants have the same names.
        let outcome = ident(&format!("{:?}", code.outcome));
        quote!(Self::#name => (RetCodeOutcome::#outcome, #meaning, #remedy))
    });
    let documented = docs(prose::DOCUMENTED, 1);
    // An empty table needs neither the outcomes nor a binding.
    let (import, documentation) = if service.return_codes.is_empty() {
        (
            quote!(
                use crate::ret_code::{Documentation, RetCode};
            ),
            quote!(None),
        )
    } else {
        let import = quote!(
            use crate::ret_code::{Documentation, RetCode, RetCodeOutcome};
        );
        let documentation = quote! {
            let (outcome, meaning, remedy) = match self {
                #(#table,)*
                _ => return None,
            };
            Some(Documentation { meaning, remedy, outcome })
        };
        (import, documentation)
    };
    let items = quote! {
        #import

        #endpoint_docs
        pub(crate) const ENDPOINT: &str = #endpoint;

        #project_docs
        pub(crate) const PROJECT_PARAMETER: &str = #project;

        impl RetCode {
            #(#constants)*

            #documented
            pub(crate) fn documented(self) -> Option<Documentation> {
                #documentation
            }
        }
    };
    print::file("service.json", &prose::service(service), &quote!(), [items])
}
