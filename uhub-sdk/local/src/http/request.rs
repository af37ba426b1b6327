//! From an HTTP request to its parameters.

use bytes::{Bytes, BytesMut};
use http::header::CONTENT_TYPE;
use http::{Method, StatusCode, request::Parts};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};

use crate::protocol::{Parameters, Refusal};

/// Reads a body of at most `limit` bytes. Returns `None` if it is longer.
pub(crate) async fn read_body(
    mut body: Incoming,
    limit: usize,
) -> Result<Option<Bytes>, hyper::Error> {
    // A client that is still sending when the connection closes would see a reset instead of the
    // response, so that a moderate excess is read and dropped.
    let drain_limit = limit.saturating_mul(16);
    if body.size_hint().lower() > drain_limit as u64 {
        return Ok(None);
    }
    let mut bytes = BytesMut::new();
    let mut length = 0_usize;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else {
            continue;
        };
        length = length.saturating_add(data.len());
        if length <= limit {
            bytes.extend_from_slice(&data);
        } else if length > drain_limit {
            break;
        }
    }
    Ok((length <= limit).then(|| bytes.freeze()))
}

/// Reads the parameters: a GET has them in its query, a POST in its body.
pub(crate) fn read_parameters(head: &Parts, body: Option<&Bytes>) -> Result<Parameters, Refusal> {
    let refuse = |status, message| Err(Refusal::http(status, message));
    if head.uri.path() != "/" {
        return refuse(StatusCode::NOT_FOUND, "the API is at /");
    }
    let is_get = head.method == Method::GET;
    if !is_get && head.method != Method::POST {
        return refuse(StatusCode::METHOD_NOT_ALLOWED, "the method must be GET or POST");
    }
    let Some(body) = body else {
        return refuse(StatusCode::PAYLOAD_TOO_LARGE, "the body is too long");
    };
    let parameters = match media_type(head).as_str() {
        _ if is_get => Parameters::from_form(head.uri.query().unwrap_or_default().as_bytes()),
        "application/x-www-form-urlencoded" => Parameters::from_form(body),
        "application/json" => Parameters::from_json(body),
        _ => return refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the body must be a form or JSON"),
    };
    parameters.map_err(|message| Refusal::http(StatusCode::BAD_REQUEST, message))
}

pub(crate) fn content_type(head: &Parts) -> Option<String> {
    let value = head.headers.get(CONTENT_TYPE)?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// The content type in lower case without its parameters, such as `application/json`.
pub(crate) fn media_type(head: &Parts) -> String {
    let value = content_type(head).unwrap_or_default();
    let name = value.split(';').next().unwrap_or_default();
    name.trim().to_ascii_lowercase()
}
