//! The models of an action: their Rust names, and which of them hold each other.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    model::{names::TypeNames, naming},
    spec::{
        self, At, Type,
        diagnostic::{Report, suggest},
    },
};

/// The models of an action by their documented names.
#[derive(Debug, Default)]
pub(super) struct Models {
    /// The Rust names of those in the response, and of those that nothing refers to.
    in_response: BTreeMap<String, String>,
    /// The Rust names of those in the parameters.
    in_parameters: BTreeMap<String, String>,
    /// The models that each model has outside of a list. In a cycle they need a box.
    held: BTreeMap<String, BTreeSet<String>>,
}

impl Models {
    /// Names the models, so that they can refer to each other in any order.
    pub(super) fn new(action: &spec::Action, types: &mut TypeNames, report: &mut Report) -> Self {
        let sent = reached(&action.parameters, &action.models);
        let read = reached(&action.response, &action.models);
        let mut models = Self::default();
        // A model whose documented name is a Rust name has the first right to it.
        let is_exact = |model: &&spec::Model| naming::is_ty(&model.name.value);
        let (exact, other): (Vec<_>, Vec<_>) = action.models.iter().partition(is_exact);
        for model in exact.into_iter().chain(other) {
            let At { value: name, at } = &model.name;
            let held = model.fields.iter().filter_map(|field| match &field.ty.value {
                Type::Model(held) => Some(held.clone()),
                _ => None,
            });
            models.held.insert(name.clone(), held.collect());
            report.check(*at, naming::check_model(name));
            let Some(rust) = rust_name(action, &model.name, report) else { continue };
            let of = format!("the model `{name}`");
            let is_sent = sent.contains(name.as_str());
            let is_read = read.contains(name.as_str()) || !is_sent;
            if is_read {
                let rust = types.claim(rust.clone(), "Model", of.clone(), *at, report);
                models.in_response.insert(name.clone(), rust);
            }
            if is_sent {
                // Different fields are optional when it is read and when it is sent: it is two
                // structs.
                let ending = if is_read { "Parameters" } else { "" };
                let rust = types.claim(format!("{rust}{ending}"), "Model", of, *at, report);
                models.in_parameters.insert(name.clone(), rust);
            }
        }
        for (name, _) in &action.model_names {
            models.check(&name.value, name.at, report);
        }
        models
    }

    pub(super) fn in_parameters(&self, name: &str) -> Option<&str> {
        self.in_parameters.get(name).map(String::as_str)
    }

    pub(super) fn in_response(&self, name: &str) -> Option<&str> {
        self.in_response.get(name).map(String::as_str)
    }

    /// Reports a model that does not exist.
    pub(super) fn check(&self, name: &str, at: usize, report: &mut Report) {
        if self.held.contains_key(name) {
            return;
        }
        let is_capitalized = name.starts_with(|c: char| c.is_ascii_uppercase());
        let kind = if is_capitalized { "model" } else { "type or model" };
        let known = self.held.keys().map(String::as_str).chain(Type::BASIC);
        report.error(at, format!("no {kind} `{name}`{}", suggest(name, known)));
    }

    /// Whether a model holds another one outside of a list, at whatever depth.
    pub(super) fn holds(&self, model: &str, other: &str) -> bool {
        let mut visited = BTreeSet::new();
        let mut open = vec![model];
        while let Some(model) = open.pop() {
            if model == other {
                return true;
            }
            if visited.insert(model) {
                let held = self.held.get(model).into_iter().flatten();
                open.extend(held.map(String::as_str));
            }
        }
        false
    }
}

/// The Rust name of a model, from `model_names` or its documented name.
fn rust_name(action: &spec::Action, model: &At<String>, report: &mut Report) -> Option<String> {
    let mut names = action.model_names.iter();
    let name = match names.find(|(documented, _)| documented.value == model.value) {
        Some((_, rust)) if naming::is_ty(&rust.value) => Ok(rust.value.clone()),
        Some((_, rust)) => Err((rust.at, format!("`{}` cannot name a Rust type", rust.value))),
        None => naming::ty(&model.value).map_err(|message| (model.at, message)),
    };
    name.map_err(|(at, message)| report.error(at, message)).ok()
}

/// The models that fields lead to, at whatever depth.
fn reached<'a>(fields: &'a [spec::Field], models: &'a [spec::Model]) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&spec::Field> = fields.iter().collect();
    while let Some(field) = open.pop() {
        if let (Type::Model(name), _) = field.ty.value.innermost()
            && reached.insert(name.as_str())
        {
            let model = models.iter().find(|model| model.name.value == *name);
            open.extend(model.into_iter().flat_map(|model| &model.fields));
        }
    }
    reached
}
