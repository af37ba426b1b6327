//! A call, from its parameters to its answer: the steps in their order, as often as need be.

pub(crate) mod observer;
pub(crate) mod retry;
pub(crate) mod state;

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use bytes::Bytes;
use http::{Response, StatusCode, header};
use tracing::Instrument;

use crate::{
    action::Idempotency,
    credentials::key_pair::Credentials,
    error::{CallContext, Error, ErrorKind, Execution, ResponseContext},
    exchange::observer::{Attempt, FinishedCall},
    exchange::retry::{AttemptOutcome, RetryLimits, RetryPolicy, SystemClock},
    exchange::state::ClientState,
    ret_code::RetCode,
    transport::request_id,
    wire::encode,
    wire::envelope::{Envelope, Unread},
    wire::parameters::Parameters,
    wire::sign::{common, sign},
};

/// What came with a response, beside what was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metadata {
    /// The service's id of the request, which its support asks for. Documented as the response
    /// header `X-UCLOUD-REQUEST-UUID`.
    pub request_id: Option<String>,
    /// The action that the service says it answers, such as `GetRepoImageResponse`. Documented as
    /// `Action`.
    pub action: Option<String>,
    /// What the service has to say about it. Documented as `Message`.
    pub message: Option<String>,
}

/// What is read from a body.
pub(crate) type Read<T> = Result<(T, Envelope), Unread>;

/// There is nothing to run on.
pub(crate) fn no_runtime() -> Error {
    Error::configuration("there is no Tokio runtime: call the client from within one.")
}

/// What a call has in place of the client's settings.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    pub(crate) timeout: Option<Duration>,
    pub(crate) retry: Option<RetryPolicy>,
}

/// What the steps need to know of a call.
pub(crate) struct Exchange<'a> {
    pub(crate) action: &'a str,
    pub(crate) idempotency: Idempotency,
    pub(crate) options: &'a Options,
}

/// What was read from a response.
struct Answer<T> {
    body: T,
    metadata: Metadata,
    status: StatusCode,
}

/// Longer than any program runs. Much longer than that, and there is no such moment.
const FAR_FUTURE: Duration = Duration::from_secs(60 * 60 * 24 * 365 * 30);

/// The service's own code for a token that it does not know, or no longer.
const TOKEN_UNKNOWN: i64 = 174;

impl Exchange<'_> {
    /// Sends what `add` hands over, and reads the answer.
    pub(crate) async fn run<T>(
        &self,
        client: &ClientState,
        add: impl Fn(&mut Parameters<'_>),
        read: impl Fn(&[u8]) -> Read<T>,
    ) -> Result<(T, Metadata), Error> {
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(no_runtime());
        }
        let timeout = self.options.timeout.unwrap_or(client.timeout);
        if timeout.is_zero() {
            let what = "the call's `timeout` is zero, and nothing is done in no time.";
            return Err(Error::request(self.action, what));
        }
        // The names are OpenTelemetry's where it has one. Nothing else of a call is shown: its parameters,
        // its URL and its bodies have keys, tokens and signatures in them.
        let span = tracing::info_span!(
            "call",
            otel.name = self.action,
            otel.kind = "client",
            otel.status_code = tracing::field::Empty,
            rpc.system = "ucloud",
            rpc.method = self.action,
            server.address = client.endpoint.host(),
            server.port = client.endpoint.port_u16(),
            error.r#type = tracing::field::Empty,
        );
        let began = Instant::now();
        let mut attempts = 0;
        let send = |time_left| self.attempt(client, time_left, began, &add, &read);
        let observe = |ended: AttemptOutcome<'_, Answer<T>>| {
            attempts = ended.attempt;
            self.observe(client, &ended);
        };
        let limits = RetryLimits {
            policy: self.options.retry.as_ref().unwrap_or(&client.retry),
            budget: &client.budget,
            timeout,
        };
        let result = retry::retry(limits, &SystemClock, send, observe)
            .instrument(span.clone())
            .await;
        if let Err(error) = &result {
            span.record("otel.status_code", "ERROR");
            span.record("error.type", tracing::field::debug(error.kind()));
        }
        if let Some(observer) = &client.observer {
            observer.call(&FinishedCall {
                action: self.action,
                attempts,
                elapsed: began.elapsed(),
                error: result.as_ref().err(),
            });
        }
        result.map(|answer| (answer.body, answer.metadata))
    }

    /// Sends the call once.
    async fn attempt<T>(
        &self,
        client: &ClientState,
        time_left: Duration,
        began: Instant,
        add: &impl Fn(&mut Parameters<'_>),
        read: &impl Fn(&[u8]) -> Read<T>,
    ) -> Result<Answer<T>, Error> {
        let patience = time_left.min(client.attempt_timeout);
        let limit = if patience < time_left {
            "attempt_timeout"
        } else {
            "timeout"
        };
        let deadline = tokio::time::Instant::now() + patience.min(FAR_FUTURE);
        let keys = match tokio::time::timeout_at(deadline, client.keys.get()).await {
            Ok(Ok(keys)) => keys,
            Ok(Err(why)) => {
                let what = format!("there are no keys to sign the call with: {why}.");
                return Err(Error::credentials(self.action, &what).with_source(why));
            }
            Err(_) => {
                let what = format!(
                    "there were no keys to sign the call with within {patience:?} (`{limit}`)."
                );
                return Err(Error::credentials(self.action, &what));
            }
        };
        let (call, request) = self.prepare(client, &keys, add)?;
        let response = match tokio::time::timeout_at(deadline, client.transport.send(request)).await
        {
            Ok(Ok(response)) => response,
            Ok(Err(failure)) => return Err(call.failed(failure)),
            Err(_) => {
                let what = format!("the service did not answer within {patience:?} (`{limit}`).");
                return Err(call.error(ErrorKind::Timeout, Execution::Unknown, &what));
            }
        };
        judge(&response, &call, read).map_err(|error| {
            let is_old_token = error.ret_code() == Some(RetCode::from(TOKEN_UNKNOWN))
                && client.keys.are_replaceable(&keys, began);
            if is_old_token {
                error.with_retryable(true)
            } else {
                error
            }
        })
    }

    /// The call as it is sent.
    fn prepare<'k>(
        &'k self,
        client: &ClientState,
        keys: &'k Arc<Credentials>,
        add: &impl Fn(&mut Parameters<'_>),
    ) -> Result<(CallContext<'k>, http::Request<Bytes>), Error> {
        let common = common(self.action, keys);
        let mut parameters = Parameters::new(&common, &client.defaults);
        add(&mut parameters);
        let signed = sign(parameters, keys);
        let call = CallContext {
            action: self.action,
            idempotency: self.idempotency,
            credentials: keys,
            signature: signed.signature,
        };
        if let Some(why) = &signed.parameters.refusal {
            return Err(call.error(ErrorKind::Request, Execution::NotSent, why));
        }
        match encode::request(&client.endpoint, client.encoding, &signed) {
            Some(request) => Ok((call, request)),
            None => {
                let what = "the parameters make a URL that is too long: use `Encoding::Form`.";
                Err(call.error(ErrorKind::Request, Execution::NotSent, what))
            }
        }
    }

    /// Tells of an attempt.
    fn observe<T>(&self, client: &ClientState, ended: &AttemptOutcome<'_, Answer<T>>) {
        let error = ended.result.err();
        let http_status = match ended.result {
            Ok(answer) => Some(answer.status.as_u16()),
            Err(error) => error.http_status(),
        };
        // A level has to be known when the program is built.
        macro_rules! event {
            ($level:ident) => {
                tracing::event!(
                    tracing::Level::$level,
                    action = self.action,
                    attempt = ended.attempt,
                    http.response.status_code = http_status,
                    ret_code = match error {
                        None => Some(0),
                        Some(error) => error.ret_code().map(RetCode::get),
                    },
                    request_id = match ended.result {
                        Ok(answer) => answer.metadata.request_id.as_deref(),
                        Err(error) => error.request_id(),
                    },
                    error.r#type = error.map(|error| tracing::field::debug(error.kind())),
                    elapsed_ms = ended.elapsed.as_millis() as u64,
                    wait_ms = ended.wait.map(|wait| wait.as_millis() as u64),
                    "attempt"
                )
            };
        }
        if ended.wait.is_some() {
            // Nobody else learns of it.
            event!(WARN);
        } else {
            event!(DEBUG);
        }
        if let Some(observer) = &client.observer {
            observer.attempt(&Attempt {
                action: self.action,
                number: ended.attempt,
                elapsed: ended.elapsed,
                http_status,
                error,
                wait: ended.wait,
            });
        }
    }
}

/// Judges a response and reads it.
fn judge<T>(
    response: &Response<Bytes>,
    call: &CallContext<'_>,
    read: &impl Fn(&[u8]) -> Read<T>,
) -> Result<Answer<T>, Error> {
    let status = response.status();
    let request_id = request_id(response.headers()).map(|id| call.request_id(&id));
    let context = |body| ResponseContext {
        status: status.as_u16(),
        request_id: request_id.clone(),
        retry_after: retry::retry_after(response.headers(), SystemTime::now()),
        body,
    };

    match read(response.body()) {
        Ok((body, envelope)) if status.is_success() => {
            let metadata = Metadata {
                request_id,
                action: envelope.action,
                message: envelope.message,
            };
            Ok(Answer {
                body,
                metadata,
                status,
            })
        }
        Err(Unread::Refused { ret_code, envelope }) => Err(call.refused(
            RetCode::from(ret_code),
            envelope.message.as_deref(),
            context(&[]),
        )),
        Err(Unread::Undecoded { path, why }) if status.is_success() => {
            let at = if path.is_empty() {
                String::new()
            } else {
                format!(" at `{path}`")
            };
            let what = format!(
                "the service carried the call out, and its response cannot be understood{at}: {why}."
            );
            let decode = (ErrorKind::Decode, Execution::Completed);
            Err(call.unexpected(decode, &what, context(response.body())))
        }
        // Success in a body that came with an HTTP error is no success.
        unread => {
            let (why, is_refused) = match unread {
                // Whoever stands before the service answered for it.
                Err(Unread::NoEnvelope { why }) => (
                    why,
                    status.is_client_error() && status != StatusCode::REQUEST_TIMEOUT,
                ),
                _ => ("the body speaks of success".to_owned(), false),
            };
            let what = match response.headers().get(header::LOCATION) {
                Some(_) if status.is_redirection() => {
                    format!("HTTP {status}: a redirect, which is not followed. Check the base URL.")
                }
                _ => format!(
                    "HTTP {status}, and {why}: this is no answer of the service. Check the base URL and proxies."
                ),
            };
            let execution = if is_refused {
                Execution::Rejected
            } else {
                Execution::Unknown
            };
            let unexpected = (ErrorKind::UnexpectedResponse, execution);
            let error = call.unexpected(unexpected, &what, context(response.body()));
            // The same redirect would come again.
            let is_retryable = error.is_retryable() && !status.is_redirection();
            Err(error.with_retryable(is_retryable))
        }
    }
}
