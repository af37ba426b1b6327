//! What the parts of one call are lowered with, and the types that parameters and fields share.

use std::collections::BTreeSet;

use crate::{
    model::{
        Enum, Form, Group, Scalar, SharedVariant, example::Evidence, models::Models,
        names::TypeNames, naming, service::Common,
    },
    spec::{
        self, Format, Type,
        diagnostic::{Report, suggest},
    },
};

/// A call of an action while it is lowered.
pub(super) struct Context<'a> {
    pub(super) action: &'a spec::Action,
    pub(super) common: &'a Common,
    pub(super) evidence: &'a Evidence,
    /// The beginning of the names of the request's and response's types.
    pub(super) prefix: String,
    pub(super) types: TypeNames,
    pub(super) models: Models,
    pub(super) enums: Vec<Enum>,
    pub(super) groups: Vec<Group>,
    pub(super) report: &'a mut Report,
}

/// The type of a parameter or field, without the lists around it.
pub(super) enum Element<'f> {
    Scalar(Scalar),
    Object,
    /// An enum of the action, by its Rust name.
    Enum(String),
    /// An enum of `service.json`, by its Rust name.
    Shared {
        rust: String,
        form: Form,
    },
    /// A model, by its documented name.
    Model(&'f str),
}

impl Context<'_> {
    /// Reports each key that is present and wrong: its place, whether it is wrong, and why.
    pub(super) fn refuse<const N: usize>(&mut self, keys: [(Option<usize>, bool, &str); N]) {
        for (place, is_wrong, message) in keys {
            if let Some(at) = place.filter(|_| is_wrong) {
                self.report.error(at, message);
            }
        }
    }

    /// The type of a field, and how many lists are around it. `owner` is the Rust name of the type
    /// that has the field.
    pub(super) fn element<'f>(
        &mut self,
        field: &'f spec::Field,
        wire: &str,
        owner: &str,
    ) -> (Element<'f>, usize) {
        self.check_format(field);
        let (element, depth) = field.ty.value.innermost();
        let element = if let Some(shared) = self.shared_enum(field) {
            shared
        } else if let Some(rust) = self.action_enum(field, wire, owner) {
            Element::Enum(rust)
        } else {
            match element {
                _ if is_text_boolean(field) => Element::Scalar(Scalar::TextBoolean),
                Type::String => Element::Scalar(Scalar::String),
                Type::Int => Element::Scalar(Scalar::Int),
                Type::Float => Element::Scalar(Scalar::Float),
                Type::Boolean => Element::Scalar(Scalar::Boolean),
                Type::Object | Type::Array(_) => Element::Object,
                Type::Model(name) => {
                    self.models.check(name, field.ty.at, self.report);
                    Element::Model(name)
                }
            }
        };
        (element, depth)
    }

    /// A format describes a string or, of a time, an integer.
    fn check_format(&mut self, field: &spec::Field) {
        let Some(format) = &field.format else { return };
        let fits = match format.value {
            Format::Boolean => field.ty.value == Type::String,
            Format::Timestamp => matches!(field.ty.value, Type::String | Type::Int),
        };
        if !fits {
            let message = format!("a value of type {} cannot have this format", field.ty.value);
            self.report.error(format.at, message);
        }
    }

    /// The enum of `service.json` that a field refers to.
    fn shared_enum<'f>(&mut self, field: &spec::Field) -> Option<Element<'f>> {
        let name = field.enum_type.as_ref()?;
        let enums = &self.common.enums;
        let Some(shared) = enums.iter().find(|it| it.rust == name.value) else {
            let known = suggest(&name.value, enums.iter().map(|it| it.rust.as_str()));
            let message = format!("no enum `{}` in service.json{known}", name.value);
            self.report.error(name.at, message);
            return None;
        };
        let form = match &field.ty.value {
            Type::Boolean => Form::Boolean,
            Type::String if is_text_boolean(field) => Form::TextBoolean,
            Type::String => Form::Text,
            other => {
                let message = format!("`enum_type` needs a string or a boolean; found {other}");
                self.report.error(name.at, message);
                return None;
            }
        };
        let has = |value| shared.variant(value).is_some();
        if form == Form::Text {
            let first = |variant: &SharedVariant| variant.values.first().cloned();
            let sent: BTreeSet<String> = shared.variants.iter().filter_map(first).collect();
            if let Some(choices) = &field.choices
                && sent != choices.value.iter().map(|it| it.value.clone()).collect()
            {
                let message = format!("`enum` and `{}` have different values", name.value);
                self.report.error(choices.at, message);
            }
        } else if shared.variants.len() != 2 || !has("true") || !has("false") {
            let message =
                format!("`{}` needs two variants, one `true` and one `false`", name.value);
            self.report.error(name.at, message);
        }
        let rust = shared.rust.clone();
        Some(Element::Shared { rust, form })
    }

    /// The enum of a string with documented values, such as `GetRepoType`. A request and its
    /// response share one where name and values are the same.
    fn action_enum(&mut self, field: &spec::Field, wire: &str, owner: &str) -> Option<String> {
        let choices = field.choices.as_ref()?;
        if *field.ty.value.innermost().0 != Type::String {
            self.report.error(choices.at, "`enum` needs a string or an array of strings");
        }
        if choices.value.is_empty() {
            self.report.error(choices.at, "`enum` needs a value");
        }
        let mut variants: Vec<(String, String)> = Vec::new();
        for value in &choices.value {
            match naming::variant(&value.value) {
                Ok(rust) if rust == "Other" || variants.iter().any(|(other, _)| *other == rust) => {
                    let message =
                        format!("`{}` would be the variant `{rust}`, which exists", value.value);
                    self.report.error(value.at, message);
                }
                Ok(rust) => variants.push((rust, value.value.clone())),
                Err(message) => self.report.error(value.at, message),
            }
        }
        let name = format!("{owner}{}", naming::ty(wire).unwrap_or_default());
        let is_same = |other: &&Enum| {
            other.field == wire && other.variants == variants && other.rust.starts_with(&name)
        };
        if let Some(same) = self.enums.iter().find(is_same) {
            return Some(same.rust.clone());
        }
        let of = format!("the values of `{wire}`");
        let rust = self.types.claim(name, "Value", of, choices.at, self.report);
        self.enums.push(Enum { rust: rust.clone(), field: wire.to_owned(), variants });
        Some(rust)
    }
}

fn is_text_boolean(field: &spec::Field) -> bool {
    field.format.as_ref().is_some_and(|format| format.value == Format::Boolean)
}
