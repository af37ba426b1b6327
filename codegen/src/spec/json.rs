//! JSON with the place of every value, so that an error can point to it.

use jsonc_parser::{CollectOptions, ParseOptions, ast};

/// A JSON value and its byte range in the file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) at: usize,
    pub(crate) end: usize,
    pub(crate) value: Value,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Boolean(bool),
    /// As written: `1`, `1.0` and `1e3` are different facts about an example.
    Number(String),
    String(String),
    Array(Vec<Node>),
    Object(Vec<Member>),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Member {
    pub(crate) at: usize,
    pub(crate) key: String,
    pub(crate) value: Node,
}

impl Node {
    /// A value that is in no file.
    pub(crate) fn new(value: Value) -> Self {
        Self { at: 0, end: 0, value }
    }

    pub(crate) fn string(text: impl Into<String>) -> Self {
        Self::new(Value::String(text.into()))
    }

    pub(crate) fn object<'k>(members: impl IntoIterator<Item = (&'k str, Self)>) -> Self {
        let members = members.into_iter().map(|(key, value)| Member::new(key, value));
        Self::new(Value::Object(members.collect()))
    }

    /// The value of a key, if this is an object that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        let member = self.members().iter().find(|member| member.key == key)?;
        Some(&member.value)
    }

    /// The members of an object; none of anything else.
    pub(crate) fn members(&self) -> &[Member] {
        match &self.value {
            Value::Object(members) => members,
            _ => &[],
        }
    }

    /// The elements of an array; none of anything else.
    pub(crate) fn elements(&self) -> &[Self] {
        match &self.value {
            Value::Array(elements) => elements,
            _ => &[],
        }
    }

    pub(crate) fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The kind of the value, in words.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "null",
            Value::Boolean(_) => "a boolean",
            Value::Number(number) if is_integer(number) => "an integer",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "an array",
            Value::Object(_) => "an object",
        }
    }

    pub(crate) fn is_integer(&self) -> bool {
        matches!(&self.value, Value::Number(number) if is_integer(number))
    }
}

impl Member {
    /// A member that is in no file.
    pub(crate) fn new(key: impl Into<String>, value: Node) -> Self {
        Self { at: 0, key: key.into(), value }
    }
}

/// An `int` of the platform has 64 bits and a sign.
fn is_integer(number: &str) -> bool {
    number.parse::<i64>().is_ok()
}

/// Why a text is not JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SyntaxError {
    /// The byte offset.
    pub(crate) at: usize,
    pub(crate) message: String,
}

/// Parses a text as strict JSON.
pub(crate) fn parse(text: &str) -> Result<Node, SyntaxError> {
    let invalid =
        |at, message: &str| SyntaxError { at, message: format!("invalid JSON: {message}") };
    // serde_json is strict and bounds the nesting, but keeps no places.
    if let Err(error) = serde_json::from_str::<serde_json::Value>(text) {
        let lines = text.split_inclusive('\n').map(str::len);
        let line_start: usize = lines.take(error.line().saturating_sub(1)).sum();
        let message = error.to_string();
        let (message, _) = message.rsplit_once(" at line ").unwrap_or((&message, ""));
        return Err(invalid(line_start + error.column().saturating_sub(1), message));
    }
    let (collect, options) = (CollectOptions::default(), ParseOptions::default());
    let parsed = jsonc_parser::parse_to_ast(text, &collect, &options)
        .map_err(|error| invalid(error.range().start, &error.kind().to_string()))?;
    let value = parsed.value.ok_or_else(|| invalid(0, "no value"))?;
    Ok(node(value))
}

fn node(value: ast::Value<'_>) -> Node {
    use jsonc_parser::common::Ranged;
    let range = value.range();
    let value = match value {
        ast::Value::NullKeyword(_) => Value::Null,
        ast::Value::BooleanLit(literal) => Value::Boolean(literal.value),
        ast::Value::NumberLit(literal) => Value::Number(literal.value.to_owned()),
        ast::Value::StringLit(literal) => Value::String(literal.value.into_owned()),
        ast::Value::Array(array) => Value::Array(array.elements.into_iter().map(node).collect()),
        ast::Value::Object(object) => Value::Object(
            object
                .properties
                .into_iter()
                .map(|property| Member {
                    at: property.range.start,
                    key: property.name.into_string(),
                    value: node(property.value),
                })
                .collect(),
        ),
    };
    Node { at: range.start, end: range.end, value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_syntax_error_has_its_place() {
        for (text, at, expected) in [
            ("", 0, "EOF while parsing a value"),
            ("{\"a\": 1,}", 8, "trailing comma"),
            ("{\n \"a\" 1}", 7, "expected `:`"),
            ("// no\n{}", 0, "expected value"),
            ("[1] 2", 4, "trailing characters"),
        ] {
            let message = format!("invalid JSON: {expected}");
            assert_eq!(parse(text), Err(SyntaxError { at, message }), "{text}");
        }
    }

    #[test]
    fn nesting_is_bounded() {
        assert!(parse(&"[".repeat(100_000)).is_err());
        assert!(parse(&("[".repeat(1_000) + &"]".repeat(1_000))).is_err());
    }

    #[test]
    fn values_know_their_places() {
        let parsed = parse("{\"a\": [1.0, \"x\\n\"]}").unwrap();
        let elements = parsed.get("a").unwrap().elements();
        assert_eq!((elements[0].at, elements[0].end), (7, 10));
        assert_eq!(elements[0].value, Value::Number("1.0".to_owned()));
        assert_eq!(elements[1].as_str(), Some("x\n"));
    }
}
