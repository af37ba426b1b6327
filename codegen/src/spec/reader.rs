//! Reads the spec's files into the types of [`spec`](crate::spec).

use crate::spec::{
    Action, At, Example, Field, Format, Idempotency, Model, Outcome, Pagination, ReturnCode,
    Service, SharedEnum, SharedVariant, SplitWhenAbsent, Type,
    diagnostic::Report,
    form,
    json::{Member, Node, Value},
    keys,
};

/// Reads `service.json`. `None`, with the reasons in the report, if it lacks what all else needs.
pub(crate) fn service(text: &str, report: &mut Report) -> Option<Service> {
    let service = form::read(text, keys::SERVICE, report)?;
    Some(Service {
        service: service.text("service").unwrap_or_default(),
        summary: service.text("summary").unwrap_or_default(),
        endpoint: service.text("endpoint")?,
        parameters: service.list("parameters", |field| field.text("name")),
        response: service.list("response", |field| field.text("name")),
        project_parameter: service.text("project_parameter"),
        client_parameters: service.list("client_parameters", string),
        enums: service.map("enums", shared_enum),
        return_codes: service.list("return_codes", return_code),
    })
}

/// Reads one file of `actions/`, likewise. Missing keys have been reported and get a value here, so
/// that the rest is checked too.
pub(crate) fn action(text: &str, report: &mut Report) -> Option<Action> {
    let action = form::read(text, keys::ACTION, report)?;
    let proposals = match report.is_draft {
        true => Vec::new(),
        false => action.list("proposed", string),
    };
    for At { value, at } in proposals {
        let message = format!(
            "`{value}` is a proposal: correct it if needed, then remove it from `proposed`"
        );
        report.error(at, message);
    }
    let example = action.get("example");
    Some(Action {
        action: action.text("action")?,
        rust_name: action.text("rust_name"),
        summary: action.text("summary").unwrap_or_default(),
        details: action.text("details"),
        deprecated: deprecated(&action),
        aliases: action.list("aliases", string),
        idempotency: idempotency(&action).unwrap_or(Idempotency::NonIdempotent),
        parameters: action.list("parameters", field),
        response: action.list("response", field),
        models: action.map("models", |name, fields| {
            let fields = fields.elements().iter().filter_map(field).collect();
            Some(Model { name, fields })
        }),
        model_names: action.map("model_names", |name, rust| Some((name, string(rust)?))),
        pagination: action.get("pagination").and_then(pagination),
        example: Example {
            request: example.and_then(|example| example.get("request")).cloned(),
            response: example.and_then(|example| example.get("response")).cloned(),
        },
    })
}

fn shared_enum(rust: At<String>, shared: &Node) -> Option<SharedEnum> {
    Some(SharedEnum {
        rust,
        description: prose(shared, "description"),
        variants: shared.list("variants", |variant| {
            Some(SharedVariant {
                rust: variant.text("name")?,
                values: variant.list("values", string),
                description: prose(variant, "description"),
                deprecated: deprecated(variant),
            })
        }),
    })
}

fn return_code(code: &Node) -> Option<ReturnCode> {
    Some(ReturnCode {
        code: code.value("code", |node| match &node.value {
            Value::Number(number) => number.parse().ok(),
            _ => None,
        })?,
        rust: code.text("name")?,
        meaning: prose(code, "meaning"),
        remedy: prose(code, "remedy"),
        outcome: code.word("outcome", &Outcome::WORDS)?.value,
    })
}

fn field(field: &Node) -> Option<Field> {
    Some(Field {
        default: field.get("default").cloned(),
        choices: field
            .value("enum", |choices| Some(choices.elements().iter().filter_map(string).collect())),
        value_names: field.map("value_names", |value, rust| Some((value, string(rust)?))),
        enum_type: field.text("enum_type"),
        format: field.word("format", &Format::WORDS),
        example_type: field.ty("example_type"),
        example_omits: field.flag("example_omits"),
        example_shorthand: field.flag("example_shorthand"),
        explicit: field.flag("explicit"),
        secret: field.flag("secret"),
        allow_empty: field.flag("allow_empty"),
        split_when_absent: field.get("split_when_absent").and_then(split_when_absent),
        counted_by: field.text("counted_by"),
        rust_name: field.text("rust_name"),
        description: field.text("description").unwrap_or_default(),
        deprecated: deprecated(field),
        is_plain: field
            .members()
            .iter()
            .all(|member| keys::FIELD.key(&member.key).is_some_and(|key| key.required)),
        name: field.text("name")?,
        ty: field.ty("type")?,
        required: field.flag("required")?.value,
    })
}

fn split_when_absent(split: &Node) -> Option<SplitWhenAbsent> {
    Some(SplitWhenAbsent {
        action: split.text("action")?,
        summary: split.text("summary")?,
        idempotency: idempotency(split)?,
    })
}

fn pagination(pagination: &Node) -> Option<Pagination> {
    Some(Pagination {
        offset: pagination.text("offset")?,
        limit: pagination.text("limit")?,
        total: pagination.text("total"),
        items: pagination.text("items")?,
    })
}

/// Prose that was refused leaves the rest to be checked.
fn prose(node: &Node, key: &str) -> String {
    node.text(key).unwrap_or_default().value
}

fn deprecated(node: &Node) -> Option<String> {
    Some(node.text("deprecated")?.value)
}

fn idempotency(node: &Node) -> Option<Idempotency> {
    Some(node.word("idempotency", &Idempotency::WORDS)?.value)
}

fn string(node: &Node) -> Option<At<String>> {
    Some(At { value: node.as_str()?.to_owned(), at: node.at })
}

/// The values of an object's keys. Their forms have been checked.
impl Node {
    fn value<T>(&self, key: &str, read: impl FnOnce(&Self) -> Option<T>) -> Option<At<T>> {
        let node = self.get(key)?;
        Some(At { value: read(node)?, at: node.at })
    }

    fn text(&self, key: &str) -> Option<At<String>> {
        self.get(key).and_then(string)
    }

    fn flag(&self, key: &str) -> Option<At<bool>> {
        self.value(key, |node| match node.value {
            Value::Boolean(flag) => Some(flag),
            _ => None,
        })
    }

    fn ty(&self, key: &str) -> Option<At<Type>> {
        self.value(key, |node| Type::parse(node.as_str()?).ok())
    }

    fn word<T: Copy>(&self, key: &str, words: &[(&str, T)]) -> Option<At<T>> {
        self.value(key, |node| {
            let (_, value) = words.iter().find(|(word, _)| node.as_str() == Some(*word))?;
            Some(*value)
        })
    }

    fn list<T>(&self, key: &str, read: impl FnMut(&Self) -> Option<T>) -> Vec<T> {
        let elements = self.get(key).map_or(&[][..], Self::elements);
        elements.iter().filter_map(read).collect()
    }

    fn map<T>(&self, key: &str, mut read: impl FnMut(At<String>, &Self) -> Option<T>) -> Vec<T> {
        let members = self.get(key).map_or(&[][..], Self::members).iter();
        let name = |member: &Member| At { value: member.key.clone(), at: member.at };
        members.filter_map(|member| read(name(member), &member.value)).collect()
    }
}
