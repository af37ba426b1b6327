//! The values in a page's examples by name: evidence for rows without delimiters.

use std::{collections::BTreeMap, rc::Rc};

use crate::{
    import::facts::{Argument, ArgumentValue, run_together::ExampleValues},
    spec::{
        documented_name,
        json::{Member, Node, Value},
    },
};

pub(crate) struct ExampleIndex<'a> {
    arguments: &'a [Argument],
    response: Option<&'a Node>,
    /// The values of each name, at any depth.
    values: BTreeMap<&'a str, Vec<&'a Node>>,
    /// The fields of the objects under a name, once requested.
    fields: BTreeMap<&'a str, Rc<ExampleValues<'a>>>,
}

/// A value of a query, which shows no type.
const TEXT: &Node = &Node { at: 0, end: 0, value: Value::Null };
/// More values of a name are no further evidence.
const MAX_VALUES: usize = 1000;

impl<'a> ExampleIndex<'a> {
    pub(crate) fn of(arguments: &'a [Argument], response: Option<&'a Node>) -> Self {
        let mut values = BTreeMap::new();
        for argument in arguments {
            if let ArgumentValue::Json(node) = &argument.value {
                add(&mut values, &argument.name, node);
            }
        }
        if let Some(node) = response {
            add_members(&mut values, node);
        }
        let fields = BTreeMap::new();
        Self { arguments, response, values, fields }
    }

    /// Returns the arguments by documented name.
    pub(crate) fn request(&self) -> ExampleValues<'a> {
        by_name(self.arguments.iter().map(|argument| {
            let value = match &argument.value {
                ArgumentValue::Json(node) => node,
                ArgumentValue::Text(_) => TEXT,
            };
            (documented_name(&argument.name), value)
        }))
    }

    /// Returns the fields of the response.
    pub(crate) fn response(&self) -> ExampleValues<'a> {
        fields(self.response.iter().flat_map(|node| node.members()))
    }

    /// Returns the fields of the objects that any example shows under a name.
    pub(crate) fn fields_of(&mut self, name: &'a str) -> Rc<ExampleValues<'a>> {
        let values = self.values.get(name);
        let found = self.fields.entry(name).or_insert_with(|| {
            let mut objects = Vec::new();
            for value in values.into_iter().flatten() {
                add_objects(&mut objects, value);
            }
            let members = objects.into_iter().flat_map(Node::members);
            Rc::new(fields(members))
        });
        Rc::clone(found)
    }
}

fn add<'a>(values: &mut BTreeMap<&'a str, Vec<&'a Node>>, name: &'a str, node: &'a Node) {
    let values_of_name = values.entry(name).or_default();
    if values_of_name.len() < MAX_VALUES {
        values_of_name.push(node);
    }
    add_members(values, node);
}

fn add_members<'a>(values: &mut BTreeMap<&'a str, Vec<&'a Node>>, node: &'a Node) {
    for element in node.elements() {
        add_members(values, element);
    }
    for Member { key, value, .. } in node.members() {
        add(values, key, value);
    }
}

/// Adds the objects that a value is or lists.
fn add_objects<'a>(objects: &mut Vec<&'a Node>, node: &'a Node) {
    match &node.value {
        Value::Object(_) if objects.len() < MAX_VALUES => objects.push(node),
        _ => node.elements().iter().for_each(|node| add_objects(objects, node)),
    }
}

fn fields<'a>(members: impl Iterator<Item = &'a Member>) -> ExampleValues<'a> {
    by_name(members.map(|member| (member.key.clone(), &member.value)))
}

fn by_name<'a>(values: impl Iterator<Item = (String, &'a Node)>) -> ExampleValues<'a> {
    let mut by_name = ExampleValues::new();
    for (name, value) in values {
        by_name.entry(name).or_default().push(value);
    }
    by_name
}
