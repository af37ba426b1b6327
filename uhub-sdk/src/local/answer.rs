//! The service's answers, as HTTP responses.

use bytes::Bytes;
use http::header::{ALLOW, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde_json::{Map, Value};

use super::actions;
use super::body::AnswerBody;
use super::protocol::{Parameters, Refusal, ret_code};
use super::request::HttpRefusal;
use super::store::Store;
use super::stream::Flushes;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-ucloud-request-uuid");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What the service says to a request.
pub(super) struct Answer {
    status: StatusCode,
    pub(super) ret_code: i64,
    body: Bytes,
}

impl Answer {
    pub(super) fn new(store: &mut Store, read: &Result<Parameters, HttpRefusal>) -> Self {
        match read {
            Ok(parameters) => {
                let action = parameters.get("Action").unwrap_or_default();
                match actions::run(store, parameters) {
                    Ok(fields) => Self::render(StatusCode::OK, action, ret_code::SUCCESS, fields),
                    Err(refusal) => Self::refuse(StatusCode::OK, action, &refusal),
                }
            }
            Err(http) => Self::refuse(http.status, "", &http.refusal),
        }
    }

    fn refuse(status: StatusCode, action: &str, refusal: &Refusal) -> Self {
        let mut fields = Map::new();
        fields.insert("Message".to_owned(), refusal.message.as_str().into());
        Self::render(status, action, refusal.ret_code, fields)
    }

    fn render(
        status: StatusCode,
        action: &str,
        ret_code: i64,
        mut fields: Map<String, Value>,
    ) -> Self {
        fields.insert("Action".to_owned(), format!("{action}Response").into());
        fields.insert("RetCode".to_owned(), ret_code.into());
        Self {
            status,
            ret_code,
            body: Value::Object(fields).to_string().into(),
        }
    }

    pub(super) fn whole(&self, request_id: &str) -> Response<AnswerBody> {
        self.response(request_id, AnswerBody::whole(self.body.clone()))
    }

    fn response(&self, request_id: &str, body: AnswerBody) -> Response<AnswerBody> {
        let mut response = json_response(self.status, request_id, body);
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            response
                .headers_mut()
                .insert(ALLOW, HeaderValue::from_static("GET, POST"));
        }
        response
    }

    /// The same, of which only the first bytes are sent.
    pub(super) fn broken(
        &self,
        request_id: &str,
        after: usize,
        flushes: Flushes,
    ) -> Response<AnswerBody> {
        if after >= self.body.len() {
            // Nothing is missing; the connection closes all the same.
            let mut response = self.whole(request_id);
            response
                .headers_mut()
                .insert(CONNECTION, HeaderValue::from_static("close"));
            return response;
        }
        let body = AnswerBody::broken(self.body.slice(..after), flushes);
        let mut response = self.response(request_id, body);
        response
            .headers_mut()
            .insert(CONTENT_LENGTH, self.body.len().into());
        response
    }
}

pub(super) fn json_response(
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
