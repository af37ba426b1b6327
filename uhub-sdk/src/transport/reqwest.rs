//! The built-in transport: a pool of connections. The only module that knows reqwest.

use std::{error::Error as StdError, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{Request, Response, Uri};
use url::Url;

use crate::{
    error::{Error, ErrorKind, Execution},
    transport::{BoxFuture, Transport, TransportError, reason, request_id},
};

const YEAR: Duration = Duration::from_secs(60 * 60 * 24 * 365);
/// How many bytes are made room for before they come.
const MOST_RESERVED: usize = 1 << 20;

/// What a transport is built with.
pub(crate) struct Settings {
    /// Where most requests go.
    pub(crate) endpoint: Uri,
    pub(crate) connect_timeout: Duration,
    pub(crate) max_response_size: usize,
    pub(crate) proxy: Proxy,
    /// Certificates as PEM, beside those of the operating system.
    pub(crate) roots: Vec<Vec<u8>>,
    pub(crate) idle_timeout: Duration,
    pub(crate) max_idle_connections: usize,
}

/// What stands between the client and the service.
#[derive(Clone)]
pub(crate) enum Proxy {
    /// What the environment names, such as `HTTPS_PROXY`.
    FromEnvironment,
    Nothing,
    /// A URL, in which there may be a password.
    Given(String),
}

/// A pool of connections.
#[derive(Debug)]
pub(crate) struct HttpClient {
    http: reqwest::Client,
    /// As HTTP has it and as reqwest does: it need not be parsed for every request.
    endpoint: (Uri, Url),
    max_response_size: usize,
}

impl HttpClient {
    pub(crate) fn new(settings: Settings) -> Result<Self, Error> {
        let mut builder = reqwest::Client::builder()
            // A redirect would send a signed request to somewhere else.
            .redirect(reqwest::redirect::Policy::none())
            // Whether to repeat a request is not for the transport to say.
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(settings.connect_timeout)
            // What is longer than all time makes the pool panic.
            .pool_idle_timeout(settings.idle_timeout.min(YEAR))
            .pool_max_idle_per_host(settings.max_idle_connections);
        match &settings.proxy {
            Proxy::FromEnvironment => {}
            Proxy::Nothing => builder = builder.no_proxy(),
            Proxy::Given(url) => {
                // The URL was checked; it may have a password in it, and is not repeated.
                let no_proxy = |_| Error::configuration("the proxy's URL cannot be used.");
                builder = builder.proxy(reqwest::Proxy::all(url).map_err(no_proxy)?);
            }
        }
        let is_https = settings.endpoint.scheme_str() == Some("https");
        let http = tls(builder, is_https, &settings.roots)?
            .build()
            .map_err(|error| {
                Error::configuration("the HTTP client cannot be built.")
                    .with_source(error.without_url())
            })?;
        let url = Url::parse(&settings.endpoint.to_string())
            .map_err(|error| Error::configuration("the base URL is no URL.").with_source(error))?;
        Ok(Self {
            http,
            endpoint: (settings.endpoint, url),
            max_response_size: settings.max_response_size,
        })
    }

    async fn exchange(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let response = self
            .http
            .execute(self.prepare(request)?)
            .await
            .map_err(|error| self.failure(error))?;
        let head = (response.status().as_u16(), request_id(response.headers()));
        self.read(response).await.map_err(|failure| TransportError {
            head: Some(head),
            ..failure
        })
    }

    async fn read(
        &self,
        mut response: reqwest::Response,
    ) -> Result<Response<Bytes>, TransportError> {
        let announced = response.content_length();
        if let Some(length) = announced.filter(|length| *length > self.max_response_size as u64) {
            return Err(self.too_large(&format!("it has {length} bytes")));
        }
        let mut answer = Response::new(Bytes::new());
        *answer.status_mut() = response.status();
        *answer.headers_mut() = std::mem::take(response.headers_mut());
        // Nearly always the whole body comes at once, and need not be copied.
        let mut whole = Bytes::new();
        let mut parts = BytesMut::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| self.failure(error))?
        {
            if whole.len() + parts.len() + chunk.len() > self.max_response_size {
                return Err(self.too_large("there is more to come"));
            }
            if whole.is_empty() && parts.is_empty() {
                whole = chunk;
                continue;
            }
            if parts.is_empty() {
                let length = announced.and_then(|length| usize::try_from(length).ok());
                // It is only announced, so far.
                let length = length.unwrap_or(whole.len() + chunk.len());
                parts.reserve(length.min(MOST_RESERVED));
                parts.extend_from_slice(&std::mem::take(&mut whole));
            }
            parts.extend_from_slice(&chunk);
        }
        *answer.body_mut() = if parts.is_empty() {
            whole
        } else {
            parts.freeze()
        };
        Ok(answer)
    }

    /// The request as reqwest has it.
    fn prepare(&self, request: Request<Bytes>) -> Result<reqwest::Request, TransportError> {
        let (endpoint, url) = &self.endpoint;
        if request.uri() != endpoint {
            return reqwest::Request::try_from(request).map_err(|error| self.failure(error));
        }
        let (parts, body) = request.into_parts();
        let mut prepared = reqwest::Request::new(parts.method, url.clone());
        *prepared.headers_mut() = parts.headers;
        *prepared.body_mut() = Some(body.into());
        Ok(prepared)
    }

    fn too_large(&self, size: &str) -> TransportError {
        TransportError::too_large(self.max_response_size, size)
    }

    /// reqwest's error, without the URL: it may have a signature in it.
    fn failure(&self, error: reqwest::Error) -> TransportError {
        let error = error.without_url();
        let host = self
            .endpoint
            .0
            .authority()
            .map_or("the service", |authority| authority.as_str());
        let (kind, execution, what) = if error.is_builder() {
            (
                ErrorKind::Request,
                Execution::NotSent,
                "the request cannot be sent".to_owned(),
            )
        } else if error.is_connect() {
            (
                ErrorKind::Connect,
                Execution::NotSent,
                format!("no connection to {host}"),
            )
        } else if error.is_timeout() {
            (
                ErrorKind::Timeout,
                Execution::Unknown,
                format!("{host} took too long"),
            )
        } else {
            let what = format!("the connection to {host} broke before the response was complete");
            (ErrorKind::Connection, Execution::Unknown, what)
        };
        let reason = reason(&error);
        let is_tls = is_tls(&error);
        let advice = match kind {
            ErrorKind::Connect if is_tls => {
                ": check that the base URL speaks TLS, and its certificate"
            }
            ErrorKind::Connect => ": check the base URL and the network",
            _ => "",
        };
        TransportError {
            kind,
            execution,
            what: format!("{what}: {reason}{advice}."),
            // A certificate is no better the second time.
            may_pass: !is_tls,
            head: None,
            source: Some(Box::new(error)),
        }
    }
}

impl Transport for HttpClient {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(self.exchange(request))
    }
}

/// Whether TLS is why: a certificate, a protocol.
fn is_tls(error: &(dyn StdError + 'static)) -> bool {
    // An I/O error hides what it was made of from `source`.
    let made_of = error
        .downcast_ref::<std::io::Error>()
        .and_then(std::io::Error::get_ref);
    is_tls_error(error)
        || made_of.is_some_and(|inner| is_tls(inner))
        || error.source().is_some_and(is_tls)
}

#[cfg(feature = "rustls")]
fn is_tls_error(error: &(dyn StdError + 'static)) -> bool {
    error.is::<rustls::Error>()
}

// What the operating system's library says has no type that its crate would not have to be named for.
#[cfg(not(feature = "rustls"))]
fn is_tls_error(error: &(dyn StdError + 'static)) -> bool {
    cfg!(feature = "native-tls") && error.to_string().contains("certificate")
}

#[cfg(any(feature = "rustls", feature = "native-tls"))]
fn bad_root() -> Error {
    Error::configuration(
        "a root certificate is not one: expected PEM, with `-----BEGIN CERTIFICATE-----`.",
    )
}

#[cfg(feature = "rustls")]
fn tls(
    builder: reqwest::ClientBuilder,
    is_https: bool,
    roots: &[Vec<u8>],
) -> Result<reqwest::ClientBuilder, Error> {
    use std::sync::Arc;

    use rustls::{
        ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, pem::PemObject},
    };
    use rustls_platform_verifier::Verifier;

    let mut extra = Vec::new();
    for pem in roots {
        let before = extra.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            extra.push(certificate.map_err(|error| bad_root().with_source(error))?);
        }
        if extra.len() == before {
            return Err(bad_root());
        }
    }
    // The provider is named here, so that the process need not have a default one.
    let provider = Arc::new(ring::default_provider());
    let unable = |error| Error::configuration("TLS cannot be set up.").with_source(error);
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(unable)?;
    let config = if is_https {
        let verifier = Verifier::new_with_extra_roots(extra, provider).map_err(unable)?;
        config
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
    } else {
        // Without https there is nothing to verify, and no store to load.
        config.with_root_certificates(RootCertStore::empty())
    };
    Ok(builder.tls_backend_preconfigured(config.with_no_client_auth()))
}

#[cfg(all(feature = "native-tls", not(feature = "rustls")))]
fn tls(
    builder: reqwest::ClientBuilder,
    _: bool,
    roots: &[Vec<u8>],
) -> Result<reqwest::ClientBuilder, Error> {
    let mut certificates = Vec::new();
    for pem in roots {
        let bundle = reqwest::Certificate::from_pem_bundle(pem)
            .map_err(|error| bad_root().with_source(error))?;
        if bundle.is_empty() {
            return Err(bad_root());
        }
        certificates.extend(bundle);
    }
    Ok(builder.tls_backend_native().tls_certs_merge(certificates))
}

#[cfg(not(any(feature = "rustls", feature = "native-tls")))]
fn tls(
    builder: reqwest::ClientBuilder,
    is_https: bool,
    _: &[Vec<u8>],
) -> Result<reqwest::ClientBuilder, Error> {
    if is_https {
        return Err(Error::configuration(
            "this build of uhub-sdk has no TLS, and the base URL is https: enable the feature `rustls`.",
        ));
    }
    Ok(builder)
}
