//! The spec as it is written: `api-spec/README.md` says what every key means.
//!
//! This step knows the form of the files and nothing of what they say: whether a model exists or an
//! example fits its type is for [`lower`](crate::lower) to find.

pub(crate) mod diagnostic;
pub(crate) mod json;
mod reader;
mod writer;

use std::fmt;

use crate::{spec::diagnostic::Report, spec::json::Node};
use reader::{Keys, Reader};
pub(crate) use writer::action as write_action;

/// A value and the byte offset it stands at.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) at: usize,
}

/// `service.json`.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) service: At<String>,
    pub(crate) summary: At<String>,
    pub(crate) endpoint: At<String>,
    /// The parameters every action has.
    pub(crate) parameters: Vec<Field>,
    /// The response fields every action has.
    pub(crate) response: Vec<Field>,
    /// The parameters a client fills in where a call leaves them out.
    pub(crate) client_parameters: Vec<At<String>>,
    pub(crate) return_codes: Vec<ReturnCode>,
}

#[derive(Debug)]
pub(crate) struct ReturnCode {
    pub(crate) code: At<i64>,
    pub(crate) name: At<String>,
    pub(crate) meaning: At<String>,
    pub(crate) remedy: At<String>,
    pub(crate) outcome: Outcome,
}

/// What a return code says of the call it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The service refused the call, and would again.
    Rejected,
    /// The service turned the call away unread: any action may be sent again.
    Throttled,
    /// Nobody knows whether the call was carried out.
    Unknown,
}

/// One file of `actions/`.
#[derive(Debug, Clone)]
pub(crate) struct Action {
    pub(crate) action: At<String>,
    pub(crate) summary: At<String>,
    pub(crate) details: Option<At<String>>,
    pub(crate) idempotency: Idempotency,
    pub(crate) parameters: Vec<Field>,
    pub(crate) response: Vec<Field>,
    pub(crate) models: Vec<Model>,
    pub(crate) pagination: Option<Pagination>,
    pub(crate) example: Option<Example>,
}

/// Whether an action may be sent a second time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Idempotency {
    /// It reads.
    Safe,
    /// A repetition changes nothing more.
    Idempotent,
    /// A repetition may do it twice.
    NonIdempotent,
}

#[derive(Debug, Clone)]
pub(crate) struct Model {
    pub(crate) name: At<String>,
    pub(crate) fields: Vec<Field>,
}

/// A parameter, or a field of a response or a model.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) name: At<String>,
    pub(crate) ty: At<Type>,
    pub(crate) required: bool,
    pub(crate) default: Option<Node>,
    pub(crate) choices: Option<At<Vec<At<String>>>>,
    pub(crate) format: Option<At<Format>>,
    pub(crate) example_type: Option<At<Type>>,
    pub(crate) example_omits: Option<At<bool>>,
    pub(crate) example_shorthand: Option<At<bool>>,
    pub(crate) explicit: Option<At<bool>>,
    pub(crate) allow_empty: Option<At<bool>>,
    pub(crate) split_when_absent: Option<SplitWhenAbsent>,
    pub(crate) counted_by: Option<At<String>>,
    pub(crate) rust_name: Option<At<String>>,
    pub(crate) description: At<String>,
}

impl Field {
    /// Whether it has what every field has, and no more.
    pub(crate) fn is_plain(&self) -> bool {
        let Self {
            name: _,
            ty: _,
            required: _,
            default: None,
            choices: None,
            format: None,
            example_type: None,
            example_omits: None,
            example_shorthand: None,
            explicit: None,
            allow_empty: None,
            split_when_absent: None,
            counted_by: None,
            rust_name: None,
            description: _,
        } = self
        else {
            return false;
        };
        true
    }

    pub(crate) fn is_shown_absent(&self) -> bool {
        is_set(self.example_omits.as_ref())
    }

    pub(crate) fn is_shown_alone(&self) -> bool {
        is_set(self.example_shorthand.as_ref())
    }
}

/// Whether a flag is there and true.
pub(crate) fn is_set(flag: Option<&At<bool>>) -> bool {
    flag.is_some_and(|flag| flag.value)
}

/// What the action does without a parameter, where that is another thing and a worse one.
#[derive(Debug, Clone)]
pub(crate) struct SplitWhenAbsent {
    pub(crate) action: At<String>,
    pub(crate) summary: At<String>,
    pub(crate) idempotency: Idempotency,
}

/// A type as the documentation spells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Type {
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

#[derive(Debug, Clone)]
pub(crate) struct Pagination {
    pub(crate) offset: At<String>,
    pub(crate) limit: At<String>,
    pub(crate) total: At<String>,
    pub(crate) items: At<String>,
    pub(crate) key: At<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct Example {
    pub(crate) request: Option<Node>,
    pub(crate) response: Option<Node>,
}

impl Type {
    pub(crate) const BASIC: [&'static str; 5] = ["string", "int", "float", "boolean", "object"];
    /// Deeper nesting is a slip of the keyboard, and would be a type nobody can read.
    const MAX_DEPTH: usize = 8;

    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut inner = text.trim();
        let mut depth = 0;
        while let Some(element) = inner.strip_prefix("array[") {
            let Some(element) = element.strip_suffix(']') else {
                return Err(format!(
                    "`{text}` is no type: an array is written `array[T]`"
                ));
            };
            inner = element.trim();
            depth += 1;
        }
        if depth > Self::MAX_DEPTH {
            return Err(format!(
                "`array[` {depth} times over; at most {} are allowed",
                Self::MAX_DEPTH
            ));
        }
        let innermost = match inner {
            "string" => Self::String,
            "int" => Self::Int,
            "float" => Self::Float,
            // Some pages write it short.
            "boolean" | "bool" => Self::Boolean,
            "object" => Self::Object,
            "array" => return Err("an array names its elements: `array[T]`".to_owned()),
            name if is_word(name) => Self::Model(name.to_owned()),
            _ => {
                return Err(format!(
                    "`{text}` is no type; expected {}, `array[T]` or a model's name",
                    Self::BASIC.join(", ")
                ));
            }
        };
        Ok((0..depth).fold(innermost, |element, _| Self::Array(Box::new(element))))
    }
}

impl Type {
    /// What the arrays hold in the end, and how many stand around it.
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

/// A name that can be written in code and in documentation: ASCII, no spaces.
pub(crate) fn is_word(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}

const SERVICE_KEYS: Keys = Keys {
    required: &[
        "service",
        "summary",
        "endpoint",
        "parameters",
        "response",
        "client_parameters",
        "return_codes",
    ],
    optional: &["$schema"],
};
const RETURN_CODE_KEYS: Keys = Keys {
    required: &["code", "name", "meaning", "remedy", "outcome"],
    optional: &[],
};
const ACTION_KEYS: Keys = Keys {
    required: &["action", "summary", "idempotency", "parameters", "response"],
    optional: &[
        "$schema",
        "details",
        "proposed",
        "models",
        "pagination",
        "example",
    ],
};
const FIELD_KEYS: Keys = Keys {
    required: &["name", "type", "required", "description"],
    optional: &[
        "default",
        "enum",
        "format",
        "example_type",
        "example_omits",
        "example_shorthand",
        "explicit",
        "allow_empty",
        "split_when_absent",
        "counted_by",
        "rust_name",
    ],
};
const PAGINATION_KEYS: Keys = Keys {
    required: &["offset", "limit", "total", "items", "key"],
    optional: &[],
};
const SPLIT_KEYS: Keys = Keys {
    required: &["action", "summary", "idempotency"],
    optional: &[],
};
const EXAMPLE_KEYS: Keys = Keys {
    required: &[],
    optional: &["request", "response"],
};

/// Reads `service.json`; `None` when it could not be understood, and the report says why.
pub(crate) fn read_service(report: &mut Report<'_>) -> Option<Service> {
    let root = crate::spec::json::parse(report)?;
    let mut reader = Reader { report };
    let mut service = reader.object(&root, "the service", SERVICE_KEYS)?;
    let name = reader.text(service.take("service"));
    let summary = reader.prose(service.take("summary"));
    let endpoint = reader.text(service.take("endpoint"));
    let parameters = reader.list(
        service.take("parameters"),
        "the common parameters",
        read_field,
    );
    let response = reader.list(
        service.take("response"),
        "the common response fields",
        read_field,
    );
    let client_parameters = reader.list(
        service.take("client_parameters"),
        "the client's parameters",
        |reader, node| reader.text(Some(node)),
    );
    let return_codes = reader.list(
        service.take("return_codes"),
        "the return codes",
        read_return_code,
    );
    Some(Service {
        service: name.unwrap_or_else(missing),
        summary: summary.unwrap_or_else(missing),
        endpoint: endpoint?,
        parameters,
        response,
        client_parameters,
        return_codes,
    })
}

/// Reads one file of `actions/`; `None` when it could not be understood, and the report says why.
pub(crate) fn read_action(report: &mut Report<'_>) -> Option<Action> {
    let root = crate::spec::json::parse(report)?;
    let mut reader = Reader { report };
    let mut action = reader.object(&root, "an action", ACTION_KEYS)?;
    // Every part is read before any is missed, so that one run shows all mistakes.
    let name = reader.text(action.take("action"));
    let summary = reader.prose(action.take("summary"));
    let details = reader.prose(action.take("details"));
    let idempotency = reader.one_of(action.take("idempotency"), IDEMPOTENCIES);
    for name in reader.list(action.take("proposed"), "what is proposed", read_proposed) {
        let what = format!(
            "`{}` is proposed, and nobody has confirmed it: correct it where it is wrong, then take it out of `proposed`",
            name.value
        );
        reader.report.error(name.at, what);
    }
    let parameters = reader.list(action.take("parameters"), "the parameters", read_field);
    let response = reader.list(action.take("response"), "the response", read_field);
    let models = match action.take("models") {
        Some(node) => read_models(&mut reader, &node),
        None => Vec::new(),
    };
    let pagination = action
        .take("pagination")
        .and_then(|node| read_pagination(&mut reader, &node));
    let example = action
        .take("example")
        .and_then(|node| read_example(&mut reader, &node));
    // Without a name nothing more can be said; what else is missing has been reported, and the rest is
    // looked at all the same.
    Some(Action {
        action: name?,
        summary: summary.unwrap_or_else(missing),
        details,
        idempotency: idempotency.map_or(Idempotency::NonIdempotent, |found| found.value),
        parameters,
        response,
        models,
        pagination,
        example,
    })
}

/// What stands for a text that is missing: nothing is generated from it.
fn missing() -> At<String> {
    At {
        value: String::new(),
        at: 0,
    }
}

fn read_return_code(reader: &mut Reader<'_, '_>, node: Node) -> Option<ReturnCode> {
    let mut code = reader.object(&node, "a return code", RETURN_CODE_KEYS)?;
    let (number, name) = (
        reader.integer(code.take("code")),
        reader.text(code.take("name")),
    );
    let (meaning, remedy) = (
        reader.prose(code.take("meaning")),
        reader.prose(code.take("remedy")),
    );
    let outcome = reader.one_of(
        code.take("outcome"),
        &[
            ("rejected", Outcome::Rejected),
            ("throttled", Outcome::Throttled),
            ("unknown", Outcome::Unknown),
        ],
    );
    Some(ReturnCode {
        code: number?,
        name: name?,
        meaning: meaning?,
        remedy: remedy?,
        outcome: outcome?.value,
    })
}

fn read_models(reader: &mut Reader<'_, '_>, node: &Node) -> Vec<Model> {
    let Some(members) = reader.members(node, "the models") else {
        return Vec::new();
    };
    members
        .into_iter()
        .map(|member| Model {
            name: At {
                value: member.key,
                at: member.at,
            },
            fields: reader.list(Some(member.value), "the model's fields", read_field),
        })
        .collect()
}

fn read_field(reader: &mut Reader<'_, '_>, node: Node) -> Option<Field> {
    let mut field = reader.object(&node, "a parameter or field", FIELD_KEYS)?;
    let name = reader.text(field.take("name"));
    let ty = reader.ty(field.take("type"));
    let required = reader.boolean(field.take("required"));
    let default = field.take("default");
    let choices = field.take("enum").map(|node| At {
        at: node.at,
        value: reader.list(Some(node), "the values", |reader, node| {
            reader.text(Some(node))
        }),
    });
    let format = field.take("format").and_then(|node| {
        reader.one_of(
            Some(node),
            &[
                ("boolean", Format::Boolean),
                ("timestamp", Format::Timestamp),
            ],
        )
    });
    let example_type = field
        .take("example_type")
        .and_then(|node| reader.ty(Some(node)));
    let [example_omits, example_shorthand, explicit, allow_empty] = [
        "example_omits",
        "example_shorthand",
        "explicit",
        "allow_empty",
    ]
    .map(|key| reader.boolean(field.take(key)));
    let split_when_absent = field
        .take("split_when_absent")
        .and_then(|node| read_split(reader, &node));
    let counted_by = reader.text(field.take("counted_by"));
    let rust_name = field
        .take("rust_name")
        .and_then(|node| reader.text(Some(node)));
    let description = reader.prose(field.take("description"));
    Some(Field {
        name: name?,
        ty: ty?,
        required: required?.value,
        default,
        choices,
        format,
        example_type,
        example_omits,
        example_shorthand,
        explicit,
        allow_empty,
        split_when_absent,
        counted_by,
        rust_name,
        description: description?,
    })
}

fn read_split(reader: &mut Reader<'_, '_>, node: &Node) -> Option<SplitWhenAbsent> {
    let mut split = reader.object(node, "`split_when_absent`", SPLIT_KEYS)?;
    let action = reader.text(split.take("action"));
    let summary = reader.prose(split.take("summary"));
    let idempotency = reader.one_of(split.take("idempotency"), IDEMPOTENCIES);
    Some(SplitWhenAbsent {
        action: action?,
        summary: summary?,
        idempotency: idempotency?.value,
    })
}

/// What an import may propose.
fn read_proposed(reader: &mut Reader<'_, '_>, node: Node) -> Option<At<&'static str>> {
    let names = ["idempotency", "pagination", "example_shorthand"].map(|name| (name, name));
    reader.one_of(Some(node), &names)
}

const IDEMPOTENCIES: &[(&str, Idempotency)] = &[
    ("safe", Idempotency::Safe),
    ("idempotent", Idempotency::Idempotent),
    ("non_idempotent", Idempotency::NonIdempotent),
];

fn read_pagination(reader: &mut Reader<'_, '_>, node: &Node) -> Option<Pagination> {
    let mut pagination = reader.object(node, "the pagination", PAGINATION_KEYS)?;
    let [offset, limit, total, items, key] =
        ["offset", "limit", "total", "items", "key"].map(|key| reader.text(pagination.take(key)));
    Some(Pagination {
        offset: offset?,
        limit: limit?,
        total: total?,
        items: items?,
        key: key?,
    })
}

fn read_example(reader: &mut Reader<'_, '_>, node: &Node) -> Option<Example> {
    let mut example = reader.object(node, "the example", EXAMPLE_KEYS)?;
    Some(Example {
        request: example.take("request"),
        response: example.take("response"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_read_as_the_documentation_spells_them() {
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

    /// What an editor offers from the schema and what is read here are one list.
    #[test]
    fn the_schemas_know_the_same_keys() {
        let schema = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        let action = schema(include_str!("../../../api-spec/schema/action.schema.json"));
        let service = schema(include_str!("../../../api-spec/schema/service.schema.json"));
        for (keys, object) in [
            (ACTION_KEYS, &action),
            (FIELD_KEYS, &action["$defs"]["field"]),
            (PAGINATION_KEYS, &action["properties"]["pagination"]),
            (EXAMPLE_KEYS, &action["properties"]["example"]),
            (
                SPLIT_KEYS,
                &action["$defs"]["field"]["properties"]["split_when_absent"],
            ),
            (SERVICE_KEYS, &service),
            (
                RETURN_CODE_KEYS,
                &service["properties"]["return_codes"]["items"],
            ),
        ] {
            let mut all: Vec<&str> = keys.required.iter().chain(keys.optional).copied().collect();
            all.sort_unstable();
            let mut documented: Vec<&String> =
                object["properties"].as_object().unwrap().keys().collect();
            documented.sort_unstable();
            assert_eq!(all, documented);
            let required: Vec<&str> = object["required"]
                .as_array()
                .map_or(&[][..], |all| all)
                .iter()
                .filter_map(|key| key.as_str())
                .collect();
            assert_eq!(keys.required, required);
            assert_eq!(object["additionalProperties"], false);
        }
    }
}
