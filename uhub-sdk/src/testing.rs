//! What the tests of generated code share: the documentation's examples against the code.

use crate::{
    action::{Action, Idempotency},
    actions::examples::Example,
    credentials::key_pair::Credentials,
    error::{CallContext, Error, ResponseContext},
    ret_code::RetCode,
    wire::decode::{Mismatch, Model, Warnings},
    wire::parameters::Parameters,
    wire::{envelope, sign},
};

/// The request sends exactly what the example shows.
#[track_caller]
pub(crate) fn sends<R: Action>(request: &R, example: &Example) {
    let mut parameters = Parameters::new(&[], &[]);
    request.add_parameters(&mut parameters);
    parameters.finish();
    let sent: Vec<(String, String)> = parameters
        .iter()
        .map(|parameter| (parameter.name.to_owned(), parameter.value.to_owned()))
        .collect();

    let shown: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(example.request).unwrap();
    let mut shown: Vec<(String, String)> = shown
        .into_iter()
        .map(|(name, value)| {
            // A page that repeats a parameter means it once.
            let value = value.as_array().map_or(&value, |values| &values[0]);
            (
                name,
                value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned),
            )
        })
        .collect();
    shown.sort();
    assert_eq!(sent, shown);
}

/// The response is read whole: each value of the example is found in what was read, at its place.
#[track_caller]
pub(crate) fn understands<M: Model + serde::Serialize>(example: &Example) {
    let warnings = Warnings::default();
    let (response, envelope) = envelope::read::<M>(example.response.as_bytes(), &warnings).unwrap();
    let missing: Vec<_> = warnings
        .take()
        .into_iter()
        .filter(|note| note.what == Mismatch::Missing)
        .collect();
    assert_eq!(missing, [], "the spec says what the example lacks");

    let shown: serde_json::Value = serde_json::from_str(example.response).unwrap();
    assert_eq!(envelope.action.as_deref(), shown["Action"].as_str());
    let read = serde_json::to_value(&response).unwrap();
    for (name, value) in shown.as_object().unwrap() {
        if !["Action", "Message", "RetCode"].contains(&name.as_str()) {
            contains(&read[name], value, name);
        }
    }
}

fn contains(read: &serde_json::Value, shown: &serde_json::Value, path: &str) {
    use serde_json::Value;
    match (read, shown) {
        (Value::Object(read), Value::Object(shown)) => {
            for (name, value) in shown {
                contains(&read[name], value, &format!("{path}.{name}"));
            }
        }
        (Value::Array(read), Value::Array(shown)) => {
            assert_eq!(read.len(), shown.len(), "{path}");
            for (index, value) in shown.iter().enumerate() {
                contains(&read[index], value, &format!("{path}[{index}]"));
            }
        }
        // One element in place of a list is its only one.
        (Value::Array(read), _) if read.len() == 1 => contains(&read[0], shown, path),
        // A name in place of a model is one of the model's fields.
        (Value::Object(read), Value::String(_)) => {
            assert!(read.values().any(|value| value == shown), "{path}");
        }
        // A scalar may have been read as another one.
        _ => {
            let text = |value: &Value| {
                value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned)
            };
            assert_eq!(text(read), text(shown), "{path}");
        }
    }
}

/// What a call comes to that is refused with this code.
pub(crate) fn refused(idempotency: Idempotency, ret_code: RetCode) -> Error {
    let credentials = Credentials::new("public-key", "private-key");
    let call = CallContext {
        action: "CreateRepo",
        idempotency,
        credentials: &credentials,
        signature: sign::signature("", "private-key"),
    };
    call.refused(ret_code, None, ResponseContext::default())
}
