//! The values of the spec's keys that have a type of their own.

use std::fmt;

/// A type as the documentation spells it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Type {
    #[default]
    String,
    Int,
    Float,
    Boolean,
    Object,
    Array(Box<Type>),
    Model(String),
}

/// What a string holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// `true` or `false`.
    Boolean,
    /// A time, as text or as Unix seconds.
    Timestamp,
}

impl Format {
    pub(crate) const WORDS: [(&str, Self); 2] =
        [("boolean", Self::Boolean), ("timestamp", Self::Timestamp)];
}

/// Whether an action may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Idempotency {
    /// It only reads.
    Safe,
    /// Calling it again has no further effect.
    Idempotent,
    /// Calling it again may execute it twice.
    NonIdempotent,
}

impl Idempotency {
    pub(crate) const WORDS: [(&str, Self); 3] = [
        ("safe", Self::Safe),
        ("idempotent", Self::Idempotent),
        ("non_idempotent", Self::NonIdempotent),
    ];
}

/// What a return code means for the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The action's own code: it refused the call, or executed it and failed.
    Failed,
    /// Not executed; a retry would be rejected too.
    Rejected,
    /// Rejected because of the credentials or their permissions.
    Unauthorized,
    /// Not executed: the security token has expired. Retried once with a new one.
    TokenExpired,
    /// Rejected because something that the call names does not exist.
    NotFound,
    /// Not executed; any action may be retried.
    Throttled,
    /// Possibly executed.
    Unknown,
    /// Possibly executed: the gateway timed out.
    TimedOut,
}

impl Outcome {
    pub(crate) const WORDS: [(&str, Self); 8] = [
        ("failed", Self::Failed),
        ("rejected", Self::Rejected),
        ("unauthorized", Self::Unauthorized),
        ("token_expired", Self::TokenExpired),
        ("not_found", Self::NotFound),
        ("throttled", Self::Throttled),
        ("unknown", Self::Unknown),
        ("timed_out", Self::TimedOut),
    ];
}

impl Type {
    pub(crate) const BASIC: [&'static str; 5] = ["string", "int", "float", "boolean", "object"];
    /// Deeper nesting is a mistake.
    const MAX_DEPTH: usize = 8;

    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut inner = text.trim();
        let mut depth = 0;
        while let Some(element) = inner.strip_prefix("array[") {
            let Some(element) = element.strip_suffix(']') else {
                return Err(format!("`{text}` is not a type: an array is written `array[T]`"));
            };
            inner = element.trim();
            depth += 1;
        }
        if depth > Self::MAX_DEPTH {
            return Err(format!("{depth} nested arrays: at most {} are allowed", Self::MAX_DEPTH));
        }
        let innermost = match inner {
            "string" => Self::String,
            "int" => Self::Int,
            "float" => Self::Float,
            // Some pages abbreviate it.
            "boolean" | "bool" => Self::Boolean,
            "object" => Self::Object,
            "array" => return Err("an array needs the type of its elements: `array[T]`".to_owned()),
            name if is_word(name) => Self::Model(name.to_owned()),
            _ => {
                return Err(format!(
                    "`{text}` is not a type; expected {}, `array[T]` or a model's name",
                    Self::BASIC.join(", ")
                ));
            }
        };
        Ok((0..depth).fold(innermost, |element, _| Self::Array(Box::new(element))))
    }

    /// The model that the type is or lists.
    pub(crate) fn model(&self) -> Option<&str> {
        match self.innermost() {
            (Self::Model(name), _) => Some(name),
            _ => None,
        }
    }

    /// The type inside all arrays, and their number.
    pub(crate) fn innermost(&self) -> (&Self, usize) {
        let (mut element, mut depth) = (self, 0);
        while let Self::Array(inner) = element {
            element = inner;
            depth += 1;
        }
        (element, depth)
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String => f.write_str("string"),
            Self::Int => f.write_str("int"),
            Self::Float => f.write_str("float"),
            Self::Boolean => f.write_str("boolean"),
            Self::Object => f.write_str("object"),
            Self::Array(element) => write!(f, "array[{element}]"),
            Self::Model(name) => f.write_str(name),
        }
    }
}

/// Whether a name can appear in code and in documentation: ASCII, no spaces.
pub(crate) fn is_word(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}

/// The documented name of a parameter in an example: `Disks.0.Type` is documented as
/// `Disks.N.Type`.
pub(crate) fn documented_name(name: &str) -> String {
    let is_index = |part: &str| part.parse::<u32>().is_ok();
    let parts = name.split('.').map(|part| if is_index(part) { "N" } else { part });
    parts.collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_spelled_as_in_the_documentation() {
        let array = |element| Type::Array(Box::new(element));
        for (text, expected) in [
            ("string", Type::String),
            ("bool", Type::Boolean),
            ("ImageSet", Type::Model("ImageSet".to_owned())),
            ("array[ImageSet]", array(Type::Model("ImageSet".to_owned()))),
            ("array[array[int]]", array(array(Type::Int))),
        ] {
            assert_eq!(Type::parse(text), Ok(expected), "{text}");
        }
        for text in [
            "",
            "array",
            "array[",
            "array[]",
            "array[int",
            "a b",
            "镜像",
            &"array[".repeat(100_000),
        ] {
            assert!(Type::parse(text).is_err(), "{text}");
        }
        let deep = format!("{}int{}", "array[".repeat(9), "]".repeat(9));
        assert!(Type::parse(&deep).is_err());
    }
}
