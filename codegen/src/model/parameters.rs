//! Lowers the parameters of a request. Dots in their names make a tree of groups.

use crate::{
    model::{
        ClientSetting, Group, Parameter, Scalar, Type,
        comparison::Tables,
        context::{Context, Owner, Role},
        names::FieldNames,
        naming,
    },
    spec::{
        self, At,
        diagnostic::{Report, suggest},
        json::{Node, Value},
    },
    text::markdown::code,
};

/// `Disks.N.Type` is the `Type` of a list of `Disks`.
const INDEX: &str = "N";
/// A longer name is a mistake.
const MAX_PARTS: usize = 16;

/// A constructor has no more arguments than a reader can tell apart: above that, it takes a struct
/// whose fields have names.
const MAX_ARGUMENTS: usize = 4;
/// Likewise, of one type: the compiler does not find that two of them are swapped.
const MAX_ARGUMENTS_OF_ONE_TYPE: usize = 3;

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

impl Context<'_> {
    /// The parameters of the request. The groups in them, and then the models, are added to the
    /// context.
    pub(super) fn parameters(&mut self) -> Vec<Parameter> {
        let action = self.action;
        self.refuse_common(&action.parameters, &self.service.common_parameters, "action");
        let prefix = self.prefix.clone();
        let request = Owner { role: Role::Request, rust: &prefix, model: None };
        let parameters = self.rows(&action.parameters, request);
        for model in &action.models {
            let name = &model.name.value;
            if let Some(rust) = self.models.in_parameters(name).map(str::to_owned) {
                let owner = Owner { role: Role::Sent, rust: &rust, model: Some(name) };
                let parameters = self.rows(&model.fields, owner);
                let required = self.required(&rust, &parameters, model.name.at);
                self.groups.push(Group {
                    rust,
                    required,
                    model: Some(name.clone()),
                    description: format!(
                        "The model {} in the parameters of {}.",
                        code(name),
                        code(&action.action.value)
                    ),
                    parameters,
                });
            }
        }
        parameters
    }

    fn rows(&mut self, rows: &[spec::Field], owner: Owner<'_>) -> Vec<Parameter> {
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

    fn branches(&mut self, branches: &[Branch<'_>], owner: Owner<'_>) -> Vec<Parameter> {
        let mut names = FieldNames::default();
        branches.iter().map(|branch| self.branch(branch, owner, &mut names)).collect()
    }

    fn branch(
        &mut self,
        branch: &Branch<'_>,
        owner: Owner<'_>,
        names: &mut FieldNames,
    ) -> Parameter {
        let Branch { name: wire, first, lists, group } = branch;
        let at = first.name.at;
        let row = group.is_none().then_some(*first);
        let is_explicit = row.is_some_and(|row| spec::is_set(&row.explicit));
        let (ty, required) = match group {
            Some(group) => self.group(wire, group, *lists, at, owner),
            None => {
                let ty = self.ty(first, wire, *lists, owner);
                // A model that holds itself ends somewhere.
                let is_endless = matches!(ty, Type::Struct { boxed: true, .. });
                (ty, (first.required || is_explicit) && !is_endless)
            }
        };
        let from_client = match owner.role {
            Role::Request => self.service.client_setting(wire),
            _ => None,
        };
        if from_client.is_some() && ty != Type::Scalar(Scalar::String) {
            let message = format!("the client fills in `{wire}`: it must be a string");
            self.report.error(at, message);
        }
        // Nearly every action requires the region, and a client has one.
        let required =
            required && !matches!(from_client, Some(ClientSetting::Region | ClientSetting::Zone));
        let rust_name = row.and_then(|row| row.rust_name.as_ref());
        Parameter {
            wire: (*wire).to_owned(),
            rust: names.claim(wire, rust_name, at, self.report),
            ty,
            documented_type: first.ty.value.innermost().0.to_string(),
            required,
            default: row.and_then(|row| row.default.as_ref()).map(text),
            // A project that the action requires is set by the caller.
            from_client: from_client.filter(|_| !required),
            is_explicit,
            allow_empty: row.is_some_and(|row| spec::is_set(&row.allow_empty)),
            description: match row {
                Some(row) => row.description.value.clone(),
                None => group_description(wire),
            },
            deprecated: row.and_then(|row| row.deprecated.clone()),
        }
    }

    /// The struct of a group of parameters, and whether one of them is required.
    fn group(
        &mut self,
        wire: &str,
        branches: &[Branch<'_>],
        lists: usize,
        at: usize,
        owner: Owner<'_>,
    ) -> (Type, bool) {
        let name = self.report.check(at, naming::ty(wire));
        let prefix = if owner.role == Role::Request { "" } else { owner.rust };
        let of = format!("the group of parameters `{wire}`");
        let rust = self.types.claim(format!("{prefix}{name}"), "Parameters", of, at, self.report);
        // It comes before the groups in it.
        let index = self.groups.len();
        let inner = Owner { role: Role::Sent, rust: &rust, model: owner.model };
        let parameters = self.branches(branches, inner);
        let required = parameters.iter().any(|parameter| parameter.required);
        let group = Group {
            rust: rust.clone(),
            model: None,
            description: group_description(wire),
            required: self.required(&rust, &parameters, at),
            parameters,
        };
        self.groups.insert(index, group);
        (Type::Struct { rust, boxed: false }.in_lists(lists), required)
    }

    /// The name of the struct that a struct of parameters is created from, if it has so many required
    /// ones that arguments without names could be swapped.
    pub(super) fn required(
        &mut self,
        rust: &str,
        parameters: &[Parameter],
        at: usize,
    ) -> Option<String> {
        let required: Vec<&Parameter> = parameters.iter().filter(|it| it.required).collect();
        // Both are given as text.
        let ty = |parameter: &Parameter| match &parameter.ty {
            Type::Scalar(Scalar::Secret) => Type::Scalar(Scalar::String),
            ty => ty.clone(),
        };
        let has_alike = required.iter().any(|parameter| {
            let is_alike = |other: &&&Parameter| ty(other) == ty(parameter);
            required.iter().filter(is_alike).count() > MAX_ARGUMENTS_OF_ONE_TYPE
        });
        if required.len() <= MAX_ARGUMENTS && !has_alike {
            return None;
        }
        let of = format!("the required parameters of `{rust}`");
        Some(self.types.claim(format!("{rust}Required"), "Parameters", of, at, self.report))
    }

    /// Checks a parameter by itself.
    fn check(&mut self, row: &spec::Field) {
        let is_plain = row.ty.value == spec::Type::String
            && row.choices.is_none()
            && row.format.is_none()
            && !spec::is_set(&row.secret)
            && !row.name.value.ends_with(".N");
        let is_split = row.split_when_absent.is_some();
        let is_optional = !row.required && row.explicit.is_none() && !is_split;
        // A parameter with `split_when_absent` is required in one of the calls only.
        let is_required = row.required && !is_split;
        let is_clients = self.service.client_setting(&row.name.value).is_some();
        let (empty, default) = (At::place(&row.allow_empty), row.default.as_ref());
        #[rustfmt::skip]
        self.refuse([
            (At::place(&row.example_shorthand), true, "only a field of a model can have `example_shorthand`"),
            (At::place(&row.counted_by), true, "only a list in a response can have `counted_by`"),
            (empty, !is_plain, "only a plain string can have `allow_empty`"),
            (empty, !is_optional, "only an optional parameter can have `allow_empty`"),
            (empty, is_clients, "a parameter that the client fills in cannot be empty"),
            (default.map(|node| node.at), is_required, "a required parameter cannot have a `default`"),
            (At::place(&row.explicit), is_required, "a required parameter is explicit already"),
        ]);
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

fn group_description(wire: &str) -> String {
    format!("The parameters named {}.", code(&format!("{wire}.…")))
}

fn text(node: &Node) -> String {
    match &node.value {
        Value::String(text) | Value::Number(text) => text.clone(),
        Value::Boolean(boolean) => boolean.to_string(),
        _ => String::new(),
    }
}
