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
    assert_eq!(parameters.refusal, None);
    let names =
        |pairs: &[(String, String)]| pairs.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&sent), names(&shown));
    for ((name, sent), (_, shown)) in sent.iter().zip(&shown) {
        assert!(sent == shown || is_same_number(sent, shown), "{name}: {sent} for {shown}");
    }
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
    if let Some(action) = shown["Action"].as_str() {
        assert_eq!(envelope.action.as_deref(), Some(action));
    }
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
        _ => assert!(is_same_scalar(read, shown), "{path}: {read} for {shown}"),
    }
}

/// Returns whether a scalar is what was read of another one: `5.0` of `5`, `5` of `" 5"`, `true` of
/// `"True"` or 1.
fn is_same_scalar(read: &serde_json::Value, shown: &serde_json::Value) -> bool {
    use serde_json::Value;
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let (read_text, shown_text) = (text(read), text(shown));
    let shown_text = if read.is_string() { &shown_text } else { shown_text.trim() };
    let boolean = |text: &str| match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "1.0" => Some(true),
        "false" | "0" | "0.0" => Some(false),
        _ => None,
    };
    let is_boolean =
        |text: &str| text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false");
    read_text == *shown_text
        || (!(read.is_string() && shown.is_string()) && is_same_number(&read_text, shown_text))
        || ((is_boolean(&read_text) || is_boolean(shown_text))
            && boolean(&read_text).is_some_and(|read| boolean(shown_text) == Some(read)))
}

fn is_same_number(one: &str, other: &str) -> bool {
    match (one.parse::<i64>(), other.parse::<i64>()) {
        (Ok(one), Ok(other)) => one == other,
        _ => match (one.parse::<f64>(), other.parse::<f64>()) {
            (Ok(one), Ok(other)) => one.to_bits() == other.to_bits() || one == 0.0 && other == 0.0,
            _ => false,
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_str};

    use super::*;

    #[test]
    fn a_scalar_is_compared_by_what_it_means() {
        let value = |json: &str| from_str::<Value>(json).unwrap();
        for (read, shown) in [
            ("5.0", "5"),
            ("5", "5.0"),
            ("5", "\" 5 \""),
            ("\"5\"", "5.0"),
            ("1e20", "100000000000000000000"),
            ("true", "\"True\""),
            ("true", "1"),
            ("false", "\"0\""),
            ("1", "true"),
            ("\"true\"", "\"TRUE\""),
        ] {
            assert!(is_same_scalar(&value(read), &value(shown)), "{read} of {shown}");
        }
        for (read, shown) in [
            ("5.5", "5"),
            ("9007199254740993", "9007199254740992"),
            ("\"5\"", "\"5.0\""),
            ("\"5\"", "\" 5\""),
            ("true", "0"),
            ("0", "\"\""),
            ("null", "\"\""),
        ] {
            assert!(!is_same_scalar(&value(read), &value(shown)), "{read} of {shown}");
        }
    }
}
