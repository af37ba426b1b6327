//! One call, from its parameters to its response.

use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode, header};

use crate::{
    Action, Client, Error,
    decode::Notes,
    encode,
    envelope::{self, Unread},
    error::{CallContext, Delivery, ErrorKind, ResponseContext},
    parameters::Parameters,
    ret_code::RetCode,
    sign::{common, sign},
    transport::request_id,
};

/// A call of an action: its request, and options for this one time.
///
/// Methods named after parameters set parameters; methods that begin with `with_` set options.
///
/// `C` is the client that sends it: [`Client`], or the blocking one.
#[derive(Debug, Clone)]
#[must_use = "a call does nothing until it is sent"]
pub struct Call<R, C = Client> {
    pub(crate) client: C,
    pub(crate) request: R,
    pub(crate) timeout: Option<Duration>,
    pub(crate) read_ahead: usize,
}

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

impl<R: Action, C> Call<R, C> {
    pub(crate) fn new(client: C, request: R) -> Self {
        Self {
            client,
            request,
            timeout: None,
            read_ahead: 1,
        }
    }

    /// How long this call may take in all, in place of the client's
    /// [`timeout`](crate::ClientBuilder::timeout). One attempt still takes no longer than
    /// [`attempt_timeout`](crate::ClientBuilder::attempt_timeout).
    pub fn with_timeout(mut self, value: Duration) -> Self {
        self.timeout = Some(value);
        self
    }

    /// The request as it stands.
    pub fn request(&self) -> &R {
        &self.request
    }

    /// The request alone, to keep it or to send it elsewhere.
    pub fn into_request(self) -> R {
        self.request
    }

    /// How many pages are asked for before the one that is read, where the call's pages are walked.
    /// Default: 1. 0 asks for a page when the one before it has been read to its end.
    pub fn with_read_ahead(mut self, pages: usize) -> Self {
        self.read_ahead = pages;
        self
    }
}

impl<R: Action> Call<R> {
    /// Sends the call.
    ///
    /// # Errors
    ///
    /// Whatever kept the service from doing what was asked, or its answer from being understood.
    pub async fn send(self) -> Result<R::Response, Error> {
        self.send_with_metadata()
            .await
            .map(|(response, _)| response)
    }

    /// Sends the call, and returns what came with the response as well.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub async fn send_with_metadata(self) -> Result<(R::Response, Metadata), Error> {
        let client = &*self.client.0;
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(Error::configuration(
                "there is no Tokio runtime: call the client from within one.",
            ));
        }
        let common = common(R::NAME, &client.credentials);
        let mut parameters = Parameters::new(&common, &client.defaults);
        self.request.add_parameters(&mut parameters);
        let signed = sign(parameters, &client.credentials);
        let call = CallContext {
            action: R::NAME,
            repeat: R::REPEAT,
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

        let notes = Notes::default();
        let answer = read::<R>(&response, &notes, &call)?;
        client.report(R::NAME, notes.take());
        Ok(answer)
    }
}

/// Judges a response and reads it.
fn read<R: Action>(
    response: &Response<Bytes>,
    notes: &Notes,
    call: &CallContext<'_>,
) -> Result<(R::Response, Metadata), Error> {
    let status = response.status();
    let request_id = request_id(response.headers());
    let context = |body| ResponseContext {
        status: status.as_u16(),
        request_id: request_id.clone(),
        body,
    };

    match envelope::read::<R::Response>(response.body(), notes) {
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
