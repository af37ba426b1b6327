//! Lowers the parameters of a request. Dots in their names make a tree of groups.

use crate::{
    model::{
        Group, Parameter, Scalar, Shape,
        comparison::Tables,
        context::{Context, Element},
        names::FieldNames,
        naming,
    },
    spec::{
        self, At, Type,
        diagnostic::{Report, suggest},
        json::{Node, Value},
    },
};

/// `Disks.N.Type` is the `Type` of a list of `Disks`.
const INDEX: &str = "N";
/// A longer name is a mistake.
const MAX_PARTS: usize = 16;

/// A part of parameters' names: `Disks` of `Disks.N.Type` and `Disks.N.Size`.
#[derive(Debug)]
struct Branch<'a> {
    name: &'a str,
    /// The first parameter whose name has it.
    first: &'a spec::Field,
    /// How many `.N` follow.
    lists: usize,
    /// The parts that follow; `None` at the end of a name.
    group: Option<Vec<Branch<'a>>>,
}

/// What the parameters belong to.
struct Owner<'a> {
    /// Its Rust name, or the beginning of it.
    rust: String,
    is_request: bool,
    /// The documented name of the model that it is, or is in.
    model: Option<&'a str>,
}

impl Context<'_> {
    /// The parameters of the request. The groups in them, and then the models, are added to the
    /// context.
    pub(super) fn parameters(&mut self) -> Vec<Parameter> {
        let action = self.action;
        for spec::Field { name, .. } in &action.parameters {
            if self.common.parameters.contains(&name.value) {
                let message =
                    format!("every action has `{}`: it belongs in service.json only", name.value);
                self.report.error(name.at, message);
            }
        }
        let request = Owner { rust: self.prefix.clone(), is_request: true, model: None };
        let parameters = self.rows(&action.parameters, &request);
        for model in &action.models {
            let name = &model.name.value;
            if let Some(rust) = self.models.in_parameters(name) {
                let owner = Owner { rust: rust.to_owned(), is_request: false, model: Some(name) };
                let parameters = self.rows(&model.fields, &owner);
                self.groups.push(Group {
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
        parameters
    }

    fn rows(&mut self, rows: &[spec::Field], owner: &Owner<'_>) -> Vec<Parameter> {
        let mut tree = Vec::new();
        for row in rows {
            self.check(row);
            let At { value: name, at } = &row.name;
            let parts: Vec<&str> = name.split('.').collect();
            if parts.len() > MAX_PARTS {
                let message =
                    format!("a name of {} parts: at most {MAX_PARTS} are allowed", parts.len());
                self.report.error(*at, message);
            } else if parts.contains(&"") || parts[0] == INDEX {
                self.report.error(*at, format!("`{name}` has an empty part"));
            } else {
                insert(&mut tree, &parts, row, self.report);
            }
        }
        self.branches(&tree, owner)
    }

    fn branches(&mut self, branches: &[Branch<'_>], owner: &Owner<'_>) -> Vec<Parameter> {
        let mut names = FieldNames::default();
        branches.iter().map(|branch| self.branch(branch, owner, &mut names)).collect()
    }

    fn branch(
        &mut self,
        branch: &Branch<'_>,
        owner: &Owner<'_>,
        names: &mut FieldNames,
    ) -> Parameter {
        let Branch { name: wire, first: row, lists, group } = branch;
        let at = row.name.at;
        let mut parameter = match group {
            Some(group) => self.group(wire, group, at, owner),
            None => self.leaf(row, wire, *lists, owner),
        };
        let is_clients = owner.is_request && self.common.project.value == **wire;
        if is_clients && (parameter.shape != Shape::Scalar(Scalar::String) || *lists > 0) {
            let message = format!("the client fills in `{wire}`: it must be a string");
            self.report.error(at, message);
        }
        let list = |element, _| Shape::List(Box::new(element));
        parameter.shape = (0..*lists).fold(parameter.shape, list);
        let rust_name = row.rust_name.as_ref().filter(|_| group.is_none());
        parameter.rust = names.claim(wire, rust_name, at, self.report);
        // A parameter that the action requires is set by the caller.
        parameter.from_client = is_clients && !parameter.required;
        parameter
    }

    /// A group of parameters, which becomes a struct.
    fn group(
        &mut self,
        wire: &str,
        branches: &[Branch<'_>],
        at: usize,
        owner: &Owner<'_>,
    ) -> Parameter {
        let name = naming::ty(wire).unwrap_or_else(|message| {
            self.report.error(at, message);
            String::new()
        });
        let prefix = if owner.is_request { "" } else { &owner.rust };
        let of = format!("the group of parameters `{wire}`");
        let rust = self.types.claim(format!("{prefix}{name}"), "Parameters", of, at, self.report);
        // It comes before the groups in it.
        let index = self.groups.len();
        let inner = Owner { rust: rust.clone(), is_request: false, model: owner.model };
        let parameters = self.branches(branches, &inner);
        let required = parameters.iter().any(|parameter| parameter.required);
        let description = format!("The parameters named `{wire}.…`.");
        let group =
            Group { rust: rust.clone(), model: None, description: description.clone(), parameters };
        self.groups.insert(index, group);
        Parameter {
            wire: wire.to_owned(),
            rust: String::new(),
            shape: Shape::Group { rust, boxed: false },
            required,
            default: None,
            from_client: false,
            is_explicit: false,
            allow_empty: false,
            description,
        }
    }

    /// A parameter with a row of its own.
    fn leaf(
        &mut self,
        row: &spec::Field,
        wire: &str,
        lists: usize,
        owner: &Owner<'_>,
    ) -> Parameter {
        let (element, depth) = self.element(row, wire, &owner.rust);
        let element = match element {
            Element::Shared { rust, form } => Shape::Shared { rust, form },
            Element::Enum(rust) => Shape::Enum(rust),
            Element::Scalar(scalar) => Shape::Scalar(scalar),
            Element::Object => Shape::Object,
            Element::Model(name) => Shape::Group {
                rust: self.models.in_parameters(name).unwrap_or_default().to_owned(),
                boxed: lists + depth == 0
                    && owner.model.is_some_and(|owner| self.models.holds(name, owner)),
            },
        };
        // A model that holds itself ends somewhere.
        let is_endless = matches!(element, Shape::Group { boxed: true, .. }) && depth == 0;
        let is_explicit = spec::is_set(row.explicit.as_ref());
        Parameter {
            wire: wire.to_owned(),
            rust: String::new(),
            shape: (0..depth).fold(element, |element, _| Shape::List(Box::new(element))),
            required: (row.required || is_explicit) && !is_endless,
            default: row.default.as_ref().map(text),
            from_client: false,
            is_explicit,
            allow_empty: spec::is_set(row.allow_empty.as_ref()),
            description: row.description.value.clone(),
        }
    }

    /// Checks a parameter by itself.
    fn check(&mut self, row: &spec::Field) {
        let is_plain = row.ty.value == Type::String
            && row.choices.is_none()
            && row.format.is_none()
            && !row.name.value.ends_with(".N");
        let is_split = row.split_when_absent.is_some();
        let is_optional = !row.required && row.explicit.is_none() && !is_split;
        // A parameter with `split_when_absent` is required in one of the calls only.
        let is_required = row.required && !is_split;
        let is_clients = self.common.project.value == row.name.value;
        let (empty, default) = (At::place(&row.allow_empty), row.default.as_ref());
        #[rustfmt::skip]
        let rules = [
            (At::place(&row.example_shorthand), true, "only a field of a model can have `example_shorthand`"),
            (At::place(&row.counted_by), true, "only a list in a response can have `counted_by`"),
            (empty, !is_plain, "only a plain string can have `allow_empty`"),
            (empty, !is_optional, "only an optional parameter can have `allow_empty`"),
            (empty, is_clients, "a parameter that the client fills in cannot be empty"),
            (default.map(|node| node.at), is_required, "a required parameter cannot have a `default`"),
            (At::place(&row.explicit), is_required, "a required parameter is explicit already"),
        ];
        self.refuse(rules);
        let Some(default) = default else { return };
        if let Err(message) = Tables::default().fits(default, &row.ty.value) {
            let message = format!("the default does not fit its type: {message}");
            self.report.error(default.at, message);
        }
        if let (Some(choices), Value::String(value)) = (&row.choices, &default.value) {
            let choices = || choices.value.iter().map(|choice| choice.value.as_str());
            if !choices().any(|choice| choice == value) {
                let known = suggest(value, choices());
                let message = format!("`{value}` is not a value of `enum`{known}");
                self.report.error(default.at, message);
            }
        }
    }
}

/// Adds the parts of a parameter's name to a tree.
fn insert<'a>(
    branches: &mut Vec<Branch<'a>>,
    parts: &[&'a str],
    row: &'a spec::Field,
    report: &mut Report,
) {
    let [name, rest @ ..] = parts else { return };
    let lists = rest.iter().take_while(|part| **part == INDEX).count();
    let rest = &rest[lists..];
    let Some(branch) = branches.iter_mut().find(|branch| branch.name == *name) else {
        let mut group = (!rest.is_empty()).then(Vec::new);
        if let Some(group) = &mut group {
            insert(group, rest, row, report);
        }
        branches.push(Branch { name, first: row, lists, group });
        return;
    };
    let At { value: wire, at } = &row.name;
    let other = &branch.first.name.value;
    match &mut branch.group {
        _ if branch.lists != lists => {
            report.error(
                *at,
                format!("`{wire}` and `{other}` disagree on whether `{name}` is a list"),
            );
        }
        Some(group) if !rest.is_empty() => insert(group, rest, row, report),
        None if rest.is_empty() => report.error(*at, format!("`{wire}` is repeated")),
        _ => report.error(
            *at,
            format!("`{wire}` and `{other}` disagree on whether `{name}` is a value or a group"),
        ),
    }
}

fn text(node: &Node) -> String {
    match &node.value {
        Value::String(text) | Value::Number(text) => text.clone(),
        Value::Boolean(boolean) => boolean.to_string(),
        _ => String::new(),
    }
}
