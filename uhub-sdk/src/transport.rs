//! HTTP: one request out, one bounded response back. The only module that knows reqwest.

use std::{error::Error as StdError, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{Request, Response, Uri};
use url::Url;

use crate::error::{Delivery, Error, ErrorKind};

/// What a transport is built with.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Where most requests go.
    pub(crate) endpoint: Uri,
    pub(crate) connect_timeout: Duration,
    pub(crate) max_response_size: usize,
    /// Whether the service is this machine: no proxy stands before it.
    pub(crate) is_loopback: bool,
}

/// A pool of connections.
#[derive(Debug)]
pub(crate) struct Transport {
    http: reqwest::Client,
    /// As HTTP has it and as reqwest does: it need not be parsed for every request.
    endpoint: (Uri, Url),
    max_response_size: usize,
}

/// Why there is no response.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) kind: ErrorKind,
    pub(crate) delivery: Delivery,
    pub(crate) what: String,
    pub(crate) source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Transport {
    pub(crate) fn new(settings: Settings) -> Result<Self, Error> {
        let mut builder = reqwest::Client::builder()
            // A redirect would send a signed request to somewhere else.
            .redirect(reqwest::redirect::Policy::none())
            // Whether to repeat a request is not for the transport to say.
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(settings.connect_timeout);
        if settings.is_loopback {
            builder = builder.no_proxy();
        }
        let http = tls(builder, settings.endpoint.scheme_str() == Some("https"))?
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

    /// Sends a request and reads its response to the end.
    pub(crate) async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Failure> {
        let mut response = self
            .http
            .execute(self.prepare(request)?)
            .await
            .map_err(failure)?;
        let announced = response.content_length();
        if announced.is_some_and(|length| length > self.max_response_size as u64) {
            return Err(self.too_large(&format!("{} bytes", announced.unwrap_or_default())));
        }
        let mut answer = Response::new(Bytes::new());
        *answer.status_mut() = response.status();
        *answer.headers_mut() = std::mem::take(response.headers_mut());
        // Nearly always the whole body comes at once, and need not be copied.
        let mut whole = Bytes::new();
        let mut parts = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(failure)? {
            if whole.len() + parts.len() + chunk.len() > self.max_response_size {
                return Err(self.too_large("it goes on"));
            }
            if whole.is_empty() && parts.is_empty() {
                whole = chunk;
            } else {
                parts.extend_from_slice(&std::mem::take(&mut whole));
                parts.extend_from_slice(&chunk);
            }
        }
        *answer.body_mut() = if parts.is_empty() {
            whole
        } else {
            parts.freeze()
        };
        Ok(answer)
    }

    /// The request as reqwest has it.
    fn prepare(&self, request: Request<Bytes>) -> Result<reqwest::Request, Failure> {
        let (endpoint, url) = &self.endpoint;
        if request.uri() != endpoint {
            return reqwest::Request::try_from(request).map_err(failure);
        }
        let (parts, body) = request.into_parts();
        let mut prepared = reqwest::Request::new(parts.method, url.clone());
        *prepared.headers_mut() = parts.headers;
        *prepared.body_mut() = Some(body.into());
        Ok(prepared)
    }

    fn too_large(&self, size: &str) -> Failure {
        Failure {
            kind: ErrorKind::ResponseTooLarge,
            delivery: Delivery::Unknown,
            what: format!(
                "the response is larger than the {} bytes that the client accepts: {size}. Ask for less at a time, or \
                 set `max_response_size`.",
                self.max_response_size
            ),
            source: None,
        }
    }
}

/// reqwest's error, without the URL: it may have a signature in it.
fn failure(error: reqwest::Error) -> Failure {
    let error = error.without_url();
    let (kind, delivery, what) = if error.is_builder() {
        (
            ErrorKind::Request,
            Delivery::NotSent,
            "the request cannot be sent",
        )
    } else if error.is_connect() {
        (
            ErrorKind::Connect,
            Delivery::NotSent,
            "no connection to the service",
        )
    } else if error.is_timeout() {
        (
            ErrorKind::Timeout,
            Delivery::Unknown,
            "the service took too long",
        )
    } else {
        (
            ErrorKind::Connection,
            Delivery::Unknown,
            "the connection broke before the response was complete",
        )
    };
    // reqwest says what it was doing; why it failed is at the end of the chain.
    let mut reason: &dyn StdError = &error;
    while let Some(source) = reason.source() {
        reason = source;
    }
    Failure {
        kind,
        delivery,
        what: format!("{what}: {reason}."),
        source: Some(Box::new(error)),
    }
}

#[cfg(feature = "rustls")]
fn tls(builder: reqwest::ClientBuilder, is_tls: bool) -> Result<reqwest::ClientBuilder, Error> {
    use std::sync::Arc;

    use rustls::{ClientConfig, RootCertStore, crypto::ring};
    use rustls_platform_verifier::BuilderVerifierExt;

    // The provider is named here, so that the process need not have a default one.
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|config| {
            if is_tls {
                config.with_platform_verifier()
            } else {
                // Without https there is nothing to verify, and no store to load.
                Ok(config.with_root_certificates(RootCertStore::empty()))
            }
        })
        .map_err(|error| Error::configuration("TLS cannot be set up.").with_source(error))?;
    Ok(builder.tls_backend_preconfigured(config.with_no_client_auth()))
}

#[cfg(not(feature = "rustls"))]
fn tls(builder: reqwest::ClientBuilder, is_tls: bool) -> Result<reqwest::ClientBuilder, Error> {
    if is_tls {
        return Err(Error::configuration(
            "this build of uhub-sdk has no TLS, and the base URL is https: enable the feature `rustls`.",
        ));
    }
    Ok(builder)
}
