//! A `tower` service as a transport, and the reverse.

use std::{
    error::Error as StdError,
    fmt,
    future::poll_fn,
    marker::PhantomData,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use tower_layer::Layer;
use tower_service::Service;

use crate::transport::{
    BoxFuture, MAX_RESPONSE_SIZE, Transport, TransportError, causes, is_timeout, read_body,
};

/// A [`tower_service::Service`] as a [`Transport`]: a client of hyper, a stack of tower middleware,
/// or a router in a test.
///
/// Errors of `poll_ready` mean that nothing was sent; after other errors, the call may have been
/// executed. Timeouts are recognized by their text, such as "request timed out". To be more
/// precise, let the service return a [`TransportError`], for example with `map_err`. Leave out
/// middleware that retries: the client retries by itself.
///
/// `B` is the type of the request's body, which is created from [`Bytes`].
///
/// # Examples
///
/// ```
/// use http_body_util::Full;
/// use bytes::Bytes;
/// use uhub_sdk::{Client, Credentials, TowerTransport};
///
/// # fn example<S>(service: S) -> Result<(), uhub_sdk::Error>
/// # where
/// #     S: tower_service::Service<http::Request<Full<Bytes>>, Response = http::Response<Full<Bytes>>>
/// #         + Clone + Send + 'static,
/// #     S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
/// #     S::Future: Send,
/// # {
/// let client = Client::builder()
///     .credentials(Credentials::new("public-key", "private-key"))
///     .transport(TowerTransport::<_, Full<Bytes>>::new(service))
///     .build()?;
/// # Ok(())
/// # }
/// ```
pub struct TowerTransport<S, B> {
    // A service need not be `Sync`. It is locked only while it is cloned.
    service: Mutex<S>,
    max_response_size: usize,
    body: PhantomData<fn() -> B>,
}

impl<S, B> TowerTransport<S, B> {
    /// Creates a transport that sends each request with a clone of this service.
    pub fn new(service: S) -> Self {
        Self {
            service: Mutex::new(service),
            max_response_size: MAX_RESPONSE_SIZE,
            body: PhantomData,
        }
    }

    /// Sets the maximum size of a response, in bytes. Defaults to 4 MiB.
    #[must_use]
    pub fn with_max_response_size(mut self, bytes: usize) -> Self {
        self.max_response_size = bytes;
        self
    }
}

impl<S, B, R> Transport for TowerTransport<S, B>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Error: Into<Box<dyn StdError + Send + Sync>>,
    S::Future: Send,
    B: From<Bytes> + Send + 'static,
    R: Body + Send,
    R::Data: Send,
    R::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        let service = self.service.lock();
        let mut service = service.unwrap_or_else(PoisonError::into_inner).clone();
        Box::pin(async move {
            poll_fn(|context| service.poll_ready(context)).await.map_err(|error| {
                let timed_out = TransportError::timed_out_before_sending;
                failure(error, timed_out, TransportError::not_connected)
            })?;
            let response = service.call(request.map(B::from)).await.map_err(|error| {
                failure(error, TransportError::timed_out, TransportError::interrupted)
            })?;
            let (head, body) = response.into_parts();
            let failure = TransportError::incomplete;
            let body = read_body(&head, body, self.max_response_size, failure).await?;
            Ok(Response::from_parts(head, body))
        })
    }
}

/// Returns the [`TransportError`] that a service returned, directly or wrapped by middleware, or
/// makes one of another error by `timed_out` or `otherwise`.
fn failure(
    error: impl Into<Box<dyn StdError + Send + Sync>>,
    timed_out: impl FnOnce(String) -> TransportError,
    otherwise: impl FnOnce(String) -> TransportError,
) -> TransportError {
    let error = match error.into().downcast::<TransportError>() {
        Ok(error) => return *error,
        Err(error) => error,
    };
    let inner = causes(&*error).find_map(|cause| cause.downcast_ref::<TransportError>());
    if let Some(inner) = inner {
        let inner = inner.without_source();
        return inner.with_source(error);
    }
    let converted = if is_timeout(&*error) {
        timed_out("the transport took too long.".to_owned())
    } else {
        otherwise("the transport failed.".to_owned())
    };
    converted.with_source(error)
}

/// A [`Transport`] as a [`tower_service::Service`], which middleware can wrap.
///
/// Requests may have bodies of any type. Created by
/// [`ClientBuilder::layer`](crate::ClientBuilder::layer), and cheap to clone.
#[derive(Debug, Clone)]
pub struct TransportService(Arc<dyn Transport>);

impl TransportService {
    /// Creates a service that sends requests by this transport.
    pub fn new(transport: impl Transport) -> Self {
        Self(Arc::new(transport))
    }
}

impl<B> Service<Request<B>> for TransportService
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    type Response = Response<Full<Bytes>>;
    type Error = TransportError;
    type Future = BoxFuture<'static, Result<Self::Response, TransportError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let transport = Arc::clone(&self.0);
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.map_err(|error| {
                TransportError::invalid_request("the body of the request cannot be read.")
                    .with_source(error)
            })?;
            let request = Request::from_parts(head, body.to_bytes());
            Ok(transport.send(request).await?.map(Full::new))
        })
    }
}

/// A tower layer around a transport, for responses up to a number of bytes.
pub(crate) type TransportLayer =
    Arc<dyn Fn(Arc<dyn Transport>, usize) -> Arc<dyn Transport> + Send + Sync>;

/// Converts a tower layer.
pub(crate) fn transport_layer<L, R>(layer: L) -> TransportLayer
where
    L: Layer<TransportService> + Send + Sync + 'static,
    L::Service: Service<Request<Full<Bytes>>, Response = Response<R>> + Clone + Send + 'static,
    <L::Service as Service<Request<Full<Bytes>>>>::Error: Into<Box<dyn StdError + Send + Sync>>,
    <L::Service as Service<Request<Full<Bytes>>>>::Future: Send,
    R: Body + Send,
    R::Data: Send,
    R::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    Arc::new(move |transport, max_response_size| {
        let service = layer.layer(TransportService(transport));
        let transport = TowerTransport::<_, Full<Bytes>>::new(service);
        Arc::new(transport.with_max_response_size(max_response_size))
    })
}

impl<S, B> fmt::Debug for TowerTransport<S, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TowerTransport")
            .field("max_response_size", &self.max_response_size)
            .finish_non_exhaustive()
    }
}
