//! The service's answers, as HTTP responses, and what faults make of them.

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde_json::{Map, Value};

use super::body::AnswerBody;
use super::protocol::Refusal;
use super::protocol::ret_code::SUCCESS;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-ucloud-request-uuid");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// What the service says to a request.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    content: Content,
}

enum Content {
    /// A number `RetCode` is among the fields.
    Fields(Map<String, Value>),
    Text(String),
}

impl Answer {
    pub(super) fn success(action: &str, fields: Map<String, Value>) -> Self {
        Self::of_fields(StatusCode::OK, action, SUCCESS, fields)
    }

    pub(super) fn refusal(status: StatusCode, action: &str, refusal: &Refusal) -> Self {
        let mut fields = Map::new();
        fields.insert("Message".to_owned(), refusal.message.as_str().into());
        Self::of_fields(status, action, refusal.ret_code, fields)
    }

    fn of_fields(
        status: StatusCode,
        action: &str,
        ret_code: i64,
        mut fields: Map<String, Value>,
    ) -> Self {
        fields.insert("Action".to_owned(), format!("{action}Response").into());
        fields.insert("RetCode".to_owned(), ret_code.into());
        Self {
            status,
            content: Content::Fields(fields),
        }
    }

    /// One that is not the API's.
    pub(super) fn fields<const N: usize>(fields: [(&str, Value); N]) -> Self {
        let fields = fields.map(|(name, value)| (name.to_owned(), value));
        Self {
            status: StatusCode::OK,
            content: Content::Fields(fields.into_iter().collect()),
        }
    }

    /// One that is no JSON.
    pub(super) fn text(status: StatusCode, text: String) -> Self {
        Self {
            status,
            content: Content::Text(text),
        }
    }

    pub(super) fn ret_code(&self) -> Option<i64> {
        match &self.content {
            Content::Fields(fields) => fields.get("RetCode").and_then(Value::as_i64),
            Content::Text(_) => None,
        }
    }

    /// Puts this in the place of how many there are.
    pub(super) fn set_total(&mut self, total: i64) {
        let Content::Fields(fields) = &mut self.content else {
            return;
        };
        for (name, value) in fields {
            if value.is_number() && name != "RetCode" {
                *value = total.into();
            }
        }
    }

    /// Makes everything look as it does in the documentation's example, which is JSON.
    pub(super) fn set_types(&mut self, example: &str) {
        let Content::Fields(fields) = &mut self.content else {
            return;
        };
        if let Ok(Value::Object(shown)) = serde_json::from_str(example) {
            for (name, value) in fields.iter_mut() {
                if let Some(shown) = shown.get(name) {
                    *value = as_shown(value.take(), shown);
                }
            }
        }
        if let Some(code) = fields.get_mut("RetCode") {
            *code = code.to_string().into();
        }
    }

    pub(super) fn bytes(&self) -> Bytes {
        match &self.content {
            Content::Fields(fields) => {
                // Text as keys, numbers and texts as values: nothing of it can fail.
                serde_json::to_vec(fields).unwrap_or_default().into()
            }
            Content::Text(text) => text.clone().into(),
        }
    }

    pub(super) fn response(&self, request_id: &str, body: AnswerBody) -> Response<AnswerBody> {
        let mut response = respond(self.status, request_id, body);
        let headers = response.headers_mut();
        if let Content::Text(_) = self.content {
            headers.insert(CONTENT_TYPE, TEXT);
        }
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            headers.insert(ALLOW, HeaderValue::from_static("GET, POST"));
        }
        response
    }
}

/// A value in the types of the one that is shown.
fn as_shown(value: Value, shown: &Value) -> Value {
    match (value, shown) {
        (Value::Object(fields), Value::Object(shown)) => fields
            .into_iter()
            .filter_map(|(name, value)| {
                let value = as_shown(value, shown.get(&name)?);
                Some((name, value))
            })
            .collect(),
        (Value::Array(items), Value::Array(shown)) => match shown.first() {
            Some(shown) => items
                .into_iter()
                .map(|item| as_shown(item, shown))
                .collect(),
            None => items.into(),
        },
        // A plain text in the place of a model is its name.
        (Value::Object(mut fields), Value::String(_)) => {
            let name = fields.keys().find(|name| name.ends_with("Name")).cloned();
            name.and_then(|name| fields.remove(&name))
                .unwrap_or_default()
        }
        (Value::String(text), Value::Number(_)) => match text.parse::<i64>() {
            Ok(number) => number.into(),
            Err(_) => text.into(),
        },
        (Value::Number(number), Value::String(_)) => number.to_string().into(),
        (value, _) => value,
    }
}

/// A response of JSON.
pub(super) fn respond(
    status: StatusCode,
    request_id: &str,
    body: AnswerBody,
) -> Response<AnswerBody> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    // An id is hexadecimal digits and dashes.
    if let Ok(id) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}
