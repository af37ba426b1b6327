//! Compares an example with the tables that document it. Both lowering a spec and importing a page
//! use this walker; they differ in what they do about a contradiction.

use std::collections::{BTreeMap, BTreeSet};

use crate::spec::{
    Field, Format, Model, Type, documented_name,
    json::{Member, Node, Value},
};

/// The tables of one action.
#[derive(Debug, Default)]
pub(crate) struct Tables<'a> {
    rows: BTreeMap<Owner<'a>, &'a [Field]>,
    by_name: BTreeMap<(Owner<'a>, &'a str), &'a Field>,
}

/// The table that a row belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Owner<'a> {
    Request,
    Response,
    Model(&'a str),
}

/// What an example and the tables disagree on.
#[derive(Debug)]
pub(crate) enum Contradiction<'a, 'n> {
    /// No row documents the name. A parameter's name has the path to it.
    Undocumented { owner: Owner<'a>, name: &'n str },
    /// An object has a key twice.
    Repeated { name: &'n str },
    /// The example omits a required row.
    Omitted { field: &'a Field },
    /// A value does not fit the type of its row, or the part of it that the example shows.
    Mismatch {
        field: &'a Field,
        ty: &'a Type,
        node: &'n Node,
        /// What was expected and found.
        message: String,
    },
    /// A string stands for a model.
    Shorthand { field: &'a Field, model: &'a str },
}

impl<'a> Tables<'a> {
    pub(crate) fn new(
        parameters: &'a [Field],
        response: &'a [Field],
        models: impl IntoIterator<Item = &'a Model>,
    ) -> Self {
        let models = models.into_iter().map(|model| {
            let owner = Owner::Model(&model.name.value);
            (owner, model.fields.as_slice())
        });
        let tables = [(Owner::Request, parameters), (Owner::Response, response)];
        let rows: BTreeMap<Owner<'_>, &[Field]> = tables.into_iter().chain(models).collect();
        let mut by_name = BTreeMap::new();
        for (owner, fields) in &rows {
            for field in *fields {
                by_name.entry((*owner, field.name.value.as_str())).or_insert(field);
            }
        }
        Self { rows, by_name }
    }

    /// The rows of a table; `None` if there is no such model.
    pub(crate) fn rows(&self, owner: Owner<'_>) -> Option<&'a [Field]> {
        self.rows.get(&owner).copied()
    }

    /// The field that stands for a whole model where the example has a string in its place.
    pub(crate) fn shorthand(&self, model: &str) -> Option<&'a Field> {
        let mut fields = self.rows(Owner::Model(model))?.iter();
        fields.find(|field| field.is_shorthand())
    }

    /// The row that documents a parameter's name as an example shows it, and the type of what the
    /// name leads to: `Disks.0.Type` is a row, or a field of the model of the row `Disks`. There is
    /// no type inside an object.
    pub(crate) fn parameter(&self, name: &str) -> Option<(&'a Field, Option<&'a Type>)> {
        let name = documented_name(name);
        let ends = name.match_indices('.').map(|(at, _)| at);
        let ends: Vec<usize> = ends.chain([name.len()]).collect();
        let (mut field, end) = ends.into_iter().rev().find_map(|end| {
            let field = self.field(Owner::Request, &name[..end])?;
            Some((field, end))
        })?;
        let mut ty = &field.ty.value;
        for part in name[end..].split('.').filter(|part| !part.is_empty()) {
            ty = match ty {
                Type::Array(element) if part == "N" => element,
                Type::Model(model) => {
                    field = self.field(Owner::Model(model), part)?;
                    &field.ty.value
                }
                Type::Object => return Some((field, None)),
                _ => return None,
            };
        }
        Some((field, Some(ty)))
    }

    fn field(&self, owner: Owner<'_>, name: &str) -> Option<&'a Field> {
        self.by_name.get(&(owner, name)).copied()
    }

    /// Whether parameters are documented inside a name: `Bag.Colour` in `Bag`.
    fn is_group(&self, name: &str) -> bool {
        let prefix = format!("{}.", documented_name(name));
        let mut after = self.by_name.range((Owner::Request, prefix.as_str())..);
        after
            .next()
            .is_some_and(|((owner, name), _)| *owner == Owner::Request && name.starts_with(&prefix))
    }

    /// Whether a value has a type; else what was expected and found.
    pub(crate) fn fits(&self, node: &Node, ty: &Type) -> Result<(), String> {
        let fits = match (ty, &node.value) {
            (Type::Array(element), Value::Array(elements)) => {
                return elements.iter().try_for_each(|node| self.fits(node, element));
            }
            (Type::String, Value::String(_))
            | (Type::Float, Value::Number(_))
            | (Type::Boolean, Value::Boolean(_))
            | (Type::Object, Value::Object(_)) => true,
            (Type::Model(name), Value::Object(members)) => {
                if !self.is_object_of(name, members) {
                    let keys = members.iter().map(|member| member.key.as_str());
                    let key: String = keys.take(1).flat_map(|key| key.chars().take(60)).collect();
                    return Err(format!(
                        "expected {name}; found an object without its fields: no field `{key}`"
                    ));
                }
                true
            }
            (Type::Int, _) => node.is_integer(),
            // A model that is missing is reported where it is named.
            (Type::Model(name), value) => {
                *value != Value::Null && self.rows(Owner::Model(name)).is_none()
            }
            _ => false,
        };
        if fits { Ok(()) } else { Err(format!("expected {ty}; found {}", node.kind())) }
    }

    /// Whether a value has the type that is recorded for the example. `object` is any JSON: the
    /// values of one row may have several types.
    pub(crate) fn fits_example_type(&self, node: &Node, ty: &Type) -> bool {
        (*ty == Type::Object && node.value != Value::Null) || self.fits(node, ty).is_ok()
    }

    /// Whether an object has a field of its model, or none at all. Of any other object, such as one
    /// that has ids for keys, a reader of the model would lose everything.
    pub(crate) fn is_object_of(&self, model: &str, members: &[Member]) -> bool {
        let owner = Owner::Model(model);
        members.is_empty()
            || self.rows(owner).is_none()
            || members.iter().any(|member| self.field(owner, &member.key).is_some())
    }

    /// Like [`fits`](Self::fits), with the format of the row.
    fn fits_row(&self, node: &Node, ty: &Type, field: &Field) -> Result<(), String> {
        self.fits(node, ty)?;
        let format = field.format.as_ref().map(|format| format.value);
        match &node.value {
            Value::String(text)
                if format == Some(Format::Boolean) && !matches!(&**text, "true" | "false") =>
            {
                Err(format!("expected \"true\" or \"false\"; found {text:?}"))
            }
            _ => Ok(()),
        }
    }

    /// Whether a value can be the one element of a list that the example shows without its
    /// brackets: a string, or an object with all that its model requires and a field of it.
    pub(crate) fn is_element(&self, node: &Node, element: &Type) -> bool {
        match (element, &node.value) {
            (Type::Array(_), _) => false,
            (Type::Model(name), Value::Object(members))
                if members.is_empty() || !self.is_object_of(name, members) =>
            {
                false
            }
            (Type::Model(name), Value::Object(_)) => {
                let fields = self.rows(Owner::Model(name)).unwrap_or_default();
                let mut required = fields.iter().filter(|field| field.required);
                required.all(|field| {
                    node.get(&field.name.value).is_some_and(|it| it.value != Value::Null)
                })
            }
            (_, Value::String(_) | Value::Object(_)) => true,
            _ => false,
        }
    }

    /// Compares an example, a request or a response. `at` is its place; `judge` gets each
    /// contradiction with its place, and returns whether the value is kept. A value that is removed
    /// counts as omitted.
    pub(crate) fn compare(
        &self,
        owner: Owner<'a>,
        at: usize,
        members: &mut Vec<Member>,
        judge: &mut Judge<'_, 'a>,
    ) {
        let mut walker = Walker { tables: self, judge };
        if owner != Owner::Request {
            return walker.object(at, members, owner);
        }
        members.retain_mut(|it| walker.parameter(&it.key, it.at, &mut it.value));
        // `Disks.0.Type` shows `Disks`.
        let names = members.iter().filter_map(|it| it.key.split('.').next());
        let shown: BTreeSet<&str> = names.collect();
        walker.report_omitted(at, owner, |name| shown.contains(name) || name.contains('.'));
    }
}

/// Decides whether a value that contradicts the tables is kept.
pub(crate) type Judge<'j, 'a> = dyn FnMut(usize, Contradiction<'a, '_>) -> bool + 'j;

struct Walker<'w, 'j, 'a> {
    tables: &'w Tables<'a>,
    judge: &'w mut Judge<'j, 'a>,
}

impl<'a> Walker<'_, '_, 'a> {
    /// Compares a parameter, or a part of a group of parameters. Returns whether it is kept.
    fn parameter(&mut self, name: &str, at: usize, node: &mut Node) -> bool {
        let row = self.tables.parameter(name);
        let is_group = row.is_none() && self.tables.is_group(name);
        match (row, &mut node.value) {
            // A parameter that the page repeats has an array of its values.
            (Some((field, Some(ty))), Value::Array(values))
                if !values.is_empty() && !matches!(ty, Type::Array(_)) =>
            {
                values.retain_mut(|value| self.value(field, ty, value));
                !values.is_empty()
            }
            (Some((field, Some(ty))), _) => self.value(field, ty, node),
            // An object may have anything in it.
            (Some((_, None)), _) => true,
            (None, Value::Object(members)) if is_group => {
                members.retain_mut(|member| {
                    let name = format!("{name}.{}", member.key);
                    self.parameter(&name, member.at, &mut member.value)
                });
                true
            }
            (None, Value::Array(elements)) if is_group => {
                let mut index = 0..;
                elements.retain_mut(|element| {
                    let name = format!("{name}.{}", index.next().unwrap_or(0));
                    self.parameter(&name, element.at, element)
                });
                true
            }
            (None, _) => {
                let owner = Owner::Request;
                (self.judge)(at, Contradiction::Undocumented { owner, name })
            }
        }
    }

    /// Compares an object of a model, or the response itself.
    fn object(&mut self, at: usize, members: &mut Vec<Member>, owner: Owner<'a>) {
        let mut shown: BTreeSet<&str> = BTreeSet::new();
        members.retain_mut(|Member { at, key, value }| {
            let name = key.as_str();
            let Some(field) = self.tables.field(owner, name) else {
                return (self.judge)(*at, Contradiction::Undocumented { owner, name });
            };
            if shown.contains(name) && !(self.judge)(*at, Contradiction::Repeated { name }) {
                return false;
            }
            let is_kept = self.value(field, &field.ty.value, value);
            if is_kept {
                shown.insert(&field.name.value);
            }
            is_kept
        });
        self.report_omitted(at, owner, |name| shown.contains(name));
    }

    fn report_omitted(&mut self, at: usize, owner: Owner<'a>, is_shown: impl Fn(&str) -> bool) {
        for field in self.tables.rows(owner).unwrap_or_default() {
            if field.required && !is_shown(&field.name.value) {
                (self.judge)(at, Contradiction::Omitted { field });
            }
        }
    }

    /// Compares a value of a row, or a part of one. Returns whether it is kept.
    fn value(&mut self, field: &'a Field, ty: &'a Type, node: &mut Node) -> bool {
        if let Err(message) = self.tables.fits_row(node, ty, field) {
            let mismatch = Contradiction::Mismatch { field, ty, node, message };
            if !(self.judge)(node.at, mismatch) {
                return false;
            }
        }
        self.descend(field, node, ty);
        true
    }

    /// Compares the models in a value.
    fn descend(&mut self, field: &'a Field, node: &mut Node, ty: &'a Type) {
        let at = node.at;
        if let Type::Array(element) = ty {
            if let Value::Array(elements) = &mut node.value {
                elements.iter_mut().for_each(|node| self.descend(field, node, element));
            } else if self.tables.is_element(node, element) {
                self.descend(field, node, element);
            }
        } else if let Type::Model(model) = ty
            && self.tables.rows(Owner::Model(model)).is_some()
        {
            match &mut node.value {
                Value::Object(members) if self.tables.is_object_of(model, members) => {
                    self.object(at, members, Owner::Model(model));
                }
                Value::String(text) if !text.is_empty() => {
                    (self.judge)(at, Contradiction::Shorthand { field, model });
                    if let Some(shorthand) = self.tables.shorthand(model) {
                        let shorthand = shorthand.name.value.as_str();
                        self.report_omitted(at, Owner::Model(model), |name| shorthand == name);
                    }
                }
                _ => {}
            }
        }
    }
}
