//! Judges a response: success, or which error.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use serde_json::{Map, Value};

use crate::{
    error::{Error, ErrorKind, Execution, StatusText},
    exchange::failure::{CallContext, ResponseContext},
    ret_code::RetCode,
    transport::request_id,
    wire::envelope::{self, BodyError, ReadResult},
};

/// The metadata of a successful call: HTTP status, headers, body, attempts and duration.
///
/// `Debug` shows neither headers nor the body.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct ResponseMetadata {
    /// The id that the service gave the request, for support tickets. It is the response header
    /// `X-UCLOUD-REQUEST-UUID`.
    pub request_id: Option<String>,
    /// The name of the response, such as `DescribeSomethingResponse`. Documented as `Action`.
    pub action: Option<String>,
    /// The service's message. Documented as `Message`.
    pub message: Option<String>,
    /// The HTTP status of the response.
    pub http_status: u16,
    /// The headers of the response, unchanged: a proxy may have repeated secrets in them.
    pub headers: HeaderMap,
    /// The number of attempts, including the one that succeeded.
    pub attempts: u32,
    /// The duration of the call, including all attempts and the delays between them.
    pub elapsed: Duration,
    body: Bytes,
    /// The documented names of the response's fields; `None` if it has no types.
    known_fields: Option<fn(&str) -> bool>,
}

impl ResponseMetadata {
    /// Returns the body of the response, unchanged. It shares the memory of the response.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Returns the fields of the response that this crate has no types for, by their names in
    /// JSON. Fields within models are not among them; [`body`](Self::body) has them all.
    ///
    /// The body is read anew, which costs about as much as reading it first. Empty for an untyped
    /// call, whose response has all fields.
    #[must_use]
    pub fn unknown_fields(&self) -> Map<String, Value> {
        let Some(is_known) = self.known_fields else {
            return Map::new();
        };
        let mut fields = envelope::fields(&self.body);
        fields.retain(|name, _| !is_known(name));
        fields
    }
}

impl fmt::Debug for ResponseMetadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseMetadata")
            .field("request_id", &self.request_id)
            .field("action", &self.action)
            .field("message", &self.message)
            .field("http_status", &self.http_status)
            .field("attempts", &self.attempts)
            .field("elapsed", &self.elapsed)
            .finish_non_exhaustive()
    }
}

pub(crate) struct Success<T> {
    pub(crate) response: T,
    pub(crate) metadata: ResponseMetadata,
}

/// `content` is what was read from the body.
pub(crate) fn judge<T>(
    response: Response<Bytes>,
    content: ReadResult<T>,
    known_fields: Option<fn(&str) -> bool>,
    call: &CallContext<'_>,
) -> Result<Success<T>, Error> {
    let (head, body) = response.into_parts();
    let status = head.status;
    let request_id = request_id(&head.headers).map(|id| call.redactor.request_id(id));
    let unread = match content {
        Ok((response, envelope)) if status.is_success() => {
            let metadata = ResponseMetadata {
                request_id,
                action: envelope.action,
                message: envelope.message,
                http_status: status.as_u16(),
                headers: head.headers,
                attempts: 0,
                elapsed: Duration::ZERO,
                body,
                known_fields,
            };
            return Ok(Success { response, metadata });
        }
        Ok(_) => None,
        Err(error) => Some(error),
    };
    let retry_after = retry_after(&head.headers, SystemTime::now());
    let context =
        |body| ResponseContext { http_status: status.as_u16(), request_id, retry_after, body };
    Err(match unread {
        Some(BodyError::Refused { ret_code, message }) => {
            // Without a message, other fields may tell more.
            let is_silent = message.is_none() && RetCode::from(ret_code).meaning().is_none();
            let shown: &[u8] =
                if is_silent && envelope::has_other_fields(&body) { &body } else { &[] };
            call.refused(RetCode::from(ret_code), message.as_deref(), context(shown))
        }
        Some(BodyError::Undecodable { path, reason }) if status.is_success() => {
            let at = if path.is_empty() { String::new() } else { format!(" at `{path}`") };
            let summary =
                format!("the call was executed, but its response cannot be decoded{at}: {reason}.");
            call.unexpected((ErrorKind::Decode, Execution::Completed), &summary, context(&body))
        }
        Some(BodyError::TooLarge { reason }) if status.is_success() => {
            let summary = format!(
                "the call was executed, but its response is too large to be read: {reason}. \
                 Request smaller pages."
            );
            let too_large = (ErrorKind::ResponseTooLarge, Execution::Completed);
            call.unexpected(too_large, &summary, context(&[]))
        }
        Some(BodyError::NoEnvelope { reason }) => {
            let reason = compression(&head.headers, &body).unwrap_or(reason);
            let summary = foreign(status, head.headers.contains_key(header::LOCATION), &reason);
            // Refused by a gateway in front of the service.
            let is_refused = status.is_client_error() && status != StatusCode::REQUEST_TIMEOUT;
            let execution = if is_refused { Execution::Rejected } else { Execution::Unknown };
            let unexpected = (ErrorKind::UnexpectedResponse, execution);
            let mut error = call.unexpected(unexpected, &summary, context(&body));
            // The same redirect would come again.
            error.0.is_retryable &= !status.is_redirection();
            let has_wait = retry_after.is_some_and(|wait| !wait.is_zero());
            if error.0.is_retryable && !status.is_success() && !has_wait {
                error.0.summary.push_str(" Wait, then try again.");
            }
            error
        }
        Some(BodyError::Undecodable { .. } | BodyError::TooLarge { .. }) | None => {
            let status = StatusText(status);
            let summary = format!("HTTP {status}, although the body reports success.");
            let unexpected = (ErrorKind::UnexpectedResponse, Execution::Unknown);
            call.unexpected(unexpected, &summary, context(&body))
        }
    })
}

/// Describes a body that is compressed, although requests do not accept that.
fn compression(headers: &HeaderMap, body: &[u8]) -> Option<String> {
    let encoding = headers.get(header::CONTENT_ENCODING).map(HeaderValue::as_bytes);
    let encoding = encoding
        .filter(|encoding| !encoding.is_empty() && !encoding.eq_ignore_ascii_case(b"identity"));
    let seen = match encoding {
        Some(encoding) => format!("`Content-Encoding: {}`", String::from_utf8_lossy(encoding)),
        None if body.starts_with(b"\x1f\x8b") => "gzip".to_owned(),
        None => return None,
    };
    Some(format!("the body is compressed, which was not asked for ({seen})"))
}

/// Describes a response that is not the service's: what happened, and what to do.
fn foreign(status: StatusCode, has_location: bool, reason: &str) -> String {
    let what = match status.as_u16() {
        300..=399 if has_location => "redirects are not followed. Check the base URL.",
        401 | 403 => {
            "a gateway in front of the service refused the call. Check the base URL, proxies and \
             firewalls."
        }
        404 | 405 | 410 => "the service is not at this URL. Check the base URL and proxies.",
        407 => "the proxy got no user and password that it accepts. Set them in the proxy's URL.",
        408 => "a gateway in front of the service did not get the request in time.",
        413 | 431 => {
            "the request is too large for a gateway in front of the service. Shorten its \
             parameters."
        }
        414 => "the URL is too long for a gateway in front of the service. Use `Encoding::Form`.",
        429 => "a gateway in front of the service throttled the call. Send fewer calls at a time.",
        400..=499 => {
            "a gateway in front of the service rejected the call. Check the base URL and proxies."
        }
        503 => "a gateway reports that the service is unavailable.",
        504 => "a gateway in front of the service timed out.",
        500..=599 => "a gateway in front of the service failed.",
        _ => {
            let status = StatusText(status);
            return format!(
                "HTTP {status}, but not a response of the service: {reason}. Check the base URL and \
                 proxies."
            );
        }
    };
    format!("HTTP {}: {what}", StatusText(status))
}

/// Returns the delay that a response asks for: a number of seconds, or a date, which is compared
/// with the server's own clock if the response has it.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name| headers.get(name)?.to_str().ok().map(str::trim);
    let value = text(header::RETRY_AFTER)?;
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = |text| httpdate::parse_http_date(text).ok();
    let now = text(header::DATE).and_then(date).unwrap_or(now);
    Some(date(value)?.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_in_seconds_or_a_date() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        for (value, date, expected) in [
            ("7", None, Some(7)),
            (" 0 ", None, Some(0)),
            ("Sun, 06 Nov 1994 08:49:47 GMT", None, Some(10)),
            // In the past.
            ("Sun, 06 Nov 1994 08:00:00 GMT", None, Some(0)),
            // The server's clock is an hour behind.
            ("Sun, 06 Nov 1994 07:49:40 GMT", Some("Sun, 06 Nov 1994 07:49:37 GMT"), Some(3)),
            ("soon", None, None),
            ("-1", None, None),
            ("1.5", None, None),
            ("", None, None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, value.parse().unwrap());
            if let Some(date) = date {
                headers.insert(header::DATE, date.parse().unwrap());
            }
            let expected = expected.map(Duration::from_secs);
            assert_eq!(retry_after(&headers, now), expected, "{value:?}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
