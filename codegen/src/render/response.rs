//! Responses and the models in them.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::{
    print::{docs, ident},
    prose,
    request::{alias, pascal_case},
    types,
};
use crate::model::{Absent, Action, Field, Form, Scalar, Struct, Type};

pub(super) fn structs(action: &Action) -> TokenStream {
    let response = model(&action.response, &prose::response(action), None);
    let models = action.models.iter().map(|inner| {
        let alias = alias(&inner.rust, &inner.wire);
        model(inner, &prose::model(inner, action), alias)
    });
    quote!(#response #(#models)*)
}

/// A struct, and how it is read.
fn model(model: &Struct, text: &str, alias: Option<TokenStream>) -> TokenStream {
    let (docs_of, name, name_text) = (docs(text, 0), ident(&model.rust), &model.rust);
    let fields = model.fields.iter().map(|field| {
        let docs = docs(&prose::field(field), 1);
        let alias = self::alias(&field.rust, &field.wire);
        let wire = &field.wire;
        let rename = (pascal_case(&field.rust) != *wire).then(|| quote!(#[serde(rename = #wire)]));
        let (name, ty) = (ident(&field.rust), types::field(field));
        quote!(#docs #alias #rename pub #name: #ty)
    });
    let table = model.fields.iter().map(|field| table_entry(field, &model.fields));
    let index_of = index_of(model);
    let read_field = read_field(model);
    let count = count(model);
    quote! {
        #docs_of
        #alias
        #[derive(Debug, Clone, Default, PartialEq, Serialize)]
        #[serde(rename_all = "PascalCase")]
        #[non_exhaustive]
        pub struct #name {
            #(#fields,)*
        }

        impl decode::Model for #name {
            const NAME: &'static str = #name_text;
            const FIELDS: &'static [decode::Field] = &[#(#table),*];

            #index_of

            #read_field

            #count
        }

        impl<'de> Deserialize<'de> for #name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                decode::read_object(from)
            }
        }
    }
}

/// `Field::list("ImageSet").counted_by("TotalCount")`
fn table_entry(field: &Field, fields: &[Field]) -> TokenStream {
    let wire = &field.wire;
    let (presence, counted_by) = match &field.absent {
        Absent::Empty => (quote!(required), None),
        Absent::Optional => (quote!(optional), None),
        Absent::Refused { counted_by } => (quote!(list), counted_by.as_ref()),
    };
    let counted_by = counted_by.and_then(|rust| {
        let total = &fields.iter().find(|field| field.rust == *rust)?.wire;
        Some(quote!(.counted_by(#total)))
    });
    let is_text = matches!(
        field.ty,
        Type::Scalar(Scalar::TextBoolean)
            | Type::Shared { form: Form::Text | Form::TextBoolean, .. }
    );
    let form = if field.is_shorthand {
        Some(quote!(.shorthand()))
    } else if field.is_single {
        Some(quote!(.single()))
    } else {
        is_text.then(|| quote!(.text()))
    };
    quote!(decode::Field::#presence(#wire) #counted_by #form)
}

fn index_of(model: &Struct) -> TokenStream {
    if model.fields.is_empty() {
        return quote! {
            fn index_of(_: &str) -> Option<usize> {
                None
            }
        };
    }
    let arms = model.fields.iter().enumerate().map(|(index, field)| {
        let (wire, index) = (&field.wire, Literal::usize_unsuffixed(index));
        quote!(#wire => Some(#index),)
    });
    quote! {
        fn index_of(key: &str) -> Option<usize> {
            match key {
                #(#arms)*
                _ => None,
            }
        }
    }
}

fn read_field(model: &Struct) -> TokenStream {
    if model.fields.is_empty() {
        return quote! {
            fn read_field<'de, A: serde::de::MapAccess<'de>>(
                &mut self,
                _: decode::FieldContext<'_>,
                _: &mut A,
            ) -> Result<(), A::Error> {
                Ok(())
            }
        };
    }
    let arms = model.fields.iter().enumerate().map(|(index, field)| {
        let (name, index) = (ident(&field.rust), Literal::usize_unsuffixed(index));
        quote!(#index => self.#name = field.read(from)?,)
    });
    quote! {
        fn read_field<'de, A: serde::de::MapAccess<'de>>(
            &mut self,
            field: decode::FieldContext<'_>,
            from: &mut A,
        ) -> Result<(), A::Error> {
            match field.index {
                #(#arms)*
                _ => {}
            }
            Ok(())
        }
    }
}

/// The values of the fields that count lists.
fn count(model: &Struct) -> Option<TokenStream> {
    let is_counter = |field: &&Field| {
        model.fields.iter().any(|list| {
            let counter = Some(&field.rust);
            matches!(&list.absent, Absent::Refused { counted_by } if counted_by.as_ref() == counter)
        })
    };
    let arms: Vec<TokenStream> = model
        .fields
        .iter()
        .filter(is_counter)
        .map(|field| {
            let (wire, name) = (&field.wire, ident(&field.rust));
            quote!(#wire => Some(self.#name),)
        })
        .collect();
    (!arms.is_empty()).then(|| {
        quote! {
            fn count(&self, key: &str) -> Option<i64> {
                match key {
                    #(#arms)*
                    _ => None,
                }
            }
        }
    })
}
