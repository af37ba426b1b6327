//! The fields of responses and models.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    model::lower::{Names, Types},
    model::shown::{self, Shown},
};
use crate::{
    model::naming,
    model::{Absent, Field, Scalar, Struct, Type},
    spec,
    spec::diagnostic::{Report, suggest},
};

/// The core keeps a bit for each field that it has seen.
const MAX_FIELDS: usize = 128;

/// The models of an action by their documented names.
#[derive(Debug, Default)]
pub(crate) struct Models {
    /// The Rust names of those in the response, and of those that nothing refers to.
    in_response: BTreeMap<String, String>,
    /// The Rust names of those in the parameters.
    in_parameters: BTreeMap<String, String>,
    /// Models that hold each other outside of a list, and would be infinite without a box.
    holds: BTreeMap<String, BTreeSet<String>>,
    shown: Shown,
}

impl Models {
    pub(crate) fn has(&self, name: &str) -> bool {
        self.holds.contains_key(name)
    }

    /// Whether the example shows a field of a response as what its type cannot read.
    pub(crate) fn is_unreadable(&self, field: &spec::Field) -> bool {
        self.shown.unreadable.contains(&field.name.at)
    }

    pub(crate) fn in_parameters(&self, name: &str) -> Option<&str> {
        self.in_parameters.get(name).map(String::as_str)
    }

    pub(crate) fn in_response(&self, name: &str) -> Option<&str> {
        self.in_response.get(name).map(String::as_str)
    }

    /// What to say of a type that is not there.
    pub(crate) fn unknown(&self, name: &str) -> String {
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
    pub(crate) fn reaches(&self, from: &str, to: &str) -> bool {
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
pub(crate) fn names(action: &spec::Action, types: &mut Types, report: &mut Report<'_>) -> Models {
    let (sent, read) = (
        reached(&action.parameters, &action.models),
        reached(&action.response, &action.models),
    );
    let mut named = Models {
        shown: shown::shown(action),
        ..Models::default()
    };
    // A name that Rust can take as it is goes to the model that is documented so.
    let (exact, other): (Vec<&spec::Model>, Vec<&spec::Model>) =
        action.models.iter().partition(|model| {
            let name = &model.name.value;
            naming::ty(name).as_ref() == Ok(name)
        });
    for model in exact.into_iter().chain(other) {
        let spec::At { value: name, at } = &model.name;
        let held = model
            .fields
            .iter()
            .filter_map(|field| match &field.ty.value {
                spec::Type::Model(held) => Some(held.clone()),
                _ => None,
            });
        named.holds.insert(name.clone(), held.collect());
        let rust = match naming::ty(name) {
            Ok(rust) => rust,
            Err(message) => {
                report.error(*at, message);
                continue;
            }
        };
        let what = format!("the model `{name}`");
        let is_sent = sent.contains(name.as_str());
        let is_read = read.contains(name.as_str()) || !is_sent;
        if is_read {
            let rust = types.claim(rust.clone(), "Model", what.clone(), *at, report);
            named.in_response.insert(name.clone(), rust);
        }
        if is_sent {
            // What is read and what is sent differ in what may be left out: one name, two structs.
            let ending = if is_read { "Parameters" } else { "" };
            let rust = types.claim(format!("{rust}{ending}"), "Model", what, *at, report);
            named.in_parameters.insert(name.clone(), rust);
        }
    }
    named
}

/// The models that fields lead to, at whatever depth.
fn reached<'a>(fields: &'a [spec::Field], models: &'a [spec::Model]) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&spec::Field> = fields.iter().collect();
    while let Some(field) = open.pop() {
        if let (spec::Type::Model(name), _) = field.ty.value.innermost()
            && reached.insert(name.as_str())
        {
            let model = models.iter().find(|model| model.name.value == *name);
            open.extend(model.into_iter().flat_map(|model| &model.fields));
        }
    }
    reached
}

/// The models in a response.
pub(crate) fn models(
    specs: &[spec::Model],
    models: &Models,
    types: &mut Types,
    report: &mut Report<'_>,
) -> Vec<Struct> {
    specs
        .iter()
        .filter_map(|model| {
            let name = &model.name.value;
            let rust = models.in_response(name)?.to_owned();
            let owner = Owner {
                model: Some(name),
                rust: &rust,
                is_sent: models.in_parameters(name).is_some(),
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
            Some(Struct {
                wire: name.clone(),
                fields,
                rust,
            })
        })
        .collect()
}

/// The fields of a response.
pub(crate) fn lower(
    specs: &[spec::Field],
    models: &Models,
    types: &mut Types,
    report: &mut Report<'_>,
) -> Vec<Field> {
    let prefix = types.prefix.clone();
    fields(
        specs,
        Owner {
            model: None,
            rust: &prefix,
            is_sent: false,
        },
        models,
        types,
        report,
    )
}

/// What fields belong to: a model, or the response.
#[derive(Clone, Copy)]
struct Owner<'a> {
    model: Option<&'a str>,
    /// What the types in it begin with.
    rust: &'a str,
    /// Whether it stands in parameters too, and keys of theirs may be said of its fields.
    is_sent: bool,
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
            if !owner.is_sent {
                refuse_misplaced(field, report);
            }
            let name = &field.name;
            let rust = names.take(&name.value, field.rust_name.as_ref(), name.at, report);
            let ty = if models.is_unreadable(field) {
                Type::Object
            } else {
                let choices = types.enumerate(owner.rust, &name.value, field, report);
                ty(field, choices, owner.model, models, report)
            };
            let example_omits = field.is_shown_absent();
            let is_shorthand = field.is_shown_alone();
            if is_shorthand
                && (ty != Type::Scalar(Scalar::String) || !field.required || owner.model.is_none())
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
                    _ if !field.required || example_omits => Absent::Optional,
                    Type::List(_) => Absent::Refused { counted_by: None },
                    // Whatever holds itself has to end somewhere.
                    Type::Model { boxed: true, .. } => Absent::Optional,
                    _ => Absent::Empty,
                },
                is_shorthand,
                is_single: models.shown.single.contains(&name.at) && matches!(ty, Type::List(_)),
                ty,
                example_type: field
                    .example_type
                    .as_ref()
                    .map(|shown| shown.value.to_string()),
                example_omits,
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
                && !models.is_unreadable(count)
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
        ("explicit", field.explicit.as_ref().map(|flag| flag.at)),
        (
            "allow_empty",
            field.allow_empty.as_ref().map(|flag| flag.at),
        ),
        (
            "split_when_absent",
            field
                .split_when_absent
                .as_ref()
                .map(|split| split.action.at),
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
pub(crate) fn check_format(field: &spec::Field, report: &mut Report<'_>) {
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

fn ty(
    field: &spec::Field,
    choices: Option<String>,
    owner: Option<&str>,
    models: &Models,
    report: &mut Report<'_>,
) -> Type {
    check_format(field, report);
    let ty = &field.ty;
    let (element, depth) = ty.value.innermost();
    let format = field.format.as_ref().map(|format| format.value);
    let innermost = match (choices, format, element) {
        (Some(rust), ..) => Type::Enum(rust),
        (_, Some(spec::Format::Timestamp), _) => Type::Timestamp,
        (_, Some(spec::Format::Boolean), _) => Type::Scalar(Scalar::TextBoolean),
        (.., spec::Type::String) => Type::Scalar(Scalar::String),
        (.., spec::Type::Int) => Type::Scalar(Scalar::Int),
        (.., spec::Type::Float) => Type::Scalar(Scalar::Float),
        (.., spec::Type::Boolean) => Type::Scalar(Scalar::Boolean),
        (.., spec::Type::Object | spec::Type::Array(_)) => Type::Object,
        (.., spec::Type::Model(name)) => {
            if !models.has(name) {
                report.error(ty.at, models.unknown(name));
            }
            Type::Model {
                rust: models.in_response(name).unwrap_or_default().to_owned(),
                boxed: depth == 0 && owner.is_some_and(|owner| models.reaches(name, owner)),
            }
        }
    };
    (0..depth).fold(innermost, |element, _| Type::List(Box::new(element)))
}
