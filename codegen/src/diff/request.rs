//! Requests and the groups in them: a constructor with the required parameters, in their order, and
//! setters for the rest.

use super::{
    Class,
    action::{Comparison, order},
    hint,
};
use crate::{
    model::{Action, Group, Parameter, Scalar, Shape},
    render::request::{argument_type, field_type, owned_type, scalar_type},
};

/// A struct of parameters.
#[derive(Clone, Copy)]
struct Struct<'a> {
    rust: &'a str,
    parameters: &'a [Parameter],
    /// The documented name, where it is a model.
    model: Option<&'a str>,
    is_request: bool,
}

impl<'a> Struct<'a> {
    fn of(group: &'a Group) -> Self {
        Self {
            rust: &group.rust,
            parameters: &group.parameters,
            model: group.model.as_deref(),
            is_request: false,
        }
    }

    /// The parameters that its constructor takes.
    fn arguments(self) -> impl Iterator<Item = &'a Parameter> {
        self.parameters
            .iter()
            .filter(|parameter| parameter.required)
    }

    /// What one of its parameters is called in the documentation; `path` leads to it.
    fn place(self, path: &str, parameter: &Parameter) -> String {
        let lists = ".N".repeat(parameter.shape.innermost().1);
        let name = format!("{path}{}{lists}", parameter.wire);
        match self.model {
            Some(model) => format!("field `{name}` of `{model}` in the parameters"),
            None => format!("parameter `{name}`"),
        }
    }

    /// What it is called itself.
    fn whole(self, path: &str) -> String {
        match self.model {
            Some(model) => sent(model),
            None if path.is_empty() => "parameters".to_owned(),
            None => format!("parameters `{path}…`"),
        }
    }

    fn find(self, wire: &str) -> Option<&'a Parameter> {
        self.parameters
            .iter()
            .find(|parameter| parameter.wire == wire)
    }

    /// What one of its parameters is in the same struct of the other spec: what has its documented
    /// name there, else what has another one and the same name in Rust.
    fn same_in(self, other: Self, parameter: &Parameter) -> Option<&'a Parameter> {
        let same_rust = || {
            let mut others = other.parameters.iter();
            let same = others.find(|it| it.rust == parameter.rust)?;
            self.find(&same.wire).is_none().then_some(same)
        };
        other.find(&parameter.wire).or_else(same_rust)
    }
}

impl<'a> Comparison<'a> {
    pub(super) fn requests(&mut self) {
        let (old, new) = (self.old, self.new);
        let request = |action: &'a Action| Struct {
            rust: &action.request,
            parameters: &action.parameters,
            model: None,
            is_request: true,
        };
        self.structs(request(old), request(new), "");
        // Models by their documented names, whoever holds them.
        let model = |group: &'a Group| group.model.as_deref();
        for group in old.groups.iter().filter(|group| group.model.is_some()) {
            if let Some(now) = new.groups.iter().find(|now| model(now) == model(group)) {
                self.groups(group, now, "");
            }
        }
        for group in &old.groups {
            let is_seen = self.seen.iter().any(|(old, _)| *old == group.rust);
            if let Some(name) = model(group).filter(|_| !is_seen) {
                let hint = hint::among(
                    group,
                    &old.groups,
                    &new.groups,
                    |group| model(group).unwrap_or_default(),
                    |group| (group.model.is_some(), wires(&group.parameters)),
                );
                let (item, reason) = (self.item(&group.rust), format!("The struct is gone.{hint}"));
                self.log
                    .note(Class::Breaking, sent(name), "gone", item, reason);
            }
        }
        for group in &new.groups {
            let is_seen = self.seen.iter().any(|(_, new)| *new == group.rust);
            if let Some(name) = model(group).filter(|_| !is_seen) {
                let (item, reason) = (self.item(&group.rust), "A struct of its own.");
                self.log
                    .note(Class::Additive, sent(name), "new", item, reason);
            }
        }
    }

    fn groups(&mut self, old: &'a Group, new: &'a Group, path: &str) {
        if !self.seen.insert((&old.rust, &new.rust)) {
            return;
        }
        // A model's fields are named after it, wherever it stands.
        let path = if old.model.is_some() { "" } else { path };
        if old.rust != new.rust {
            let item = self.item(&old.rust);
            let reason = "The struct has another name.";
            let place = Struct::of(old).whole(path);
            self.log
                .note(Class::Breaking, place, "Rust name", item, reason)
                .between(&old.rust, &new.rust);
        }
        self.structs(Struct::of(old), Struct::of(new), path);
    }

    fn structs(&mut self, old: Struct<'a>, new: Struct<'a>, path: &str) {
        for parameter in old.parameters {
            let Some(now) = old.same_in(new, parameter) else {
                let hint = hint::among(
                    parameter,
                    old.parameters,
                    new.parameters,
                    |parameter| &parameter.wire,
                    field_type,
                );
                let reason = if parameter.required {
                    format!("{} one argument less.{hint}", self.constructors(old))
                } else {
                    format!(
                        "Its setter and its field are gone; a request kept as JSON with it is refused.{hint}"
                    )
                };
                let (place, item) = (
                    old.place(path, parameter),
                    self.parameter_item(old, parameter),
                );
                self.log.note(Class::Breaking, place, "gone", item, reason);
                continue;
            };
            self.parameters(old, parameter, now, path);
        }
        for parameter in new.parameters {
            if new.same_in(old, parameter).is_none() {
                let (class, reason) = if parameter.required {
                    let reason = format!("{} one argument more.", self.constructors(old));
                    (Class::Breaking, reason)
                } else {
                    let reason =
                        "A setter of its own; whoever does not call it sends what was sent before.";
                    (Class::Additive, reason.to_owned())
                };
                let (place, item) = (
                    old.place(path, parameter),
                    self.parameter_item(old, parameter),
                );
                self.log.note(class, place, "new", item, reason);
            }
        }
        self.constructor(old, new, path);
    }

    /// What no parameter says for itself: that an old call of the constructor means another thing.
    fn constructor(&mut self, old: Struct<'a>, new: Struct<'a>, path: &str) {
        // One that got another documented name alone is the same.
        let old_name = |parameter: &Parameter| {
            let same = new.same_in(old, parameter).unwrap_or(parameter);
            same.wire.clone()
        };
        let before: Vec<String> = old.arguments().map(|it| it.wire.clone()).collect();
        let after: Vec<String> = new.arguments().map(old_name).collect();
        let is_reordered = {
            let kept = before.iter().filter(|name| after.contains(name));
            !after.iter().filter(|name| before.contains(name)).eq(kept)
        };
        let still_compiles = before.len() == after.len()
            && old
                .arguments()
                .zip(new.arguments())
                .all(|(a, b)| accepts(&b.shape, &a.shape));
        let item = self.item(&format!("{}::new", old.rust));
        let place = old.whole(path);
        if is_reordered || (before != after && still_compiles) {
            let what = if is_reordered { "order" } else { "arguments" };
            let reason = if still_compiles {
                format!(
                    "{} as many arguments of the same types as before: old calls compile, and send values under the wrong names.",
                    self.constructors(old)
                )
            } else {
                format!("{} the arguments in another order.", self.constructors(old))
            };
            let signature = |of: Struct<'a>| {
                let names = of.arguments().map(|parameter| &parameter.wire[..]);
                format!("new({})", names.collect::<Vec<_>>().join(", "))
            };
            let noted = self
                .log
                .note(Class::Breaking, place, what, item, reason)
                .between(signature(old), signature(new));
            if still_compiles {
                noted.silently();
            }
        } else {
            let before: Vec<String> = old.parameters.iter().map(|it| it.wire.clone()).collect();
            let after: Vec<String> = new.parameters.iter().map(old_name).collect();
            let item = self.item(old.rust);
            order(self.log, &place, &item, &before, &after);
        }
    }

    fn parameters(
        &mut self,
        owner: Struct<'a>,
        old: &'a Parameter,
        new: &'a Parameter,
        path: &str,
    ) {
        let place = &owner.place(path, old);
        let item = &self.parameter_item(owner, old);
        if old.wire != new.wire {
            let reason = "It is sent under another name, by code that is the same. A request kept as JSON with the old one is refused.";
            self.log
                .note(Class::Breaking, place, "documented name", item, reason)
                .between(&old.wire, &new.wire)
                .silently();
        }
        if old.rust != new.rust {
            let reason = "Its field and its setter have another name.";
            self.log
                .note(Class::Breaking, place, "Rust name", item, reason)
                .between(&old.rust, &new.rust);
        }
        if old.required != new.required {
            let gains = if new.required { "more" } else { "less" };
            let takes = self.constructors(owner);
            let reason = match (new.required, &new.shape) {
                (true, _) => format!("{takes} one argument {gains}, and its setter is gone."),
                (false, Shape::List(_)) => {
                    format!("{takes} one argument {gains}; it has a setter instead.")
                }
                (false, _) => format!(
                    "{takes} one argument {gains}; it has a setter instead, and its field is an `Option`."
                ),
            };
            let says = |required| if required { "required" } else { "optional" };
            let item = self.item(&format!("{}::new", owner.rust));
            self.log
                .note(Class::Breaking, place, "required", item, reason)
                .between(says(old.required), says(new.required));
        } else if old.is_explicit != new.is_explicit {
            let reason = "The constructor takes it as before; whether the service calls it required is another thing.";
            self.log
                .note(Class::Documentation, place, "required", item, reason);
        }
        if !self.shapes(&old.shape, &new.shape, &format!("{path}{}", old.wire)) {
            let reason =
                "Its field has another type, and a value of the old one is not taken for it.";
            self.log
                .note(Class::Breaking, place, "type", item, reason)
                .between(owned_type(&old.shape), owned_type(&new.shape));
        } else if is_text(&old.shape) != is_text(&new.shape) {
            let reason = "It is a `bool` as before. In a JSON body it is written otherwise; a form and a query are the same.";
            let says = |parameter: &Parameter| match is_text(&parameter.shape) {
                true => "text",
                false => "boolean",
            };
            self.log
                .note(Class::Documentation, place, "sent as", item, reason)
                .between(says(old), says(new))
                .silently();
        }
        if old.default != new.default {
            let reason = "Code compiles as before. Where the parameter is left out, the service does another thing: look at calls that leave it out.";
            let says = |default: &Option<String>| {
                default
                    .as_ref()
                    .map_or_else(|| "none".to_owned(), |default| format!("`{default}`"))
            };
            self.log
                .note(Class::Documentation, place, "default", item, reason)
                .between(says(&old.default), says(&new.default))
                .silently();
        }
        match (old.allow_empty, new.allow_empty) {
            (false, true) => {
                let reason = "An empty text is sent; it was refused before.";
                self.log
                    .note(Class::Additive, place, "may be empty", item, reason)
                    .silently();
            }
            (true, false) => {
                let reason = "An empty text is refused before it is sent; it was sent before.";
                self.log
                    .note(Class::Breaking, place, "may be empty", item, reason)
                    .silently();
            }
            _ => {}
        }
        let are_same = old.description == new.description;
        self.log.words(place, "description", item, are_same);
    }

    /// Whether a field has the same type before and after; what is within it is compared.
    fn shapes(&mut self, old: &'a Shape, new: &'a Shape, path: &str) -> bool {
        let ((old, lists), (new, now_lists)) = (old.innermost(), new.innermost());
        let is_same = match (old, new) {
            (
                Shape::Group { rust, boxed },
                Shape::Group {
                    rust: now,
                    boxed: now_boxed,
                },
            ) => {
                let (old, new) = (self.old, self.new);
                let is_same = match (old.group(rust), new.group(now)) {
                    // Models are compared by their names: two names are two types.
                    (Some(old), Some(new)) if old.model.is_some() && new.model.is_some() => {
                        old.model == new.model
                    }
                    (Some(old), Some(new)) => {
                        self.groups(old, new, &format!("{path}{}.", ".N".repeat(lists)));
                        true
                    }
                    _ => false,
                };
                is_same && boxed == now_boxed
            }
            (Shape::Enum(old), Shape::Enum(new)) => {
                self.enums(old, new);
                true
            }
            (Shape::Scalar(old), Shape::Scalar(new)) => scalar_type(*old) == scalar_type(*new),
            (old, new) => old == new,
        };
        is_same && lists == now_lists
    }

    /// `` `X::new` and `Client::x` take ``, to go on with what they take.
    fn constructors(&self, owner: Struct<'_>) -> String {
        if owner.is_request {
            format!("`{}::new` and `Client::{}` take", owner.rust, self.old.rust)
        } else {
            format!("`{}::new` takes", owner.rust)
        }
    }

    /// The constructor for what it takes, else the setter.
    fn parameter_item(&self, owner: Struct<'_>, parameter: &Parameter) -> String {
        let method = if parameter.required {
            "new"
        } else {
            &parameter.rust
        };
        self.item(&format!("{}::{method}", owner.rust))
    }
}

/// Whether it holds booleans that are sent as text.
fn is_text(shape: &Shape) -> bool {
    *shape.innermost().0 == Shape::Scalar(Scalar::TextBoolean)
}

/// Whether an argument that was right for one parameter is taken for another.
fn accepts(new: &Shape, old: &Shape) -> bool {
    match (new, old) {
        // Whatever becomes JSON.
        (Shape::Object, Shape::Scalar(_)) => true,
        (Shape::List(new), Shape::List(old)) => accepts(new, old),
        _ => argument_type(new) == argument_type(old),
    }
}

fn sent(model: &str) -> String {
    format!("model `{model}` in the parameters")
}

fn wires(parameters: &[Parameter]) -> Vec<(&str, bool)> {
    parameters
        .iter()
        .map(|parameter| (parameter.wire.as_str(), parameter.required))
        .collect()
}
