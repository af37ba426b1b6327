//! From an HTTP request to its parameters.

use bytes::{Bytes, BytesMut};
use http::header::ORIGIN;
use http::request::Parts;
use http::{Method, StatusCode};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};

use super::protocol::{Malformed, Parameters, Refusal, ret_code};

/// What is not the protocol at all: refused with an HTTP status of its own.
pub(super) struct HttpRefusal {
    pub(super) status: StatusCode,
    pub(super) refusal: Refusal,
}

impl HttpRefusal {
    fn new(status: StatusCode, message: &str) -> Self {
        Self {
            status,
            refusal: Refusal::new(ret_code::BAD_PARAMETER, message),
        }
    }
}

impl From<Malformed> for HttpRefusal {
    fn from(Malformed(why): Malformed) -> Self {
        Self::new(StatusCode::BAD_REQUEST, why)
    }
}

/// Reads a body of at most `limit` bytes; none, if it is longer.
pub(super) async fn read_body(
    mut body: Incoming,
    limit: usize,
) -> Result<Option<Bytes>, hyper::Error> {
    // A client still sending when the connection closes would see a reset and not the answer: what
    // is somewhat too long is read and thrown away.
    let patience = limit.saturating_mul(16);
    if body.size_hint().lower() > patience as u64 {
        return Ok(None);
    }
    let mut kept = BytesMut::new();
    let mut length = 0_usize;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else {
            continue;
        };
        length = length.saturating_add(data.len());
        if length <= limit {
            kept.extend_from_slice(&data);
        } else if length > patience {
            break;
        }
    }
    Ok((length <= limit).then(|| kept.freeze()))
}

/// The parameters of a request: those of the query of a GET, those of the body of a POST.
pub(super) fn read_parameters(
    head: &Parts,
    body: Option<&Bytes>,
) -> Result<Parameters, HttpRefusal> {
    if head.uri.path() != "/" {
        return Err(HttpRefusal::new(StatusCode::NOT_FOUND, "the API is at /"));
    }
    // No page can hide it, and none has business here.
    if head.headers.contains_key(ORIGIN) {
        return Err(HttpRefusal::new(
            StatusCode::FORBIDDEN,
            "a page in a browser cannot use the API",
        ));
    }
    if head.method != Method::GET && head.method != Method::POST {
        return Err(HttpRefusal::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "the method is neither GET nor POST",
        ));
    }
    let body = body
        .ok_or_else(|| HttpRefusal::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is too long"))?;
    if head.method == Method::GET {
        let query = head.uri.query().unwrap_or_default();
        return Ok(Parameters::from_form(query.as_bytes())?);
    }
    match media_type(head).as_str() {
        "application/x-www-form-urlencoded" => Ok(Parameters::from_form(body)?),
        "application/json" => Ok(Parameters::from_json(body)?),
        _ => Err(HttpRefusal::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "the body is neither a form nor JSON",
        )),
    }
}

pub(super) fn content_type(head: &Parts) -> Option<String> {
    let value = head.headers.get(http::header::CONTENT_TYPE)?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// The content type without its parameters: `application/json` of `application/json;
/// charset=utf-8`.
pub(super) fn media_type(head: &Parts) -> String {
    let value = content_type(head).unwrap_or_default();
    let name = value.split(';').next().unwrap_or_default();
    name.trim().to_ascii_lowercase()
}
