//! JSON with the place of every value, so that a mistake can be shown where it stands.

use jsonc_parser::{CollectOptions, ParseOptions, ast};

use crate::spec::diagnostic::Report;

/// A JSON value and where it stands in its file.
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
    /// What the value is, in words.
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

/// An `int` of the platform is 64 bits wide and signed.
fn is_integer(number: &str) -> bool {
    number.parse::<i64>().is_ok()
}

const STRICT: ParseOptions = ParseOptions {
    allow_comments: false,
    allow_loose_object_property_names: false,
    allow_trailing_commas: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

/// Reads a file's text; what is no JSON is reported.
pub(crate) fn parse(report: &mut Report<'_>) -> Option<Node> {
    // serde_json decides what JSON is, to the letter, and bounds the nesting; it keeps no places.
    if let Err(error) = serde_json::from_str::<serde_json::Value>(report.text) {
        let message = error.to_string();
        let what = message
            .rsplit_once(" at line ")
            .map_or(message.as_str(), |(what, _)| what);
        report.error_at(
            error.line(),
            error.column(),
            format!("this is not JSON: {what}"),
        );
        return None;
    }
    match jsonc_parser::parse_to_ast(report.text, &CollectOptions::default(), &STRICT) {
        Ok(parsed) => parsed.value.map(node),
        Err(error) => {
            report.error(
                error.range().start,
                format!("this is not JSON: {}", error.kind()),
            );
            None
        }
    }
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
    Node {
        at: range.start,
        end: range.end,
        value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_json_is_said_with_its_place() {
        for (text, expected) in [
            ("", "f:1:1: this is not JSON: EOF while parsing a value"),
            ("{\"a\": 1,}", "f:1:9: this is not JSON: trailing comma"),
            ("{\n \"a\" 1}", "f:2:6: this is not JSON: expected `:`"),
            ("// no\n{}", "f:1:1: this is not JSON: expected value"),
            ("[1] 2", "f:1:5: this is not JSON: trailing characters"),
        ] {
            let mut report = Report::new("f", text);
            assert_eq!(parse(&mut report), None, "{text}");
            assert_eq!(report.into_diagnostics()[0].to_string(), expected, "{text}");
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let text = "[".repeat(100_000);
        let mut report = Report::new("f", &text);
        assert_eq!(parse(&mut report), None);
        assert!(!report.is_clean());
    }

    #[test]
    fn values_know_where_they_stand() {
        let mut report = Report::new("f", "{\"a\": [1.0, \"x\\n\"]}");
        let Some(Node {
            value: Value::Object(members),
            ..
        }) = parse(&mut report)
        else {
            panic!("an object was expected")
        };
        let Value::Array(elements) = &members[0].value.value else {
            panic!("an array was expected")
        };
        assert_eq!((elements[0].at, elements[0].end), (7, 10));
        assert_eq!(elements[0].value, Value::Number("1.0".to_owned()));
        assert_eq!(elements[1].value, Value::String("x\n".to_owned()));
    }
}
