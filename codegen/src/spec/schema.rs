//! The JSON Schemas of the spec's files, made from the table of keys.

use serde_json::{Value, json};

use crate::spec::keys::{self, Object, ValueType};

/// The JSON Schemas of a spec's files, by their names: editors offer and check the keys with them.
#[must_use]
pub fn schemas() -> [(&'static str, Value); 2] {
    [("service.schema.json", schema(keys::SERVICE)), ("action.schema.json", schema(keys::ACTION))]
}

fn schema(root: &Object) -> Value {
    let mut definitions = json!({});
    define(root, &mut definitions);
    let mut schema = object(root);
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["description"] = "api-spec/README.md explains every key.".into();
    schema["$defs"] = definitions;
    schema
}

/// Adds the objects that an object leads to.
fn define(root: &Object, definitions: &mut Value) {
    for mut ty in root.keys.iter().map(|key| key.ty) {
        while let ValueType::List(inner) | ValueType::Map(inner) = ty {
            ty = *inner;
        }
        if let ValueType::Object(inner) = ty
            && definitions.get(inner.name).is_none()
        {
            definitions[inner.name] = object(inner);
            define(inner, definitions);
        }
    }
}

fn object(object: &Object) -> Value {
    let required = object.keys.iter().filter(|key| key.required);
    let required: Vec<&str> = required.map(|key| key.name).collect();
    let mut properties = json!({});
    for key in object.keys {
        properties[key.name] = value(key.ty);
        properties[key.name]["description"] = key.description.into();
    }
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": required,
        "properties": properties,
    })
}

fn value(ty: ValueType) -> Value {
    match ty {
        ValueType::Text => json!({ "type": "string" }),
        ValueType::Name(pattern) => json!({ "type": "string", "pattern": pattern }),
        ValueType::Prose => json!({ "type": "string", "pattern": r"\S" }),
        ValueType::Type => json!({ "type": "string", "pattern": r"^(array\[)*[A-Za-z0-9_-]+\]*$" }),
        ValueType::Boolean => json!({ "type": "boolean" }),
        ValueType::Integer => json!({ "type": "integer" }),
        ValueType::Scalar => json!({ "type": ["string", "number", "boolean"] }),
        ValueType::Word(words) => json!({ "enum": words() }),
        ValueType::Json => json!({ "type": "object" }),
        ValueType::Object(object) => json!({ "$ref": format!("#/$defs/{}", object.name) }),
        ValueType::List(element) => json!({ "type": "array", "items": self::value(*element) }),
        ValueType::Map(element) => {
            json!({ "type": "object", "additionalProperties": self::value(*element) })
        }
    }
}
