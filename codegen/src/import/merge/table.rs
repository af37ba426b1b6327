//! A table of the page beside its rows in the old spec.

use crate::import::{
    facts::Field,
    merge::{examples::CheckedExamples, names, proposal, wording::Wording},
};
use crate::{
    model::comparison::Owner,
    spec::{
        self, At, Format, Type,
        json::{Member, Node, Value},
        keys,
    },
};

/// A table of the page, and its rows in the old spec.
pub(crate) struct Table<'a> {
    pub(crate) at: usize,
    pub(crate) owner: Owner<'a>,
    pub(crate) fields: &'a [Field],
    pub(crate) old_rows: &'a [Node],
}

impl<'a> Table<'a> {
    pub(crate) fn old_row(&self, field: &Field) -> Option<&'a Node> {
        let mut rows = self.old_rows.iter();
        rows.find(|row| row_name(row) == Some(&field.name))
    }

    /// Returns the field that a string in place of the model holds, if the old spec says so.
    pub(crate) fn decided_shorthand(&self) -> Option<&'a str> {
        let mut rows = self.old_rows.iter();
        let name = row_name(rows.find(|row| row.get("example_shorthand").is_some())?)?;
        let mut fields = self.fields.iter();
        fields.any(|field| field.name == name).then_some(name)
    }

    /// Returns the field that a string in place of the model holds, decided or proposed.
    fn shorthand(&self) -> Option<&'a str> {
        let Owner::Model(name) = self.owner else {
            return None;
        };
        let proposed = || proposal::identity(name, self.fields).map(|field| field.name.as_str());
        self.decided_shorthand().or_else(proposed)
    }

    /// Returns the fields with the decisions that the examples are checked by.
    pub(crate) fn documented(&self) -> Vec<spec::Field> {
        let shorthand = self.shorthand();
        let fields = self.fields.iter().map(|field| {
            let old = self.old_row(field);
            let format = old.and_then(|row| row.get("format"));
            let omits = old.is_some_and(records_omission);
            let is_boolean = format.and_then(Node::as_str) == Some("boolean");
            let is_shorthand = shorthand == Some(&field.name);
            spec::Field {
                name: at(field.at, field.name.clone()),
                ty: at(field.at, field.kind.clone()),
                required: field.required,
                format: is_boolean.then_some(at(field.at, Format::Boolean)),
                example_shorthand: is_shorthand.then_some(at(field.at, true)),
                example_type: self.recorded_type(field).map(|ty| at(field.at, ty)),
                example_omits: omits.then_some(at(field.at, true)),
                ..spec::Field::default()
            }
        });
        fields.collect()
    }

    /// Returns the type that the old spec records for the example, if the documented type is still
    /// another.
    pub(crate) fn recorded_type(&self, field: &Field) -> Option<Type> {
        let recorded = self.old_row(field)?.get("example_type")?.as_str()?;
        let recorded = Type::parse(recorded).ok()?;
        let is_documented =
            recorded == field.kind || (recorded == Type::Int && field.kind == Type::Float);
        (!is_documented).then_some(recorded)
    }

    /// Returns a row of the new spec: the facts of the page, and the prose and decisions of the old
    /// spec.
    pub(crate) fn row(&self, field: &Field, examples: &CheckedExamples, wording: Wording) -> Node {
        let old = self.old_row(field);
        let flag = |is_set: bool| is_set.then(|| Node::new(Value::Boolean(true)));
        let example_type = examples.types.get(&field.at).map(Type::to_string);
        let is_shorthand = matches!(self.owner, Owner::Model(name) if examples.shorthand.contains(name))
            && self.shorthand() == Some(&field.name);
        let facts = [
            ("name", Some(Node::string(&field.name))),
            ("type", Some(Node::string(&field.ty))),
            ("required", Some(Node::new(Value::Boolean(field.required)))),
            ("default", field.default.clone()),
            ("example_type", example_type.map(Node::string)),
            ("example_omits", flag(examples.omitted.contains(&field.at))),
            ("example_shorthand", flag(is_shorthand)),
            ("words", wording.traces(&field.description, old)),
        ];
        let facts = facts.into_iter();
        let mut row: Vec<Member> =
            facts.filter_map(|(key, value)| Some(Member::new(key, value?))).collect();
        for Member { at, key, value } in old.into_iter().flat_map(Node::members) {
            let is_outdated = match key.as_str() {
                "default" => field.required,
                "example_type" => self.recorded_type(field).is_none(),
                "example_omits" => !field.required,
                "example_shorthand" => !field.required || field.kind != Type::String,
                key => keys::FIELD.is_fact(key),
            };
            if !is_outdated && !has(&row, key) {
                row.push(Member { at: *at, key: key.clone(), value: value.clone() });
            }
        }
        if !has(&row, "description") {
            row.push(Member::new("description", Node::string("")));
        }
        if wording.proposes_deprecation(&field.description, old) {
            row.push(Member::new("deprecated", Node::string("")));
        }
        if old.is_none() {
            let name = names::rust_name(&field.name);
            row.extend(name.map(|name| Member::new("rust_name", Node::string(name))));
            if names::is_secret(&field.name, &field.kind) {
                row.push(Member::new("secret", Node::new(Value::Boolean(true))));
            }
        }
        Node::new(Value::Object(row))
    }

    /// Returns the keys that [`row`](Self::row) proposes for rows that the old spec does not have.
    pub(crate) fn proposals(&self) -> impl Iterator<Item = &'static str> {
        let new = self.fields.iter().filter(|field| self.old_row(field).is_none());
        new.flat_map(|field| {
            let name = names::rust_name(&field.name).map(|_| "rust_name");
            name.into_iter().chain(names::is_secret(&field.name, &field.kind).then_some("secret"))
        })
    }
}

pub(crate) fn at<T>(at: usize, value: T) -> At<T> {
    At { value, at }
}

pub(crate) fn has(members: &[Member], key: &str) -> bool {
    members.iter().any(|member| member.key == key)
}

/// Whether a row of the old spec records that the example omits it.
pub(crate) fn records_omission(row: &Node) -> bool {
    row.get("example_omits").is_some_and(|flag| flag.value == Value::Boolean(true))
}

pub(crate) fn row_name(row: &Node) -> Option<&str> {
    row.get("name")?.as_str()
}

pub(crate) fn row_type(row: &Node) -> Option<Type> {
    Type::parse(row.get("type")?.as_str()?).ok()
}
