//! Judges a response: success, or which error.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode, header};

use crate::{
    error::{Error, ErrorKind, Execution},
    exchange::failure::{CallContext, ResponseContext},
    ret_code::RetCode,
    transport::request_id,
    wire::envelope::{BodyError, ReadResult},
};

/// What came with a response besides its own fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metadata {
    /// The id that the service gave the request, for support tickets. It is the response header
    /// `X-UCLOUD-REQUEST-UUID`.
    pub request_id: Option<String>,
    /// The name of the response, such as `GetRepoImageResponse`. Documented as `Action`.
    pub action: Option<String>,
    /// The service's message. Documented as `Message`.
    pub message: Option<String>,
}

pub(crate) struct Success<T> {
    pub(crate) response: T,
    pub(crate) metadata: Metadata,
    pub(crate) http_status: StatusCode,
}

pub(crate) fn judge<T>(
    response: &Response<Bytes>,
    call: &CallContext<'_>,
    read: &impl Fn(&[u8]) -> ReadResult<T>,
) -> Result<Success<T>, Error> {
    let status = response.status();
    let request_id = request_id(response.headers()).map(|id| call.redactor.request_id(&id));
    let context = |body| ResponseContext {
        http_status: status.as_u16(),
        request_id: request_id.clone(),
        retry_after: retry_after(response.headers(), SystemTime::now()),
        body,
    };

    match read(response.body()) {
        Ok((response, envelope)) if status.is_success() => Ok(Success {
            response,
            metadata: Metadata { request_id, action: envelope.action, message: envelope.message },
            http_status: status,
        }),
        Err(BodyError::Refused { ret_code, envelope }) => {
            Err(call.refused(RetCode::from(ret_code), envelope.message.as_deref(), context(&[])))
        }
        Err(BodyError::Undecodable { path, reason }) if status.is_success() => {
            let at = if path.is_empty() { String::new() } else { format!(" at `{path}`") };
            let summary =
                format!("the call was executed, but its response cannot be decoded{at}: {reason}.");
            let decode = (ErrorKind::Decode, Execution::Completed);
            Err(call.unexpected(decode, &summary, context(response.body())))
        }
        // An HTTP error contradicts a successful body.
        unread => {
            let (reason, is_refused) = match unread {
                // Refused by a gateway in front of the service.
                Err(BodyError::NoEnvelope { reason }) => {
                    (reason, status.is_client_error() && status != StatusCode::REQUEST_TIMEOUT)
                }
                _ => ("the body reports success".to_owned(), false),
            };
            let is_redirect =
                status.is_redirection() && response.headers().contains_key(header::LOCATION);
            let summary = if is_redirect {
                format!("HTTP {status}: redirects are not followed. Check the base URL.")
            } else {
                format!(
                    "HTTP {status}, and {reason}: not a response of the service. \
                     Check the base URL and proxies."
                )
            };
            let execution = if is_refused { Execution::Rejected } else { Execution::Unknown };
            let unexpected = (ErrorKind::UnexpectedResponse, execution);
            let mut error = call.unexpected(unexpected, &summary, context(response.body()));
            // The same redirect would come again.
            error.0.is_retryable &= !status.is_redirection();
            Err(error)
        }
    }
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
