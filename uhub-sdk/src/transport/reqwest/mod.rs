//! The built-in transport. The only module that uses reqwest.

mod failure;
mod pools;
pub(crate) mod proxy;
pub(crate) mod tls;

use std::{env, error::Error as StdError, ffi::OsString, fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Request, Response, StatusCode, Uri,
    header::{ACCEPT, HOST},
    uri::{Authority, PathAndQuery},
};
use url::Url;
use zeroize::Zeroizing;

use self::{
    failure::FailureContext,
    pools::{PoolFactory, RuntimePools},
    proxy::{ProxyOrigin, ProxyServer},
    tls::{Tls, TlsSettings},
};
use crate::{
    error::Error,
    transport::{BoxFuture, Exhausted, MAX_RESPONSE_SIZE, Transport, TransportError, read_body},
};

const YEAR: Duration = Duration::from_secs(60 * 60 * 24 * 365);

#[derive(Clone)]
pub(crate) struct HttpSettings {
    pub(crate) connect_timeout: Duration,
    /// What sets the connect timeout.
    pub(crate) connect_timeout_setting: &'static str,
    pub(crate) max_response_size: usize,
    pub(crate) proxy: Proxy,
    pub(crate) tls: TlsSettings,
    pub(crate) idle_timeout: Duration,
    pub(crate) max_idle_connections: usize,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            connect_timeout_setting: "`connect_timeout`",
            max_response_size: MAX_RESPONSE_SIZE,
            proxy: Proxy::Environment,
            tls: TlsSettings::default(),
            // A call on an idle connection that the service is closing may be lost, and some calls
            // must not be retried.
            idle_timeout: Duration::from_secs(30),
            max_idle_connections: usize::MAX,
        }
    }
}

#[derive(Clone)]
pub(crate) enum Proxy {
    /// The one of the environment variables, such as `HTTPS_PROXY`.
    Environment,
    Disabled,
    /// A URL, which may contain a password.
    Url(String),
}

impl Proxy {
    /// Returns the proxy for an endpoint, or the problem with the setting. `variable` returns the
    /// value of an environment variable.
    pub(crate) fn server(
        &self,
        endpoint: &Uri,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Option<ProxyServer>, String> {
        match self {
            Self::Environment => proxy::from_environment(endpoint, variable),
            Self::Disabled => Ok(None),
            Self::Url(url) => ProxyServer::new(url, ProxyOrigin::Setting).map(Some),
        }
    }

    /// Returns what authenticates to the proxies that requests may go through.
    pub(crate) fn secrets(
        &self,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Vec<Zeroizing<String>> {
        match self {
            Self::Environment => proxy::environment_secrets(variable),
            Self::Disabled => Vec::new(),
            Self::Url(url) => proxy::secrets(url),
        }
    }
}

/// The built-in transport: HTTP/1.1 with a pool of connections for each Tokio runtime that uses it.
///
/// A client has one already. Create one with
/// [`ClientBuilder::http_transport`](crate::ClientBuilder::http_transport) to wrap it: implement
/// [`Transport`] around it, or stack tower middleware on it with
/// [`ClientBuilder::layer`](crate::ClientBuilder::layer) or
/// [`TowerTransport`](crate::TowerTransport).
///
/// It is cheap to clone; clones share their connections.
///
/// # Examples
///
/// ```
/// use bytes::Bytes;
/// use uhub_sdk::{BoxFuture, Client, Credentials, HttpTransport, Transport, TransportError};
///
/// /// Adds a header to every request.
/// #[derive(Debug)]
/// struct Traced(HttpTransport);
///
/// impl Transport for Traced {
///     fn send(
///         &self,
///         mut request: http::Request<Bytes>,
///     ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>> {
///         let id = http::HeaderValue::from_static("4bf92f3577b34da6");
///         request.headers_mut().insert("x-trace-id", id);
///         self.0.send(request)
///     }
/// }
///
/// let builder = Client::builder().credentials(Credentials::new("public-key", "private-key"));
/// let transport = Traced(builder.http_transport()?);
/// let client = builder.transport(transport).build()?;
/// # Ok::<(), uhub_sdk::Error>(())
/// ```
#[derive(Clone)]
pub struct HttpTransport(Arc<Inner>);

struct Inner {
    pools: RuntimePools,
    endpoint: Uri,
    /// The endpoint as reqwest and the header `Host` have it, so that neither is made for each
    /// request.
    url: Url,
    host: HeaderValue,
    proxy: Option<Arc<ProxyServer>>,
    connect_timeout: Duration,
    connect_timeout_setting: &'static str,
    max_response_size: usize,
}

/// The proxy that a response came through, as an extension of the response.
#[derive(Clone)]
pub(crate) struct Via(Arc<ProxyServer>);

impl Via {
    pub(crate) fn of(response: &Response<Bytes>) -> Option<Self> {
        response.extensions().get().cloned()
    }
}

/// Shows the address of the proxy and where it is set.
impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl HttpTransport {
    /// Creates a transport. Most requests go to `endpoint`.
    pub(crate) fn new(endpoint: Uri, settings: HttpSettings) -> Result<Self, Error> {
        let server = settings.proxy.server(&endpoint, |name| env::var_os(name));
        let server = server.map_err(Error::configuration)?;
        let proxy = match &server {
            None => None,
            // The URL may contain a password, and so may the source of this error.
            Some(server) => Some(
                reqwest::Proxy::all(server.url().clone())
                    .map_err(|_| Error::configuration("invalid proxy URL."))?,
            ),
        };
        let is_https = endpoint.scheme_str() == Some("https");
        let uses_tls = is_https || server.as_ref().is_some_and(ProxyServer::is_https);
        let factory = PoolFactory {
            connect_timeout: settings.connect_timeout,
            // The pool panics for huge timeouts.
            idle_timeout: settings.idle_timeout.min(YEAR),
            max_idle_connections: settings.max_idle_connections,
            proxy,
            tls: Tls::new(&settings.tls, uses_tls).map_err(|error| match Exhausted::now() {
                Some(Exhausted::Files) => Error::configuration(
                    "certificates cannot be loaded: too many files are open: raise the limit of \
                     open files (`ulimit -n`).",
                )
                .with_source(error),
                _ => error,
            })?,
        };
        // Finds problems now instead of at the first call.
        factory.build().map_err(|error| {
            Error::configuration("the HTTP client cannot be built.")
                .with_source(error.without_url())
        })?;
        let url = Url::parse(&endpoint.to_string())
            .map_err(|error| Error::configuration("invalid base URL.").with_source(error))?;
        let host = host(&endpoint)
            .ok_or_else(|| Error::configuration("the base URL has no valid host."))?;
        Ok(Self(Arc::new(Inner {
            pools: RuntimePools::new(factory),
            endpoint,
            url,
            host,
            proxy: server.map(Arc::new),
            connect_timeout: settings.connect_timeout,
            connect_timeout_setting: settings.connect_timeout_setting,
            max_response_size: settings.max_response_size,
        })))
    }
}

impl HttpTransport {
    /// Returns the headers that are added to each request to the endpoint that lacks them.
    pub(crate) fn headers(&self) -> HeaderMap {
        let any = HeaderValue::from_static("*/*");
        HeaderMap::from_iter([(HOST, self.0.host.clone()), (ACCEPT, any)])
    }
}

impl Inner {
    async fn exchange(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let request =
            self.convert(request).map_err(|error| self.failures().response_error(error))?;
        let (mut head, body) = match self.pools.execute(request)?.await {
            Ok(response) => Response::from(response).into_parts(),
            // Boxed, since it is rare and large.
            Err(error) => return Err(Box::pin(self.failures().request_error(error)).await),
        };
        if let Some(proxy) = &self.proxy {
            if head.status == StatusCode::PROXY_AUTHENTICATION_REQUIRED {
                return Err(self.failures().refused_by_proxy(proxy, head.status));
            }
            head.extensions.insert(Via(Arc::clone(proxy)));
        }
        let failure = |error: Box<dyn StdError + Send + Sync>| match error.downcast() {
            Ok(error) => self.failures().response_error(*error),
            Err(error) => TransportError::incomplete(error),
        };
        let body = read_body(&head, body, self.max_response_size, failure).await?;
        Ok(Response::from_parts(head, body))
    }

    /// Converts the request to that of reqwest.
    fn convert(&self, request: Request<Bytes>) -> reqwest::Result<reqwest::Request> {
        if !is_same(request.uri(), &self.endpoint) {
            return reqwest::Request::try_from(request);
        }
        let (mut parts, body) = request.into_parts();
        let mut prepared = reqwest::Request::new(parts.method, self.url.clone());
        if !parts.headers.contains_key(HOST) {
            parts.headers.insert(HOST, self.host.clone());
        }
        *prepared.headers_mut() = parts.headers;
        *prepared.body_mut() = Some(body.into());
        Ok(prepared)
    }

    fn failures(&self) -> FailureContext<'_> {
        FailureContext {
            endpoint: &self.endpoint,
            proxy: self.proxy.as_deref(),
            connect_timeout: self.connect_timeout,
            connect_timeout_setting: self.connect_timeout_setting,
        }
    }
}

/// Returns the header `Host` for a URI.
fn host(uri: &Uri) -> Option<HeaderValue> {
    let default_port = if uri.scheme_str() == Some("https") { 443 } else { 80 };
    let host = uri.host()?;
    match uri.port_u16().filter(|port| *port != default_port) {
        Some(port) => HeaderValue::try_from(format!("{host}:{port}")).ok(),
        None => HeaderValue::try_from(host).ok(),
    }
}

/// Returns whether two URIs have the same text. It takes less time than `==`, which ignores case.
fn is_same(one: &Uri, other: &Uri) -> bool {
    fn parts(uri: &Uri) -> (Option<&str>, Option<&str>, Option<&str>) {
        let path = uri.path_and_query().map(PathAndQuery::as_str);
        (uri.scheme_str(), uri.authority().map(Authority::as_str), path)
    }
    parts(one) == parts(other)
}

impl Transport for HttpTransport {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(self.0.exchange(request))
    }
}

impl fmt::Debug for HttpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpTransport")
            .field("endpoint", &self.0.endpoint.to_string())
            .field("proxy", &self.0.proxy)
            .finish_non_exhaustive()
    }
}
