//! One call from start to end: each attempt is signed, sent and judged, and failed attempts are
//! retried.

pub(crate) mod failure;
pub(crate) mod judge;
pub(crate) mod observer;
pub(crate) mod reading;
pub(crate) mod redact;
pub(crate) mod retry;
pub(crate) mod retry_budget;
pub(crate) mod slots;
pub(crate) mod state;
pub(crate) mod tracing;

use std::{
    borrow::Cow,
    fmt,
    future::poll_fn,
    pin::{Pin, pin},
    sync::Arc,
    task::Poll,
    time::{Duration, Instant},
};

use ::tracing::Instrument;
use bytes::Bytes;
use http::Request;
use tokio::{
    runtime::Handle,
    sync::SemaphorePermit,
    task::coop::unconstrained,
    time::{Sleep, sleep_until, timeout},
};

use crate::{
    action::Idempotency,
    credentials::key_pair::Credentials,
    error::{Error, ErrorKind, Execution, Seconds},
    exchange::{
        failure::{CallContext, not_signed},
        judge::{ResponseMetadata, Success, judge},
        observer::{Attempt, FinishedCall},
        reading::Read,
        redact::Redactor,
        retry::{AttemptOutcome, RetryLimits, RetryPolicy, SystemClock},
        slots::Slots,
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

/// What bounds a wait: a setting and its value.
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
        let start = Instant::now();
        let (mut attempts, mut elapsed) = (0, Duration::ZERO);
        let limits = RetryLimits {
            policy: self.options.retry.as_ref().unwrap_or(&client.retry),
            budget: &client.budget,
            start,
            timeout,
        };
        let send = |time_left| self.attempt(client, time_left, start, &add, read);
        let observe = |outcome: AttemptOutcome<'_, Success<T>>| {
            (attempts, elapsed) = (outcome.number, outcome.since_start);
            self.observe(client, &outcome);
        };
        let result =
            retry::retry(limits, &SystemClock, send, observe).instrument(span.clone()).await;
        if let Err(error) = &result {
            tracing::record_error(&span, error);
        }
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

    /// Returns the limit of the call.
    fn call_limit(&self, client: &ClientState, time_left: Duration) -> TimeLimit {
        let (setting, value) = match self.options.timeout {
            Some(value) => ("with_timeout", value),
            None => ("timeout", client.timeout),
        };
        TimeLimit { setting, value, left: time_left }
    }

    /// Returns the shorter limit of an attempt: its own, or what is left of the call's.
    fn attempt_limit(&self, client: &ClientState, time_left: Duration) -> TimeLimit {
        if client.attempt_timeout < time_left {
            let value = client.attempt_timeout;
            return TimeLimit { setting: "attempt_timeout", value, left: value };
        }
        self.call_limit(client, time_left)
    }

    /// Waits for a slot, and returns it with the time that is left.
    async fn slot<'c>(
        &self,
        client: &ClientState,
        slots: &'c Slots,
        time_left: Duration,
    ) -> Result<(Option<SemaphorePermit<'c>>, Duration), Error> {
        let began = tokio::time::Instant::now();
        match timeout(time_left.min(MAX_TIMEOUT), slots.acquire()).await {
            Ok(slot) => Ok((slot, time_left.saturating_sub(began.elapsed()))),
            Err(_) => {
                let limit = self.call_limit(client, time_left);
                Err(failure::no_slot(self.action, slots.count, &limit.to_string()))
            }
        }
    }

    /// Makes one attempt: waits for a slot, gets credentials, signs, sends, and judges the response.
    async fn attempt<T: Send + 'static>(
        &self,
        client: &ClientState,
        time_left: Duration,
        start: Instant,
        add: &impl Fn(&mut Parameters<'_>),
        read: Read<T>,
    ) -> Result<Success<T>, Error> {
        let (slot, time_left) = match &client.slots {
            None => (None, time_left),
            // Boxed, since few clients have slots.
            Some(slots) => Box::pin(self.slot(client, slots, time_left)).await?,
        };
        let limit = self.attempt_limit(client, time_left);
        let deadline = tokio::time::Instant::now() + limit.left.min(MAX_TIMEOUT);
        // The only timer of the attempt. It costs little unless something is waited for.
        let mut timer = pin!(sleep_until(deadline));

        let credentials = match client.credentials.cached() {
            Some(credentials) => Some(Ok(credentials)),
            // Boxed, since it is rare and large.
            None => before(timer.as_mut(), Box::pin(client.credentials.get())).await,
        };
        let credentials = match credentials {
            Some(Ok(credentials)) => credentials,
            Some(Err(cause)) => return Err(failure::no_credentials(self.action, cause)),
            None => {
                let summary = format!("the credentials provider did not respond within {limit}.");
                let mut error = not_signed(ErrorKind::Credentials, self.action, &summary);
                error.0.is_timeout = true;
                return Err(error);
            }
        };
        let (call, request) = self.sign(client, &credentials, add)?;
        let response = match before(timer.as_mut(), client.transport.send(request)).await {
            Some(Ok(response)) => response,
            Some(Err(cause)) => return Err(call.not_received(cause)),
            None => {
                let summary = format!("no response within {limit}.");
                return Err(call.error(ErrorKind::Timeout, Execution::Unknown, &summary));
            }
        };
        drop(slot);
        let proxy = Via::of(&response);
        let content = match read.read_small(response.body()) {
            Some(content) => content,
            None => {
                let reading = Box::pin(read.read_large(response.body()));
                let Some(content) = before(timer.as_mut(), reading).await else {
                    let summary = format!("the response could not be read within {limit}.");
                    return Err(call.error(ErrorKind::Timeout, Execution::Unknown, &summary));
                };
                content?
            }
        };
        judge(response, content, read.known_fields, &call).map_err(|mut error| {
            if let (ErrorKind::UnexpectedResponse, Some(proxy)) = (error.kind(), proxy) {
                error.0.summary.push_str(&format!(" It came through the proxy {proxy}."));
            }
            error.0.is_retryable |= error.0.outcome == Some(RetCodeOutcome::TokenExpired)
                && client.credentials.invalidate(&credentials, start);
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
        match encode::request(&client.endpoint, client.encoding, &client.headers, &signed) {
            Some(request) => Ok((call, request)),
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

/// Returns the output of a future, or `None` if the timer elapses first.
async fn before<F: Future + Unpin>(mut timer: Pin<&mut Sleep>, mut work: F) -> Option<F::Output> {
    poll_fn(|context| match Pin::new(&mut work).poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        // Work that is always busy leaves the timer no budget of Tokio's cooperative scheduling.
        Poll::Pending => pin!(unconstrained(timer.as_mut())).poll(context).map(|()| None),
    })
    .await
}

impl fmt::Display for TimeLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (`{}`)", Seconds(self.value), self.setting)
    }
}
