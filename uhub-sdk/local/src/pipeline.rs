//! One request from start to end: parse, pick a fault, execute, respond, record.

use std::{error::Error, io, net::IpAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, request::Parts};
use hyper::body::Incoming;
use tokio::time::{Instant, sleep, timeout};

use crate::fault::Fault;
use crate::http::body::{ResponseBody, connection_cut};
use crate::http::guard;
use crate::http::request;
use crate::http::response::{ServiceResponse, json_response};
use crate::http::slots::Slot;
use crate::http::stream::StreamControl;
use crate::log::{LogGuard, LoggedRequest, ReceivedRequest};
use crate::protocol::{Parameters, Refusal, ret_code};
use crate::state::{Shared, State, new_request_id};
use crate::{control, documentation, metadata, service};

/// The limits on the bodies of requests, in bytes.
const MAX_BODY: usize = 1024 * 1024;
const MAX_CONTROL_BODY: usize = 16 * 1024 * 1024;

/// Who sends a request.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) peer: IpAddr,
    /// The number of the connection.
    pub(crate) connection: u64,
    pub(crate) stream: StreamControl,
    pub(crate) slot: Slot,
}

/// Answers one request. An error closes the connection.
pub(crate) async fn handle(
    shared: Arc<Shared>,
    client: Client,
    request: Request<Incoming>,
) -> io::Result<Response<ResponseBody>> {
    let Client { peer, connection, stream, slot } = client;
    let started = Instant::now();
    let (head, body) = request.into_parts();
    let is_control = shared.control && head.uri.path().starts_with(control::PREFIX);
    let is_allowed = is_control && control::authorize(peer, &head).is_ok();
    let limit = if is_allowed { MAX_CONTROL_BODY } else { MAX_BODY };
    // A body that is too slow or incomplete gets no response.
    let reading = timeout(shared.limits.read, request::read_body(body, limit));
    let Ok(Ok(body)) = reading.await else {
        return Err(connection_cut());
    };
    let Some(busy) = slot.busy() else {
        return Err(connection_cut());
    };
    if is_control {
        let mut response = control::respond(&shared, peer, &head, body.as_ref());
        response.body_mut().busy = Some(busy);
        return Ok(response);
    }
    let call = Call::parse(&shared, &head, body.as_ref());
    let (exchange, response) = Exchange::start(&shared, call, &head, connection);
    let on_request = shared.on_request.clone();
    let guard = exchange.logged.clone().map(|request| LogGuard { request, on_request, started });
    let mut response = exchange.respond(&shared, response, stream).await?;
    if let Some(guard) = &guard {
        guard.request.lock().status = Some(response.status().as_u16());
    }
    response.body_mut().log_guard = guard;
    response.body_mut().busy = Some(busy);
    Ok(response)
}

/// A parsed request.
enum Call {
    Api(Result<Parameters, Refusal>),
    /// Of a web page: no fault is spent on it.
    WebPage(Refusal),
    /// For the credentials of this role.
    Metadata(String),
}

impl Call {
    fn parse(shared: &Shared, head: &Parts, body: Option<&Bytes>) -> Self {
        if let Err(message) = guard::check(head, &shared.hosts) {
            return Self::WebPage(Refusal::http(StatusCode::FORBIDDEN, message));
        }
        match metadata::role_name(head.uri.path()) {
            Some(role) if shared.state().store.data.role.is_some() => Self::Metadata(role),
            _ => Self::Api(request::read_parameters(head, body)),
        }
    }

    /// The parameters in the order of arrival. Empty if they are malformed.
    fn parameters(&self) -> Vec<(String, String)> {
        match self {
            Self::Api(Ok(parameters)) => parameters.to_pairs(),
            _ => Vec::new(),
        }
    }

    /// The `Action` parameter, whether or not such an action exists.
    fn action(&self) -> Option<&str> {
        match self {
            Self::Api(Ok(parameters)) => parameters.get("Action"),
            _ => None,
        }
    }
}

/// A request on its way to a response.
struct Exchange {
    call: Call,
    id: String,
    fault: Option<Fault>,
    /// `None` for a metadata request.
    logged: Option<LoggedRequest>,
}

impl Exchange {
    /// Picks the fault, logs the request and executes it, unless the fault delays or prevents that.
    /// Returns the response, or the delay.
    fn start(
        shared: &Shared,
        call: Call,
        head: &Parts,
        connection: u64,
    ) -> (Self, Result<ServiceResponse, Duration>) {
        let id = new_request_id();
        // One lock, so that the log has the order of the effects.
        let state = &mut *shared.state();
        let (fault, logged) = match &call {
            Call::Api(_) | Call::WebPage(_) => {
                let action = call.action();
                let fault = match call {
                    Call::WebPage(_) => None,
                    _ => state.faults.next(Some(action.unwrap_or_default()), Instant::now()),
                };
                let logged = state.log.push(ReceivedRequest {
                    request_id: id.clone(),
                    method: head.method.to_string(),
                    path: head.uri.path().to_owned(),
                    content_type: request::content_type(head),
                    connection,
                    action: action.map(str::to_owned),
                    parameters: call.parameters(),
                    fault: fault.clone(),
                    ..ReceivedRequest::default()
                });
                (fault, Some(logged))
            }
            Call::Metadata(_) => {
                state.metadata_requests += 1;
                (state.faults.next(None, Instant::now()), None)
            }
        };
        let exchange = Self { call, id, fault, logged };
        let response = match &exchange.fault {
            Some(Fault::Delay { time }) => Err(*time),
            Some(fault) if fault.prevents_execution() => {
                if let Fault::RetCode { code, .. } = fault {
                    exchange.record(Some(*code), false);
                }
                // The fault replaces it.
                Ok(ServiceResponse::default())
            }
            _ => Ok(exchange.execute(state)),
        };
        (exchange, response)
    }

    /// Authenticates, checks and executes the request.
    fn execute(&self, state: &mut State) -> ServiceResponse {
        let response = match &self.call {
            Call::Metadata(role_name) => metadata::respond(role_name, &mut state.store),
            Call::Api(Err(refusal)) | Call::WebPage(refusal) => {
                ServiceResponse::of("", Err(refusal.clone()))
            }
            Call::Api(Ok(parameters)) => {
                let fault = self.fault.as_ref().map(|fault| fault.split().0);
                let repeats_pages = fault == Some(&Fault::RepeatPages);
                let result = service::execute(&mut state.store, parameters, repeats_pages);
                ServiceResponse::of(self.call.action().unwrap_or_default(), result)
            }
        };
        let ret_code = response.ret_code();
        self.record(ret_code, ret_code == Some(ret_code::SUCCESS));
        response
    }

    fn record(&self, ret_code: Option<i64>, executed: bool) {
        if let Some(request) = &self.logged {
            let mut request = request.lock();
            request.ret_code = ret_code;
            request.executed = executed;
        }
    }

    /// Applies the fault to the response.
    async fn respond(
        self,
        shared: &Shared,
        response: Result<ServiceResponse, Duration>,
        stream: StreamControl,
    ) -> io::Result<Response<ResponseBody>> {
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
            shared.stopping().await;
            return Err(connection_cut());
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
            Fault::CutConnection => return Err(connection_cut()),
            Fault::ResetConnection => {
                stream.reset();
                return Err(connection_cut());
            }
            Fault::Respond { status, headers, body } => {
                let response = custom_response(*status, headers, body, stream);
                return Ok(response.unwrap_or_else(|error| {
                    let text = format!("the response of the fault cannot be sent: {error}\n");
                    let mut response = Response::new(ResponseBody::whole(text.into()));
                    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
                    response
                }));
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
    let message = if message.is_empty() { "injected by the local server" } else { message };
    let result = match code {
        ret_code::SUCCESS => Ok(Default::default()),
        _ => Err(Refusal::new(code, message)),
    };
    ServiceResponse::of(action, result)
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
    stream: StreamControl,
) -> Result<Response<ResponseBody>, Box<dyn Error>> {
    let mut builder = Response::builder().status(status);
    for (name, value) in headers {
        builder = builder.header(name, value);
    }
    let mut response = builder.body(ResponseBody::whole(body.clone()))?;
    if response.status().is_informational() {
        return Err("a final response needs a status of 200 or more".into());
    }
    if response.headers().contains_key(TRANSFER_ENCODING) {
        return Err("the server sets `Transfer-Encoding` itself".into());
    }
    // A longer body is truncated to the given length; a shorter one cuts the connection.
    match content_length(response.headers())? {
        Some(length) if length > body.len() => {
            *response.body_mut() = ResponseBody::broken(body.clone(), stream);
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
