//! HTTP: one request out, one bounded response back. The only module that knows reqwest.

use std::{error::Error as StdError, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Request, Response, Uri};
use url::Url;

use crate::error::{Delivery, Error, ErrorKind, Failure};

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

/// The service's id of a request.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get("x-ucloud-request-uuid")?.to_str().ok()?;
    Some(id.to_owned())
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
        let response = self
            .http
            .execute(self.prepare(request)?)
            .await
            .map_err(|error| self.failure(error))?;
        let head = (response.status().as_u16(), request_id(response.headers()));
        self.read(response).await.map_err(|failure| Failure {
            head: Some(head),
            ..failure
        })
    }

    async fn read(&self, mut response: reqwest::Response) -> Result<Response<Bytes>, Failure> {
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
                // No more than is accepted was announced.
                let length = announced.and_then(|length| usize::try_from(length).ok());
                parts.reserve(length.unwrap_or(whole.len() + chunk.len()));
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
    fn prepare(&self, request: Request<Bytes>) -> Result<reqwest::Request, Failure> {
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

    fn too_large(&self, size: &str) -> Failure {
        Failure {
            kind: ErrorKind::ResponseTooLarge,
            delivery: Delivery::Unknown,
            what: format!(
                "the response is larger than the {} bytes that the client accepts: {size}. Ask for less at a time, or \
                 set `max_response_size`.",
                self.max_response_size
            ),
            may_pass: false,
            head: None,
            source: None,
        }
    }

    /// reqwest's error, without the URL: it may have a signature in it.
    fn failure(&self, error: reqwest::Error) -> Failure {
        let error = error.without_url();
        let host = self
            .endpoint
            .0
            .authority()
            .map_or("the service", |authority| authority.as_str());
        let (kind, delivery, what) = if error.is_builder() {
            (
                ErrorKind::Request,
                Delivery::NotSent,
                "the request cannot be sent".to_owned(),
            )
        } else if error.is_connect() {
            (
                ErrorKind::Connect,
                Delivery::NotSent,
                format!("no connection to {host}"),
            )
        } else if error.is_timeout() {
            (
                ErrorKind::Timeout,
                Delivery::Unknown,
                format!("{host} took too long"),
            )
        } else {
            let what = format!("the connection to {host} broke before the response was complete");
            (ErrorKind::Connection, Delivery::Unknown, what)
        };
        // reqwest says what it was doing; why it failed is at the end of the chain.
        let mut reason: &(dyn StdError + 'static) = &error;
        while let Some(source) = reason.source() {
            reason = source;
        }
        let is_tls = is_tls(reason);
        let advice = match kind {
            ErrorKind::Connect if is_tls => {
                ": check that the base URL speaks TLS, and its certificate"
            }
            ErrorKind::Connect => ": check the base URL and the network",
            _ => "",
        };
        Failure {
            kind,
            delivery,
            what: format!("{what}: {reason}{advice}."),
            // A certificate is no better the second time.
            may_pass: !is_tls,
            head: None,
            source: Some(Box::new(error)),
        }
    }
}

#[cfg(feature = "rustls")]
fn is_tls(reason: &(dyn StdError + 'static)) -> bool {
    let is_rustls = |error: &(dyn StdError + Send + Sync + 'static)| error.is::<rustls::Error>();
    let inner = reason
        .downcast_ref::<std::io::Error>()
        .and_then(std::io::Error::get_ref);
    reason.is::<rustls::Error>() || inner.is_some_and(is_rustls)
}

#[cfg(not(feature = "rustls"))]
fn is_tls(_: &(dyn StdError + 'static)) -> bool {
    false
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
