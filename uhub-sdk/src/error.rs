//! The error of this crate: what went wrong, and what it means for the call.

use std::{error::Error as StdError, fmt, sync::Arc, time::Duration};

use http::StatusCode;

use crate::ret_code::{RetCode, RetCodeOutcome};

/// An error of the client or of a call.
///
/// It answers four questions without matching strings:
///
/// - What happened? [`kind`](Self::kind), [`ret_code`](Self::ret_code) and the predicates below.
/// - Was the call executed? [`execution`](Self::execution).
/// - Can it be retried? [`is_retryable`](Self::is_retryable).
/// - What does the service's support need? [`action`](Self::action) and
///   [`request_id`](Self::request_id).
///
/// | predicate | return codes with the [outcome](RetCodeOutcome) | also |
/// | --- | --- | --- |
/// | [`is_throttled`](Self::is_throttled) | `Throttled` | HTTP status 429 |
/// | [`is_auth`](Self::is_auth) | `Unauthorized`, `TokenExpired` | |
/// | [`is_not_found`](Self::is_not_found) | `NotFound` | |
/// | [`is_timeout`](Self::is_timeout) | `TimedOut` | the client's timeouts; HTTP status 408 and 504 |
///
/// An action's own codes, such as that of a missing repository, are not documented. A program that
/// knows one adds it by [`ClientBuilder::ret_code_outcome`].
///
/// `Display` is one line with all of that, except for the cause, which is the
/// [`source`](StdError::source); several problems of a configuration are a list, one a line. Keys,
/// tokens, signatures and a proxy's password are removed from every text, and so are control
/// characters.
///
/// To test code that handles errors, create one with [`Error::builder`]. The
/// [guide](crate::guide::errors) explains retries, timeouts and throttling.
///
/// [`ClientBuilder::ret_code_outcome`]: crate::ClientBuilder::ret_code_outcome
///
/// # Examples
///
/// ```no_run
/// # async fn example(client: uhub_sdk::Client) {
/// match client.action("DescribeSomethingNew").send::<serde_json::Value>().await {
///     Ok(response) => println!("{response}"),
///     Err(error) if error.is_not_found() => println!("there is no such thing"),
///     Err(error) if error.ret_code() == Some(64_001.into()) => println!("the action's own code"),
///     Err(error) => eprintln!("{error}"),
/// }
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Error(pub(crate) Box<Details>);

#[derive(Debug, Clone)]
pub(crate) struct Details {
    pub(crate) kind: ErrorKind,
    pub(crate) execution: Execution,
    pub(crate) is_retryable: bool,
    /// What is wrong, in a sentence.
    pub(crate) summary: String,
    pub(crate) action: Option<String>,
    pub(crate) ret_code: Option<RetCode>,
    /// What the return code means to this client.
    pub(crate) outcome: Option<RetCodeOutcome>,
    pub(crate) is_timeout: bool,
    /// Whether this machine or the client's settings are the cause, so that the error says nothing
    /// about the service.
    pub(crate) is_local: bool,
    pub(crate) message: Option<String>,
    pub(crate) http_status: Option<u16>,
    pub(crate) request_id: Option<String>,
    pub(crate) body: Option<String>,
    pub(crate) source: Option<Arc<dyn StdError + Send + Sync>>,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) attempts: u32,
    pub(crate) elapsed: Duration,
    /// What the user has to know about the execution of the call.
    pub(crate) execution_note: Option<&'static str>,
    /// Why the call was not retried although it could be.
    pub(crate) retry_note: Option<String>,
}

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The configuration of the client is invalid.
    Configuration,
    /// The credentials provider failed or did not respond in time, so the call was not signed.
    Credentials,
    /// The request cannot be sent: a parameter or an option is invalid.
    Request,
    /// The connection to the service could not be established.
    Connect,
    /// The time limit of the attempt or of the call was exceeded.
    Timeout,
    /// The connection broke before the response was complete.
    Connection,
    /// The service returned a return code other than 0.
    Service,
    /// The response does not come from the service: a gateway's page, a redirect, or a body without
    /// `RetCode`.
    UnexpectedResponse,
    /// The response is larger than the client accepts.
    ResponseTooLarge,
    /// The call was executed, but its response could not be decoded.
    Decode,
    /// Pagination ended before the total that the service reports, or without one because the service
    /// repeated itself.
    IncompleteListing,
}

/// Whether the service executed a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Execution {
    /// The call was not sent.
    NotSent,
    /// The call was rejected by the service or by a gateway in front of it, so it was not executed.
    Rejected,
    /// The service returned an error of the action itself: the action refused the call, or executed
    /// it and failed. The same call would fail again.
    Failed,
    /// The call was sent; it may have been executed.
    Unknown,
    /// The call was executed, but its response could not be read.
    Completed,
}

impl Error {
    /// Returns what went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns whether the service executed the call in any of its attempts. If an earlier attempt
    /// may have been executed, this is [`Unknown`](Execution::Unknown), even if the last one was
    /// rejected.
    #[must_use]
    pub fn execution(&self) -> Execution {
        self.0.execution
    }

    /// Returns whether sending the same call again may succeed and is safe. The client has already
    /// retried as often as its [`RetryPolicy`](crate::RetryPolicy) allows.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.0.is_retryable
    }

    /// Returns the service's return code, documented as `RetCode`.
    #[must_use]
    pub fn ret_code(&self) -> Option<RetCode> {
        self.0.ret_code
    }

    /// Returns what the return code means to the client: as documented, or as set by
    /// [`ClientBuilder::ret_code_outcome`](crate::ClientBuilder::ret_code_outcome).
    #[must_use]
    pub fn ret_code_outcome(&self) -> Option<RetCodeOutcome> {
        self.0.outcome
    }

    /// Returns whether the call was throttled, by the service or by a gateway in front of it
    /// (HTTP status 429).
    ///
    /// # Examples
    ///
    /// ```
    /// use uhub_sdk::{Error, ErrorKind, Execution, RetCodeOutcome};
    ///
    /// let error =
    ///     Error::builder(ErrorKind::Service).ret_code_outcome(RetCodeOutcome::Throttled).build();
    /// assert!(error.is_throttled() && error.is_retryable());
    /// assert_eq!(error.execution(), Execution::Rejected);
    /// ```
    #[must_use]
    pub fn is_throttled(&self) -> bool {
        self.0.execution != Execution::Completed
            && (self.0.http_status == Some(429)
                || self.0.outcome == Some(RetCodeOutcome::Throttled))
    }

    /// Returns whether the service rejected the call's credentials, their permissions or the
    /// address that they are used from.
    ///
    /// A gateway's page with the HTTP status 401 or 403 says nothing about the credentials. If
    /// there were none to sign with, the kind is [`Credentials`](ErrorKind::Credentials).
    ///
    /// # Examples
    ///
    /// ```
    /// use uhub_sdk::{Error, ErrorKind, RetCodeOutcome};
    ///
    /// let error =
    ///     Error::builder(ErrorKind::Service).ret_code_outcome(RetCodeOutcome::Unauthorized).build();
    /// assert!(error.is_auth() && !error.is_retryable());
    /// ```
    #[must_use]
    pub fn is_auth(&self) -> bool {
        matches!(self.0.outcome, Some(RetCodeOutcome::Unauthorized | RetCodeOutcome::TokenExpired))
    }

    /// Returns whether the service says that something that the call names does not exist.
    ///
    /// A gateway's page with the HTTP status 404 says nothing about that.
    ///
    /// # Examples
    ///
    /// ```
    /// use uhub_sdk::{Error, ErrorKind, RetCodeOutcome};
    ///
    /// let error =
    ///     Error::builder(ErrorKind::Service).ret_code_outcome(RetCodeOutcome::NotFound).build();
    /// assert!(error.is_not_found());
    /// ```
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.0.outcome == Some(RetCodeOutcome::NotFound)
    }

    /// Returns whether a time limit was exceeded: one of the client, of a gateway (HTTP status 408
    /// and 504), or of the service's own gateway ([`TimedOut`](RetCodeOutcome::TimedOut)).
    ///
    /// # Examples
    ///
    /// ```
    /// use uhub_sdk::{Error, ErrorKind, Execution};
    ///
    /// let error = Error::builder(ErrorKind::Timeout).build();
    /// assert!(error.is_timeout());
    /// assert_eq!(error.execution(), Execution::Unknown);
    /// ```
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.0.is_timeout
            || self.0.kind == ErrorKind::Timeout
            || self.0.outcome == Some(RetCodeOutcome::TimedOut)
            || (self.0.kind == ErrorKind::UnexpectedResponse
                && matches!(self.0.http_status, Some(408 | 504)))
    }

    /// Returns the service's own message, documented as `Message`.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.0.message.as_deref()
    }

    /// Returns the name of the action that was called.
    #[must_use]
    pub fn action(&self) -> Option<&str> {
        self.0.action.as_deref()
    }

    /// Returns the id that the service gave the request, for support tickets. It is the response
    /// header `X-UCLOUD-REQUEST-UUID`.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// Returns the HTTP status of the response, if there was one.
    #[must_use]
    pub fn http_status(&self) -> Option<u16> {
        self.0.http_status
    }

    /// Returns the beginning of the body, if it is not the service's or could not be decoded.
    #[must_use]
    pub fn body(&self) -> Option<&str> {
        self.0.body.as_deref()
    }

    /// Returns the minimum delay before the next attempt, as requested by the response header
    /// `Retry-After`.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Returns the number of attempts; this error is that of the last one. 0 outside of a call.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Returns the duration of the call, including all attempts and the delays between them.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed
    }

    pub(crate) fn configuration(summary: impl Into<String>) -> Self {
        Self::invalid_configuration(&[summary.into()])
    }

    /// Creates the error of a request that cannot be sent, and whose action has no name.
    pub(crate) fn request(summary: &str) -> Self {
        Details::new(ErrorKind::Request, Execution::NotSent, printable(summary)).into()
    }

    /// Creates a configuration error that lists several problems, one a line.
    pub(crate) fn invalid_configuration(problems: &[String]) -> Self {
        // The text may contain names from files.
        let mut lines: Vec<_> = problems.iter().map(|problem| printable(problem)).collect();
        if lines.len() > 1 {
            lines.insert(0, "the configuration has several problems:".to_owned());
        }
        let summary = lines.join("\n- ");
        Details::new(ErrorKind::Configuration, Execution::NotSent, summary).into()
    }

    pub(crate) fn with_source(
        mut self,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        self.0.source = Some(source.into().into());
        self
    }
}

impl Details {
    pub(crate) fn new(kind: ErrorKind, execution: Execution, summary: String) -> Self {
        Self {
            kind,
            execution,
            is_retryable: false,
            summary,
            action: None,
            ret_code: None,
            outcome: None,
            is_timeout: false,
            is_local: false,
            message: None,
            http_status: None,
            request_id: None,
            body: None,
            source: None,
            retry_after: None,
            attempts: 0,
            elapsed: Duration::ZERO,
            execution_note: None,
            retry_note: None,
        }
    }
}

impl From<Details> for Error {
    fn from(details: Details) -> Self {
        Self(Box::new(details))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let details = &*self.0;
        if let Some(action) = &details.action {
            write!(f, "{action}: ")?;
        }
        f.write_str(&details.summary)?;
        if let Some(message) = &details.message {
            let end = if message.ends_with(['.', '!', '?']) { "" } else { "." };
            write!(f, " The service says: {message:?}{end}")?;
        }
        if let Some(remedy) = details.ret_code.and_then(RetCode::remedy) {
            write!(f, " {remedy}")?;
        }
        if let Some(wait) = details.retry_after.filter(|wait| !wait.is_zero()) {
            write!(f, " The response asks to wait {}.", Seconds(wait))?;
        }
        for note in [details.execution_note, details.retry_note.as_deref()].into_iter().flatten() {
            write!(f, " {note}")?;
        }
        if let Some(body) = &details.body {
            write!(f, " The body begins: {body:?}")?;
        }
        if details.attempts > 1 {
            let seconds = details.elapsed.as_secs_f64();
            write!(f, " [{} attempts in {seconds:.1} s]", details.attempts)?;
        }
        if let Some(request_id) = &details.request_id {
            write!(f, " [request {request_id}]")?;
        }
        Ok(())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

impl From<RetCodeOutcome> for Execution {
    fn from(outcome: RetCodeOutcome) -> Self {
        match outcome {
            RetCodeOutcome::Failed => Self::Failed,
            RetCodeOutcome::Rejected
            | RetCodeOutcome::Unauthorized
            | RetCodeOutcome::TokenExpired
            | RetCodeOutcome::NotFound
            | RetCodeOutcome::Throttled => Self::Rejected,
            RetCodeOutcome::Unknown | RetCodeOutcome::TimedOut => Self::Unknown,
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Configuration => "configuration",
            Self::Credentials => "credentials",
            Self::Request => "request",
            Self::Connect => "connect",
            Self::Timeout => "timeout",
            Self::Connection => "connection",
            Self::Service => "service",
            Self::UnexpectedResponse => "unexpected response",
            Self::ResponseTooLarge => "response too large",
            Self::Decode => "decode",
            Self::IncompleteListing => "incomplete listing",
        })
    }
}

impl fmt::Display for Execution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::NotSent => "not sent",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Completed => "completed",
        })
    }
}

/// Shows a duration in seconds, with at most three decimals: `2 s`, `0.25 s`.
pub(crate) struct Seconds(pub(crate) Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.subsec_millis() {
            // Never `0 s` for what is more.
            0 if self.0.as_secs() == 0 && !self.0.is_zero() => write!(f, "{:?}", self.0),
            0 => write!(f, "{} s", self.0.as_secs()),
            millis => {
                let decimals = format!("{millis:03}");
                write!(f, "{}.{} s", self.0.as_secs(), decimals.trim_end_matches('0'))
            }
        }
    }
}

/// Shows a status as `502 Bad Gateway`, and as the number alone if it has no standard name.
pub(crate) struct StatusText(pub(crate) StatusCode);

impl fmt::Display for StatusText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.canonical_reason() {
            Some(reason) => write!(f, "{} {reason}", self.0.as_str()),
            None => f.write_str(self.0.as_str()),
        }
    }
}

/// Makes a text from outside harmless to show: one line, without characters that a terminal
/// obeys, that change the direction of the text around them, or that are invisible. Each becomes a
/// space.
pub(crate) fn printable(text: &str) -> String {
    text.replace(is_unprintable, " ")
}

pub(crate) fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}
