//! The span of a call, the event of each attempt, and the events of odd responses.
//!
//! Only the fields listed here are recorded. Parameters, URLs and bodies contain credentials and
//! signatures.

use http::Uri;
use tracing::{Span, field};

use crate::{
    error::Error,
    exchange::observer::Attempt,
    ret_code::RetCode,
    wire::decode::{Mismatch, Warning},
};

/// Returns the span of a call. Field names are OpenTelemetry's where it defines one.
pub(crate) fn span(action: &str, endpoint: &Uri) -> Span {
    tracing::info_span!(
        "call",
        otel.name = action,
        otel.kind = "client",
        otel.status_code = field::Empty,
        rpc.system = "ucloud",
        rpc.method = action,
        server.address = endpoint.host(),
        server.port = endpoint.port_u16(),
        error.r#type = field::Empty,
    )
}

pub(crate) fn record_error(span: &Span, error: &Error) {
    span.record("otel.status_code", "ERROR");
    span.record("error.type", field::debug(error.kind()));
}

pub(crate) fn attempt(attempt: &Attempt<'_>, request_id: Option<&str>) {
    // The level of an event is part of its static metadata.
    macro_rules! event {
        ($level:ident) => {
            tracing::event!(
                tracing::Level::$level,
                action = attempt.action,
                attempt = attempt.number,
                http.response.status_code = attempt.http_status,
                ret_code = match attempt.error {
                    None => Some(0),
                    Some(error) => error.ret_code().map(RetCode::get),
                },
                request_id,
                error.r#type = attempt.error.map(|error| field::debug(error.kind())),
                elapsed_ms = attempt.elapsed.as_millis() as u64,
                wait_ms = attempt.wait.map(|wait| wait.as_millis() as u64),
                "attempt"
            )
        };
    }
    if attempt.wait.is_some() {
        // The caller does not see an error that is retried.
        event!(WARN);
    } else {
        event!(DEBUG);
    }
}

pub(crate) fn response_warning(action: &str, warning: Warning) {
    let Warning { model, field, what } = warning;
    match what {
        Mismatch::Missing => tracing::warn!(
            action,
            model,
            field,
            "a required field is missing from a response: it is left empty"
        ),
        Mismatch::Coerced { from, to } => tracing::debug!(
            action,
            model,
            field,
            from,
            to,
            "a field of a response has a different type than documented"
        ),
    }
}

pub(crate) fn incomplete_listing(action: &str, listed: u64, total: Option<u64>) {
    tracing::warn!(action, listed, total, "a listing is incomplete: its stream ended too early");
}

pub(crate) fn shrunk_total(action: &str, before: i64, total: i64) {
    tracing::warn!(
        action,
        before,
        total,
        "the total shrank during pagination: if items were deleted, others may have been skipped"
    );
}
