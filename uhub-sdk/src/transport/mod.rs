//! HTTP, as the core sees it: a request out, a whole response back.

pub(crate) mod reqwest;
pub(crate) mod tower;

use std::{error::Error as StdError, fmt, pin::Pin, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};

use crate::error::{ErrorKind, Execution};

/// A future in a box, as the methods of traits return it that are used as `dyn`.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// How requests reach the service. Implement it to send them some other way than the built-in one:
/// through a gateway of one's own, to a recording, to nowhere.
///
/// A transport gets requests that are complete and signed. It sends each **once**, as it is, follows no
/// redirect, and answers with whatever came back, an HTTP error too: what that means, and whether to
/// repeat the call, is for the client to say. The client bounds the time: what is not ready
/// then is dropped.
///
/// A request can be replayed by whoever reads it: log neither its URL nor its body.
///
/// # Examples
///
/// A transport for tests, which answers all calls alike.
///
/// ```
/// use bytes::Bytes;
/// use uhub_sdk::{BoxFuture, Client, Credentials, Transport, TransportError};
///
/// #[derive(Debug)]
/// struct Canned(&'static str);
///
/// impl Transport for Canned {
///     fn send(
///         &self,
///         _: http::Request<Bytes>,
///     ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>> {
///         Box::pin(async { Ok(http::Response::new(Bytes::from_static(self.0.as_bytes()))) })
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), uhub_sdk::Error> {
/// let client = Client::builder()
///     .credentials(Credentials::new("public-key", "private-key"))
///     .transport(Canned(r#"{"RetCode": 0, "TotalCount": 0}"#))
///     .build()?;
/// assert!(client.get_repo_image("base").send().await?.image_set.is_empty());
/// # Ok(())
/// # }
/// ```
pub trait Transport: fmt::Debug + Send + Sync + 'static {
    /// Sends a request and reads its response to the end.
    ///
    /// # Errors
    ///
    /// There is no response, or not the whole of it. The error says whether the request may have been
    /// sent: a call that creates something is repeated by the client only if it was not.
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>>;
}

impl<T: Transport + ?Sized> Transport for Arc<T> {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        (**self).send(request)
    }
}

impl<T: Transport + ?Sized> Transport for Box<T> {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        (**self).send(request)
    }
}

/// Why there is no response, or not the whole of it.
#[derive(Debug)]
pub struct TransportError {
    pub(crate) kind: ErrorKind,
    pub(crate) execution: Execution,
    pub(crate) what: String,
    /// Whether trying again may change anything.
    pub(crate) may_pass: bool,
    /// The status and the request's id, where the response got so far.
    pub(crate) head: Option<(u16, Option<String>)>,
    pub(crate) source: Option<Box<dyn StdError + Send + Sync>>,
}

impl TransportError {
    fn new(kind: ErrorKind, execution: Execution, what: impl Into<String>) -> Self {
        Self {
            kind,
            execution,
            what: what.into(),
            may_pass: true,
            head: None,
            source: None,
        }
    }

    /// No connection came about, and nothing was sent: any call may be sent again. `what` says what
    /// happened in a sentence, as the error will show it.
    pub fn not_connected(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Connect, Execution::NotSent, what)
    }

    /// The connection broke. The request may have been sent, and carried out.
    pub fn interrupted(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Connection, Execution::Unknown, what)
    }

    /// It took too long. The request may have been sent, and carried out.
    pub fn timed_out(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Timeout, Execution::Unknown, what)
    }

    /// The response has more than these bytes. The request may have been carried out; the same call would have
    /// the same answer again.
    pub(crate) fn too_large(limit: usize, size: &str) -> Self {
        let what = format!(
            "the response is larger than the {limit} bytes that the client accepts: {size}. Ask for less at a time, or \
             set `max_response_size`."
        );
        let error = Self::new(ErrorKind::ResponseTooLarge, Execution::Unknown, what);
        error.permanent()
    }

    /// Trying again would not help: the client does not.
    #[must_use]
    pub fn permanent(mut self) -> Self {
        self.may_pass = false;
        self
    }

    /// Adds what this error comes from. It is shown with the call's error, unless a secret of the call is in it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl StdError for TransportError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// How many bytes a response may have, unless it is said.
pub(crate) const MAX_RESPONSE_SIZE: usize = 16 * 1024 * 1024;

/// The end of an error's chain: why it failed, where the others say what was being done.
fn reason<'e>(error: &'e (dyn StdError + 'static)) -> &'e (dyn StdError + 'static) {
    error.source().map_or(error, reason)
}

/// The service's id of a request.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get("x-ucloud-request-uuid")?.to_str().ok()?;
    Some(id.to_owned())
}
