//! Responses and the models in them.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::{
    print::{deprecated, docs, ident},
    prose,
    request::alias,
    serde, types,
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
        let deprecated = deprecated(field.deprecated.as_ref());
        let (name, ty) =
            (ident(&field.rust), types::stored(&field.ty, field.absent == Absent::Optional));
        quote!(#docs #alias #deprecated pub #name: #ty)
    });
    let table = model.fields.iter().map(|field| table_entry(field, &model.fields));
    let read = (!model.fields.is_empty()).then(|| read(model));
    let (count, write) = (count(model), serde::of_model(model));
    quote! {
        #docs_of
        #alias
        #[derive(Debug, Clone, Default, PartialEq)]
        #[non_exhaustive]
        pub struct #name {
            #(#fields,)*
        }

        impl decode::Model for #name {
            const NAME: &'static str = #name_text;
            const FIELDS: &'static [decode::Field] = &[#(#table),*];

            #read
            #count
        }

        impl<'de> Deserialize<'de> for #name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                decode::read_object(from)
            }
        }

        #write
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

/// Finds the fields of a model and reads them.
fn read(model: &Struct) -> TokenStream {
    let indices = || (0..model.fields.len()).map(Literal::usize_unsuffixed);
    let (find_indices, read_indices) = (indices(), indices());
    let wires = model.fields.iter().map(|field| &field.wire);
    let names = model.fields.iter().map(|field| ident(&field.rust));
    quote! {
        #[inline]
        fn index_of(key: &str) -> Option<u8> {
            match key {
                #(#wires => Some(#find_indices),)*
                _ => None,
            }
        }

        fn read_field<'de, A: serde::de::MapAccess<'de>>(
            &mut self,
            field: decode::FieldContext<'_>,
            from: &mut A,
        ) -> Result<(), A::Error> {
            match field.index {
                #(#read_indices => field.read(from, &mut self.#names),)*
                _ => Ok(()),
            }
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
