//! What the parts of one call are lowered with, and the types of parameters and fields.

use std::collections::BTreeSet;

use crate::{
    model::{
        Enum, Form, Group, Scalar, Service, SharedVariant, Type, example::Evidence, models::Models,
        names::TypeNames, naming,
    },
    spec::{
        self, At, Format,
        diagnostic::{Report, suggest},
    },
};

/// A call of an action while it is lowered.
pub(super) struct Context<'a> {
    pub(super) action: &'a spec::Action,
    pub(super) service: &'a Service,
    pub(super) evidence: &'a Evidence,
    /// The beginning of the names of the request's and response's types.
    pub(super) prefix: String,
    pub(super) types: TypeNames,
    pub(super) models: Models,
    pub(super) enums: Vec<Enum>,
    pub(super) groups: Vec<Group>,
    pub(super) report: &'a mut Report,
}

/// The struct that has the parameters or fields.
#[derive(Clone, Copy)]
pub(super) struct Owner<'a> {
    pub(super) role: Role,
    /// Its Rust name, or the beginning of it.
    pub(super) rust: &'a str,
    /// The documented name of the model that it is, or is in.
    pub(super) model: Option<&'a str>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Request,
    /// A struct in the request.
    Sent,
    /// The response, or a struct in it.
    Read,
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

    /// Reports rows that belong to every action or response.
    pub(super) fn refuse_common(&mut self, rows: &[spec::Field], common: &[String], of: &str) {
        for At { value: name, at } in rows.iter().map(|row| &row.name) {
            if common.contains(name) {
                let message = format!("every {of} has `{name}`: it belongs in service.json only");
                self.report.error(*at, message);
            }
        }
    }

    /// The type of a parameter or field, with the lists of its documented type and those that the
    /// name of a parameter adds.
    pub(super) fn ty(
        &mut self,
        field: &spec::Field,
        wire: &str,
        lists: usize,
        owner: Owner<'_>,
    ) -> Type {
        self.check_format(field);
        self.check_secret(field);
        let (element, depth) = field.ty.value.innermost();
        let lists = lists + depth;
        let is_read = owner.role == Role::Read;
        let is_timestamp = field.format.as_ref().is_some_and(|it| it.value == Format::Timestamp);
        let ty = if let Some(shared) = self.shared_enum(field) {
            shared
        } else if let Some(rust) = self.action_enum(field, wire, owner.rust) {
            Type::Enum(rust)
        } else {
            match element {
                _ if is_text_boolean(field) => Type::Scalar(Scalar::TextBoolean),
                spec::Type::Model(name) => {
                    self.models.check(name, field.ty.at, self.report);
                    let rust = match is_read {
                        true => self.models.in_response(name),
                        false => self.models.in_parameters(name),
                    };
                    Type::Struct {
                        rust: rust.unwrap_or_default().to_owned(),
                        boxed: lists == 0
                            && owner.model.is_some_and(|owner| self.models.holds(name, owner)),
                    }
                }
                _ if is_read && is_timestamp => Type::Timestamp,
                spec::Type::String if spec::is_set(&field.secret) => Type::Scalar(Scalar::Secret),
                spec::Type::String => Type::Scalar(Scalar::String),
                spec::Type::Int => Type::Scalar(Scalar::Int),
                spec::Type::Float => Type::Scalar(Scalar::Float),
                spec::Type::Boolean => Type::Scalar(Scalar::Boolean),
                spec::Type::Object | spec::Type::Array(_) => Type::Object,
            }
        };
        ty.in_lists(lists)
    }

    /// A format describes a string or, of a time, an integer.
    fn check_format(&mut self, field: &spec::Field) {
        let Some(format) = &field.format else { return };
        let fits = match format.value {
            Format::Boolean => field.ty.value == spec::Type::String,
            Format::Timestamp => matches!(field.ty.value, spec::Type::String | spec::Type::Int),
        };
        if !fits {
            let message = format!("a value of type {} cannot have this format", field.ty.value);
            self.report.error(format.at, message);
        }
    }

    /// A secret is a string of any text.
    fn check_secret(&mut self, field: &spec::Field) {
        let is_plain = *field.ty.value.innermost().0 == spec::Type::String
            && field.choices.is_none()
            && field.enum_type.is_none()
            && field.format.is_none();
        let message = "only a plain string, or an array of them, can be `secret`";
        self.refuse([(At::place(&field.secret), !is_plain, message)]);
    }

    /// The enum of `service.json` that a field refers to.
    fn shared_enum(&mut self, field: &spec::Field) -> Option<Type> {
        let name = field.enum_type.as_ref()?;
        let Some(shared) = self.service.shared_enum(&name.value) else {
            let known = self.service.enums.iter().map(|it| it.rust.value.as_str());
            let known = suggest(&name.value, known);
            let message = format!("no enum `{}` in service.json{known}", name.value);
            self.report.error(name.at, message);
            return None;
        };
        let form = match &field.ty.value {
            spec::Type::Boolean => Form::Boolean,
            spec::Type::String if is_text_boolean(field) => Form::TextBoolean,
            spec::Type::String => Form::Text,
            other => {
                let message = format!("`enum_type` needs a string or a boolean; found {other}");
                self.report.error(name.at, message);
                return None;
            }
        };
        let has = |value| shared.variant(value).is_some();
        if form == Form::Text {
            let sent: BTreeSet<&str> = shared.variants.iter().map(SharedVariant::text).collect();
            if let Some(choices) = &field.choices
                && sent != choices.value.iter().map(|it| it.value.as_str()).collect()
            {
                let message = format!("`enum` and `{}` have different values", name.value);
                self.report.error(choices.at, message);
            }
        } else if shared.variants.len() != 2 || !has("true") || !has("false") {
            let message =
                format!("`{}` needs two variants, one `true` and one `false`", name.value);
            self.report.error(name.at, message);
        }
        Some(Type::Shared { rust: shared.rust.value.clone(), form })
    }

    /// The enum of a string with documented values, such as `GetRepoType`. A request and its
    /// response share one where name and values are the same.
    fn action_enum(&mut self, field: &spec::Field, wire: &str, owner: &str) -> Option<String> {
        let Some(choices) = &field.choices else {
            if let Some((value, _)) = field.value_names.first() {
                self.report.error(value.at, "`value_names` needs `enum`");
            }
            return None;
        };
        if *field.ty.value.innermost().0 != spec::Type::String {
            self.report.error(choices.at, "`enum` needs a string or an array of strings");
        }
        if choices.value.is_empty() {
            self.report.error(choices.at, "`enum` needs a value");
        }
        let variants = self.variants(field, &choices.value);
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

impl Context<'_> {
    /// The variants of an enum: the Rust name and the documented value of each.
    fn variants(&mut self, field: &spec::Field, values: &[At<String>]) -> Vec<(String, String)> {
        let mut variants: Vec<(String, String)> = Vec::new();
        for At { value, at } in values {
            let given = field.value_names.iter().find(|(named, _)| named.value == *value);
            let (at, rust) = match given {
                Some((_, At { value: rust, at })) if naming::variant(rust).as_ref() == Ok(rust) => {
                    (*at, rust.clone())
                }
                Some((_, At { value: rust, at })) => {
                    self.report.error(*at, format!("`{rust}` cannot name a variant"));
                    continue;
                }
                None => match naming::variant(value) {
                    Ok(rust) => (*at, rust),
                    Err(message) => {
                        self.report.error(*at, format!("{message}; {}", name_it(value)));
                        continue;
                    }
                },
            };
            if variants.iter().any(|(_, other)| other == value) {
                self.report.error(at, format!("the value `{value}` is repeated"));
            } else if rust == "Other" || variants.iter().any(|(other, _)| *other == rust) {
                let way_out = name_it(value);
                let message =
                    format!("`{value}` would be the variant `{rust}`, which exists; {way_out}");
                self.report.error(at, message);
            } else {
                variants.push((rust, value.clone()));
            }
        }
        for (At { value, at }, _) in &field.value_names {
            if !values.iter().any(|other| other.value == *value) {
                let known = suggest(value, values.iter().map(|other| other.value.as_str()));
                self.report.error(*at, format!("`{value}` is not a value of `enum`{known}"));
            }
        }
        variants
    }
}

/// The way out for a value that names no variant.
fn name_it(value: &str) -> String {
    let name = naming::variant(&format!("Value-{value}")).unwrap_or_else(|_| "…".to_owned());
    format!("or add `\"value_names\": {{ {value:?}: \"{name}\" }}` beside `enum`")
}

fn is_text_boolean(field: &spec::Field) -> bool {
    field.format.as_ref().is_some_and(|format| format.value == Format::Boolean)
}
