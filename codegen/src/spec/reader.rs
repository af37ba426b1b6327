//! Turns JSON values into the parts of a spec, and says of each that does not fit what it should be.

use std::collections::BTreeMap;

use super::{At, Type};
use crate::{
    spec::diagnostic::{Report, suggest},
    spec::json::{Member, Node, Value},
};

/// The keys an object has.
#[derive(Clone, Copy)]
pub(super) struct Keys {
    pub(super) required: &'static [&'static str],
    pub(super) optional: &'static [&'static str],
}

/// An object's values by key, each taken once.
pub(super) struct Object(BTreeMap<String, Node>);

impl Object {
    pub(super) fn take(&mut self, key: &str) -> Option<Node> {
        self.0.remove(key)
    }
}

pub(super) struct Reader<'r, 'a> {
    pub(super) report: &'r mut Report<'a>,
}

impl Reader<'_, '_> {
    /// An object with known keys; unknown, repeated and missing ones are reported.
    pub(super) fn object(&mut self, node: &Node, what: &str, keys: Keys) -> Option<Object> {
        let mut object = BTreeMap::new();
        for Member { at, key, value } in self.members(node, what)? {
            if keys
                .required
                .iter()
                .chain(keys.optional)
                .any(|known| *known == key)
            {
                object.insert(key, value);
            } else {
                let known = keys.required.iter().chain(keys.optional).copied();
                self.report.error(
                    at,
                    format!("{what} has no key `{key}`{}", suggest(&key, known)),
                );
            }
        }
        for key in keys.required {
            if !object.contains_key(*key) {
                self.report.error(node.at, format!("{what} lacks `{key}`"));
            }
        }
        Some(Object(object))
    }

    /// An object with any keys, in their order; repeated ones are reported.
    pub(super) fn members(&mut self, node: &Node, what: &str) -> Option<Vec<Member>> {
        let Value::Object(members) = &node.value else {
            self.mistaken(node, &format!("{what}: an object"));
            return None;
        };
        let mut seen = std::collections::BTreeSet::new();
        for member in members {
            if !seen.insert(&member.key) {
                self.report.error(
                    member.at,
                    format!("`{}` stands twice in {what}", member.key),
                );
            }
        }
        Some(members.clone())
    }

    pub(super) fn list<T>(
        &mut self,
        node: Option<Node>,
        what: &str,
        mut read: impl FnMut(&mut Self, Node) -> Option<T>,
    ) -> Vec<T> {
        match node {
            Some(Node {
                value: Value::Array(elements),
                ..
            }) => elements
                .into_iter()
                .filter_map(|element| read(self, element))
                .collect(),
            Some(other) => {
                self.mistaken(&other, &format!("{what}: an array"));
                Vec::new()
            }
            None => Vec::new(),
        }
    }

    /// A string that is a name or a value: printable, and not empty.
    pub(super) fn text(&mut self, node: Option<Node>) -> Option<At<String>> {
        let text = self.string(node?)?;
        if text.value.is_empty() {
            self.report.error(text.at, "this may not be empty");
            return None;
        }
        if text.value.contains(char::is_whitespace) {
            self.report
                .error(text.at, format!("{:?} may hold no white space", text.value));
            return None;
        }
        Some(text)
    }

    /// A string that becomes documentation.
    pub(super) fn prose(&mut self, node: Option<Node>) -> Option<At<String>> {
        let text = self.string(node?)?;
        if text.value.trim().is_empty() {
            self.report.error(
                text.at,
                "this is empty, and becomes documentation: write a sentence for the reader of the Rust docs",
            );
            return None;
        }
        if let Some(what) = odd_markdown(&text.value) {
            self.report.error(text.at, what);
            return None;
        }
        Some(text)
    }

    fn string(&mut self, node: Node) -> Option<At<String>> {
        let Value::String(value) = node.value else {
            self.mistaken(&node, "a string");
            return None;
        };
        // Control and direction characters would break, or disguise, the source they are written to.
        let is_hidden = |c: char| {
            (c.is_control() && c != '\n')
                || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        };
        if let Some(hidden) = value.chars().find(|c| is_hidden(*c)) {
            self.report.error(
                node.at,
                format!(
                    "the character U+{:04X} may not stand here",
                    u32::from(hidden)
                ),
            );
            return None;
        }
        Some(At { value, at: node.at })
    }

    pub(super) fn boolean(&mut self, node: Option<Node>) -> Option<At<bool>> {
        let node = node?;
        let Value::Boolean(value) = node.value else {
            self.mistaken(&node, "true or false");
            return None;
        };
        Some(At { value, at: node.at })
    }

    pub(super) fn integer(&mut self, node: Option<Node>) -> Option<At<i64>> {
        let node = node?;
        if let Value::Number(number) = &node.value
            && let Ok(value) = number.parse()
        {
            return Some(At { value, at: node.at });
        }
        self.mistaken(&node, "an integer");
        None
    }

    pub(super) fn ty(&mut self, node: Option<Node>) -> Option<At<Type>> {
        let text = self.string(node?)?;
        match Type::parse(&text.value) {
            Ok(value) => Some(At { value, at: text.at }),
            Err(message) => {
                self.report.error(text.at, message);
                None
            }
        }
    }

    pub(super) fn one_of<T: Copy>(
        &mut self,
        node: Option<Node>,
        choices: &[(&str, T)],
    ) -> Option<At<T>> {
        let text = self.string(node?)?;
        if let Some((_, value)) = choices.iter().find(|(name, _)| *name == text.value) {
            return Some(At {
                value: *value,
                at: text.at,
            });
        }
        let names = choices.iter().map(|(name, _)| *name);
        self.report.error(
            text.at,
            format!(
                "`{}` is not known here{}",
                text.value,
                suggest(&text.value, names)
            ),
        );
        None
    }

    fn mistaken(&mut self, found: &Node, expected: &str) {
        self.report.error(
            found.at,
            format!("expected {expected}; found {}", found.kind()),
        );
    }
}

/// What rustdoc would take for something else than words.
fn odd_markdown(text: &str) -> Option<String> {
    let is_code = |line: &str| line.starts_with("    ") || line.trim_start().starts_with("```");
    if text.lines().any(is_code) {
        return Some("a block of code would become a test of its own: say it in words".to_owned());
    }
    // Every other piece between backticks is code.
    for words in text.split('`').step_by(2) {
        let link = words.find('[').filter(|_| !words.contains("]("));
        if let Some(odd) = link
            .map(|_| '[')
            .or_else(|| words.contains('<').then_some('<'))
        {
            return Some(format!(
                "`{odd}` would become a link or a tag: put what it belongs to in backticks"
            ));
        }
    }
    None
}
