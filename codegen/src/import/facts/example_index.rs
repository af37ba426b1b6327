//! The values in a page's examples by name: evidence for rows without delimiters.

use std::collections::BTreeMap;

use crate::{
    import::facts::{Argument, ArgumentValue},
    spec::{
        documented_name,
        json::{Member, Node, Value},
    },
};

/// The values of an example by name.
pub(crate) type ExampleValues<'a> = BTreeMap<String, Vec<&'a Node>>;

#[derive(Debug, Default)]
pub(crate) struct ExampleIndex<'a> {
    /// The arguments by documented name.
    pub(crate) request: ExampleValues<'a>,
    /// The fields of the objects that any example shows under a name, at any depth. Those of the
    /// response itself are under the empty name.
    pub(crate) fields: BTreeMap<&'a str, ExampleValues<'a>>,
}

/// A value of a query, which shows no type.
const TEXT: &Node = &Node { at: 0, end: 0, value: Value::Null };
/// Further values of a name are ignored.
const MAX_VALUES: usize = 1000;

impl<'a> ExampleIndex<'a> {
    pub(crate) fn of(arguments: &'a [Argument], response: Option<&'a Node>) -> Self {
        let mut index = Self::default();
        for Argument { name, value, .. } in arguments {
            let node = match value {
                ArgumentValue::Json(node) => node,
                ArgumentValue::Text(_) => TEXT,
            };
            index.request.entry(documented_name(name)).or_default().push(node);
            index.add_fields(name, node);
        }
        if let Some(node) = response {
            index.add_fields("", node);
        }
        index
    }

    /// Adds the fields of the objects that a value is or lists.
    fn add_fields(&mut self, name: &'a str, node: &'a Node) {
        for element in node.elements() {
            self.add_fields(name, element);
        }
        for Member { key, value, .. } in node.members() {
            let fields = self.fields.entry(name).or_default();
            let values = fields.entry(key.clone()).or_default();
            if values.len() < MAX_VALUES {
                values.push(value);
            }
            self.add_fields(key, value);
        }
    }
}
