//! A `tower` service as a transport.

use std::{
    error::Error as StdError,
    fmt,
    future::poll_fn,
    marker::PhantomData,
    sync::{Mutex, PoisonError},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use crate::transport::{
    BoxFuture, MAX_RESPONSE_SIZE, Transport, TransportError, read_body, root_cause,
};

/// A [`tower_service::Service`] as a [`Transport`]: a client of hyper, a stack of tower middleware,
/// or a router in a test.
///
/// Errors of `poll_ready` mean that nothing was sent; after other errors, the call may have been
/// executed. To be more precise, let the service return a [`TransportError`], for example with
/// `map_err`. Leave out middleware that retries: the client retries by itself.
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
            poll_fn(|context| service.poll_ready(context))
                .await
                .map_err(|error| failure(error, TransportError::not_connected))?;
            let response = service
                .call(request.map(B::from))
                .await
                .map_err(|error| failure(error, TransportError::interrupted))?;
            read_body(response, self.max_response_size, TransportError::incomplete).await
        })
    }
}

/// Returns a service's own [`TransportError`], or makes one by `otherwise` from another error.
fn failure(
    error: impl Into<Box<dyn StdError + Send + Sync>>,
    otherwise: impl FnOnce(String) -> TransportError,
) -> TransportError {
    match error.into().downcast::<TransportError>() {
        Ok(error) => *error,
        Err(error) => {
            let message = format!("the transport failed: {}.", root_cause(&*error));
            otherwise(message).with_source(error)
        }
    }
}

impl<S, B> fmt::Debug for TowerTransport<S, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TowerTransport")
            .field("max_response_size", &self.max_response_size)
            .finish_non_exhaustive()
    }
}
