//! What can go wrong, and what it means for the call.

use std::{error::Error as StdError, fmt, time::Duration};

use percent_encoding::utf8_percent_encode;
use zeroize::Zeroizing;

use crate::{
    action::Idempotency,
    credentials::key_pair::Credentials,
    exchange::retry::StopReason,
    ret_code::{Outcome, RetCode},
    transport::TransportError,
    wire::encode,
    wire::sign::Signature,
};

/// An error of the client or of a call.
///
/// It answers four questions without any string being matched: what happened ([`kind`](Self::kind),
/// [`ret_code`](Self::ret_code)), did the call reach the service ([`execution`](Self::execution)), is
/// it worth repeating ([`is_retryable`](Self::is_retryable)), and what to quote to the service's
/// support ([`action`](Self::action), [`request_id`](Self::request_id)). `Display` says it all in
/// one line. No key, token or signature is ever in it.
///
/// # Examples
///
/// ```no_run
/// # async fn example(client: uhub_sdk::Client) {
/// use uhub_sdk::RetCode;
///
/// match client.get_repo_image("base").send().await {
///     Ok(page) => println!("{} images", page.image_set.len()),
///     Err(error) if error.ret_code() == Some(RetCode::PROJECT_UNKNOWN) => println!("which project?"),
///     Err(error) => eprintln!("{error}"),
/// }
/// # }
/// ```
pub struct Error(Box<Details>);

struct Details {
    kind: ErrorKind,
    execution: Execution,
    is_retryable: bool,
    what: String,
    action: Option<String>,
    ret_code: Option<RetCode>,
    message: Option<String>,
    status: Option<u16>,
    request_id: Option<String>,
    body: Option<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
    /// What the service asks to wait.
    retry_after: Option<Duration>,
    attempts: u32,
    elapsed: Duration,
    /// What a reader has to know of the outcome, and why the call was not sent again.
    hints: [&'static str; 2],
}

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The client cannot be built as it is configured.
    Configuration,
    /// There are no keys to sign the call with: whatever provides them failed.
    Credentials,
    /// The request cannot be sent as it is: a parameter has no form on the wire.
    Request,
    /// No connection to the service came about.
    Connect,
    /// The service took longer than the client was willing to wait.
    Timeout,
    /// The connection broke before the response was complete.
    Connection,
    /// The service answered with a return code that is not 0.
    Service,
    /// The response does not speak for the service: a proxy's page, a redirect, a body without
    /// `RetCode`.
    UnexpectedResponse,
    /// The response is larger than the client accepts.
    ResponseTooLarge,
    /// The service carried the call out, and its response could not be understood.
    Decode,
}

/// Whether a call reached the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Execution {
    /// Nothing was sent.
    NotSent,
    /// The call was refused, and not carried out.
    Rejected,
    /// The call was sent; whether it was carried out, nobody knows.
    Unknown,
    /// The call was carried out; only its response is not to be had.
    Completed,
}

impl Error {
    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether the call reached the service, in any of its attempts: where one of them may have been
    /// carried out, this is [`Unknown`](Execution::Unknown), even if a later one was refused.
    #[must_use]
    pub fn execution(&self) -> Execution {
        self.0.execution
    }

    /// Whether sending the same call again may succeed and can do no harm. The client has done so
    /// already, as often as its [`RetryPolicy`](crate::RetryPolicy) has it.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.0.is_retryable
    }

    /// The service's return code, if it answered with one. Documented as `RetCode`.
    #[must_use]
    pub fn ret_code(&self) -> Option<RetCode> {
        self.0.ret_code
    }

    /// Whether the service, or what stands before it, turned the call away because there were too many.
    #[must_use]
    pub fn is_throttled(&self) -> bool {
        self.0.execution != Execution::Completed
            && (self.0.status == Some(429) || self.0.ret_code.is_some_and(RetCode::is_throttling))
    }

    /// The service's own words, if it said any. Documented as `Message`.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.0.message.as_deref()
    }

    /// The action that was called.
    #[must_use]
    pub fn action(&self) -> Option<&str> {
        self.0.action.as_deref()
    }

    /// The service's id of the request, which its support asks for. Documented as the response
    /// header `X-UCLOUD-REQUEST-UUID`.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// The HTTP status of the response, if there was one.
    #[must_use]
    pub fn http_status(&self) -> Option<u16> {
        self.0.status
    }

    /// The beginning of a body that does not speak for the service, or could not be understood.
    #[must_use]
    pub fn body(&self) -> Option<&str> {
        self.0.body.as_deref()
    }

    /// How long the service asks to wait before the call is sent again. Documented by HTTP as the
    /// response header `Retry-After`.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// How many attempts were made at the call: this error is the last one's. Without a call, 0.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// How long the call took, all attempts and the waits between them together.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Details {
            action,
            what,
            message,
            ret_code,
            request_id,
            body,
            attempts,
            elapsed,
            hints,
            ..
        } = &*self.0;
        if let Some(action) = action {
            write!(f, "{action}: ")?;
        }
        f.write_str(what)?;
        if let Some(message) = message {
            write!(f, " (the service says: {message})")?;
        }
        if let Some(remedy) = ret_code.and_then(RetCode::remedy) {
            write!(f, " — {remedy}")?;
        }
        if let Some(body) = body {
            write!(f, " The body begins: {body:?}")?;
        }
        for hint in hints {
            f.write_str(hint)?;
        }
        if *attempts > 1 {
            write!(
                f,
                " [{attempts} attempts in {:.1} s]",
                elapsed.as_secs_f64()
            )?;
        }
        if let Some(request_id) = request_id {
            write!(f, " [request {request_id}]")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Details {
            kind,
            execution,
            is_retryable,
            what,
            action,
            ret_code,
            message,
            status,
            request_id,
            body,
            source,
            retry_after,
            attempts,
            elapsed,
            hints: _,
        } = &*self.0;
        f.debug_struct("Error")
            .field("kind", kind)
            .field("execution", execution)
            .field("is_retryable", is_retryable)
            .field("action", action)
            .field("what", what)
            .field("ret_code", ret_code)
            .field("message", message)
            .field("http_status", status)
            .field("request_id", request_id)
            .field("body", body)
            .field("retry_after", retry_after)
            .field("attempts", attempts)
            .field("elapsed", elapsed)
            .field("source", source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

impl Error {
    fn new(kind: ErrorKind, execution: Execution, what: String) -> Self {
        Self(Box::new(Details {
            kind,
            execution,
            is_retryable: false,
            what,
            action: None,
            ret_code: None,
            message: None,
            status: None,
            request_id: None,
            body: None,
            source: None,
            retry_after: None,
            attempts: 0,
            elapsed: Duration::ZERO,
            hints: [""; 2],
        }))
    }

    /// The error of a call, which is the error of its last attempt.
    pub(crate) fn after(
        mut self,
        attempts: u32,
        elapsed: Duration,
        is_uncertain: bool,
        why: StopReason,
    ) -> Self {
        let details = &mut *self.0;
        details.attempts = attempts;
        details.elapsed = elapsed;
        if is_uncertain && details.execution != Execution::Completed {
            // "No such repository" may be what is left of a deletion that went well.
            if details.execution != Execution::Unknown || details.ret_code.is_some() {
                details.hints[0] = " An attempt before this one may have been carried out.";
            }
            details.execution = Execution::Unknown;
        }
        details.hints[1] = match why {
            // That its time is up is what such an error says.
            StopReason::Time if details.kind == ErrorKind::Timeout => "",
            StopReason::Time => {
                " It was not sent again: the call's time (`timeout`) would not last for the wait."
            }
            StopReason::RetryBudget => {
                " It was not sent again: too many of this client's calls have failed lately."
            }
            StopReason::Pointless | StopReason::Attempts => "",
        };
        self
    }

    pub(crate) fn configuration(what: impl Into<String>) -> Self {
        // There may be names from files in it.
        let what = printable(&what.into());
        Self::new(ErrorKind::Configuration, Execution::NotSent, what)
    }

    /// There are no keys to sign a call with, so far.
    pub(crate) fn credentials(action: &str, what: &str) -> Self {
        Self::unsigned(ErrorKind::Credentials, action, what).with_retryable(true)
    }

    /// A call that cannot be sent as it is.
    pub(crate) fn request(action: &str, what: &str) -> Self {
        Self::unsigned(ErrorKind::Request, action, what)
    }

    /// An error of a call that was not even signed.
    fn unsigned(kind: ErrorKind, action: &str, what: &str) -> Self {
        let what = printable(beginning(what, 512));
        let mut error = Self::new(kind, Execution::NotSent, what);
        error.0.action = Some(action.to_owned());
        error
    }

    /// The same, where it is known whether sending the call again may succeed.
    pub(crate) fn with_retryable(mut self, value: bool) -> Self {
        self.0.is_retryable = value;
        self
    }

    pub(crate) fn with_source(
        mut self,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        self.0.source = Some(source.into());
        self
    }
}

/// What is known of a call while it runs, for the errors that may come of it.
pub(crate) struct CallContext<'a> {
    pub(crate) action: &'a str,
    pub(crate) idempotency: Idempotency,
    pub(crate) credentials: &'a Credentials,
    pub(crate) signature: Signature,
}

/// What is known of the response an error is about.
#[derive(Default)]
pub(crate) struct ResponseContext<'a> {
    pub(crate) status: u16,
    pub(crate) request_id: Option<String>,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) body: &'a [u8],
}

impl CallContext<'_> {
    /// An error of this call.
    pub(crate) fn error(&self, kind: ErrorKind, execution: Execution, what: &str) -> Error {
        let mut error = Error::new(kind, execution, self.excerpt(what, 512));
        error.0.action = Some(self.action.to_owned());
        if execution == Execution::Unknown && self.idempotency == Idempotency::NonIdempotent {
            error.0.hints[0] = " It may have been carried out: look before you send it again.";
        }
        error.0.is_retryable = match (kind, execution) {
            // The same answer would come again.
            (ErrorKind::ResponseTooLarge, _) => false,
            (ErrorKind::Connect, Execution::NotSent) => true,
            (_, Execution::Unknown) => self.idempotency.allows_retry(),
            _ => false,
        };
        error
    }

    /// There is no response, or not the whole of it.
    pub(crate) fn failed(&self, failure: TransportError) -> Error {
        let mut error = self.error(failure.kind, failure.execution, &failure.what);
        error.0.is_retryable &= failure.may_pass;
        if let Some((status, request_id)) = failure.head {
            error.0.status = Some(status);
            error.0.request_id = request_id.map(|id| self.request_id(&id));
        }
        match failure.source {
            Some(source) => error.with_source(self.clean(source)),
            None => error,
        }
    }

    /// The service answered with a return code.
    pub(crate) fn refused(
        &self,
        ret_code: RetCode,
        message: Option<&str>,
        response: ResponseContext<'_>,
    ) -> Error {
        let execution = match ret_code.outcome() {
            Outcome::Rejected | Outcome::Throttled => Execution::Rejected,
            Outcome::Unknown | Outcome::Undocumented => Execution::Unknown,
        };
        let what = match ret_code.meaning() {
            Some(meaning) => format!("RetCode {ret_code}: {meaning}"),
            None => format!("RetCode {ret_code}."),
        };
        let mut error = self.error(ErrorKind::Service, execution, &what);
        error.0.is_retryable = match ret_code.outcome() {
            Outcome::Throttled => true,
            Outcome::Unknown => self.idempotency.allows_retry(),
            // What an undocumented code means, and whether it would pass, nobody knows.
            Outcome::Rejected | Outcome::Undocumented => false,
        };
        if ret_code.outcome() == Outcome::Undocumented {
            // Most likely it is a refusal in the action's own words, which say more.
            error.0.hints[0] = "";
        }
        if response.status == 429 && ret_code.outcome() == Outcome::Undocumented {
            error.0.execution = Execution::Rejected;
            error.0.is_retryable = true;
        }
        error.0.ret_code = Some(ret_code);
        error.0.message = message.map(|message| self.excerpt(&printable(message), 256));
        error.0.status = Some(response.status);
        error.0.request_id = response.request_id;
        error.0.retry_after = response.retry_after;
        error
    }

    /// The response is none of the service's, or cannot be understood.
    pub(crate) fn unexpected(
        &self,
        (kind, execution): (ErrorKind, Execution),
        what: &str,
        response: ResponseContext<'_>,
    ) -> Error {
        let mut error = self.error(kind, execution, what);
        // Turned away by whatever stands before the service.
        error.0.is_retryable |= response.status == 429 && execution == Execution::Rejected;
        error.0.status = Some(response.status);
        error.0.request_id = response.request_id;
        error.0.retry_after = response.retry_after;
        if !response.body.is_empty() {
            let body = String::from_utf8_lossy(&response.body[..response.body.len().min(1 << 16)]);
            error.0.body = Some(self.excerpt(&printable(&body), 256));
        }
        error
    }

    /// The id that a response says it has, which a proxy may have put there.
    pub(crate) fn request_id(&self, id: &str) -> String {
        // As the service writes it, on every call: nothing is escaped in it, and no search is long.
        let is_plain = id.len() <= 64
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let has = |secret: &str| {
            let mut parts = id.as_bytes().windows(secret.len().max(1));
            parts.any(|part| part.eq_ignore_ascii_case(secret.as_bytes()))
        };
        let mut secrets = self.credentials.secrets().chain([self.signature.as_str()]);
        if is_plain && !secrets.any(has) {
            return id.to_owned();
        }
        self.excerpt(&printable(id), 128)
    }

    /// An error of somebody else's, or its text alone where a secret of this call is in it.
    fn clean(&self, source: Box<dyn StdError + Send + Sync>) -> Box<dyn StdError + Send + Sync> {
        let mut shown = format!("{source} {source:?}");
        let mut next = source.source();
        while let Some(error) = next {
            shown.push_str(&format!(" {error} {error:?}"));
            next = error.source();
        }
        if self.hide(&shown) == shown {
            source
        } else {
            self.excerpt(&source.to_string(), 512).into()
        }
    }

    /// The beginning of a text, without this call's secrets.
    fn excerpt(&self, text: &str, kept: usize) -> String {
        // Much more than is kept is searched, so that a secret is not cut in two and missed.
        let text = self.hide(beginning(text, 65_536));
        let kept = beginning(&text, kept);
        if kept.len() < text.len() {
            format!("{kept}…")
        } else {
            text
        }
    }

    /// Text without this call's secrets: a proxy likes to show the URL it was given.
    fn hide(&self, text: &str) -> String {
        let mut needles = Vec::new();
        for secret in self.credentials.secrets().chain([self.signature.as_str()]) {
            // A shorter one is no real secret, and would be found in every other word.
            if secret.len() < 6 {
                continue;
            }
            let sent = utf8_percent_encode(secret, encode::ESCAPED).to_string();
            needles.push(Zeroizing::new(sent));
            needles.push(Zeroizing::new(secret.replace('/', "\\/")));
            needles.push(Zeroizing::new(secret.to_owned()));
        }
        needles.sort_by_key(|needle| std::cmp::Reverse(needle.len()));
        let mut hidden = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            // Whoever writes escapes in lower case means the same.
            let starts = |needle: &&Zeroizing<String>| {
                let start = rest.as_bytes().get(..needle.len());
                start.is_some_and(|start| start.eq_ignore_ascii_case(needle.as_bytes()))
            };
            match needles.iter().find(starts) {
                Some(needle) => {
                    hidden.push_str("[hidden]");
                    rest = &rest[needle.len()..];
                }
                None => {
                    hidden.push(next);
                    rest = &rest[next.len_utf8()..];
                }
            }
        }
        hidden
    }
}

/// At most this many characters of a text.
fn beginning(text: &str, length: usize) -> &str {
    text.char_indices()
        .nth(length)
        .map_or(text, |(end, _)| &text[..end])
}

/// Text from outside on one line, without what a terminal would obey.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::sign;

    fn context(idempotency: Idempotency, credentials: &Credentials) -> CallContext<'_> {
        CallContext {
            action: "CreateRepo",
            idempotency,
            credentials,
            signature: sign::signature("", "private"),
        }
    }

    #[test]
    fn what_may_be_repeated_depends_on_the_action_and_on_what_happened() {
        let credentials = Credentials::new("public-key", "private-key");
        use Execution::{NotSent, Rejected, Unknown};
        for (code, execution, safe, never) in [
            (RetCode::THROTTLED, Rejected, true, true),
            (RetCode::GATEWAY_TIMEOUT, Unknown, true, false),
            (RetCode::GATEWAY_FAILURE, Unknown, true, false),
            (RetCode::SERVICE_UNAVAILABLE, Unknown, true, false),
            (RetCode::SIGNATURE_WRONG, Rejected, false, false),
            (RetCode::PERMISSION_DENIED, Rejected, false, false),
            (RetCode::from(64_001), Unknown, false, false),
        ] {
            for (idempotency, repeatable) in [
                (Idempotency::Safe, safe),
                (Idempotency::Idempotent, safe),
                (Idempotency::NonIdempotent, never),
            ] {
                let error = context(idempotency, &credentials).refused(
                    code,
                    None,
                    ResponseContext::default(),
                );
                assert_eq!(
                    (error.execution(), error.is_retryable()),
                    (execution, repeatable),
                    "{code} {idempotency:?}"
                );
            }
        }
        let never = context(Idempotency::NonIdempotent, &credentials);
        assert!(never.error(ErrorKind::Connect, NotSent, "").is_retryable());
        assert!(!never.error(ErrorKind::Timeout, Unknown, "").is_retryable());
        assert!(
            !never
                .error(ErrorKind::Decode, Execution::Completed, "")
                .is_retryable()
        );
        assert!(
            context(Idempotency::Safe, &credentials)
                .error(ErrorKind::Timeout, Unknown, "")
                .is_retryable()
        );
        let too_many = ResponseContext {
            status: 429,
            ..ResponseContext::default()
        };
        assert!(
            never
                .unexpected((ErrorKind::UnexpectedResponse, Rejected), "", too_many)
                .is_retryable()
        );
    }

    #[test]
    fn text_from_outside_is_one_line_without_secrets_and_bounded() {
        // A key as the documentation shows it, and a token with what is escaped and what is not.
        let public_key = "ucloudsomeone@example.com1296235120854146120";
        let credentials =
            Credentials::new(public_key, "private+key/~.").with_security_token("AB-CD_ef.gh==");
        let context = context(Idempotency::Safe, &credentials);
        let signature = context.signature;
        let body = format!(
            "<html>\u{1b}[2J\n?Signature={}&SecurityToken=AB-CD_ef.gh%3D%3D&t=AB-CD_ef.gh%3d%3d&k=private%2Bkey%2F~.\
             &PublicKey=ucloudsomeone%40example.com1296235120854146120 private+key\\/~. {public_key} {}",
            signature.as_str(),
            "x".repeat(10_000)
        );
        let response = ResponseContext {
            status: 502,
            body: body.as_bytes(),
            ..ResponseContext::default()
        };
        let error = context.unexpected(
            (ErrorKind::UnexpectedResponse, Execution::Unknown),
            "what",
            response,
        );
        let message = "x".repeat(5_000_000);
        let refused = context.refused(RetCode::from(1), Some(&message), ResponseContext::default());
        let shown = format!("{error} {error:?} {refused} {refused:?}");
        for secret in [
            signature.as_str(),
            "AB-CD",
            "private",
            "ucloudsomeone",
            "\u{1b}",
            "\n",
        ] {
            assert!(!shown.contains(secret), "{secret:?} in {shown}");
        }
        assert_eq!(
            error.body().unwrap().split('x').next().unwrap(),
            "<html> [2J ?Signature=[hidden]&SecurityToken=[hidden]&t=[hidden]&k=[hidden]&PublicKey=[hidden] [hidden] [hidden] "
        );
        assert!(shown.len() < 3_000, "{}", shown.len());
    }

    #[test]
    fn a_request_id_is_itself_unless_a_secret_is_in_it() {
        let credentials = Credentials::new("public1key", "private2key");
        let context = context(Idempotency::Safe, &credentials);
        let signature = context.signature.as_str().to_uppercase();
        for (id, expected) in [
            (
                "90fe6b11-e9dd-4917-8000-000000000003",
                "90fe6b11-e9dd-4917-8000-000000000003",
            ),
            ("", ""),
            ("a b\u{1b}c", "a b c"),
            ("x-PRIVATE2KEY-y", "x-[hidden]-y"),
            ("public1key", "[hidden]"),
            (signature.as_str(), "[hidden]"),
        ] {
            assert_eq!(context.request_id(id), expected);
        }
        assert_eq!(context.request_id(&"x".repeat(1000)).chars().count(), 129);
    }

    #[test]
    fn short_keys_do_not_garble_what_is_said() {
        let credentials = Credentials::new("test", "e");
        let error = context(Idempotency::Safe, &credentials).error(
            ErrorKind::Connect,
            Execution::NotSent,
            "no connection",
        );
        assert!(error.to_string().contains("no connection"), "{error}");
    }
}
