//! One request from start to end: parse, pick a fault, execute, respond, record.

use std::error::Error;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use hyper::body::Incoming;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use crate::control;
use crate::documentation;
use crate::fault::scope::Target;
use crate::fault::{Fault, Timing};
use crate::http::body::{ConnectionCut, ResponseBody};
use crate::http::request::{self, HttpRefusal};
use crate::http::response::{ServiceResponse, json_response};
use crate::http::stream::StreamControl;
use crate::log::ReceivedRequest;
use crate::log_guard::LogGuard;
use crate::metadata::{self, RoleSelector};
use crate::protocol::{Parameters, Refusal, ret_code};
use crate::service;
use crate::state::{Shared, State, new_request_id, stopped};

/// Answers one request. An error closes the connection.
pub(crate) async fn handle(
    shared: Arc<Shared>,
    peer: IpAddr,
    stream: StreamControl,
    stop: watch::Receiver<bool>,
    request: Request<Incoming>,
) -> Result<Response<ResponseBody>, ConnectionCut> {
    let started = Instant::now();
    let (head, body) = request.into_parts();
    let is_control = shared.control && control::is_control(head.uri.path());
    let limit = if is_control && control::authorize(peer, &head).is_ok() {
        shared.limits.control_body
    } else {
        shared.limits.body
    };
    // A body that is too slow or incomplete gets no response.
    let reading = timeout(shared.limits.read, request::read_body(body, limit));
    let Ok(Ok(body)) = reading.await else {
        return Err(ConnectionCut);
    };
    if is_control {
        return Ok(control::respond(&shared, peer, &head, body.as_ref()));
    }
    let call = Call::parse(&shared, &head, body.as_ref());
    let (exchange, response) = Exchange::start(&shared, call, &head);
    let number = exchange.number;
    let mut guard = number.map(|number| LogGuard::new(Arc::clone(&shared), number, started));
    let response = exchange.respond(&shared, response, stream, stop).await?;
    if let Some(guard) = &mut guard {
        guard.status = Some(response.status().as_u16());
    }
    Ok(response.map(|body| body.logged(guard)))
}

/// A parsed request.
enum Call {
    Api(Result<Parameters, HttpRefusal>),
    Metadata(RoleSelector),
}

impl Call {
    fn parse(shared: &Shared, head: &Parts, body: Option<&Bytes>) -> Self {
        match metadata::parse_path(head.uri.path()) {
            Some(role) if shared.state().store.role.is_some() => Self::Metadata(role),
            _ => Self::Api(request::read_parameters(head, body)),
        }
    }

    /// The `Action` parameter, whether or not such an action exists.
    fn action(&self) -> Option<&str> {
        match self {
            Self::Api(Ok(parameters)) => parameters.get("Action"),
            _ => None,
        }
    }

    fn target(&self) -> Target<'_> {
        match self {
            Self::Api(_) => Target::Action(self.action().unwrap_or_default()),
            Self::Metadata(_) => Target::Metadata,
        }
    }

    /// Adds the request to the log and returns its number. Metadata requests are only counted.
    fn log(&self, state: &mut State, id: &str, head: &Parts, fault: Option<&Fault>) -> Option<u64> {
        let Self::Api(parameters) = self else {
            state.metadata_requests += 1;
            return None;
        };
        Some(state.log.push(ReceivedRequest {
            request_id: id.to_owned(),
            method: head.method.to_string(),
            path: head.uri.path().to_owned(),
            content_type: request::content_type(head),
            action: self.action().map(str::to_owned),
            parameters: parameters.as_ref().map(Parameters::to_pairs).unwrap_or_default(),
            fault: fault.cloned(),
            ..ReceivedRequest::default()
        }))
    }
}

/// A request on its way to a response.
struct Exchange {
    call: Call,
    id: String,
    fault: Option<Fault>,
    /// The number in the log.
    number: Option<u64>,
}

impl Exchange {
    /// Picks the fault, logs the request and executes it, unless the fault delays or prevents that.
    /// Returns the response, or the delay.
    fn start(
        shared: &Shared,
        call: Call,
        head: &Parts,
    ) -> (Self, Result<ServiceResponse, Duration>) {
        let id = new_request_id();
        // One lock, so that the log has the order of the effects.
        let state = &mut *shared.state();
        let fault = state.faults.next(call.target(), Instant::now());
        let number = call.log(state, &id, head, fault.as_ref());
        let exchange = Self { call, id, fault, number };
        let timing = exchange.fault.as_ref().map_or(Timing::Immediate, Fault::timing);
        let response = match timing {
            Timing::Immediate => Ok(exchange.execute(state)),
            Timing::Delayed(time) => Err(time),
            Timing::Never => {
                if let Some(Fault::RetCode { code, .. }) = exchange.fault {
                    exchange.record(state, Some(code), false);
                }
                // The fault replaces it.
                Ok(ServiceResponse::default())
            }
        };
        (exchange, response)
    }

    /// Authenticates, checks and executes the request.
    fn execute(&self, state: &mut State) -> ServiceResponse {
        let response = match &self.call {
            Call::Metadata(role) => metadata::respond(role, &mut state.store),
            Call::Api(Err(http)) => ServiceResponse::refusal(http.status, "", http.refusal()),
            Call::Api(Ok(parameters)) => {
                let repeats_pages =
                    self.fault.as_ref().map(|fault| fault.split().0) == Some(&Fault::RepeatPages);
                let action = self.call.action().unwrap_or_default();
                match service::execute(&mut state.store, parameters, repeats_pages) {
                    Ok(fields) => ServiceResponse::success(action, fields),
                    Err(refusal) => ServiceResponse::refusal(StatusCode::OK, action, refusal),
                }
            }
        };
        let ret_code = response.ret_code();
        self.record(state, ret_code, ret_code == Some(ret_code::SUCCESS));
        response
    }

    fn record(&self, state: &mut State, ret_code: Option<i64>, executed: bool) {
        if let Some(number) = self.number {
            state.log.update(number, |request| {
                request.ret_code = ret_code;
                request.executed = executed;
            });
        }
    }

    /// Applies the fault to the response.
    async fn respond(
        self,
        shared: &Shared,
        response: Result<ServiceResponse, Duration>,
        stream: StreamControl,
        mut stop: watch::Receiver<bool>,
    ) -> Result<Response<ResponseBody>, ConnectionCut> {
        let mut response = match response {
            Ok(response) => response,
            Err(delay) => {
                sleep(delay).await;
                self.execute(&mut shared.state())
            }
        };
        let fault = self.fault.as_ref().map(Fault::split);
        if let Some((Fault::Hang, _)) = fault {
            // If the client leaves first, this future is dropped with its connection.
            stopped(&mut stop).await;
            return Err(ConnectionCut);
        }
        if !shared.latency.is_zero() {
            sleep(shared.latency).await;
        }
        let action = self.call.action().unwrap_or_default();
        let whole = |response: &ServiceResponse| {
            response.with_body(&self.id, ResponseBody::whole(response.bytes()))
        };
        let Some((fault, is_after_execution)) = fault else {
            return Ok(whole(&response));
        };
        match fault {
            Fault::CutConnection => return Err(ConnectionCut),
            Fault::ResetConnection => {
                stream.reset();
                return Err(ConnectionCut);
            }
            Fault::Respond { status, headers, body } => {
                return Ok(custom_response(*status, headers, body, &stream));
            }
            Fault::Huge { bytes } => {
                let body = ResponseBody::huge(action, *bytes);
                return Ok(json_response(StatusCode::OK, &self.id, body));
            }
            Fault::RetCode { code, message } => {
                response = with_ret_code(action, *code, message);
            }
            Fault::Delay { time } if is_after_execution => sleep(*time).await,
            Fault::WrongTotal { total } => response.set_total(*total),
            Fault::WrongTypes => response.set_types(documentation::example(action)),
            _ => {}
        }
        let bytes = response.bytes();
        let with_body = |body| response.with_body(&self.id, body);
        Ok(match fault {
            Fault::BrokenJson => with_body(ResponseBody::whole(bytes.slice(..bytes.len() / 2))),
            Fault::SlowBody { bytes: piece, pause } => {
                with_body(ResponseBody::slow(bytes, *piece, *pause))
            }
            Fault::CutResponse { after } => {
                stream.cut_after(*after);
                closing(whole(&response))
            }
            // The body is complete, and the connection closes all the same.
            Fault::CutBody { after } if *after >= bytes.len() => closing(whole(&response)),
            Fault::CutBody { after } => {
                let mut cut = with_body(ResponseBody::broken(bytes.slice(..*after), stream));
                cut.headers_mut().insert(CONTENT_LENGTH, bytes.len().into());
                cut
            }
            _ => whole(&response),
        })
    }
}

/// The response of a [`Fault::RetCode`].
fn with_ret_code(action: &str, code: i64, message: &str) -> ServiceResponse {
    if code == ret_code::SUCCESS {
        return ServiceResponse::success(action, Default::default());
    }
    let message = match message {
        "" => documentation::meaning(code).unwrap_or("The service refuses"),
        message => message,
    };
    ServiceResponse::refusal(StatusCode::OK, action, Refusal::new(code, message))
}

/// Makes the connection close after the response.
fn closing(mut response: Response<ResponseBody>) -> Response<ResponseBody> {
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// The response of a [`Fault::Respond`].
fn custom_response(
    status: u16,
    headers: &[(String, String)],
    body: &Bytes,
    stream: &StreamControl,
) -> Response<ResponseBody> {
    try_custom_response(status, headers, body, stream).unwrap_or_else(|error| {
        let text = format!("the response of the fault cannot be sent: {error}\n");
        let mut response = Response::new(ResponseBody::whole(text.into()));
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response
    })
}

fn try_custom_response(
    status: u16,
    headers: &[(String, String)],
    body: &Bytes,
    stream: &StreamControl,
) -> Result<Response<ResponseBody>, Box<dyn Error>> {
    let mut response = Response::new(ResponseBody::whole(body.clone()));
    *response.status_mut() = StatusCode::from_u16(status)?;
    if response.status().is_informational() {
        return Err("a final response needs a status of 200 or more".into());
    }
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes())?;
        response.headers_mut().append(name, HeaderValue::from_str(value)?);
    }
    if response.headers().contains_key(TRANSFER_ENCODING) {
        return Err("the server sets `Transfer-Encoding` itself".into());
    }
    // A longer body is truncated to the given length; a shorter one cuts the connection.
    match content_length(response.headers())? {
        Some(length) if length > body.len() => {
            *response.body_mut() = ResponseBody::broken(body.clone(), stream.clone());
        }
        Some(length) => *response.body_mut() = ResponseBody::whole(body.slice(..length)),
        None => {}
    }
    Ok(response)
}

fn content_length(headers: &HeaderMap) -> Result<Option<usize>, Box<dyn Error>> {
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    match (lengths.next(), lengths.next()) {
        (None, _) => Ok(None),
        (Some(length), None) => Ok(Some(length.to_str()?.parse()?)),
        (Some(_), Some(_)) => Err("there are two `Content-Length` headers".into()),
    }
}
