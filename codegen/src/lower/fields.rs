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
    pub(super) fn has(&self, name: &str) -> bool {
        self.holds.contains_key(name)
    }

    /// What to say of a type that is not there.
    pub(super) fn unknown(&self, name: &str) -> String {
        let what = if name.starts_with(|c: char| c.is_ascii_uppercase()) {
            "model"
        } else {
            "type or model"
        };
        let known = self
            .holds
            .keys()
            .map(String::as_str)
            .chain(spec::Type::BASIC);
        format!("no {what} `{name}`{}", suggest(name, known))
    }

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
    types: &mut Types,
    report: &mut Report<'_>,
) -> Vec<Struct> {
    specs
        .iter()
        .map(|model| {
            let rust = models
                .rust
                .get(&model.name.value)
                .cloned()
                .unwrap_or_default();
            let owner = Owner {
                wire: Some(&model.name.value),
                rust: &rust,
            };
            let fields = fields(&model.fields, owner, models, types, report);
            if let Some(second) = model
                .fields
                .iter()
                .filter(|field| field.is_shown_alone())
                .nth(1)
            {
                report.error(
                    second.name.at,
                    "only one field can stand for the whole model",
                );
            }
            Struct {
                wire: model.name.value.clone(),
                fields,
                rust,
            }
        })
        .collect()
}

/// The fields of a response.
pub(super) fn lower(
    specs: &[spec::Field],
    models: &Models,
    types: &mut Types,
    report: &mut Report<'_>,
) -> Vec<Field> {
    let prefix = types.prefix.clone();
    fields(
        specs,
        Owner {
            wire: None,
            rust: &prefix,
        },
        models,
        types,
        report,
    )
}

/// What fields belong to: a model, or the response.
#[derive(Clone, Copy)]
struct Owner<'a> {
    wire: Option<&'a str>,
    rust: &'a str,
}

fn fields(
    specs: &[spec::Field],
    owner: Owner<'_>,
    models: &Models,
    types: &mut Types,
    report: &mut Report<'_>,
) -> Vec<Field> {
    if let Some(beyond) = specs.get(MAX_FIELDS) {
        let message = format!("{} fields; at most {MAX_FIELDS} can be read", specs.len());
        report.error(beyond.name.at, message);
    }
    let mut names = Names::default();
    let mut lowered: Vec<Field> = specs
        .iter()
        .map(|field| {
            refuse_misplaced(field, report);
            let name = &field.name;
            let rust = names.take(&name.value, field.rust_name.as_ref(), name.at, report);
            let ty = match types.enumerate(owner.rust, field, report) {
                Some(rust) => Type::Enum(rust),
                None => ty(field, owner.wire, models, report),
            };
            let shown_absent = field.is_shown_absent();
            let is_alone = field.is_shown_alone();
            if is_alone
                && (ty != Type::Scalar(Scalar::String) || !field.required || owner.wire.is_none())
            {
                report.error(
                    name.at,
                    "only a required string of a model can stand for the whole of it",
                );
            }
            Field {
                wire: name.value.clone(),
                rust,
                absent: match ty {
                    _ if !field.required || shown_absent => Absent::Optional,
                    Type::List(_) => Absent::Refused { counted_by: None },
                    // Whatever holds itself has to end somewhere.
                    Type::Model { boxed: true, .. } => Absent::Optional,
                    _ => Absent::Empty,
                },
                is_alone,
                ty,
                shown_as: field.shown_as.as_ref().map(|shown| shown.value.to_string()),
                shown_absent,
                description: field.description.value.clone(),
            }
        })
        .collect();
    for (index, field) in specs.iter().enumerate() {
        let Some(name) = &field.counted_by else {
            continue;
        };
        let count = specs.iter().position(|count| {
            count.name.value == name.value
                && count.ty.value == spec::Type::Int
                && count.required
                && !count.is_shown_absent()
        });
        match (count, &lowered[index].absent) {
            (Some(count), Absent::Refused { .. }) => {
                let counted_by = Some(lowered[count].rust.clone());
                lowered[index].absent = Absent::Refused { counted_by };
            }
            (None, _) => report.error(
                name.at,
                format!("no required int `{}` beside the list", name.value),
            ),
            (Some(_), _) => report.error(name.at, "only a required list needs to be counted"),
        }
    }
    lowered
}

/// Keys that mean something of a parameter, and nothing of a field.
fn refuse_misplaced(field: &spec::Field, report: &mut Report<'_>) {
    let places = [
        ("default", field.default.as_ref().map(|node| node.at)),
        (
            "must_choose",
            field.must_choose.as_ref().map(|flag| flag.at),
        ),
        (
            "may_be_empty",
            field.may_be_empty.as_ref().map(|flag| flag.at),
        ),
        (
            "without",
            field.without.as_ref().map(|without| without.action.at),
        ),
    ];
    for (key, at) in places {
        if let Some(at) = at {
            report.error(
                at,
                format!("a field has no `{key}`: it is said of parameters"),
            );
        }
    }
}

/// A format says what a string holds, or, of a time, an integer.
pub(super) fn check_format(field: &spec::Field, report: &mut Report<'_>) {
    if let Some(format) = &field.format {
        let fits = match format.value {
            spec::Format::Boolean => field.ty.value == spec::Type::String,
            spec::Format::Timestamp => {
                matches!(field.ty.value, spec::Type::String | spec::Type::Int)
            }
        };
        if !fits {
            report.error(
                format.at,
                format!("a value of type {} cannot have this format", field.ty.value),
            );
        }
    }
}

fn ty(field: &spec::Field, owner: Option<&str>, models: &Models, report: &mut Report<'_>) -> Type {
    check_format(field, report);
    match field.format.as_ref().map(|format| format.value) {
        Some(spec::Format::Timestamp) => return Type::Timestamp,
        Some(spec::Format::Boolean) => return Type::Scalar(Scalar::TextBoolean),
        None => {}
    }
    let ty = &field.ty;
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
            if !models.has(name) {
                report.error(ty.at, models.unknown(name));
            }
            Type::Model {
                rust: models.rust.get(name).cloned().unwrap_or_default(),
                boxed: depth == 0 && owner.is_some_and(|owner| models.reaches(name, owner)),
            }
        }
    };
    (0..depth).fold(innermost, |element, _| Type::List(Box::new(element)))
}
