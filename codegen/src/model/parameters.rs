//! The parameters of a request: a tree, where their names have dots.

use std::collections::BTreeMap;

use crate::{
    model::example::fits,
    model::fields::{Models, check_format},
    model::lower::{Common, Names, Types},
};
use crate::{
    model::naming,
    model::{Group, Parameter, Scalar, Shape},
    spec::diagnostic::{Report, suggest},
    spec::json,
    spec::{self, Field},
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

/// The parameters of a request, and the groups in them.
pub(crate) fn lower(
    action: &spec::Action,
    models: &Models,
    common: &Common,
    types: &mut Types,
    report: &mut Report<'_>,
) -> (Vec<Parameter>, Vec<Group>) {
    for Field { name, .. } in &action.parameters {
        if common.parameters.contains(&name.value) {
            report.error(
                name.at,
                format!(
                    "every action has `{}`: it stands in service.json alone",
                    name.value
                ),
            );
        }
    }
    let mut lowering = Lowering {
        models,
        common,
        types,
        report,
        groups: Vec::new(),
    };
    let request = Owner {
        rust: lowering.types.prefix.clone(),
        is_request: true,
        model: None,
    };
    let parameters = lowering.fields(&action.parameters, &request);
    for model in &action.models {
        let name = &model.name.value;
        if let Some(rust) = models.in_parameters(name) {
            let owner = Owner {
                rust: rust.to_owned(),
                is_request: false,
                model: Some(name),
            };
            let parameters = lowering.fields(&model.fields, &owner);
            lowering.groups.push(Group {
                rust: owner.rust,
                model: Some(name.clone()),
                description: format!(
                    "The model `{name}` in the parameters of `{}`.",
                    action.action.value
                ),
                parameters,
            });
        }
    }
    (parameters, lowering.groups)
}

/// What parameters belong to: the request, a group or a model.
struct Owner<'a> {
    /// What the types in it begin with.
    rust: String,
    is_request: bool,
    /// The documented name of the model that it is, or is in.
    model: Option<&'a str>,
}

/// What can be said of a parameter by itself.
fn check(parameter: &spec::Field, common: &Common, report: &mut Report<'_>) {
    check_format(parameter, report);
    if let Some(alone) = &parameter.example_shorthand {
        report.error(
            alone.at,
            "a parameter has no `example_shorthand`: it is said of a model's field",
        );
    }
    if let Some(counted_by) = &parameter.counted_by {
        report.error(
            counted_by.at,
            "a parameter has no `counted_by`: it is said of a response's list",
        );
    }
    if let Some(flag) = &parameter.allow_empty {
        let is_plain = parameter.ty.value == spec::Type::String
            && parameter.choices.is_none()
            && parameter.format.is_none()
            && !parameter.name.value.ends_with(".N");
        if !is_plain {
            report.error(
                flag.at,
                "`allow_empty` is said of a plain string, and this is none",
            );
        } else if parameter.required
            || parameter.explicit.is_some()
            || parameter.split_when_absent.is_some()
        {
            report.error(
                flag.at,
                "`allow_empty` is said of a parameter that may be left out",
            );
        } else if common.from_client.contains_key(&parameter.name.value) {
            report.error(flag.at, "what the client fills in cannot be empty");
        }
    }
    // The two calls that `split_when_absent` makes of an action have it checked once, where it is optional.
    if parameter.required && parameter.split_when_absent.is_none() {
        if let Some(default) = &parameter.default {
            report.error(default.at, "a required parameter has no `default`");
        }
        if let Some(flag) = &parameter.explicit {
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

struct Lowering<'l, 'r> {
    models: &'l Models,
    common: &'l Common,
    types: &'l mut Types,
    report: &'l mut Report<'r>,
    groups: Vec<Group>,
}

impl Lowering<'_, '_> {
    fn fields(&mut self, specs: &[spec::Field], owner: &Owner<'_>) -> Vec<Parameter> {
        let mut tree = Level::default();
        for parameter in specs {
            check(parameter, self.common, self.report);
            let name = &parameter.name;
            let path: Vec<&str> = name.value.split('.').collect();
            if path.len() > MAX_DEPTH {
                self.report.error(
                    name.at,
                    format!(
                        "a name of {} parts; at most {MAX_DEPTH} are allowed",
                        path.len()
                    ),
                );
            } else if path.iter().any(|part| part.is_empty()) || path[0] == INDEX {
                self.report.error(
                    name.at,
                    format!("`{}` has an empty part, or an index of nothing", name.value),
                );
            } else {
                plant(&mut tree, &path, parameter, self.report);
            }
        }
        self.grow(&tree, owner)
    }

    fn grow(&mut self, level: &Level<'_>, owner: &Owner<'_>) -> Vec<Parameter> {
        let mut names = Names::default();
        let mut grown = Vec::new();
        for wire in &level.order {
            let Branch {
                first,
                lists,
                below,
            } = &level.branches[wire];
            let at = first.name.at;
            let (shape, required) = match below {
                Below::Leaf => {
                    let shape = self.leaf(first, wire, *lists, owner);
                    let is_required = first.required || spec::is_set(first.explicit.as_ref());
                    // Whatever holds itself has to end somewhere.
                    let is_endless = matches!(shape, Shape::Group { boxed: true, .. });
                    (shape, is_required && !is_endless)
                }
                Below::Group(below) => self.group(wire, below, at, owner),
            };
            let is_leaf = matches!(below, Below::Leaf);
            let is_clients = owner.is_request && self.common.from_client.contains_key(*wire);
            if is_clients && (shape != Shape::Scalar(Scalar::String) || *lists > 0) {
                self.report.error(
                    at,
                    format!("the client fills `{wire}` in, and can do that for a string alone"),
                );
            }
            let given = first.rust_name.as_ref().filter(|_| is_leaf);
            grown.push(Parameter {
                wire: (*wire).to_owned(),
                rust: names.take(wire, given, at, self.report),
                required,
                shape: (0..*lists).fold(shape, |element, _| Shape::List(Box::new(element))),
                default: first.default.as_ref().filter(|_| is_leaf).map(text),
                is_explicit: is_leaf && spec::is_set(first.explicit.as_ref()),
                allow_empty: is_leaf && spec::is_set(first.allow_empty.as_ref()),
                // What the action requires is its caller's to say.
                from_client: is_clients && !required,
                description: if is_leaf {
                    first.description.value.clone()
                } else {
                    format!("The parameters named `{wire}.…`.")
                },
            });
        }
        grown
    }

    /// A struct for the parameters whose names begin alike, and whether one of them is required.
    fn group(
        &mut self,
        wire: &str,
        below: &Level<'_>,
        at: usize,
        owner: &Owner<'_>,
    ) -> (Shape, bool) {
        let name = naming::ty(wire).unwrap_or_else(|message| {
            self.report.error(at, message);
            String::new()
        });
        let rust = if owner.is_request {
            name
        } else {
            format!("{}{name}", owner.rust)
        };
        let what = format!("the group of parameters `{wire}`");
        let rust = self.types.claim(rust, "Parameters", what, at, self.report);
        // It stands before the groups in it.
        let index = self.groups.len();
        let inner = Owner {
            rust: rust.clone(),
            is_request: false,
            model: owner.model,
        };
        let parameters = self.grow(below, &inner);
        let is_required = parameters.iter().any(|parameter| parameter.required);
        self.groups.insert(
            index,
            Group {
                rust: rust.clone(),
                model: None,
                description: format!("The parameters named `{wire}.…`."),
                parameters,
            },
        );
        let boxed = false;
        (Shape::Group { rust, boxed }, is_required)
    }

    fn leaf(
        &mut self,
        parameter: &spec::Field,
        wire: &str,
        lists: usize,
        owner: &Owner<'_>,
    ) -> Shape {
        let ty = &parameter.ty;
        let (element, depth) = ty.value.innermost();
        let format = parameter.format.as_ref().map(|format| format.value);
        let choices = self
            .types
            .enumerate(&owner.rust, wire, parameter, self.report);
        let shape = match (choices, format, element) {
            (Some(rust), ..) => Shape::Enum(rust),
            (_, Some(spec::Format::Boolean), _) => Shape::Scalar(Scalar::TextBoolean),
            (.., spec::Type::String) => Shape::Scalar(Scalar::String),
            (.., spec::Type::Int) => Shape::Scalar(Scalar::Int),
            (.., spec::Type::Float) => Shape::Scalar(Scalar::Float),
            (.., spec::Type::Boolean) => Shape::Scalar(Scalar::Boolean),
            (.., spec::Type::Object | spec::Type::Array(_)) => Shape::Object,
            (.., spec::Type::Model(name)) => {
                if !self.models.has(name) {
                    self.report.error(ty.at, self.models.unknown(name));
                }
                let is_held = lists + depth == 0;
                let holds_itself = owner
                    .model
                    .is_some_and(|owner| self.models.reaches(name, owner));
                Shape::Group {
                    rust: self
                        .models
                        .in_parameters(name)
                        .unwrap_or_default()
                        .to_owned(),
                    boxed: is_held && holds_itself,
                }
            }
        };
        (0..depth).fold(shape, |element, _| Shape::List(Box::new(element)))
    }
}

fn text(node: &json::Node) -> String {
    match &node.value {
        json::Value::String(text) | json::Value::Number(text) => text.clone(),
        json::Value::Boolean(boolean) => boolean.to_string(),
        _ => String::new(),
    }
}
