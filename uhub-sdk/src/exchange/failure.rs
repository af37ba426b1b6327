//! How the errors of a call arise.

use std::time::Duration;

use crate::{
    action::Idempotency,
    credentials::ProviderError,
    error::{Details, Error, ErrorKind, Execution, Seconds, printable},
    exchange::redact::{Redactor, printable_source, truncate, without_repetition},
    ret_code::{RetCode, RetCodeOutcome},
    transport::TransportError,
};

/// A signed call, as far as its errors need it.
pub(crate) struct CallContext<'a> {
    pub(crate) action: &'a str,
    pub(crate) idempotency: Idempotency,
    pub(crate) redactor: Redactor<'a>,
    /// What return codes mean, where the client knows it better than the documentation.
    pub(crate) outcomes: &'a [(RetCode, RetCodeOutcome)],
}

/// The response that an error is about.
#[derive(Default)]
pub(crate) struct ResponseContext<'a> {
    pub(crate) http_status: u16,
    pub(crate) request_id: Option<String>,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) body: &'a [u8],
}

/// Why a call is not retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StopReason {
    /// It would fail again, or might be executed twice.
    NotRetryable,
    MaxAttempts,
    RetryBudget,
    Timeout,
}

/// Returns the error of a call that could not be signed.
pub(crate) fn not_signed(kind: ErrorKind, action: &str, summary: &str) -> Error {
    let summary = printable(truncate(summary, 512));
    let mut details = Details::new(kind, Execution::NotSent, summary);
    details.action = Some(action.to_owned());
    details.is_retryable = kind == ErrorKind::Credentials;
    details.into()
}

/// Returns the error of a call whose credentials provider failed.
pub(crate) fn no_credentials(action: &str, cause: ProviderError) -> Error {
    let text = cause.to_string();
    let kept = truncate(text.trim(), 400);
    let summary = match kept.trim_end_matches('.') {
        "" => {
            "no credentials to sign the call: the provider failed and gives no reason.".to_owned()
        }
        kept if kept.len() < text.trim().trim_end_matches('.').len() => {
            format!("no credentials to sign the call: {kept}…")
        }
        kept if kept.ends_with(['!', '?']) => format!("no credentials to sign the call: {kept}"),
        kept => format!("no credentials to sign the call: {kept}."),
    };
    let mut error = not_signed(ErrorKind::Credentials, action, &summary);
    error.0.is_retryable = !cause.is_permanent;
    error.0.is_timeout = cause.is_timeout;
    // The first error of the chain is `text` itself.
    error.0.source = without_repetition(&text, cause.into_cause()).map(printable_source);
    error
}

/// Returns the error of a call that waited for a slot until its time was over.
pub(crate) fn no_slot(action: &str, slots: usize, limit: &str) -> Error {
    let summary = format!(
        "no slot became free within {limit}, since `max_concurrent_calls` allows {slots} at the \
         same time: raise it, or make fewer calls at the same time."
    );
    let mut error = not_signed(ErrorKind::Timeout, action, &summary);
    error.0.is_retryable = true;
    error.0.is_local = true;
    error
}

pub(crate) fn no_runtime() -> Error {
    Error::configuration("no Tokio runtime: call the client within one.")
}

/// Turns the error of the last attempt into that of the call.
pub(crate) fn finish(
    mut error: Error,
    attempts: u32,
    elapsed: Duration,
    may_have_been_executed: bool,
    reason: StopReason,
    timeout: Duration,
) -> Error {
    let details = &mut *error.0;
    details.attempts = attempts;
    details.elapsed = elapsed;
    if may_have_been_executed && details.execution != Execution::Completed {
        // "No such repository" may be the result of a deletion that succeeded.
        if details.execution != Execution::Unknown || details.ret_code.is_some() {
            details.execution_note = Some("An earlier attempt may have been executed.");
        }
        details.execution = Execution::Unknown;
    }
    details.retry_note = match reason {
        // The summary reports the timeout already.
        StopReason::Timeout
            if details.kind == ErrorKind::Timeout
                || (details.kind == ErrorKind::Credentials && details.is_timeout) =>
        {
            None
        }
        StopReason::Timeout => Some(format!(
            "Not retried: the wait would exceed the call's timeout of {}.",
            Seconds(timeout)
        )),
        StopReason::RetryBudget => {
            Some("Not retried: too many calls of this client have failed recently.".to_owned())
        }
        StopReason::NotRetryable | StopReason::MaxAttempts => None,
    };
    error
}

impl CallContext<'_> {
    fn details(&self, kind: ErrorKind, execution: Execution, summary: &str) -> Details {
        let mut details = Details::new(kind, execution, self.redactor.excerpt(summary, 512));
        details.action = Some(self.action.to_owned());
        if execution == Execution::Unknown && self.idempotency == Idempotency::NonIdempotent {
            details.execution_note =
                Some("It may have been executed: check before you send it again.");
        }
        details.is_retryable = match (kind, execution) {
            // The same response would come again.
            (ErrorKind::ResponseTooLarge, _) => false,
            (ErrorKind::Connect | ErrorKind::Timeout, Execution::NotSent) => true,
            (_, Execution::Unknown) => self.idempotency.allows_retry(),
            _ => false,
        };
        details
    }

    /// Returns an error of this call that is not about a response.
    pub(crate) fn error(&self, kind: ErrorKind, execution: Execution, summary: &str) -> Error {
        self.details(kind, execution, summary).into()
    }

    /// Returns the error for a response that is missing or incomplete.
    pub(crate) fn not_received(&self, cause: TransportError) -> Error {
        let mut details = self.details(cause.kind, cause.execution, &cause.message);
        details.is_retryable &= cause.is_transient;
        details.is_timeout |= cause.is_timeout;
        details.is_local = cause.is_local;
        if let Some((http_status, request_id)) = cause.head {
            details.http_status = Some(http_status);
            details.request_id = request_id.map(|id| self.redactor.request_id(&id));
        }
        let source =
            cause.source.and_then(|source| without_repetition(&cause.message, source.into()));
        details.source = source.map(|source| self.redactor.source(source));
        details.into()
    }

    /// Returns the error for a return code other than 0.
    pub(crate) fn refused(
        &self,
        ret_code: RetCode,
        message: Option<&str>,
        response: ResponseContext<'_>,
    ) -> Error {
        let outcome = self.outcome(ret_code, response.http_status);
        let summary = match ret_code.meaning() {
            Some(meaning) => format!("RetCode {ret_code}: {meaning}"),
            None if message.is_some() => format!("RetCode {ret_code}."),
            None => format!("RetCode {ret_code}, without a message."),
        };
        let mut details = self.details(ErrorKind::Service, Execution::from(outcome), &summary);
        details.is_retryable |= outcome == RetCodeOutcome::Throttled;
        if ret_code.remedy().is_some() {
            // The remedy says the same.
            details.execution_note = None;
        }
        details.ret_code = Some(ret_code);
        details.outcome = Some(outcome);
        details.message = message.map(|message| self.redactor.excerpt(message, 256));
        self.add_response(&mut details, response);
        details.into()
    }

    /// Returns what a return code means: to the client, else as documented.
    fn outcome(&self, ret_code: RetCode, http_status: u16) -> RetCodeOutcome {
        let known = self.outcomes.iter().find(|(known, _)| *known == ret_code);
        match (known, ret_code.outcome()) {
            (Some((_, outcome)), _) => *outcome,
            (None, RetCodeOutcome::Failed) if http_status == 429 => RetCodeOutcome::Throttled,
            (None, documented) => documented,
        }
    }

    /// Returns the error for a response that is not the service's or cannot be decoded.
    pub(crate) fn unexpected(
        &self,
        (kind, execution): (ErrorKind, Execution),
        summary: &str,
        response: ResponseContext<'_>,
    ) -> Error {
        let mut details = self.details(kind, execution, summary);
        // Throttled by a gateway in front of the service.
        details.is_retryable |= response.http_status == 429 && execution == Execution::Rejected;
        self.add_response(&mut details, response);
        details.into()
    }

    fn add_response(&self, details: &mut Details, response: ResponseContext<'_>) {
        details.http_status = Some(response.http_status);
        details.request_id = response.request_id;
        details.retry_after = response.retry_after;
        if !response.body.is_empty() {
            let beginning = &response.body[..response.body.len().min(1 << 16)];
            let text = String::from_utf8_lossy(beginning);
            details.body = Some(self.redactor.excerpt(&text, 256));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{credentials::key_pair::Credentials, wire::sign};

    const OUTCOMES: &[(RetCode, RetCodeOutcome)] = &[
        (RetCode::new(64_002), RetCodeOutcome::Throttled),
        (RetCode::new(64_003), RetCodeOutcome::TimedOut),
        (RetCode::new(64_004), RetCodeOutcome::Unknown),
        (RetCode::new(64_005), RetCodeOutcome::Unauthorized),
        (RetCode::new(64_006), RetCodeOutcome::Rejected),
        (RetCode::new(64_007), RetCodeOutcome::TokenExpired),
        (RetCode::new(64_008), RetCodeOutcome::NotFound),
    ];

    fn context(idempotency: Idempotency, credentials: &Credentials) -> CallContext<'_> {
        CallContext {
            action: "CreateSomething",
            idempotency,
            redactor: Redactor {
                credentials,
                signature: sign::signature("", "private-key"),
                others: [].as_slice().into(),
                names: &[],
            },
            outcomes: OUTCOMES,
        }
    }

    #[test]
    fn retryability_depends_on_the_action_and_the_outcome() {
        let credentials = Credentials::new("public-key", "private-key");
        use Execution::{Failed, NotSent, Rejected, Unknown};
        for (code, execution, idempotent, non_idempotent) in [
            (64_001, Failed, false, false),
            (64_002, Rejected, true, true),
            (64_003, Unknown, true, false),
            (64_004, Unknown, true, false),
            (64_005, Rejected, false, false),
            (64_006, Rejected, false, false),
            (64_007, Rejected, false, false),
            (64_008, Rejected, false, false),
        ] {
            for (idempotency, is_retryable) in [
                (Idempotency::Safe, idempotent),
                (Idempotency::Idempotent, idempotent),
                (Idempotency::NonIdempotent, non_idempotent),
            ] {
                let error = context(idempotency, &credentials).refused(
                    RetCode::from(code),
                    None,
                    ResponseContext::default(),
                );
                assert_eq!(
                    (error.execution(), error.is_retryable()),
                    (execution, is_retryable),
                    "{code} {idempotency:?}"
                );
            }
        }
        let non_idempotent = context(Idempotency::NonIdempotent, &credentials);
        assert!(non_idempotent.error(ErrorKind::Connect, NotSent, "").is_retryable());
        assert!(!non_idempotent.error(ErrorKind::Timeout, Unknown, "").is_retryable());
        assert!(!non_idempotent.error(ErrorKind::Decode, Execution::Completed, "").is_retryable());
        assert!(
            context(Idempotency::Safe, &credentials)
                .error(ErrorKind::Timeout, Unknown, "")
                .is_retryable()
        );
        let too_many = ResponseContext { http_status: 429, ..ResponseContext::default() };
        assert!(
            non_idempotent
                .unexpected((ErrorKind::UnexpectedResponse, Rejected), "", too_many)
                .is_retryable()
        );
    }

    #[test]
    fn outside_text_is_bounded_and_one_line_without_secrets() {
        // A key as in the documentation, and a token with escaped and unescaped characters.
        let public_key = "ucloudsomeone@example.com1296235120854146120";
        let credentials =
            Credentials::new(public_key, "private+key/~.").with_security_token("AB-CD_ef.gh==");
        let context = context(Idempotency::Safe, &credentials);
        let signature = context.redactor.signature;
        let body = format!(
            "<html>\u{1b}[2J\n?Signature={}&SecurityToken=AB-CD_ef.gh%3D%3D&t=AB-CD_ef.gh%3d%3d&k=private%2Bkey%2F~.\
             &PublicKey=ucloudsomeone%40example.com1296235120854146120 private+key\\/~. {public_key} {}",
            signature.as_str(),
            "x".repeat(10_000)
        );
        let response = ResponseContext {
            http_status: 502,
            body: body.as_bytes(),
            ..ResponseContext::default()
        };
        let error = context.unexpected(
            (ErrorKind::UnexpectedResponse, Execution::Unknown),
            "summary",
            response,
        );
        let message = "x".repeat(5_000_000);
        let refused = context.refused(RetCode::from(1), Some(&message), ResponseContext::default());
        let shown = format!("{error} {error:?} {refused} {refused:?}");
        for secret in [signature.as_str(), "AB-CD", "private", "ucloudsomeone", "\u{1b}", "\n"] {
            assert!(!shown.contains(secret), "{secret:?} in {shown}");
        }
        assert_eq!(
            error.body().unwrap().split('x').next().unwrap(),
            "<html> [2J ?Signature=[hidden]&SecurityToken=[hidden]&t=[hidden]&k=[hidden]&PublicKey=[hidden] [hidden] [hidden] "
        );
        assert!(shown.len() < 3_000, "{}", shown.len());
    }

    #[test]
    fn short_secrets_do_not_garble_messages() {
        let credentials = Credentials::new("test", "e");
        let error = context(Idempotency::Safe, &credentials).error(
            ErrorKind::Connect,
            Execution::NotSent,
            "no connection",
        );
        assert!(error.to_string().contains("no connection"), "{error}");
    }
}
