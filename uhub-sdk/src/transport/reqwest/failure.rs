//! Converts errors of reqwest, and finds out what a proxy did.

use std::{error::Error as StdError, io, time::Duration};

use http::{StatusCode, Uri};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    error::{Seconds, StatusText},
    transport::{Exhausted, TransportError, causes, is_timeout, reqwest::proxy::ProxyServer},
};

/// What the errors of a transport are about.
pub(super) struct FailureContext<'a> {
    pub(super) endpoint: &'a Uri,
    pub(super) proxy: Option<&'a ProxyServer>,
    pub(super) connect_timeout: Duration,
    pub(super) connect_timeout_setting: &'static str,
}

impl FailureContext<'_> {
    /// Converts the error of a request, without its URL, which may contain a signature.
    pub(super) async fn request_error(&self, error: reqwest::Error) -> TransportError {
        if !error.is_connect() || is_certificate_refused(&error) {
            return self.response_error(error);
        }
        let error = error.without_url();
        self.not_connected(&error).await.with_source(error)
    }

    /// Converts an error after the connection was made.
    pub(super) fn response_error(&self, error: reqwest::Error) -> TransportError {
        let error = error.without_url();
        let (host, through) = (self.host(), self.through());
        let converted = if error.is_builder() {
            TransportError::invalid_request("the request cannot be sent.")
        } else if is_certificate_refused(&error) {
            // In TLS 1.3, the refusal may arrive after the request was sent. It is not read then.
            TransportError::not_connected(format!(
                "{host}{through} requires another TLS client certificate: check \
                 `client_certificate`."
            ))
            .permanent()
        } else if is_timeout(&error) {
            TransportError::timed_out(format!("{host}{through} took too long to respond."))
        } else {
            TransportError::interrupted(format!(
                "the connection to {host}{through} broke before the response was complete."
            ))
        };
        converted.with_source(error)
    }

    fn host(&self) -> &str {
        self.endpoint.authority().map_or("the service", |authority| authority.as_str())
    }

    fn through(&self) -> String {
        self.proxy.map(|proxy| format!(" through the proxy {proxy}")).unwrap_or_default()
    }

    async fn not_connected(&self, error: &reqwest::Error) -> TransportError {
        let host = self.host();
        if let Some(exhausted) = Exhausted::of(error).or_else(|| Exhausted::of_resolver(error)) {
            let message = format!("cannot connect to {host}: {}.", exhausted.advice());
            return TransportError { is_local: true, ..TransportError::not_connected(message) };
        }
        if let Some(proxy) = self.proxy
            && let Some(failure) = self.proxy_failure(proxy, error).await
        {
            return failure;
        }
        let is_tls = is_tls(error);
        let advice = match self.proxy {
            _ if is_tls => "check that the base URL supports TLS, and its certificate",
            Some(_) => "check the base URL, the proxy and the network",
            None => "check the base URL and the network",
        };
        let (through, limit) = (self.through(), self.limit(error));
        let message = format!("cannot connect to {host}{through}{limit}: {advice}.");
        self.connect_error(message, error)
    }

    /// Returns an error that is permanent if TLS is the cause: an invalid certificate stays invalid.
    fn connect_error(&self, message: String, error: &reqwest::Error) -> TransportError {
        let mut converted = TransportError::not_connected(message);
        converted.is_timeout = is_timeout(error);
        if is_tls(error) { converted.permanent() } else { converted }
    }

    /// Names the time limit, if it was exceeded.
    fn limit(&self, error: &reqwest::Error) -> String {
        if is_timeout(error) && !has_system_error(error) {
            format!(" within {} ({})", Seconds(self.connect_timeout), self.connect_timeout_setting)
        } else {
            String::new()
        }
    }

    /// Returns the error if the proxy is the cause.
    async fn proxy_failure(
        &self,
        proxy: &ProxyServer,
        error: &reqwest::Error,
    ) -> Option<TransportError> {
        let host = self.host();
        if causes(error).any(|cause| cause.to_string() == "error resolving for socks proxy") {
            let scheme = proxy.url().scheme();
            let resolving = if scheme.starts_with("socks4") { "socks4a" } else { "socks5h" };
            return Some(TransportError::not_connected(format!(
                "cannot resolve {host}, which the proxy {proxy} leaves to this machine: check the \
                 base URL, or let the proxy resolve names by `{resolving}://`."
            )));
        }
        // The types of these errors are private to the HTTP client.
        let reason = causes(error).find_map(|cause| {
            let text = cause.to_string();
            let prefixes = ["tunnel error: ", "SOCKS error: "];
            prefixes.iter().find_map(|prefix| text.strip_prefix(prefix).map(str::to_owned))
        });
        let is_reached = match reason.as_deref() {
            Some("failed to create underlying connection") => false,
            Some("proxy authorization required") => {
                let status = StatusCode::PROXY_AUTHENTICATION_REQUIRED;
                return Some(self.refused_by_proxy(proxy, status));
            }
            Some(reason) => {
                if reason == "unsuccessful"
                    && let Some(status) = self.tunnel_status(proxy).await
                {
                    return Some(self.refused_by_proxy(proxy, status));
                }
                let is_socks = proxy.is_socks();
                let refuses_user =
                    is_socks && (reason.contains("auth") || reason.contains("credentials"));
                let advice = match is_socks {
                    _ if refuses_user => "check the user name and the password in the proxy URL",
                    true => "check its log, and that it is a SOCKS proxy",
                    false => "check its log, and that it is an HTTP proxy",
                };
                let message = format!("the proxy {proxy} did not connect to {host}: {advice}.");
                let error = TransportError::not_connected(message);
                return Some(if refuses_user { error.permanent() } else { error });
            }
            // Without a tunnel, the only connection is that to the proxy.
            None => self.endpoint.scheme_str() == Some("https") || proxy.is_socks(),
        };
        if is_reached {
            return None;
        }
        let advice = if is_tls(error) {
            "check that it supports TLS, and its certificate"
        } else {
            "check its address, and that it is running"
        };
        let limit = self.limit(error);
        let message = format!("cannot connect to the proxy {proxy}{limit}: {advice}.");
        Some(self.connect_error(message, error))
    }

    /// Returns the error for a proxy's own response.
    pub(super) fn refused_by_proxy(
        &self,
        proxy: &ProxyServer,
        status: StatusCode,
    ) -> TransportError {
        let advice = if status == StatusCode::PROXY_AUTHENTICATION_REQUIRED {
            match proxy.authorization() {
                Some(_) => "check the user name and the password in the proxy URL",
                None => "add a user name and a password to the proxy URL",
            }
        } else if status.is_server_error() {
            "the proxy cannot reach it"
        } else {
            "check that the proxy allows it"
        };
        let (host, shown) = (self.host(), StatusText(status));
        let message =
            format!("the proxy {proxy} refused to connect to {host}: HTTP {shown}: {advice}.");
        let error = TransportError::not_connected(message).with_status(status);
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            error
        } else {
            error.permanent()
        }
    }

    /// Asks the proxy for a tunnel again to learn its status, which the HTTP client does not report.
    async fn tunnel_status(&self, proxy: &ProxyServer) -> Option<StatusCode> {
        if proxy.is_https() {
            return None;
        }
        // The time for connecting leaves this much of the attempt's.
        let limit = (self.connect_timeout / 8).min(Duration::from_secs(1));
        tokio::time::timeout(limit, self.ask_for_tunnel(proxy)).await.ok()?
    }

    async fn ask_for_tunnel(&self, proxy: &ProxyServer) -> Option<StatusCode> {
        let target =
            format!("{}:{}", self.endpoint.host()?, self.endpoint.port_u16().unwrap_or(443));
        let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n").into_bytes();
        if let Some(value) = proxy.authorization() {
            request.extend(b"Proxy-Authorization: ");
            request.extend(value.as_bytes());
            request.extend(b"\r\n");
        }
        request.extend(b"\r\n");
        let uri = proxy.uri();
        let host = uri.host()?.trim_start_matches('[').trim_end_matches(']');
        let mut connection = TcpStream::connect((host, uri.port_u16().unwrap_or(80))).await.ok()?;
        connection.write_all(&request).await.ok()?;
        // `HTTP/1.1 403`
        let mut start = [0; 12];
        connection.read_exact(&mut start).await.ok()?;
        let status = StatusCode::from_bytes(start.get(9..)?).ok()?;
        (start.starts_with(b"HTTP/1.") && !status.is_success()).then_some(status)
    }
}

/// Returns whether TLS is the cause, for example an invalid certificate.
fn is_tls(error: &(dyn StdError + 'static)) -> bool {
    causes(error).any(is_tls_error)
}

#[cfg(feature = "__rustls")]
fn is_tls_error(error: &(dyn StdError + 'static)) -> bool {
    error.is::<rustls::Error>()
}

// Some errors of the network are of this type too, so it does not decide.
#[cfg(not(feature = "__rustls"))]
fn is_tls_error(error: &(dyn StdError + 'static)) -> bool {
    cfg!(feature = "native-tls") && error.to_string().contains("certificate")
}

/// Returns whether the server ended the TLS handshake because of the client's certificate.
#[cfg(feature = "__rustls")]
fn is_certificate_refused(error: &(dyn StdError + 'static)) -> bool {
    use rustls::{AlertDescription as Alert, Error};

    causes(error).any(|cause| {
        matches!(
            cause.downcast_ref(),
            Some(Error::AlertReceived(
                Alert::AccessDenied
                    | Alert::BadCertificate
                    | Alert::CertificateExpired
                    | Alert::CertificateRequired
                    | Alert::CertificateRevoked
                    | Alert::CertificateUnknown
                    | Alert::UnknownCA
                    | Alert::UnsupportedCertificate
            ))
        )
    })
}

#[cfg(not(feature = "__rustls"))]
fn is_certificate_refused(error: &(dyn StdError + 'static)) -> bool {
    cfg!(feature = "native-tls")
        && causes(error).any(|cause| cause.to_string().contains("alert certificate required"))
}

/// Returns whether the operating system reported the error.
fn has_system_error(error: &(dyn StdError + 'static)) -> bool {
    causes(error)
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|error| error.raw_os_error().is_some())
}
