//! The built-in transport, a connection pool. The only module that uses reqwest.

use std::{error::Error as StdError, time::Duration};

use bytes::Bytes;
use http::{Request, Response, Uri};
use url::Url;

use crate::{
    error::Error,
    transport::{BoxFuture, MAX_RESPONSE_SIZE, Transport, TransportError, read_body, root_cause},
};

const YEAR: Duration = Duration::from_secs(60 * 60 * 24 * 365);

#[derive(Clone)]
pub(crate) struct HttpSettings {
    pub(crate) connect_timeout: Duration,
    pub(crate) max_response_size: usize,
    pub(crate) proxy: Proxy,
    /// PEM certificates to trust in addition to those of the operating system.
    pub(crate) roots: Vec<Vec<u8>>,
    pub(crate) idle_timeout: Duration,
    pub(crate) max_idle_connections: usize,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            max_response_size: MAX_RESPONSE_SIZE,
            proxy: Proxy::Environment,
            roots: Vec::new(),
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

/// A pool of connections.
#[derive(Debug)]
pub(crate) struct HttpClient {
    http: reqwest::Client,
    /// The endpoint in both representations, so that it is not parsed for each request.
    endpoint: (Uri, Url),
    max_response_size: usize,
}

impl HttpClient {
    /// Creates a pool. Most requests go to `endpoint`.
    pub(crate) fn new(endpoint: Uri, settings: HttpSettings) -> Result<Self, Error> {
        let mut builder = reqwest::Client::builder()
            // A redirect would send a signed request elsewhere.
            .redirect(reqwest::redirect::Policy::none())
            // The client retries by itself.
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(settings.connect_timeout)
            // The pool panics for huge timeouts.
            .pool_idle_timeout(settings.idle_timeout.min(YEAR))
            .pool_max_idle_per_host(settings.max_idle_connections);
        match &settings.proxy {
            Proxy::Environment => {}
            Proxy::Disabled => builder = builder.no_proxy(),
            Proxy::Url(url) => {
                // The URL may contain a password, and so may the source of this error.
                let invalid = |_| Error::configuration("invalid proxy URL.");
                builder = builder.proxy(reqwest::Proxy::all(url).map_err(invalid)?);
            }
        }
        let is_https = endpoint.scheme_str() == Some("https");
        let http = tls(builder, is_https, &settings.roots)?.build().map_err(|error| {
            Error::configuration("the HTTP client cannot be built.")
                .with_source(error.without_url())
        })?;
        let url = Url::parse(&endpoint.to_string())
            .map_err(|error| Error::configuration("invalid base URL.").with_source(error))?;
        Ok(Self { http, endpoint: (endpoint, url), max_response_size: settings.max_response_size })
    }

    async fn exchange(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let response =
            self.http.execute(self.convert(request)?).await.map_err(|error| self.error(error))?;
        read_body(Response::from(response), self.max_response_size, |error| {
            match error.downcast::<reqwest::Error>() {
                Ok(error) => self.error(*error),
                Err(error) => TransportError::incomplete(error),
            }
        })
        .await
    }

    /// Converts the request to that of reqwest.
    fn convert(&self, request: Request<Bytes>) -> Result<reqwest::Request, TransportError> {
        let (endpoint, url) = &self.endpoint;
        if request.uri() != endpoint {
            return reqwest::Request::try_from(request).map_err(|error| self.error(error));
        }
        let (parts, body) = request.into_parts();
        let mut prepared = reqwest::Request::new(parts.method, url.clone());
        *prepared.headers_mut() = parts.headers;
        *prepared.body_mut() = Some(body.into());
        Ok(prepared)
    }

    /// Converts an error of reqwest, without its URL, which may contain a signature.
    fn error(&self, error: reqwest::Error) -> TransportError {
        let error = error.without_url();
        let authority = self.endpoint.0.authority();
        let host = authority.map_or("the service", |authority| authority.as_str());
        let cause = root_cause(&error);
        let is_tls = is_tls(&error);
        let converted = if error.is_builder() {
            TransportError::invalid_request(format!("the request cannot be sent: {cause}."))
        } else if error.is_connect() {
            let advice = if is_tls {
                "check that the base URL supports TLS, and its certificate"
            } else {
                "check the base URL and the network"
            };
            TransportError::not_connected(format!("cannot connect to {host}: {cause}: {advice}."))
        } else if error.is_timeout() {
            TransportError::timed_out(format!("{host} took too long: {cause}."))
        } else {
            TransportError::interrupted(format!(
                "the connection to {host} broke before the response was complete: {cause}."
            ))
        };
        // An invalid certificate stays invalid.
        let converted = if is_tls { converted.permanent() } else { converted };
        converted.with_source(error)
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

/// Returns whether TLS is the cause, for example an invalid certificate.
fn is_tls(error: &(dyn StdError + 'static)) -> bool {
    // The `source` of an I/O error skips its inner error.
    let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    is_tls_error(error)
        || inner.is_some_and(|inner| is_tls(inner))
        || error.source().is_some_and(is_tls)
}

#[cfg(feature = "rustls")]
fn is_tls_error(error: &(dyn StdError + 'static)) -> bool {
    error.is::<rustls::Error>()
}

// The error types of the native libraries need their crates as dependencies.
#[cfg(not(feature = "rustls"))]
fn is_tls_error(error: &(dyn StdError + 'static)) -> bool {
    cfg!(feature = "native-tls") && error.to_string().contains("certificate")
}

#[cfg(any(feature = "rustls", feature = "native-tls"))]
fn invalid_root() -> Error {
    Error::configuration(
        "invalid root certificate: expected PEM, with `-----BEGIN CERTIFICATE-----`.",
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
            extra.push(certificate.map_err(|error| invalid_root().with_source(error))?);
        }
        if extra.len() == before {
            return Err(invalid_root());
        }
    }
    // Naming the provider here avoids the need for a default one of the process.
    let provider = Arc::new(ring::default_provider());
    let unable = |error| Error::configuration("TLS cannot be initialized.").with_source(error);
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(unable)?;
    let config = if is_https {
        let verifier = Verifier::new_with_extra_roots(extra, provider).map_err(unable)?;
        config.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
    } else {
        // Plain HTTP needs no certificates: do not load them.
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
            .map_err(|error| invalid_root().with_source(error))?;
        if bundle.is_empty() {
            return Err(invalid_root());
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
            "an https base URL needs TLS: enable the feature `rustls` or `native-tls` of uhub-sdk.",
        ));
    }
    Ok(builder)
}
