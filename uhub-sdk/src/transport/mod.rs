//! The interface to HTTP: a complete request in, a complete response out.

pub(crate) mod reqwest;
pub(crate) mod tower;

use std::{
    error::Error as StdError,
    fmt,
    future::poll_fn,
    io,
    net::{Ipv4Addr, UdpSocket},
    pin::{Pin, pin},
    sync::Arc,
};

use bytes::{Buf, Bytes};
use http::{HeaderMap, HeaderName, Request, Response, StatusCode, response::Parts};
use http_body::Body;

use crate::error::{ErrorKind, Execution};

/// A boxed future, returned by dyn-compatible traits.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Sends requests to the service. Implement it to replace the built-in HTTP client, for example
/// with a gateway, a recording or a mock.
///
/// Requests are complete and signed. A transport must
///
/// - send each request once and unchanged: retries are up to the client;
/// - not follow redirects;
/// - return every HTTP response, including errors: the client interprets them;
/// - not log the URL or the body: a signed request can be replayed.
///
/// The client bounds the time by dropping the future.
///
/// # Examples
///
/// A mock that returns the same response to all calls.
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
/// let response: serde_json::Value = client.action("DescribeSomethingNew").send().await?;
/// assert_eq!(response["TotalCount"], 0);
/// # Ok(())
/// # }
/// ```
pub trait Transport: fmt::Debug + Send + Sync + 'static {
    /// Sends a request and reads the whole response.
    ///
    /// # Errors
    ///
    /// The response is missing or incomplete. The error states whether the request may have been
    /// sent: if so, the client retries only idempotent calls.
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

/// Why a response is missing or incomplete.
///
/// # Examples
///
/// ```
/// use uhub_sdk::TransportError;
///
/// # fn example(error: std::io::Error) -> TransportError {
/// // Nothing was sent: any call is retried.
/// TransportError::not_connected("the gateway refused the connection.").with_source(error)
/// # }
/// // The call may have been executed: only idempotent calls are retried.
/// let lost = TransportError::interrupted("the gateway closed the connection.");
/// // A retry would fail again.
/// let refused = TransportError::not_connected("the gateway is not configured.").permanent();
/// ```
#[derive(Debug)]
pub struct TransportError {
    pub(crate) kind: ErrorKind,
    pub(crate) execution: Execution,
    pub(crate) message: String,
    /// Whether another attempt may succeed.
    pub(crate) is_transient: bool,
    /// Whether the time for connecting or for the response ran out.
    pub(crate) is_timeout: bool,
    /// Whether a resource of this machine is exhausted, so that nothing was sent.
    pub(crate) is_local: bool,
    /// The status and the request's id, if the head of the response was read.
    pub(crate) head: Option<(u16, Option<String>)>,
    pub(crate) source: Option<Box<dyn StdError + Send + Sync>>,
}

impl TransportError {
    fn new(kind: ErrorKind, execution: Execution, message: impl Into<String>) -> Self {
        Self {
            kind,
            execution,
            message: message.into(),
            is_transient: true,
            is_timeout: kind == ErrorKind::Timeout,
            is_local: false,
            head: None,
            source: None,
        }
    }

    /// Creates an error of kind [`Connect`](ErrorKind::Connect): nothing was sent, so that any call
    /// can be retried. `message` is a sentence for the call's error.
    pub fn not_connected(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Connect, Execution::NotSent, message)
    }

    /// Creates an error of kind [`Connection`](ErrorKind::Connection): the connection broke, and
    /// the call may have been executed.
    pub fn interrupted(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Connection, Execution::Unknown, message)
    }

    /// Creates an error of kind [`Timeout`](ErrorKind::Timeout): the call may have been executed.
    pub fn timed_out(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Timeout, Execution::Unknown, message)
    }

    /// Creates an error of kind [`Timeout`](ErrorKind::Timeout) for a request that was not sent, so
    /// that any call can be retried: for example, the time to wait for a free connection ran out.
    pub fn timed_out_before_sending(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Timeout, Execution::NotSent, message)
    }

    pub(crate) fn invalid_request(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Request, Execution::NotSent, message)
    }

    fn incomplete(source: Box<dyn StdError + Send + Sync>) -> Self {
        let error = if is_timeout(&*source) {
            Self::timed_out("the rest of the response did not arrive in time.")
        } else {
            Self::interrupted("the response is incomplete.")
        };
        error.with_source(source)
    }

    /// Creates an error for a response of more than `limit` bytes. It is permanent: a retry would
    /// get the same response.
    pub(crate) fn too_large(limit: usize, size: &str) -> Self {
        let message = format!(
            "the response is larger than {limit} bytes: {size}. Request smaller pages, or raise \
             `max_response_size`."
        );
        Self::new(ErrorKind::ResponseTooLarge, Execution::Unknown, message).permanent()
    }

    /// Returns a copy without the source, for an error that middleware has wrapped.
    fn without_source(&self) -> Self {
        Self {
            kind: self.kind,
            execution: self.execution,
            message: self.message.clone(),
            is_transient: self.is_transient,
            is_timeout: self.is_timeout,
            is_local: self.is_local,
            head: self.head.clone(),
            source: None,
        }
    }

    fn with_status(mut self, status: StatusCode) -> Self {
        self.head = Some((status.as_u16(), None));
        self
    }

    fn with_head(mut self, status: StatusCode, headers: &HeaderMap) -> Self {
        self.head = Some((status.as_u16(), request_id(headers).map(str::to_owned)));
        self
    }

    /// Marks the error as permanent: the client does not retry.
    #[must_use]
    pub fn permanent(mut self) -> Self {
        self.is_transient = false;
        self
    }

    /// Sets the source of this error. It becomes the source of the call's error; if it contains a
    /// secret of the call, only its redacted text does.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        let source = source.into();
        self.is_local |= self.execution == Execution::NotSent && Exhausted::of(&*source).is_some();
        self.source = Some(source);
        self
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for TransportError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// The default limit for the size of a response, in bytes: a page of 10,000 images has 2 MB.
pub(crate) const MAX_RESPONSE_SIZE: usize = 4 * 1024 * 1024;

/// Reads the body of a response, up to a number of bytes. `failure` converts the error of the body.
async fn read_body<B>(
    head: &Parts,
    body: B,
    limit: usize,
    failure: impl FnOnce(Box<dyn StdError + Send + Sync>) -> TransportError,
) -> Result<Bytes, TransportError>
where
    B: Body<Error: Into<Box<dyn StdError + Send + Sync>>>,
{
    let body = pin!(body);
    let announced = body.size_hint().lower();
    let error = if announced > limit as u64 {
        TransportError::too_large(limit, &format!("it has {announced} bytes"))
    } else {
        match collect(body, limit).await {
            Ok(Some(body)) => return Ok(body),
            Ok(None) => TransportError::too_large(limit, "more bytes follow"),
            Err(error) => failure(error.into()),
        }
    };
    Err(error.with_head(head.status, &head.headers))
}

/// The most memory that is reserved for a body because of its announced size, in bytes.
const MAX_RESERVED: usize = 64 << 10;

/// Collects a body, or returns `None` if it is larger than the limit. A body of one chunk is not
/// copied, and the end of one with a known size is not waited for.
async fn collect<B: Body>(mut body: Pin<&mut B>, limit: usize) -> Result<Option<Bytes>, B::Error> {
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let (mut first, mut all) = (Bytes::new(), Vec::new());
    while let Some(frame) = poll_fn(|context| body.as_mut().poll_frame(context)).await {
        let Ok(mut data) = frame?.into_data() else {
            // Trailers.
            continue;
        };
        let chunk = data.copy_to_bytes(data.remaining());
        if chunk.len() > limit - first.len().max(all.len()) {
            return Ok(None);
        }
        if first.is_empty() {
            first = chunk;
        } else {
            if all.is_empty() {
                all.reserve(announced.min(MAX_RESERVED));
                all.extend_from_slice(&first);
            }
            all.extend_from_slice(&chunk);
        }
        if body.is_end_stream() {
            break;
        }
    }
    Ok(Some(if all.is_empty() { first } else { all.into() }))
}

/// Returns the end of an error's chain, the root cause.
pub(crate) fn root_cause<'e>(error: &'e (dyn StdError + 'static)) -> &'e (dyn StdError + 'static) {
    causes(error).last().unwrap_or(error)
}

/// Returns an error and its causes, ending with the root cause.
fn causes<'e>(
    error: &'e (dyn StdError + 'static),
) -> impl Iterator<Item = &'e (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error: &&'e (dyn StdError + 'static)| {
        let error: &'e (dyn StdError + 'static) = *error;
        // The `source` of an I/O error skips its inner error.
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner as _),
            None => error.source(),
        }
    })
}

/// A resource of this machine that is exhausted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exhausted {
    /// `EMFILE`, and `ENFILE` for the whole system.
    Files,
    /// `EADDRNOTAVAIL` and `EADDRINUSE`: each connection has a local port of its own.
    Ports,
    /// `ENOMEM` and `ENOBUFS`.
    Memory,
}

impl Exhausted {
    /// Returns the resource whose exhaustion is the cause of an error.
    pub(crate) fn of(error: &(dyn StdError + 'static)) -> Option<Self> {
        let system_errors = causes(error).filter_map(|cause| cause.downcast_ref::<io::Error>());
        system_errors.into_iter().find_map(|error| match (error.kind(), error.raw_os_error()?) {
            (io::ErrorKind::AddrNotAvailable | io::ErrorKind::AddrInUse, _) => Some(Self::Ports),
            (io::ErrorKind::OutOfMemory, _) => Some(Self::Memory),
            // These have no kind. The codes are those of Windows, of Linux, and of the BSDs.
            (_, 10_055) if cfg!(windows) => Some(Self::Memory),
            (_, 10_024) if cfg!(windows) => Some(Self::Files),
            (_, 105) if cfg!(any(target_os = "linux", target_os = "android")) => Some(Self::Memory),
            (_, 55) if cfg!(any(target_vendor = "apple", target_os = "freebsd")) => {
                Some(Self::Memory)
            }
            (_, 23 | 24) if cfg!(unix) => Some(Self::Files),
            _ => None,
        })
    }

    /// Returns the resource that is exhausted if names could not be resolved: the system's resolver
    /// needs files, and does not report that it could not open one.
    fn of_resolver(error: &(dyn StdError + 'static)) -> Option<Self> {
        let is_resolver = causes(error).any(|cause| cause.to_string() == "dns error");
        is_resolver.then(Self::now).flatten()
    }

    /// Returns the resource that is exhausted at this moment, for libraries that do not report it.
    fn now() -> Option<Self> {
        UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).err().and_then(|error| Self::of(&error))
    }

    /// Describes the cause and what to do, for the error of a call.
    fn advice(self) -> &'static str {
        match self {
            Self::Files => {
                "too many files are open: set `max_concurrent_calls`, or raise the limit of open \
                 files (`ulimit -n`)"
            }
            Self::Ports => {
                "this machine has no local address or port left: set `max_concurrent_calls`, or \
                 wait until closed connections are forgotten"
            }
            Self::Memory => {
                "this machine has no memory left for a connection: set `max_concurrent_calls`"
            }
        }
    }
}

/// Returns whether a timeout is the cause, of whichever library.
fn is_timeout(error: &(dyn StdError + 'static)) -> bool {
    causes(error).any(|error| {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return error.kind() == io::ErrorKind::TimedOut;
        }
        if let Some(error) = error.downcast_ref::<TransportError>() {
            return error.is_timeout;
        }
        // Each version of each library has its own type: tower's and Tokio's `Elapsed`, those of
        // hyper and tower-http. Their texts are alike.
        let text = error.to_string();
        text.len() < 256
            && ["timed out", "deadline has elapsed", "within the designated timeout"]
                .iter()
                .any(|part| text.contains(part))
    })
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-ucloud-request-uuid");

pub(crate) fn request_id(headers: &HeaderMap) -> Option<&str> {
    headers.get(REQUEST_ID)?.to_str().ok()
}
