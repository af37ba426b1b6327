//! Control requests: the paths under `/_local/`.
//!
//! Web pages must not reach them. So requests are refused that have an `Origin`, which a page
//! cannot suppress, or a `Host` other than this machine, as after DNS rebinding.

use std::{net::IpAddr, time::Duration};

use bytes::Bytes;
use http::header::{HOST, ORIGIN};
use http::{Method, Response, StatusCode, request::Parts, uri::Authority};
use serde::{Deserialize, de::DeserializeOwned};
use tokio::time::Instant;

use crate::data::store::Store;
use crate::data::{Data, without_value};
use crate::fault::Fault;
use crate::fault::scope::Scope;
use crate::http::body::ResponseBody;
use crate::http::request::media_type;
use crate::http::response::json_response;
use crate::state::{Shared, new_request_id};

pub(crate) const PREFIX: &str = "/_local/";

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
    if head.headers.contains_key(ORIGIN) || !names_this_machine(head) {
        return Err("web pages cannot send control requests");
    }
    Ok(())
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
            match scope {
                None => faults.push(fault),
                Some(scope) => faults.add(scope, fault, Instant::now()),
            }
        }
        ("faults", &Method::DELETE) => shared.state().faults.clear(),
        ("data", &Method::GET) => return to_json(&shared.state().store.data),
        ("data", &Method::PUT) => {
            let data: Data = from_json(head, body)?;
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

/// Whether the requested host is this machine, by a name that DNS cannot redirect.
fn names_this_machine(head: &Parts) -> bool {
    let mut hosts = head.headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return false;
    };
    // A proxy request has a host in its first line too.
    let authority = head.uri.authority();
    host.to_str().is_ok_and(is_this_machine)
        && authority.is_none_or(|authority| is_this_machine(authority.as_str()))
}

/// Whether a host, with or without a port, is this machine.
fn is_this_machine(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else {
        return false;
    };
    let name = authority.host();
    let ip = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    // No user information, and a port only if it is a number.
    let is_plain = host == name || authority.port_u16().is_some();
    is_plain && (name.eq_ignore_ascii_case("localhost") || ip.is_ok_and(|ip| ip.is_loopback()))
}
