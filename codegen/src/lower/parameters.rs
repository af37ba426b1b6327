//! The parameters of a request: a tree, where their names have dots.

use std::collections::BTreeMap;

use super::{
    Common, Names, Types,
    example::fits,
    fields::{Models, check_format},
};
use crate::{
    diagnostic::{Report, suggest},
    json,
    model::{Parameter, Scalar, Shape},
    naming, spec,
};

/// One level of the tree before it is named: its branches in the order of the documentation.
#[derive(Debug, Default)]
struct Level<'a> {
    order: Vec<&'a str>,
    branches: BTreeMap<&'a str, Branch<'a>>,
}

#[derive(Debug)]
struct Branch<'a> {
    /// The parameter whose name led here first.
    first: &'a spec::Field,
    /// How many `.N` follow the name.
    lists: usize,
    below: Below<'a>,
}

#[derive(Debug)]
enum Below<'a> {
    Leaf,
    Group(Level<'a>),
}

/// `Disks.N.Type` is the `Type` of a list of `Disks`.
const INDEX: &str = "N";
/// A tree deeper than this is a slip of the keyboard.
const MAX_DEPTH: usize = 16;

pub(super) fn lower(
    specs: &[spec::Field],
    models: &Models,
    common: &Common,
    types: &mut Types,
    report: &mut Report<'_>,
) -> Vec<Parameter> {
    let mut tree = Level::default();
    for parameter in specs {
        let name = &parameter.name;
        if common.parameters.contains(&name.value) {
            report.error(
                name.at,
                format!(
                    "every action has `{}`: it stands in service.json alone",
                    name.value
                ),
            );
        }
        check(parameter, common, report);
        let path: Vec<&str> = name.value.split('.').collect();
        if path.len() > MAX_DEPTH {
            report.error(
                name.at,
                format!(
                    "a name of {} parts; at most {MAX_DEPTH} are allowed",
                    path.len()
                ),
            );
        } else if path.iter().any(|part| part.is_empty()) || path[0] == INDEX {
            report.error(
                name.at,
                format!("`{}` has an empty part, or an index of nothing", name.value),
            );
        } else {
            plant(&mut tree, &path, parameter, report);
        }
    }
    grow(&tree, "", models, common, types, report)
}

/// What can be said of a parameter by itself.
fn check(parameter: &spec::Field, common: &Common, report: &mut Report<'_>) {
    check_format(parameter, report);
    if let Some(alone) = &parameter.shown_alone {
        report.error(
            alone.at,
            "a parameter has no `shown_alone`: it is said of a model's field",
        );
    }
    if let Some(counted_by) = &parameter.counted_by {
        report.error(
            counted_by.at,
            "a parameter has no `counted_by`: it is said of a response's list",
        );
    }
    if let Some(flag) = &parameter.may_be_empty {
        let is_plain = parameter.ty.value == spec::Type::String
            && parameter.choices.is_none()
            && parameter.format.is_none()
            && !parameter.name.value.contains('.');
        if !is_plain {
            report.error(
                flag.at,
                "`may_be_empty` is said of a plain string, and this is none",
            );
        } else if parameter.required
            || parameter.must_choose.is_some()
            || parameter.without.is_some()
        {
            report.error(
                flag.at,
                "`may_be_empty` is said of a parameter that may be left out",
            );
        } else if common.from_client.contains_key(&parameter.name.value) {
            report.error(flag.at, "what the client fills in cannot be empty");
        }
    }
    // The two calls that `without` makes of an action have it checked once, where it is optional.
    if parameter.required && parameter.without.is_none() {
        if let Some(default) = &parameter.default {
            report.error(default.at, "a required parameter has no `default`");
        }
        if let Some(flag) = &parameter.must_choose {
            report.error(flag.at, "a required parameter is chosen anyway");
        }
    }
    if let Some(default) = &parameter.default {
        if let Err(message) = fits(default, &parameter.ty.value, &|_| None) {
            report.error(
                default.at,
                format!("the default does not fit its type: {message}"),
            );
        }
        if let (Some(choices), json::Value::String(default_value)) =
            (&parameter.choices, &default.value)
            && !choices
                .value
                .iter()
                .any(|choice| choice.value == *default_value)
        {
            let known = choices.value.iter().map(|choice| choice.value.as_str());
            report.error(
                default.at,
                format!(
                    "`{default_value}` is none of the values{}",
                    suggest(default_value, known)
                ),
            );
        }
    }
}

fn plant<'a>(
    level: &mut Level<'a>,
    path: &[&'a str],
    parameter: &'a spec::Field,
    report: &mut Report<'_>,
) {
    let [name, rest @ ..] = path else { return };
    let lists = rest.iter().take_while(|part| **part == INDEX).count();
    let rest = &rest[lists..];
    let is_new = !level.branches.contains_key(name);
    if is_new {
        level.order.push(name);
    }
    let branch = level.branches.entry(name).or_insert_with(|| Branch {
        first: parameter,
        lists,
        below: if rest.is_empty() {
            Below::Leaf
        } else {
            Below::Group(Level::default())
        },
    });
    let wire = &parameter.name;
    match &mut branch.below {
        _ if branch.lists != lists => report.error(
            wire.at,
            format!(
                "`{}` and `{}` disagree on whether `{name}` is a list",
                wire.value, branch.first.name.value
            ),
        ),
        Below::Group(below) if !rest.is_empty() => plant(below, rest, parameter, report),
        Below::Leaf if rest.is_empty() && is_new => {}
        Below::Leaf if rest.is_empty() => {
            report.error(wire.at, format!("`{}` stands here twice", wire.value));
        }
        _ => report.error(
            wire.at,
            format!(
                "`{}` and `{}` disagree on whether `{name}` is a value or a group",
                wire.value, branch.first.name.value
            ),
        ),
    }
}

fn grow(
    level: &Level<'_>,
    prefix: &str,
    models: &Models,
    common: &Common,
    types: &mut Types,
    report: &mut Report<'_>,
) -> Vec<Parameter> {
    let mut names = Names::default();
    let mut grown = Vec::new();
    for wire in &level.order {
        let Branch {
            first,
            lists,
            below,
        } = &level.branches[wire];
        let at = first.name.at;
        let (shape, given) = match below {
            Below::Leaf => (leaf(first, models, types, report), first.rust_name.as_ref()),
            Below::Group(below) => {
                let rust = naming::ty(wire)
                    .map(|name| format!("{prefix}{name}"))
                    .unwrap_or_else(|message| {
                        report.error(at, message);
                        String::new()
                    });
                types.take(
                    &rust,
                    format!("the group of parameters `{wire}`"),
                    at,
                    report,
                );
                let parameters = grow(below, &rust, models, common, types, report);
                (Shape::Group { rust, parameters }, None)
            }
        };
        let is_leaf = matches!(below, Below::Leaf);
        let is_optional_text =
            shape == Shape::Scalar(Scalar::String) && *lists == 0 && !first.required;
        if prefix.is_empty() && common.from_client.contains_key(*wire) && !is_optional_text {
            report.error(
                at,
                format!(
                    "the client fills `{wire}` in, and can do that for an optional string alone"
                ),
            );
        }
        grown.push(Parameter {
            wire: (*wire).to_owned(),
            rust: names.take(wire, given, at, report),
            required: match &shape {
                Shape::Group { parameters, .. } => {
                    parameters.iter().any(|parameter| parameter.required)
                }
                _ => first.required || spec::is_set(first.must_choose.as_ref()),
            },
            shape: (0..*lists).fold(shape, |element, _| Shape::List(Box::new(element))),
            default: first.default.as_ref().filter(|_| is_leaf).map(text),
            is_chosen: is_leaf && spec::is_set(first.must_choose.as_ref()),
            may_be_empty: is_leaf && spec::is_set(first.may_be_empty.as_ref()),
            from_client: prefix.is_empty() && common.from_client.contains_key(*wire),
            description: if is_leaf {
                first.description.value.clone()
            } else {
                format!("The parameters named `{wire}.…`.")
            },
        });
    }
    grown
}

fn leaf(
    parameter: &spec::Field,
    models: &Models,
    types: &mut Types,
    report: &mut Report<'_>,
) -> Shape {
    let owner = types.prefix.clone();
    if let Some(rust) = types.enumerate(&owner, parameter, report) {
        return Shape::Enum(rust);
    }
    if parameter
        .format
        .as_ref()
        .is_some_and(|format| format.value == spec::Format::Boolean)
    {
        return Shape::Scalar(Scalar::TextBoolean);
    }
    let mut element = &parameter.ty.value;
    let mut depth = 0;
    while let spec::Type::Array(inner) = element {
        element = inner;
        depth += 1;
    }
    let scalar = match element {
        spec::Type::String => Scalar::String,
        spec::Type::Int => Scalar::Int,
        spec::Type::Float => Scalar::Float,
        spec::Type::Boolean => Scalar::Boolean,
        spec::Type::Model(name) if !models.has(name) => {
            report.error(parameter.ty.at, models.unknown(name));
            Scalar::String
        }
        spec::Type::Object | spec::Type::Model(_) | spec::Type::Array(_) => {
            report.error(
                parameter.ty.at,
                format!(
                    "a parameter of type `{}` is not rendered yet: write its fields as parameters, `{}.Field`",
                    parameter.ty.value, parameter.name.value
                ),
            );
            Scalar::String
        }
    };
    (0..depth).fold(Shape::Scalar(scalar), |element, _| {
        Shape::List(Box::new(element))
    })
}

fn text(node: &json::Node) -> String {
    match &node.value {
        json::Value::String(text) | json::Value::Number(text) => text.clone(),
        json::Value::Boolean(boolean) => boolean.to_string(),
        _ => String::new(),
    }
}
