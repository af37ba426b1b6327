//! Control requests: the paths under `/_local/`.
//!
//! They come from this machine alone, and from no web page.

use std::{net::IpAddr, time::Duration};

use bytes::Bytes;
use http::{Method, Response, StatusCode, request::Parts};
use serde::{Deserialize, de::DeserializeOwned};
use tokio::time::Instant;

use crate::data::generate::MAX_REQUESTED_TAGS;
use crate::data::store::Store;
use crate::data::{Data, without_value};
use crate::fault::Fault;
use crate::fault::scope::Scope;
use crate::http::body::ResponseBody;
use crate::http::guard::{self, AllowedHosts};
use crate::http::request::media_type;
use crate::http::response::json_response;
use crate::state::{Shared, new_request_id};

pub(crate) const PREFIX: &str = "/_local/";

/// The longest time for which a request closes the port: it cannot be opened by another.
const MAX_UNAVAILABLE: Duration = Duration::from_secs(3600);

/// The body of `POST /_local/faults`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Injection {
    fault: Fault,
    /// Defaults to the next request only.
    scope: Option<Scope>,
}

/// The body of `POST /_local/unavailable`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unavailable {
    #[serde(rename = "seconds", with = "crate::seconds")]
    time: Duration,
}

/// The body of `PUT /_local/clock`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Clock {
    offset: i64,
}

/// A refused control request: the HTTP status and the error message.
type Refused = (StatusCode, String);

/// Refuses other machines and web pages.
pub(crate) fn authorize(peer: IpAddr, head: &Parts) -> Result<(), &'static str> {
    if !peer.to_canonical().is_loopback() {
        return Err("only this machine can send control requests");
    }
    // Whatever names the API allows: these requests come from this machine.
    guard::check(head, &AllowedHosts::default())
}

pub(crate) fn respond(
    shared: &Shared,
    peer: IpAddr,
    head: &Parts,
    body: Option<&Bytes>,
) -> Response<ResponseBody> {
    let (status, text) = match execute(shared, peer, head, body) {
        Ok(json) => (StatusCode::OK, json),
        Err((status, message)) => (status, serde_json::json!({"error": message}).to_string()),
    };
    json_response(status, &new_request_id(), ResponseBody::whole(text.into()))
}

/// Executes a control request and returns the JSON of the response.
fn execute(
    shared: &Shared,
    peer: IpAddr,
    head: &Parts,
    body: Option<&Bytes>,
) -> Result<String, Refused> {
    authorize(peer, head).map_err(|message| (StatusCode::FORBIDDEN, message.to_owned()))?;
    let path = head.uri.path().strip_prefix(PREFIX).unwrap_or_default();
    match (path, &head.method) {
        ("requests", &Method::GET) => return to_json(&shared.state().log.to_vec()),
        ("requests", &Method::DELETE) => shared.state().log.clear(),
        ("faults", &Method::POST) => {
            let Injection { fault, scope } = from_json(head, body)?;
            let faults = &mut shared.state().faults;
            if !faults.has_room_for(&fault) {
                let message = "too many faults: remove them by DELETE, or inject smaller ones";
                return Err((StatusCode::INSUFFICIENT_STORAGE, message.to_owned()));
            }
            match scope {
                None => faults.push(fault),
                Some(scope) => faults.add(scope, fault, Instant::now()),
            }
        }
        ("faults", &Method::DELETE) => shared.state().faults.clear(),
        ("data", &Method::GET) => return to_json(&shared.state().store.data),
        ("data", &Method::PUT) => {
            let data: Data = from_json(head, body)?;
            let generate = data.generate.as_ref();
            if let Some(problem) = generate.and_then(|each| each.exceeds(MAX_REQUESTED_TAGS)) {
                return Err((StatusCode::BAD_REQUEST, problem));
            }
            let store = Store::new(data)
                .map_err(|problems| (StatusCode::BAD_REQUEST, problems.join("; ")))?;
            shared.state().store.replace(store);
        }
        ("clock", &Method::PUT) => {
            let Clock { offset } = from_json(head, body)?;
            shared.state().store.clock_offset = offset;
        }
        ("unavailable", &Method::POST) => {
            let Unavailable { time } = from_json(head, body)?;
            if time > MAX_UNAVAILABLE {
                let message = format!("`seconds` must be at most {}", MAX_UNAVAILABLE.as_secs());
                return Err((StatusCode::BAD_REQUEST, message));
            }
            shared.unavailable_for(time);
        }
        _ => return Err(unknown(path)),
    }
    Ok("{}".to_owned())
}

/// The error for an unknown path, or for a known one with another method.
fn unknown(path: &str) -> Refused {
    let (status, message) = match path {
        "requests" => (StatusCode::METHOD_NOT_ALLOWED, "the method must be GET or DELETE"),
        "faults" => (StatusCode::METHOD_NOT_ALLOWED, "the method must be POST or DELETE"),
        "data" => (StatusCode::METHOD_NOT_ALLOWED, "the method must be GET or PUT"),
        "clock" => (StatusCode::METHOD_NOT_ALLOWED, "the method must be PUT"),
        "unavailable" => (StatusCode::METHOD_NOT_ALLOWED, "the method must be POST"),
        _ => (StatusCode::NOT_FOUND, "the paths are requests, faults, data, clock and unavailable"),
    };
    (status, message.to_owned())
}

fn to_json(value: &impl serde::Serialize) -> Result<String, Refused> {
    serde_json::to_string(value)
        .map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))
}

fn from_json<T: DeserializeOwned>(head: &Parts, body: Option<&Bytes>) -> Result<T, Refused> {
    // A browser sends any other type without a CORS preflight.
    if media_type(head) != "application/json" {
        let message = "the content type must be application/json".to_owned();
        return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    let too_long = || (StatusCode::PAYLOAD_TOO_LARGE, "the body is too long".to_owned());
    let body = body.ok_or_else(too_long)?;
    serde_json::from_slice(body)
        .map_err(|error| (StatusCode::BAD_REQUEST, without_value(&error.to_string())))
}
