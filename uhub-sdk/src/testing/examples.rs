//! Assertions for the tests of generated code.

use crate::{
    action::Action,
    wire::decode::{Mismatch, Model, Reading},
    wire::envelope,
    wire::parameters::Parameters,
};

/// Asserts that a request sends exactly the parameters of the documentation's example.
#[track_caller]
pub(crate) fn assert_sends<R: Action>(request: &R, example: &str) {
    let mut parameters = Parameters::new(&[], &[]);
    request.add_parameters(&mut parameters);
    parameters.finish();
    let sent: Vec<(String, String)> = parameters
        .iter()
        .map(|parameter| (parameter.name.to_owned(), parameter.value.to_owned()))
        .collect();

    let shown: serde_json::Map<String, serde_json::Value> = serde_json::from_str(example).unwrap();
    let mut shown: Vec<(String, String)> = shown
        .into_iter()
        .map(|(name, value)| {
            // Some pages repeat a parameter that is sent once.
            let value = value.as_array().map_or(&value, |values| &values[0]);
            (name, value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        })
        .collect();
    shown.sort();
    assert_eq!(sent, shown);
}

/// Asserts that every value of the documentation's example is read, without a warning that one is
/// missing.
#[track_caller]
pub(crate) fn assert_reads<M: Model + serde::Serialize>(example: &str) {
    let reading = Reading::default();
    let (response, envelope) = envelope::read::<M>(example.as_bytes(), &reading).unwrap();
    let missing: Vec<_> = reading
        .take_warnings()
        .into_iter()
        .filter(|warning| warning.what == Mismatch::Missing)
        .collect();
    assert_eq!(missing, [], "the spec marks fields that the example omits");

    let shown: serde_json::Value = serde_json::from_str(example).unwrap();
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
        // Some pages show one element in place of a list.
        (Value::Array(read), _) if read.len() == 1 => contains(&read[0], shown, path),
        // Some pages show a string in place of a model.
        (Value::Object(read), Value::String(_)) => {
            assert!(read.values().any(|value| value == shown), "{path}");
        }
        // A scalar may be read as another one.
        _ => {
            let text =
                |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            assert_eq!(text(read), text(shown), "{path}");
        }
    }
}
