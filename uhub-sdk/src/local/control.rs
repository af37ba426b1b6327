//! What the server can be told and asked over HTTP, beside the API: paths under `/_local/`.
//!
//! A page in a browser must not be able to do it. So a request with an `Origin`, which a page cannot
//! hide, is refused, and so is one that names another host than this machine, as a page's does whose
//! name was made to point here.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use http::header::{HOST, ORIGIN};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json as object;
use tokio::time::Instant;

use super::answer::respond;
use super::body::AnswerBody;
use super::data::{Data, without_value};
use super::request::media_type;
use super::scope::FaultRule;
use super::state::Shared;

const PREFIX: &str = "/_local/";

/// The body of `POST /_local/away`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Away {
    #[serde(rename = "seconds", with = "super::seconds")]
    time: Duration,
}

/// The body of `PUT /_local/clock`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Clock {
    offset: i64,
}

/// What is wrong with a request, and the status that says so.
struct Refused(StatusCode, String);

pub(super) fn is_control(path: &str) -> bool {
    path.starts_with(PREFIX)
}

/// Refuses whoever must not do anything here.
pub(super) fn check(peer: IpAddr, head: &Parts) -> Result<(), &'static str> {
    if !peer.to_canonical().is_loopback() {
        return Err("only this machine can do this");
    }
    if head.headers.contains_key(ORIGIN) || !names_this_machine(head) {
        return Err("a page in a browser cannot do this");
    }
    Ok(())
}

pub(super) fn answer(
    shared: &Shared,
    peer: IpAddr,
    head: &Parts,
    body: Option<&Bytes>,
) -> Response<AnswerBody> {
    let (status, text) = match obey(shared, peer, head, body) {
        Ok(text) => (StatusCode::OK, text),
        Err(Refused(status, message)) => (status, object!({"error": message}).to_string()),
    };
    respond(status, &shared.ids.next(), AnswerBody::whole(text.into()))
}

/// Does what is asked, and says what there is to say, as JSON.
fn obey(
    shared: &Shared,
    peer: IpAddr,
    head: &Parts,
    body: Option<&Bytes>,
) -> Result<String, Refused> {
    check(peer, head).map_err(|why| Refused(StatusCode::FORBIDDEN, why.to_owned()))?;
    let what = head.uri.path().strip_prefix(PREFIX).unwrap_or_default();
    let done = || Ok("{}".to_owned());
    match (what, &head.method) {
        ("requests", &Method::GET) => text(&shared.state().log.to_vec()),
        ("requests", &Method::DELETE) => {
            shared.state().log.clear();
            done()
        }
        ("faults", &Method::POST) => {
            let rule: FaultRule = read(head, body)?;
            shared.state().faults.add_rule(rule, Instant::now());
            done()
        }
        ("faults", &Method::DELETE) => {
            shared.state().faults.clear();
            done()
        }
        ("state", &Method::GET) => {
            let data = shared.state().store.data();
            text(&data)
        }
        ("state", &Method::PUT) => {
            let data = Data::from_json(json(head, body)?).map_err(no_sense)?;
            let store = data
                .into_store()
                .map_err(|problems| Refused(StatusCode::BAD_REQUEST, problems.join("; ")))?;
            shared.state().store.replace(store);
            shared.changed();
            done()
        }
        ("clock", &Method::PUT) => {
            let Clock { offset } = read(head, body)?;
            shared.state().store.clock_offset = offset;
            done()
        }
        ("away", &Method::POST) => {
            let Away { time } = read(head, body)?;
            shared.unavailable_for(time);
            done()
        }
        ("requests", _) => Err(use_instead("GET or DELETE")),
        ("faults", _) => Err(use_instead("POST or DELETE")),
        ("state", _) => Err(use_instead("GET or PUT")),
        ("clock", _) => Err(use_instead("PUT")),
        ("away", _) => Err(use_instead("POST")),
        _ => Err(Refused(
            StatusCode::NOT_FOUND,
            "there are requests, faults, state, clock and away".to_owned(),
        )),
    }
}

fn use_instead(methods: &str) -> Refused {
    let message = format!("the method has to be {methods}");
    Refused(StatusCode::METHOD_NOT_ALLOWED, message)
}

fn text(value: &impl serde::Serialize) -> Result<String, Refused> {
    serde_json::to_string(value)
        .map_err(|error| Refused(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))
}

fn read<T: DeserializeOwned>(head: &Parts, body: Option<&Bytes>) -> Result<T, Refused> {
    serde_json::from_slice(json(head, body)?).map_err(no_sense)
}

fn no_sense(error: serde_json::Error) -> Refused {
    Refused(StatusCode::BAD_REQUEST, without_value(&error.to_string()))
}

/// The body of a request, which says that it is JSON.
fn json<'a>(head: &Parts, body: Option<&'a Bytes>) -> Result<&'a [u8], Refused> {
    // A page could send anything else without asking first.
    if media_type(head) != "application/json" {
        return Err(Refused(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "the content type has to be application/json".to_owned(),
        ));
    }
    body.map(|body| &body[..]).ok_or_else(|| {
        Refused(
            StatusCode::PAYLOAD_TOO_LARGE,
            "the body is too long".to_owned(),
        )
    })
}

/// Whether the host that is asked for is this machine, under a name that nobody else can give it.
fn names_this_machine(head: &Parts) -> bool {
    let mut hosts = head.headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return false;
    };
    // A request to a proxy names a host in its first line too.
    let other = head.uri.authority();
    host.to_str().is_ok_and(is_this_machine)
        && other.is_none_or(|other| is_this_machine(other.as_str()))
}

/// Whether a host, with its port or without one, is this machine.
fn is_this_machine(host: &str) -> bool {
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']').unwrap_or_default(),
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    let has_port = |port: &str| port.parse::<u16>().is_ok();
    (name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()))
        && (port.is_empty() || port.strip_prefix(':').is_some_and(has_port))
}
