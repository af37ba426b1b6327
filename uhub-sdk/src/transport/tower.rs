//! Any `tower` service as a transport.

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
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tower_service::Service;

use crate::transport::{
    BoxFuture, MAX_RESPONSE_SIZE, Transport, TransportError, reason, request_id,
};

/// A [`tower_service::Service`] as a [`Transport`]: a client of hyper's, a stack of tower's layers, a
/// router in a test.
///
/// It reads responses of up to 16 MiB. An error of the service's may come from before or after the request was
/// sent; only one of `poll_ready` is known to come before. A service that knows better says so by a
/// [`TransportError`], to which `map_err` turns its own. One that repeats requests by itself defeats what
/// the client knows of them: leave that to the client.
///
/// `B` is the type of the request's body, which is made from [`Bytes`].
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
    // A service need not be `Sync`; it is locked for as long as it takes to clone it.
    service: Mutex<S>,
    max_response_size: usize,
    body: PhantomData<fn() -> B>,
}

impl<S, B> TowerTransport<S, B> {
    /// Sends requests by this service, of which each request has a clone.
    pub fn new(service: S) -> Self {
        Self {
            service: Mutex::new(service),
            max_response_size: MAX_RESPONSE_SIZE,
            body: PhantomData,
        }
    }

    /// How many bytes a response may have. Default: 16 MiB.
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
            let (head, body) = response.into_parts();
            match Limited::new(body, self.max_response_size).collect().await {
                Ok(body) => Ok(Response::from_parts(head, body.to_bytes())),
                Err(error) => {
                    let mut failure = if error.is::<LengthLimitError>() {
                        TransportError::too_large(self.max_response_size, "there is more to come")
                    } else {
                        TransportError::interrupted("the response broke off.").with_source(error)
                    };
                    failure.head = Some((head.status.as_u16(), request_id(&head.headers)));
                    Err(failure)
                }
            }
        })
    }
}

/// A service's failure: what it says of itself if it knows how, or else the end of its chain.
fn failure(
    error: impl Into<Box<dyn StdError + Send + Sync>>,
    otherwise: impl FnOnce(String) -> TransportError,
) -> TransportError {
    match error.into().downcast::<TransportError>() {
        Ok(known) => *known,
        Err(error) => {
            let what = format!("the transport failed: {}.", reason(&*error));
            otherwise(what).with_source(error)
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
