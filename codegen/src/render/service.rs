//! What the actions share: their index, and the facts of the service.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::{
    print::{self, docs, ident, module},
    prose,
};
use crate::model::{ClientParameter, ClientSetting, Service};

/// `mod.rs`.
pub(super) fn index(service: &Service) -> String {
    let actions = service.actions.iter().map(|it| (it.rust.as_str(), it.deprecated.as_ref()));
    let mut modules: Vec<_> = actions.chain([("enums", None), ("service", None)]).collect();
    modules.sort_by_key(|(rust, _)| module(rust));
    let modules = modules.into_iter().map(|(rust, note)| {
        // All that is in a deprecated module is deprecated, the clients' methods included. Its tests
        // would be too, and the test harness names them.
        let name = ident(rust);
        let deprecated = note.map(|note| quote!(#[cfg_attr(not(test), deprecated(note = #note))]));
        let visibility = if rust == "service" { quote!(pub(crate)) } else { quote!(pub) };
        quote!(#deprecated #visibility mod #name;)
    });
    let settings = client_settings(service);
    print::file("service.json", &prose::index(service), &quote!(), modules.chain(settings))
}

/// The settings of the client that are parameters of the service.
fn client_settings(service: &Service) -> Option<TokenStream> {
    let parameters = &service.client_parameters;
    let of_builder = parameters.iter().map(|parameter| {
        let (wire, name) = (&parameter.wire.value, ident(parameter.setting.rust()));
        let docs = docs(&prose::client_setter(parameter), 1);
        quote! {
            #docs
            pub fn #name(self, value: impl Into<String>) -> Self {
                self.parameter(#wire, value.into())
            }
        }
    });
    let with = |prose: &dyn Fn(ClientSetting) -> String| -> Vec<TokenStream> {
        let methods = parameters.iter().map(|ClientParameter { wire, setting }| {
            let (wire, name) = (&wire.value, ident(&format!("with_{}", setting.rust())));
            let docs = docs(&prose(*setting), 1);
            quote! {
                #docs
                #[must_use]
                pub fn #name(&self, value: impl Into<String>) -> Self {
                    self.with_parameter(#wire, value.into())
                }
            }
        });
        methods.collect()
    };
    let of_client = with(&|setting| prose::with_client_setting(setting, service));
    let of_blocking = with(&prose::with_client_setting_blocking);
    let project = parameters.iter().find(|it| it.setting == ClientSetting::Project).map(|it| {
        let (wire, docs) = (&it.wire.value, docs(prose::CLIENT_PROJECT, 1));
        quote! {
            #docs
            #[must_use]
            pub fn project_id(&self) -> Option<&str> {
                self.parameter(#wire)
            }
        }
    });
    (!parameters.is_empty()).then(|| {
        quote! {
            impl crate::config::builder::ClientBuilder {
                #(#of_builder)*
            }

            impl crate::client::Client {
                #project
                #(#of_client)*
            }

            #[cfg(feature = "blocking")]
            impl crate::blocking::Client {
                #(#of_blocking)*
            }
        }
    })
}

/// `service.rs`.
pub(super) fn service(service: &Service) -> String {
    let (endpoint, endpoint_docs) = (&service.endpoint, docs(&service.summary, 0));
    let client_parameters = service.client_parameters.iter().map(|parameter| {
        let (wire, setting) = (&parameter.wire.value, ident(parameter.setting.rust()));
        quote!(ClientParameter::#setting(#wire))
    });
    let client_parameters = quote!(&[#(#client_parameters),*]);
    let client_docs = docs(prose::CLIENT_PARAMETERS, 0);
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
        use crate::config::source::ClientParameter;
        #import

        #endpoint_docs
        pub(crate) const ENDPOINT: &str = #endpoint;

        #client_docs
        #[cfg_attr(test, allow(dead_code))]
        pub(crate) const CLIENT_PARAMETERS: &[ClientParameter] = #client_parameters;

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
