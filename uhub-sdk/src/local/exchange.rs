//! One request: from the bytes that arrived to the answer, or to the fault in its place.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH};
use http::request::Parts;
use http::{HeaderValue, Request, Response, StatusCode};
use hyper::body::Incoming;
use serde_json::Map;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::actions;
use super::answer::{Answer, respond};
use super::body::{AnswerBody, Cut};
use super::control;
use super::documented;
use super::fault::{self, Fault, Runs};
use super::log::ReceivedRequest;
use super::metadata::{self, Asked};
use super::protocol::{Parameters, Refusal, ret_code};
use super::request::{self, HttpRefusal};
use super::scope::Target;
use super::served::Served;
use super::server::stopped;
use super::state::{Limits, Shared, State};
use super::store::Store;
use super::stream::Wire;
use crate::RetCode;

/// Answers one request. An error closes the connection.
pub(super) async fn handle(
    shared: Arc<Shared>,
    peer: IpAddr,
    wire: Wire,
    mut stop: watch::Receiver<bool>,
    request: Request<Incoming>,
) -> Result<Response<AnswerBody>, Cut> {
    let began = Instant::now();
    let (head, body) = request.into_parts();
    let is_control = shared.control && control::is_control(head.uri.path());
    let Limits {
        read,
        body: most,
        control_body,
        ..
    } = shared.limits;
    // Nobody else may send so much.
    let is_trusted = is_control && control::check(peer, &head).is_ok();
    let most = if is_trusted { control_body } else { most };
    // Too slow, or broken off: there is nobody to answer.
    let Ok(Ok(body)) = timeout(read, request::read_body(body, most)).await else {
        return Err(Cut);
    };
    if is_control {
        return Ok(control::answer(&shared, peer, &head, body.as_ref()));
    }
    let exchange = Exchange::arrive(&shared, &head, body.as_ref());
    let served = exchange
        .number
        .map(|number| Served::new(Arc::clone(&shared), number, began));
    exchange.finish(&shared, served, wire, &mut stop).await
}

/// A request that was read.
struct Exchange {
    call: Call,
    id: String,
    fault: Option<Fault>,
    /// What the service has said, if it was asked already.
    answer: Option<Answer>,
    /// Of a request that is recorded.
    number: Option<u64>,
}

/// What a request asks of whom.
enum Call {
    Api(Result<Parameters, HttpRefusal>),
    Metadata(Asked),
}

impl Exchange {
    /// Records a request, and has it carried out where no fault is in the way.
    fn arrive(shared: &Shared, head: &Parts, body: Option<&Bytes>) -> Self {
        let asked = metadata::asked(head.uri.path());
        let call = match asked.filter(|_| shared.state().store.role.is_some()) {
            Some(asked) => Call::Metadata(asked),
            None => Call::Api(request::read_parameters(head, body)),
        };
        let id = shared.ids.next();

        let mut state = shared.state();
        let fault = state.faults.next(call.target(), Instant::now());
        let number = match &call {
            Call::Api(read) => Some(state.log.push(ReceivedRequest {
                request_id: id.clone(),
                method: head.method.to_string(),
                path: head.uri.path().to_owned(),
                content_type: request::content_type(head),
                action: call.action().map(str::to_owned),
                parameters: read.as_ref().map(Parameters::to_pairs).unwrap_or_default(),
                fault: fault.clone(),
                ..ReceivedRequest::default()
            })),
            Call::Metadata(_) => {
                state.metadata_requests += 1;
                None
            }
        };
        let mut exchange = Self {
            call,
            id,
            fault,
            answer: None,
            number,
        };
        match exchange.fault.as_ref().map_or(Runs::AtOnce, Fault::runs) {
            Runs::AtOnce => exchange.run(shared, &mut state),
            // Of what the service will not see, a fault may say what it says.
            Runs::Never => {
                if let Some(Fault::RetCode { code, .. }) = exchange.fault {
                    exchange.record(&mut state, Some(code), false);
                }
            }
            Runs::After(_) => {}
        }
        exchange
    }

    /// Has the service carry the request out.
    fn run(&mut self, shared: &Shared, state: &mut State) {
        let fault = self.fault.as_ref().map(|fault| fault.unwrapped().0);
        let repeats_pages = fault == Some(&Fault::RepeatPages);
        let (answer, changed) = self.call.run(&mut state.store, repeats_pages);
        if changed {
            shared.changed();
        }
        let ret_code = answer.ret_code();
        self.record(state, ret_code, ret_code == Some(0));
        self.answer = Some(answer);
    }

    fn record(&self, state: &mut State, ret_code: Option<i64>, carried_out: bool) {
        if let Some(number) = self.number {
            state.log.update(number, |request| {
                request.ret_code = ret_code;
                request.carried_out = carried_out;
            });
        }
    }

    /// Sends the answer, or plays the fault.
    async fn finish(
        mut self,
        shared: &Shared,
        served: Option<Served>,
        wire: Wire,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<Response<AnswerBody>, Cut> {
        if let Some(Runs::After(time)) = self.fault.as_ref().map(Fault::runs) {
            sleep(time).await;
            self.run(shared, &mut shared.state());
        }
        let reply = self.reply(&wire);
        // What hangs waits for something else.
        if !shared.latency.is_zero() && !matches!(reply, Reply::Hang) {
            sleep(shared.latency).await;
        }
        let response = match reply {
            Reply::Send(response) => response,
            Reply::SendAfter(time, response) => {
                sleep(time).await;
                response
            }
            Reply::Cut => return Err(Cut),
            Reply::Hang => {
                // If the client leaves first, this is dropped with its connection.
                stopped(stop).await;
                return Err(Cut);
            }
        };
        let Some(mut served) = served else {
            return Ok(response);
        };
        served.status = Some(response.status().as_u16());
        Ok(response.map(|body| body.watched(served)))
    }

    fn reply(&mut self, wire: &Wire) -> Reply {
        let id = &self.id;
        let action = self.call.action().unwrap_or_default();
        let fault = self.fault.as_ref().map(Fault::unwrapped);
        // First those that need no answer of the service.
        match fault {
            Some((Fault::CutConnection, _)) => return Reply::Cut,
            Some((Fault::ResetConnection, _)) => {
                wire.reset();
                return Reply::Cut;
            }
            Some((Fault::Hang, _)) => return Reply::Hang,
            Some((
                Fault::Respond {
                    status,
                    headers,
                    body,
                },
                _,
            )) => return Reply::Send(fault::respond(*status, headers, body, wire)),
            Some((Fault::Huge { bytes }, _)) => {
                let body = AnswerBody::huge(action, *bytes);
                return Reply::Send(respond(StatusCode::OK, id, body));
            }
            Some((Fault::RetCode { code, message }, _)) => {
                let meaning = RetCode::from(*code).meaning();
                let message = match message.as_str() {
                    "" => meaning.unwrap_or("The service refuses"),
                    message => message,
                };
                let refusal = Refusal::new(*code, message);
                self.answer = Some(match *code {
                    ret_code::SUCCESS => Answer::success(action, Map::new()),
                    _ => Answer::refusal(StatusCode::OK, action, &refusal),
                });
            }
            _ => {}
        }
        // Every other fault lets the service answer.
        let Some(mut answer) = self.answer.take() else {
            return Reply::Cut;
        };
        match fault {
            Some((Fault::WrongTotal { total }, _)) => answer.set_total(*total),
            Some((Fault::WrongTypes, _)) => {
                answer.set_types(documented::find(action).map_or("", |action| action.example));
            }
            _ => {}
        }
        let bytes = answer.bytes();
        let whole = |bytes| answer.response(id, AnswerBody::whole(bytes));
        Reply::Send(match fault {
            Some((Fault::Delay { time }, true)) => return Reply::SendAfter(*time, whole(bytes)),
            Some((Fault::BrokenJson, _)) => whole(bytes.slice(..bytes.len() / 2)),
            Some((
                Fault::SlowBody {
                    bytes: piece,
                    pause,
                },
                _,
            )) => answer.response(id, AnswerBody::slow(bytes, *piece, *pause)),
            Some((Fault::CutResponse { after }, _)) => {
                wire.cut_after(*after);
                closing(whole(bytes))
            }
            // Nothing is missing; the connection closes all the same.
            Some((Fault::CutBody { after }, _)) if *after >= bytes.len() => closing(whole(bytes)),
            Some((Fault::CutBody { after }, _)) => {
                let body = AnswerBody::broken(bytes.slice(..*after), wire.clone());
                let mut response = answer.response(id, body);
                let headers = response.headers_mut();
                headers.insert(CONTENT_LENGTH, bytes.len().into());
                response
            }
            _ => whole(bytes),
        })
    }
}

impl Call {
    /// The action that is named, whether there is one of this name or not.
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

    /// What the service says, and whether it has changed what it holds.
    fn run(&self, store: &mut Store, repeats_pages: bool) -> (Answer, bool) {
        let parameters = match self {
            Self::Api(Ok(parameters)) => parameters,
            Self::Api(Err(http)) => {
                return (Answer::refusal(http.status, "", &http.refusal), false);
            }
            Self::Metadata(asked) => return (metadata::answer(asked, store), false),
        };
        let action = self.action().unwrap_or_default();
        match actions::run(store, parameters, repeats_pages) {
            Ok(done) => (Answer::success(action, done.fields), done.changed),
            Err(refusal) => (Answer::refusal(StatusCode::OK, action, &refusal), false),
        }
    }
}

enum Reply {
    Send(Response<AnswerBody>),
    SendAfter(Duration, Response<AnswerBody>),
    Cut,
    Hang,
}

/// The same, after which the connection closes.
fn closing(mut response: Response<AnswerBody>) -> Response<AnswerBody> {
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    response
}
