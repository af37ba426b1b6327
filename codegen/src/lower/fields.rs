//! The fields of responses and models.

use std::collections::{BTreeMap, BTreeSet};

use super::{Names, Types};
use crate::{
    diagnostic::{Report, suggest},
    model::{Absent, Field, Scalar, Struct, Type},
    naming, spec,
};

/// The core keeps a bit for each field that it has seen.
const MAX_FIELDS: usize = 128;

/// The models of an action by their documented names.
#[derive(Debug)]
pub(super) struct Models {
    rust: BTreeMap<String, String>,
    /// Models that hold each other outside of a list, and would be infinite without a box.
    holds: BTreeMap<String, BTreeSet<String>>,
}

impl Models {
    /// Whether a model can be reached from another through fields that hold one model each.
    fn reaches(&self, from: &str, to: &str) -> bool {
        let mut seen = BTreeSet::new();
        let mut open = vec![from];
        while let Some(model) = open.pop() {
            if model == to {
                return true;
            }
            if seen.insert(model) {
                open.extend(
                    self.holds
                        .get(model)
                        .into_iter()
                        .flatten()
                        .map(String::as_str),
                );
            }
        }
        false
    }
}

/// Names the models, so that they can refer to each other in any order.
pub(super) fn names(models: &[spec::Model], types: &mut Types, report: &mut Report<'_>) -> Models {
    let mut named = Models {
        rust: BTreeMap::new(),
        holds: BTreeMap::new(),
    };
    for model in models {
        let name = &model.name;
        match naming::ty(&name.value) {
            Ok(rust) => {
                types.take(
                    &rust,
                    format!("the model `{}`", name.value),
                    name.at,
                    report,
                );
                named.rust.insert(name.value.clone(), rust);
            }
            Err(message) => report.error(name.at, message),
        }
        let held = model
            .fields
            .iter()
            .filter_map(|field| match &field.ty.value {
                spec::Type::Model(held) => Some(held.clone()),
                _ => None,
            });
        named.holds.insert(name.value.clone(), held.collect());
    }
    named
}

pub(super) fn models(
    specs: &[spec::Model],
    models: &Models,
    report: &mut Report<'_>,
) -> Vec<Struct> {
    specs
        .iter()
        .map(|model| Struct {
            wire: model.name.value.clone(),
            rust: models
                .rust
                .get(&model.name.value)
                .cloned()
                .unwrap_or_default(),
            fields: fields(&model.fields, Some(&model.name.value), models, report),
        })
        .collect()
}

pub(super) fn lower(specs: &[spec::Field], models: &Models, report: &mut Report<'_>) -> Vec<Field> {
    fields(specs, None, models, report)
}

fn fields(
    specs: &[spec::Field],
    owner: Option<&str>,
    models: &Models,
    report: &mut Report<'_>,
) -> Vec<Field> {
    if let Some(beyond) = specs.get(MAX_FIELDS) {
        let message = format!("{} fields; at most {MAX_FIELDS} can be read", specs.len());
        report.error(beyond.name.at, message);
    }
    let mut names = Names::default();
    specs
        .iter()
        .map(|field| {
            if let Some(default) = &field.default {
                report.error(default.at, "a response field has no `default`");
            }
            refuse_unrendered(field, report);
            let rust = names.take(
                &field.name.value,
                field.rust_name.as_ref(),
                field.name.at,
                report,
            );
            let ty = ty(&field.ty, owner, models, report);
            let shown_absent = field.shown_absent.as_ref().is_some_and(|shown| shown.value);
            let is_list = matches!(ty, Type::List(_));
            Field {
                wire: field.name.value.clone(),
                rust,
                absent: if !field.required || shown_absent {
                    Absent::Optional
                } else if is_list {
                    Absent::Refused { counted_by: None }
                } else if matches!(ty, Type::Model { boxed: true, .. }) {
                    // Whatever holds itself has to end somewhere.
                    Absent::Optional
                } else {
                    Absent::Empty
                },
                ty,
                format: field.format.as_ref().map(|format| format.value),
                shown_as: field.shown_as.as_ref().map(|shown| shown.value.to_string()),
                shown_absent,
                description: field.description.value.clone(),
            }
        })
        .collect()
}

/// What the format knows and the renderer does not write yet.
pub(super) fn refuse_unrendered(field: &spec::Field, report: &mut Report<'_>) {
    if let Some(choices) = &field.choices {
        report.error(
            choices.at,
            "`enum` is not rendered yet: leave it out, and name the values in the description",
        );
    }
    match &field.format {
        Some(format) if field.ty.value != spec::Type::String => {
            report.error(
                format.at,
                "`format` says what a string holds, and this is none",
            );
        }
        Some(format) if format.value == spec::Format::Boolean => {
            report.error(
                format.at,
                "a `boolean` in a string is not rendered yet: leave the `format` out",
            );
        }
        _ => {}
    }
}

fn ty(
    ty: &spec::At<spec::Type>,
    owner: Option<&str>,
    models: &Models,
    report: &mut Report<'_>,
) -> Type {
    let mut element = &ty.value;
    let mut depth = 0;
    while let spec::Type::Array(inner) = element {
        element = inner;
        depth += 1;
    }
    let innermost = match element {
        spec::Type::String => Type::Scalar(Scalar::String),
        spec::Type::Int => Type::Scalar(Scalar::Int),
        spec::Type::Float => Type::Scalar(Scalar::Float),
        spec::Type::Boolean => Type::Scalar(Scalar::Boolean),
        spec::Type::Object | spec::Type::Array(_) => Type::Object,
        spec::Type::Model(name) => {
            if !models.holds.contains_key(name) {
                report.error(ty.at, unknown_type(name, models));
            }
            Type::Model {
                rust: models.rust.get(name).cloned().unwrap_or_default(),
                boxed: depth == 0 && owner.is_some_and(|owner| models.reaches(name, owner)),
            }
        }
    };
    (0..depth).fold(innermost, |element, _| Type::List(Box::new(element)))
}

fn unknown_type(name: &str, models: &Models) -> String {
    let what = if name.starts_with(|c: char| c.is_ascii_uppercase()) {
        "model"
    } else {
        "type or model"
    };
    let known = models
        .holds
        .keys()
        .map(String::as_str)
        .chain(spec::Type::BASIC);
    format!("no {what} `{name}`{}", suggest(name, known))
}
