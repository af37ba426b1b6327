//! One call from start to end: each attempt is signed, sent and judged, and failed attempts are
//! retried.

pub(crate) mod failure;
pub(crate) mod judge;
pub(crate) mod observer;
pub(crate) mod reading;
pub(crate) mod redact;
pub(crate) mod retry;
pub(crate) mod retry_budget;
pub(crate) mod state;
pub(crate) mod tracing;

use std::{
    borrow::Cow,
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use ::tracing::Instrument;
use bytes::Bytes;
use http::Request;
use tokio::{runtime::Handle, time::timeout_at};

use crate::{
    action::Idempotency,
    credentials::key_pair::Credentials,
    error::{Error, ErrorKind, Execution, Seconds},
    exchange::{
        failure::{CallContext, not_signed},
        judge::{ResponseMetadata, Success, judge},
        observer::{Attempt, FinishedCall},
        reading::{Read, read_body},
        redact::Redactor,
        retry::{AttemptOutcome, RetryLimits, RetryPolicy, SystemClock},
        state::ClientState,
    },
    ret_code::RetCodeOutcome,
    transport::reqwest::Via,
    wire::{encode, parameters::Parameters, sign},
};

/// The options of one call, which take precedence over the client's settings.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    pub(crate) timeout: Option<Duration>,
    pub(crate) retry: Option<RetryPolicy>,
    pub(crate) idempotency: Option<Idempotency>,
}

/// A call that is about to be made.
pub(crate) struct Exchange<'a> {
    pub(crate) action: &'a str,
    /// That of the action; the call's options may set another.
    pub(crate) idempotency: Idempotency,
    /// The names of the parameters and response fields that must not be shown.
    pub(crate) secret_names: &'static [&'static str],
    pub(crate) options: &'a Options,
}

/// What bounds an attempt: a setting and its value.
#[derive(Clone, Copy)]
struct TimeLimit {
    setting: &'static str,
    value: Duration,
    /// What is left of it.
    left: Duration,
}

/// 30 years. Caps the deadline: `Instant + Duration` overflows for huge timeouts.
const MAX_TIMEOUT: Duration = Duration::from_secs(60 * 60 * 24 * 365 * 30);

impl Exchange<'_> {
    /// Sends the parameters that `add` adds, with retries, and reads the response with `read`.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        client: &ClientState,
        add: impl Fn(&mut Parameters<'_>),
        read: Read<T>,
    ) -> Result<(T, ResponseMetadata), Error> {
        if Handle::try_current().is_err() {
            return Err(failure::no_runtime());
        }
        let timeout = self.options.timeout.unwrap_or(client.timeout);
        if timeout.is_zero() {
            let summary = "`with_timeout` must be greater than zero.";
            return Err(not_signed(ErrorKind::Request, self.action, summary));
        }
        let span = tracing::span(self.action, &client.endpoint);
        let began = Instant::now();
        let mut attempts = 0;
        let limits = RetryLimits {
            policy: self.options.retry.as_ref().unwrap_or(&client.retry),
            budget: &client.budget,
            timeout,
        };
        let send = |time_left| self.attempt(client, time_left, began, &add, read);
        let observe = |outcome: AttemptOutcome<'_, Success<T>>| {
            attempts = outcome.number;
            self.observe(client, &outcome);
        };
        let result =
            retry::retry(limits, &SystemClock, send, observe).instrument(span.clone()).await;
        if let Err(error) = &result {
            tracing::record_error(&span, error);
        }
        let elapsed = began.elapsed();
        if let Some(observer) = &client.observer {
            let error = result.as_ref().err();
            observer.call(&FinishedCall { action: self.action, attempts, elapsed, error });
        }
        result.map(|Success { response, mut metadata }| {
            metadata.attempts = attempts;
            metadata.elapsed = elapsed;
            (response, metadata)
        })
    }

    /// Returns the shorter limit of an attempt: its own, or what is left of the call's.
    fn time_limit(&self, client: &ClientState, time_left: Duration) -> TimeLimit {
        if client.attempt_timeout < time_left {
            let value = client.attempt_timeout;
            return TimeLimit { setting: "attempt_timeout", value, left: value };
        }
        let (setting, value) = match self.options.timeout {
            Some(value) => ("with_timeout", value),
            None => ("timeout", client.timeout),
        };
        TimeLimit { setting, value, left: time_left }
    }

    /// Makes one attempt: gets credentials, signs, sends, and judges the response.
    async fn attempt<T: Send + 'static>(
        &self,
        client: &ClientState,
        time_left: Duration,
        began: Instant,
        add: &impl Fn(&mut Parameters<'_>),
        read: Read<T>,
    ) -> Result<Success<T>, Error> {
        let limit = self.time_limit(client, time_left);
        let deadline = tokio::time::Instant::now() + limit.left.min(MAX_TIMEOUT);

        let credentials = match timeout_at(deadline, client.credentials.get()).await {
            Ok(Ok(credentials)) => credentials,
            Ok(Err(cause)) => return Err(failure::no_credentials(self.action, cause)),
            Err(_) => {
                let summary = format!("the credentials provider did not respond within {limit}.");
                let mut error = not_signed(ErrorKind::Credentials, self.action, &summary);
                error.0.is_timeout = true;
                return Err(error);
            }
        };
        let (call, request) = self.sign(client, &credentials, add)?;
        let response = match timeout_at(deadline, client.transport.send(request)).await {
            Ok(Ok(response)) => response,
            Ok(Err(cause)) => return Err(call.not_received(cause)),
            Err(_) => {
                let summary = format!("no response within {limit}.");
                return Err(call.error(ErrorKind::Timeout, Execution::Unknown, &summary));
            }
        };
        let proxy = Via::of(&response);
        let Ok(content) = timeout_at(deadline, read_body(response.body(), read)).await else {
            let summary = format!("the response could not be read within {limit}.");
            return Err(call.error(ErrorKind::Timeout, Execution::Unknown, &summary));
        };
        judge(response, content?, read.known_fields, &call).map_err(|mut error| {
            if let (ErrorKind::UnexpectedResponse, Some(proxy)) = (error.kind(), proxy) {
                error.0.summary.push_str(&format!(" It came through the proxy {proxy}."));
            }
            error.0.is_retryable |= error.0.outcome == Some(RetCodeOutcome::TokenExpired)
                && client.credentials.invalidate(&credentials, began);
            error
        })
    }

    /// Builds the signed request.
    fn sign<'c>(
        &'c self,
        client: &'c ClientState,
        credentials: &'c Arc<Credentials>,
        add: &impl Fn(&mut Parameters<'_>),
    ) -> Result<(CallContext<'c>, Request<Bytes>), Error> {
        let token = credentials.security_token.as_ref();
        let common =
            sign::common(self.action, &credentials.public_key, token.map(|token| token.as_str()));
        let mut parameters = Parameters::new(&common, &client.defaults);
        add(&mut parameters);
        let secrets = std::mem::take(&mut parameters.secrets);
        let others = if secrets.is_empty() {
            Cow::Borrowed(&client.other_secrets[..])
        } else {
            Cow::Owned([&secrets[..], &client.other_secrets[..]].concat())
        };
        let signed = sign::sign(parameters, &credentials.private_key);
        let call = CallContext {
            action: self.action,
            idempotency: self.options.idempotency.unwrap_or(self.idempotency),
            redactor: Redactor {
                credentials,
                signature: signed.signature,
                others,
                names: self.secret_names,
            },
            outcomes: &client.outcomes,
        };
        let invalid = |summary: &str| call.error(ErrorKind::Request, Execution::NotSent, summary);
        if let Some(reason) = &signed.parameters.refusal {
            return Err(invalid(reason));
        }
        match encode::request(&client.endpoint, client.encoding, &signed) {
            Some(mut request) => {
                if !client.headers.is_empty() {
                    request.headers_mut().extend(client.headers.clone());
                }
                Ok((call, request))
            }
            None => Err(invalid("the URL is too long: use `Encoding::Form`.")),
        }
    }

    /// Reports the outcome of an attempt to `tracing` and to the client's observer.
    fn observe<T>(&self, client: &ClientState, outcome: &AttemptOutcome<'_, Success<T>>) {
        let (http_status, request_id) = match outcome.result {
            Ok(success) => {
                (Some(success.metadata.http_status), success.metadata.request_id.as_deref())
            }
            Err(error) => (error.http_status(), error.request_id()),
        };
        let attempt = Attempt {
            action: self.action,
            number: outcome.number,
            elapsed: outcome.elapsed,
            http_status,
            error: outcome.result.err(),
            wait: outcome.wait,
        };
        tracing::attempt(&attempt, request_id);
        if let Some(observer) = &client.observer {
            observer.attempt(&attempt);
        }
    }
}

impl fmt::Display for TimeLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (`{}`)", Seconds(self.value), self.setting)
    }
}
