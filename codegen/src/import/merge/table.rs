//! A table of the page beside its rows in the old spec.

use crate::import::{
    facts::Field,
    merge::{examples::CheckedExamples, proposal},
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
            let format = self.old_row(field).and_then(|row| row.get("format"));
            let is_boolean = format.and_then(Node::as_str) == Some("boolean");
            let is_shorthand = shorthand == Some(&field.name);
            spec::Field {
                name: at(field.at, field.name.clone()),
                ty: at(field.at, field.kind.clone()),
                required: field.required,
                format: is_boolean.then_some(at(field.at, Format::Boolean)),
                example_shorthand: is_shorthand.then_some(at(field.at, true)),
                ..spec::Field::default()
            }
        });
        fields.collect()
    }

    /// Returns a row of the new spec: the facts of the page, and the prose and decisions of the old
    /// spec.
    pub(crate) fn row(&self, field: &Field, examples: &CheckedExamples) -> Node {
        let flag = |is_set: bool| is_set.then(|| Node::new(Value::Boolean(true)));
        let may_have_default = self.owner == Owner::Request && !field.required;
        let default = proposal::default(&field.description, &field.kind);
        let example_type = examples.types.get(&field.at).map(Type::to_string);
        let is_shorthand = matches!(self.owner, Owner::Model(name) if examples.shorthand.contains(name))
            && self.shorthand() == Some(&field.name);
        let facts = [
            ("name", Some(Node::string(&field.name))),
            ("type", Some(Node::string(&field.ty))),
            ("required", Some(Node::new(Value::Boolean(field.required)))),
            ("default", default.filter(|_| may_have_default)),
            ("example_type", example_type.map(Node::string)),
            ("example_omits", flag(examples.omitted.contains(&field.at))),
            ("example_shorthand", flag(is_shorthand)),
        ];
        let facts = facts.into_iter();
        let mut row: Vec<Member> =
            facts.filter_map(|(key, value)| Some(Member::new(key, value?))).collect();
        for old in self.old_row(field).into_iter().flat_map(Node::members) {
            let is_outdated = keys::FIELD.is_fact(&old.key)
                || (old.key == "default" && field.required)
                || has(&row, &old.key);
            if !is_outdated {
                row.push(old.clone());
            }
        }
        if !has(&row, "description") {
            row.push(Member::new("description", Node::string("")));
        }
        Node::new(Value::Object(row))
    }
}

pub(crate) fn at<T>(at: usize, value: T) -> At<T> {
    At { value, at }
}

pub(crate) fn has(members: &[Member], key: &str) -> bool {
    members.iter().any(|member| member.key == key)
}

pub(crate) fn row_name(row: &Node) -> Option<&str> {
    row.get("name")?.as_str()
}

pub(crate) fn row_type(row: &Node) -> Option<Type> {
    Type::parse(row.get("type")?.as_str()?).ok()
}
