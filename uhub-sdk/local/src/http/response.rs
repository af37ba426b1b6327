//! The service's responses, and the changes that faults make to them.

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde_json::Value;

use crate::http::body::ResponseBody;
use crate::protocol::{ActionResult, Fields, Refusal, fields, ret_code};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-ucloud-request-uuid");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// A response of the service.
#[derive(Default)]
pub(crate) struct ServiceResponse {
    pub(crate) status: StatusCode,
    /// The fields of the JSON object.
    pub(crate) fields: Fields,
    /// A text instead of the JSON object.
    pub(crate) text: Option<&'static str>,
}

impl ServiceResponse {
    /// The response to an action.
    pub(crate) fn of(action: &str, result: ActionResult) -> Self {
        let (status, ret_code, mut fields) = match result {
            Ok(fields) => (StatusCode::OK, ret_code::SUCCESS, fields),
            Err(Refusal { status, ret_code, message }) => {
                (status, ret_code, fields([("Message", message.into())]))
            }
        };
        fields.insert("Action".to_owned(), format!("{action}Response").into());
        fields.insert("RetCode".to_owned(), ret_code.into());
        Self { status, fields, text: None }
    }

    pub(crate) fn ret_code(&self) -> Option<i64> {
        self.fields.get("RetCode").and_then(Value::as_i64)
    }

    /// Replaces the total count.
    pub(crate) fn set_total(&mut self, total: i64) {
        for (name, value) in &mut self.fields {
            if value.is_number() && name != "RetCode" {
                *value = total.into();
            }
        }
    }

    /// Converts every field to its type in the documentation's example, and `RetCode` to a string.
    pub(crate) fn set_types(&mut self, example: &str) {
        if let Ok(Value::Object(example)) = serde_json::from_str(example) {
            for (name, value) in &mut self.fields {
                if let Some(example) = example.get(name) {
                    *value = with_types_of(example, value.take());
                }
            }
        }
        if let Some(code) = self.fields.get_mut("RetCode") {
            *code = code.to_string().into();
        }
    }

    pub(crate) fn bytes(&self) -> Bytes {
        match self.text {
            // A map of JSON values always serializes.
            None => serde_json::to_vec(&self.fields).unwrap_or_default().into(),
            Some(text) => Bytes::from_static(text.as_bytes()),
        }
    }

    /// The HTTP response with this body.
    pub(crate) fn with_body(&self, request_id: &str, body: ResponseBody) -> Response<ResponseBody> {
        let mut response = json_response(self.status, request_id, body);
        let headers = response.headers_mut();
        if self.text.is_some() {
            headers.insert(CONTENT_TYPE, TEXT);
        }
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            headers.insert(ALLOW, HeaderValue::from_static("GET, POST"));
        }
        response
    }
}

/// Converts a value to the types of the example.
fn with_types_of(example: &Value, value: Value) -> Value {
    match (value, example) {
        (Value::Object(fields), Value::Object(example)) => fields
            .into_iter()
            .filter_map(|(name, value)| {
                let value = with_types_of(example.get(&name)?, value);
                Some((name, value))
            })
            .collect(),
        (Value::Array(items), Value::Array(examples)) => match examples.first() {
            Some(example) => items.into_iter().map(|item| with_types_of(example, item)).collect(),
            None => items.into(),
        },
        // A string instead of a model is the model's name.
        (Value::Object(mut fields), Value::String(_)) => {
            let name = fields.keys().find(|name| name.ends_with("Name")).cloned();
            name.and_then(|name| fields.remove(&name)).unwrap_or_default()
        }
        (Value::String(text), Value::Number(_)) => match text.parse::<i64>() {
            Ok(number) => number.into(),
            Err(_) => text.into(),
        },
        (Value::Number(number), Value::String(_)) => number.to_string().into(),
        (value, _) => value,
    }
}

/// A JSON response with a request id.
pub(crate) fn json_response(
    status: StatusCode,
    request_id: &str,
    body: ResponseBody,
) -> Response<ResponseBody> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    // An id is hexadecimal digits and dashes.
    if let Ok(id) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_get_the_types_of_an_example() {
        let image = json!({
            "ImageName": "nginx", "PullCount": 0, "CreateTime": "17", "UpdateTime": "19",
            "LatestTag": "latest", "RepoName": "base",
        });
        let example = json!({
            "ImageName": "a", "PullCount": 4, "CreateTime": 5, "UpdateTime": 7, "LatestTag": "b",
        });
        let mut expected = image.clone();
        expected["CreateTime"] = json!(17);
        expected["UpdateTime"] = json!(19);
        expected.as_object_mut().unwrap().remove("RepoName");
        assert_eq!(with_types_of(&json!([example, {}]), json!([image])), json!([expected]));

        let repositories = json!([{ "RepoName": "base", "IsShared": "true" }]);
        assert_eq!(with_types_of(&json!(["a"]), repositories), json!(["base"]));
    }
}
