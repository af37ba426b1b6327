//! One request and its answer: the steps of every call, in their order.

use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode, header};

use crate::{
    Error, Repeat, RetCode,
    client::Inner,
    encode,
    envelope::{Envelope, Unread},
    error::{CallContext, Delivery, ErrorKind, ResponseContext},
    parameters::Parameters,
    sign::{common, sign},
    transport::request_id,
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

/// What the steps need to know of a call.
pub(crate) struct Exchange<'a> {
    pub(crate) action: &'a str,
    pub(crate) repeat: Repeat,
    /// In place of the client's.
    pub(crate) timeout: Option<Duration>,
}

impl Exchange<'_> {
    /// Sends what `add` hands over, and reads the answer.
    pub(crate) async fn run<T>(
        &self,
        client: &Inner,
        add: impl FnOnce(&mut Parameters<'_>),
        read: impl FnOnce(&[u8]) -> Read<T>,
    ) -> Result<(T, Metadata), Error> {
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(no_runtime());
        }
        let (call, request) = {
            let common = common(self.action, &client.credentials);
            let mut parameters = Parameters::new(&common, &client.defaults);
            add(&mut parameters);
            let signed = sign(parameters, &client.credentials);
            let call = CallContext {
                action: self.action,
                repeat: self.repeat,
                credentials: &client.credentials,
                signature: signed.signature,
            };
            if let Some(why) = &signed.parameters.refusal {
                return Err(call.error(ErrorKind::Request, Delivery::NotSent, why));
            }
            let Some(request) = encode::request(&client.endpoint, client.encoding, &signed) else {
                let what = "the parameters make a URL that is too long: use `Encoding::Form`.";
                return Err(call.error(ErrorKind::Request, Delivery::NotSent, what));
            };
            (call, request)
        };

        let timeout = self.timeout.unwrap_or(client.timeout);
        let patience = timeout.min(client.attempt_timeout);
        let response = match tokio::time::timeout(patience, client.transport.send(request)).await {
            Ok(Ok(response)) => response,
            Ok(Err(failure)) => return Err(call.failed(failure)),
            Err(_) => {
                let limit = if patience < timeout {
                    "attempt_timeout"
                } else {
                    "timeout"
                };
                let what = format!("the service did not answer within {patience:?} (`{limit}`).");
                return Err(call.error(ErrorKind::Timeout, Delivery::Unknown, &what));
            }
        };
        judge(&response, &call, read)
    }
}

/// Judges a response and reads it.
fn judge<T>(
    response: &Response<Bytes>,
    call: &CallContext<'_>,
    read: impl FnOnce(&[u8]) -> Read<T>,
) -> Result<(T, Metadata), Error> {
    let status = response.status();
    let request_id = request_id(response.headers());
    let context = |body| ResponseContext {
        status: status.as_u16(),
        request_id: request_id.clone(),
        body,
    };

    match read(response.body()) {
        Ok((body, envelope)) if status.is_success() => {
            let metadata = Metadata {
                request_id,
                action: envelope.action,
                message: envelope.message,
            };
            Ok((body, metadata))
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
            let decode = (ErrorKind::Decode, Delivery::Executed);
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
            let delivery = if is_refused {
                Delivery::Rejected
            } else {
                Delivery::Unknown
            };
            Err(call.unexpected(
                (ErrorKind::UnexpectedResponse, delivery),
                &what,
                context(response.body()),
            ))
        }
    }
}
