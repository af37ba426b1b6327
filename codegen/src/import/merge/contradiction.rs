//! What a page shows against what its tables say: the types and the absences that a client meets.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    import::facts::page::{COMMON_PARAMETERS, COMMON_RESPONSE, Facts, Field, documented},
    import::facts::shown::Given,
    import::findings::Findings,
};
use crate::{
    spec::Type,
    spec::json::{Member, Node, Value},
};

/// Whose a field is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Owner {
    Request,
    Response,
    Model(String),
}

pub(crate) type Key = (Owner, String);

/// The examples as a spec holds them, and where the page contradicts itself.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    pub(crate) request: Option<Node>,
    pub(crate) response: Option<Node>,
    pub(crate) types: BTreeMap<Key, Type>,
    pub(crate) absent: BTreeSet<Key>,
    /// The models that are shown as a plain text.
    pub(crate) alone: BTreeSet<String>,
}

/// What a person has decided, and the examples are read by.
#[derive(Debug, Default)]
pub(crate) struct Decided {
    /// The fields whose text is true or false.
    pub(crate) booleans: BTreeSet<Key>,
    /// The field of each model that may be shown in place of the whole.
    pub(crate) alone: BTreeMap<String, String>,
}

/// Compares a page's examples with its tables.
pub(crate) fn compare(facts: &Facts, decided: &Decided, findings: &mut Findings) -> Shown {
    let models = facts.models.iter();
    let mut comparison = Comparison {
        facts,
        models: models
            .map(|model| (model.name.as_str(), model.fields.as_slice()))
            .collect(),
        decided,
        findings,
        shown: Shown::default(),
    };
    comparison.request();
    comparison.response();
    comparison.shown
}

struct Comparison<'a> {
    facts: &'a Facts,
    models: BTreeMap<&'a str, &'a [Field]>,
    decided: &'a Decided,
    findings: &'a mut Findings,
    shown: Shown,
}

impl<'a> Comparison<'a> {
    fn request(&mut self) {
        let Some(arguments) = &self.facts.arguments else {
            return;
        };
        let mut members: Vec<Member> = Vec::new();
        let own = arguments
            .iter()
            .filter(|argument| !COMMON_PARAMETERS.contains(&argument.name.as_str()));
        for argument in own {
            let found = self.parameter(&argument.name);
            let given = match &argument.value {
                Given::Json(node) => node.clone(),
                Given::Text(text) => typed(argument.at, text, found.as_ref().map(|(_, _, ty)| ty)),
            };
            let Some(given) = self.argument(&argument.name, given) else {
                continue;
            };
            match members
                .iter_mut()
                .find(|member| member.key == argument.name)
            {
                // A parameter that is shown again has a list of its values.
                Some(member) => {
                    if !matches!(found, Some((_, _, Type::Array(_)))) {
                        let what = format!("`{}` is shown again", argument.name);
                        self.findings.note(argument.at, what);
                    }
                    again(&mut member.value, given);
                }
                None => members.push(Member {
                    at: argument.at,
                    key: argument.name.clone(),
                    value: given,
                }),
            }
        }
        let shown: BTreeSet<&str> = members
            .iter()
            .filter_map(|member| member.key.split('.').next())
            .collect();
        for parameter in &self.facts.parameters {
            let name = &parameter.name;
            if parameter.required && !name.contains('.') && !shown.contains(name.as_str()) {
                self.absent(Owner::Request, parameter);
            }
        }
        self.shown.request = Some(object(members));
    }

    /// The value as the example keeps it; `None` where it is left out.
    fn argument(&mut self, name: &str, mut node: Node) -> Option<Node> {
        if let Some((owner, field, ty)) = self.parameter(name) {
            return self.value(&owner, field, &ty, node);
        }
        // A group that the table writes with dots may be shown as an object.
        let inner = format!("{}.", documented(name));
        let is_group = self
            .facts
            .parameters
            .iter()
            .any(|parameter| parameter.name.starts_with(&inner));
        match &mut node.value {
            Value::Object(members) if is_group => {
                members.retain_mut(|member| {
                    let value = std::mem::replace(&mut member.value, null(member.at));
                    let kept = self.argument(&format!("{name}.{}", member.key), value);
                    let is_kept = kept.is_some();
                    member.value = kept.unwrap_or_else(|| null(member.at));
                    is_kept
                });
                Some(node)
            }
            Value::Array(elements) if is_group => {
                let all = std::mem::take(elements);
                let kept = all.into_iter().enumerate().filter_map(|(index, element)| {
                    self.argument(&format!("{name}.{index}"), element)
                });
                *elements = kept.collect();
                Some(node)
            }
            _ => {
                self.undocumented(node.at, name);
                None
            }
        }
    }

    /// The row that documents a parameter's name, and the type of what it leads to: `Disks.0.Type` may
    /// be a row, or a field of the model of the row `Disks`.
    fn parameter(&self, name: &str) -> Option<(Owner, &'a Field, Type)> {
        let name = documented(name);
        let facts = self.facts;
        let (parameter, rest) = facts.parameters.iter().find_map(|parameter| {
            let rest = name.strip_prefix(parameter.name.as_str())?;
            match rest {
                "" => Some((parameter, "")),
                _ => Some((parameter, rest.strip_prefix('.')?)),
            }
        })?;
        let (mut owner, mut field) = (Owner::Request, parameter);
        let mut ty = &parameter.kind;
        for part in rest.split('.').filter(|part| !part.is_empty()) {
            ty = match ty {
                Type::Array(element) if part == "N" => element,
                Type::Model(model) => {
                    field = self.model(model)?.iter().find(|field| field.name == part)?;
                    owner = Owner::Model(model.clone());
                    &field.kind
                }
                _ => return None,
            };
        }
        Some((owner, field, ty.clone()))
    }

    fn response(&mut self) {
        let Some(answer) = &self.facts.answer else {
            return;
        };
        let Value::Object(members) = &answer.value else {
            return;
        };
        let (common, own): (Vec<Member>, Vec<Member>) = members
            .iter()
            .cloned()
            .partition(|member| COMMON_RESPONSE.contains(&member.key.as_str()));
        let own = self.object(own, &Owner::Response, &self.facts.response);
        // In the page's order.
        let mut kept: Vec<Member> = common.into_iter().chain(own).collect();
        kept.sort_by_key(|member| member.at);
        self.shown.response = Some(object(kept));
    }

    /// An object of a model, or the response itself.
    fn object(&mut self, members: Vec<Member>, owner: &Owner, fields: &'a [Field]) -> Vec<Member> {
        let by_name: BTreeMap<&str, &Field> = fields
            .iter()
            .map(|field| (field.name.as_str(), field))
            .collect();
        let (mut kept, mut shown) = (Vec::new(), BTreeSet::new());
        for Member { at, key, value } in members {
            let Some(field) = by_name.get(key.as_str()) else {
                self.undocumented(at, &key);
                continue;
            };
            if shown.contains(field.name.as_str()) {
                let what = format!("`{key}` is shown twice: the second is left out");
                self.findings.note(at, what);
            } else if let Some(value) = self.value(owner, field, &field.kind, value) {
                shown.insert(field.name.as_str());
                kept.push(Member { at, key, value });
            }
        }
        for field in fields {
            if field.required && !shown.contains(field.name.as_str()) {
                self.absent(owner.clone(), field);
            }
        }
        kept
    }

    /// A value of a field: where it is of another type, that is kept in mind; where it can be neither
    /// type nor kept, it is left out.
    fn value(&mut self, owner: &Owner, field: &Field, ty: &Type, node: Node) -> Option<Node> {
        let key = (owner.clone(), field.name.clone());
        if node.value == Value::Null {
            self.findings.note(
                node.at,
                format!("`{}` is shown as null: taken as absent", field.name),
            );
            return None;
        }
        if let Some(model) = self.unexplained_text(&node, ty) {
            self.findings.note(
                node.at,
                format!("a text is shown in place of a `{model}`, and no field of it can stand for the whole: left out"),
            );
            return None;
        }
        if !self.fits_field(&node, &key, ty) {
            let seen = kind(&node, ty);
            let shown = self.shown.types.get(&key).cloned();
            let is_new = shown.is_none();
            let shown = shown.unwrap_or(seen);
            if !self.fits(&node, &shown) {
                self.findings.note(
                    node.at,
                    format!(
                        "`{}` is documented as {}, shown here as {} and there as {shown}: left out here",
                        field.name,
                        field.ty,
                        node.kind()
                    ),
                );
                return None;
            }
            if is_new {
                let other = if shown == *ty {
                    "another text"
                } else {
                    &shown.to_string()
                };
                self.findings.note(
                    node.at,
                    format!(
                        "`{}` is documented as {} and shown as {other}",
                        field.name, field.ty
                    ),
                );
                self.shown.types.insert(key, shown);
            }
        }
        Some(self.descend(node, ty))
    }

    /// The model in whose place a text stands that is none of its fields.
    fn unexplained_text<'t>(&self, node: &Node, ty: &'t Type) -> Option<&'t str> {
        match (&node.value, ty) {
            (Value::Array(elements), Type::Array(element)) => elements
                .iter()
                .find_map(|node| self.unexplained_text(node, element)),
            (Value::String(text), Type::Model(name)) => {
                let is_explained = !text.is_empty() && self.decided.alone.contains_key(name);
                (!is_explained && self.model(name).is_some()).then_some(name)
            }
            _ => None,
        }
    }

    /// Looks into a value for the models it holds.
    fn descend(&mut self, node: Node, ty: &Type) -> Node {
        let Node { at, end, value } = node;
        let value = match (value, ty) {
            (Value::Array(elements), Type::Array(element)) => {
                let elements = elements.into_iter();
                Value::Array(elements.map(|node| self.descend(node, element)).collect())
            }
            (Value::Object(members), Type::Model(name)) => match self.model(name) {
                Some(fields) => {
                    Value::Object(self.object(members, &Owner::Model(name.clone()), fields))
                }
                None => Value::Object(members),
            },
            (Value::String(text), Type::Model(name)) => {
                let alone = self.decided.alone.get(name);
                for field in self.model(name).unwrap_or_default() {
                    if field.required && Some(&field.name) != alone {
                        self.absent(Owner::Model(name.clone()), field);
                    }
                }
                self.shown.alone.insert(name.clone());
                Value::String(text)
            }
            (value, _) => value,
        };
        Node { at, end, value }
    }

    fn model(&self, name: &str) -> Option<&'a [Field]> {
        self.models.get(name).copied()
    }

    fn absent(&mut self, owner: Owner, field: &Field) {
        if self.shown.absent.insert((owner, field.name.clone())) {
            self.findings.note(
                field.at,
                format!("`{}` is required, and the example lacks it", field.name),
            );
        }
    }

    fn undocumented(&mut self, at: usize, name: &str) {
        let name: String = name.chars().take(60).collect();
        self.findings.note(
            at,
            format!("`{name}` is shown and nowhere documented: left out of the example"),
        );
    }

    fn fits_field(&self, node: &Node, key: &Key, ty: &Type) -> bool {
        let is_odd_boolean = matches!(&node.value, Value::String(text)
            if self.decided.booleans.contains(key) && !matches!(text.as_str(), "true" | "false"));
        self.fits(node, ty) && !is_odd_boolean
    }

    /// Whether a value has a type; one of a model that is not there may be anything.
    fn fits(&self, node: &Node, ty: &Type) -> bool {
        match (ty, &node.value) {
            (Type::Array(element), Value::Array(elements)) => {
                elements.iter().all(|node| self.fits(node, element))
            }
            (Type::String, Value::String(_))
            | (Type::Float, Value::Number(_))
            | (Type::Boolean, Value::Boolean(_))
            | (Type::Object, Value::Object(_)) => true,
            (Type::Int, _) => node.is_integer(),
            (Type::Model(name), value) => {
                matches!(value, Value::Object(_)) || self.model(name).is_none()
            }
            _ => false,
        }
    }
}

/// The type that a value shows, where another is documented.
fn kind(node: &Node, documented: &Type) -> Type {
    match &node.value {
        Value::String(_) => Type::String,
        Value::Boolean(_) => Type::Boolean,
        Value::Number(_) if node.is_integer() => Type::Int,
        Value::Number(_) => Type::Float,
        Value::Object(_) | Value::Null => Type::Object,
        Value::Array(elements) => {
            let element = match documented {
                Type::Array(element) => element,
                other => other,
            };
            Type::Array(Box::new(match elements.first() {
                Some(first) => kind(first, element),
                None => element.clone(),
            }))
        }
    }
}

/// A text of a query as the JSON that its type would be, where it can be that.
fn typed(at: usize, text: &str, ty: Option<&Type>) -> Node {
    let is_json_number = || serde_json::from_str::<serde_json::Number>(text).is_ok();
    let value = match ty {
        Some(Type::Int) if text.parse::<i64>().is_ok() && is_json_number() => {
            Value::Number(text.to_owned())
        }
        Some(Type::Float) if is_json_number() => Value::Number(text.to_owned()),
        Some(Type::Boolean) if matches!(text, "true" | "false") => Value::Boolean(text == "true"),
        _ => Value::String(text.to_owned()),
    };
    Node { at, end: at, value }
}

fn again(node: &mut Node, value: Node) {
    match &mut node.value {
        Value::Array(values) => values.push(value),
        _ => {
            let first = std::mem::replace(node, null(node.at));
            node.value = Value::Array(vec![first, value]);
        }
    }
}

fn null(at: usize) -> Node {
    Node {
        at,
        end: at,
        value: Value::Null,
    }
}

fn object(members: Vec<Member>) -> Node {
    Node {
        at: 0,
        end: 0,
        value: Value::Object(members),
    }
}
