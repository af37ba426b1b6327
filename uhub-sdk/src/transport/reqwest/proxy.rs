//! Which proxy requests go through.

use std::{ffi::OsString, fmt};

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use http::{HeaderValue, Uri};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use url::Url;
use zeroize::Zeroizing;

/// The variables of proxies, by their precedence.
const HTTPS: [&str; 2] = ["HTTPS_PROXY", "https_proxy"];
const HTTP: [&str; 2] = ["HTTP_PROXY", "http_proxy"];
const ALL: [&str; 2] = ["ALL_PROXY", "all_proxy"];

/// Where a proxy is set.
#[derive(Debug, Clone, Copy)]
pub(super) enum ProxyOrigin {
    /// `ClientBuilder::proxy`.
    Setting,
    /// An environment variable.
    Variable(&'static str),
}

impl fmt::Display for ProxyOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setting => f.write_str("`ClientBuilder::proxy`"),
            Self::Variable(name) => f.write_str(name),
        }
    }
}

/// A proxy server. `Display` and `Debug` show its address without user name and password, and where
/// it is set.
#[derive(Clone)]
pub(crate) struct ProxyServer {
    /// May contain a password.
    url: Url,
    /// The same without user name and password, as the HTTP client reads it.
    intercept: Intercept,
    origin: ProxyOrigin,
}

impl ProxyServer {
    /// Reads a proxy's URL, whose scheme is optional.
    pub(super) fn new(text: &str, origin: ProxyOrigin) -> Result<Self, String> {
        let text = text.trim();
        let invalid = || {
            let socks = if cfg!(feature = "socks") { ", socks5://HOST:PORT" } else { "" };
            format!(
                "invalid proxy URL in {origin}: expected HOST:PORT, http://HOST:PORT{socks} or \
                 https://HOST:PORT."
            )
        };
        let url = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let mut url = Url::parse(&url).map_err(|_| invalid())?;
        match url.scheme() {
            "http" => {}
            "https" if cfg!(feature = "__tls") => {}
            "https" => {
                return Err(format!(
                    "the proxy URL in {origin} is https, which needs the feature `rustls` or \
                     `native-tls` of this crate."
                ));
            }
            "socks4" | "socks4a" | "socks5" | "socks5h" if cfg!(feature = "socks") => {
                if url.port().is_none() {
                    let _ = url.set_port(Some(1080));
                }
            }
            "socks4" | "socks4a" | "socks5" | "socks5h" => {
                return Err(format!(
                    "the proxy URL in {origin} is that of a SOCKS proxy, which needs the feature \
                     `socks` of this crate."
                ));
            }
            _ => return Err(invalid()),
        }
        // The HTTP client would ignore a proxy that it cannot read, and connect directly.
        let matcher = Matcher::builder().all(url.as_str().to_owned()).build();
        let intercept =
            matcher.intercept(&Uri::from_static("http://any.example/")).ok_or_else(invalid)?;
        Ok(Self { url, intercept, origin })
    }

    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    pub(super) fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    pub(super) fn is_socks(&self) -> bool {
        self.url.scheme().starts_with("socks")
    }

    /// Returns the address without user name and password.
    pub(super) fn uri(&self) -> &Uri {
        self.intercept.uri()
    }

    /// Returns the value of `Proxy-Authorization`.
    pub(super) fn authorization(&self) -> Option<&HeaderValue> {
        self.intercept.basic_auth()
    }
}

impl fmt::Display for ProxyServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let uri = self.uri();
        let scheme = uri.scheme_str().unwrap_or("http");
        let address = uri.authority().map_or("", |authority| authority.as_str());
        write!(f, "{scheme}://{address} (from {})", self.origin)
    }
}

impl fmt::Debug for ProxyServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProxyServer({self})")
    }
}

/// Reads the variables as curl and Go do: an empty variable counts as unset, and under CGI, where a
/// request's header `Proxy` becomes `HTTP_PROXY`, that one is ignored.
pub(super) fn from_environment(
    endpoint: &Uri,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Option<ProxyServer>, String> {
    let own = if endpoint.scheme_str() == Some("https") { HTTPS } else { HTTP };
    let names = own.into_iter().chain(ALL);
    let is_cgi = variable("REQUEST_METHOD").is_some();
    let is_trusted = |name: &str| {
        // Names are in any case on Windows.
        !is_cgi || !(name == "HTTP_PROXY" || (cfg!(windows) && name == "http_proxy"))
    };
    let text = |name: &'static str| {
        let value = variable(name)?.into_string().map(|value| value.trim().to_owned());
        match value {
            Ok(value) if value.is_empty() => None,
            Ok(value) => Some(Ok((name, value))),
            Err(_) => Some(Err(format!("environment variable {name} is not valid UTF-8."))),
        }
    };
    let Some(found) = names.filter(|name| is_trusted(name)).find_map(text) else {
        return Ok(None);
    };
    if let Some(exceptions) = ["NO_PROXY", "no_proxy"].into_iter().find_map(text)
        && is_exempt(endpoint, &exceptions?.1)
    {
        return Ok(None);
    }
    let (name, value) = found?;
    ProxyServer::new(&value, ProxyOrigin::Variable(name)).map(Some)
}

/// Returns what authenticates to any of the proxies that variables name.
pub(super) fn environment_secrets(
    variable: impl Fn(&str) -> Option<OsString>,
) -> Vec<Zeroizing<String>> {
    let urls = [HTTPS, HTTP, ALL].into_iter().flatten().filter_map(variable);
    urls.filter_map(|url| url.into_string().ok()).flat_map(|url| secrets(&url)).collect()
}

/// Returns what authenticates to the proxy with this URL: the password, the user with the password,
/// and the value of `Proxy-Authorization` if it is short.
pub(crate) fn secrets(url: &str) -> Vec<Zeroizing<String>> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let Some((user_info, _)) = authority.rsplit_once('@') else {
        return Vec::new();
    };
    let decoded = |text: &str| {
        Zeroizing::new(percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned())
    };
    let (user, password) = user_info.split_once(':').unwrap_or((user_info, ""));
    let (user, password) = (decoded(user), decoded(password));
    let pair = Zeroizing::new(format!("{}:{}", *user, *password));
    let header = Zeroizing::new(format!("Basic {}", STANDARD_NO_PAD.encode(pair.as_bytes())));
    vec![password, pair, header]
}

/// Returns whether `NO_PROXY` names the host: `*`, an IP address, a network such as `10.0.0.0/8`, or
/// a domain with all of its subdomains, each optionally with a port.
fn is_exempt(endpoint: &Uri, exceptions: &str) -> bool {
    let default_port = if endpoint.scheme_str() == Some("https") { 443 } else { 80 };
    let port = endpoint.port_u16().unwrap_or(default_port);
    let entries = exceptions.split(|c: char| c == ',' || c.is_whitespace());
    let mut hosts = Vec::new();
    for entry in entries.filter(|entry| !entry.is_empty()) {
        // An IPv6 address has colons too.
        let has_port = entry.contains("]:") || entry.matches(':').count() == 1;
        let host = match entry.rsplit_once(':') {
            Some((host, number)) if has_port => match number.parse() {
                Ok(number) if port == number => host,
                Ok::<u16, _>(_) => continue,
                Err(_) => entry,
            },
            _ => entry,
        };
        let host = host.trim_start_matches('[').trim_end_matches([']', '.']);
        if host == "*" {
            return true;
        }
        hosts.push(host.trim_start_matches('*'));
    }
    // The same rules as those of reqwest.
    let direct = "http://proxy.example".to_owned();
    Matcher::builder().all(direct).no(hosts.join(",")).build().intercept(endpoint).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the proxy of an endpoint with these variables, as it is shown.
    fn proxy(endpoint: &'static str, variables: &[(&str, &str)]) -> Result<String, String> {
        let variable = |name: &str| {
            let variable = variables.iter().find(|(variable, _)| *variable == name);
            variable.map(|(_, value)| OsString::from(value))
        };
        let server = from_environment(&Uri::from_static(endpoint), variable)?;
        Ok(server.map_or("direct".to_owned(), |server| server.to_string()))
    }

    #[test]
    fn variables_by_table() {
        const HTTP: &str = "http://service.example/";
        const HTTPS: &str = "https://service.example/";
        const IP: &str = "http://192.0.2.7:8080/";
        for (endpoint, variables, expected) in [
            (HTTP, &[][..], "direct"),
            (HTTP, &[("HTTP_PROXY", "http://a:1")], "http://a:1 (from HTTP_PROXY)"),
            (HTTP, &[("http_proxy", "http://a:1")], "http://a:1 (from http_proxy)"),
            (HTTP, &[("HTTPS_PROXY", "http://a:1")], "direct"),
            (HTTPS, &[("HTTPS_PROXY", "http://a:1")], "http://a:1 (from HTTPS_PROXY)"),
            (HTTPS, &[("https_proxy", "a:1")], "http://a:1 (from https_proxy)"),
            (HTTPS, &[("HTTP_PROXY", "http://a:1")], "direct"),
            (HTTPS, &[("ALL_PROXY", "a:1")], "http://a:1 (from ALL_PROXY)"),
            (HTTP, &[("all_proxy", "a:1")], "http://a:1 (from all_proxy)"),
            // The more specific one wins, then the one in upper case.
            (HTTP, &[("ALL_PROXY", "a:1"), ("http_proxy", "b:2")], "http://b:2 (from http_proxy)"),
            (HTTP, &[("HTTP_PROXY", "a:1"), ("http_proxy", "b:2")], "http://a:1 (from HTTP_PROXY)"),
            (HTTPS, &[("ALL_PROXY", "a:1"), ("all_proxy", "b:2")], "http://a:1 (from ALL_PROXY)"),
            // Empty is unset.
            (HTTP, &[("HTTP_PROXY", ""), ("http_proxy", "b:2")], "http://b:2 (from http_proxy)"),
            (HTTP, &[("HTTP_PROXY", " "), ("ALL_PROXY", "b:2")], "http://b:2 (from ALL_PROXY)"),
            (HTTPS, &[("HTTPS_PROXY", ""), ("NO_PROXY", "")], "direct"),
            (HTTPS, &[("HTTPS_PROXY", "a:1"), ("NO_PROXY", "")], "http://a:1 (from HTTPS_PROXY)"),
            // User info and paths are not shown.
            (HTTP, &[("HTTP_PROXY", "u:pass@a:1")], "http://a:1 (from HTTP_PROXY)"),
            (HTTP, &[("HTTP_PROXY", "http://u:pass@a:1/x")], "http://a:1 (from HTTP_PROXY)"),
            // Under CGI, a request's header `Proxy` becomes `HTTP_PROXY`.
            (HTTP, &[("REQUEST_METHOD", "GET"), ("HTTP_PROXY", "a:1")], "direct"),
            (
                HTTPS,
                &[("REQUEST_METHOD", "GET"), ("HTTPS_PROXY", "a:1")],
                "http://a:1 (from HTTPS_PROXY)",
            ),
            (
                HTTP,
                &[("REQUEST_METHOD", ""), ("HTTP_PROXY", "a:1"), ("ALL_PROXY", "b:2")],
                "http://b:2 (from ALL_PROXY)",
            ),
            // `NO_PROXY` in upper case wins.
            (
                HTTP,
                &[("HTTP_PROXY", "a:1"), ("NO_PROXY", "b.example"), ("no_proxy", "*")],
                "http://a:1 (from HTTP_PROXY)",
            ),
            (HTTP, &[("HTTP_PROXY", "a:1"), ("NO_PROXY", ""), ("no_proxy", "*")], "direct"),
            (IP, &[("HTTP_PROXY", "a:1"), ("NO_PROXY", "*")], "direct"),
            // An exception makes the proxy irrelevant, even an invalid one.
            (HTTP, &[("HTTP_PROXY", "::"), ("NO_PROXY", "service.example")], "direct"),
        ] {
            assert_eq!(proxy(endpoint, variables).as_deref(), Ok(expected), "{variables:?}");
        }
        for (variable, value, expected) in [
            ("HTTPS_PROXY", "http://u:s3cret@ bad", "invalid proxy URL in HTTPS_PROXY"),
            ("HTTPS_PROXY", "::", "invalid proxy URL in HTTPS_PROXY"),
            ("https_proxy", "ftp://u:s3cret@a:1", "invalid proxy URL in https_proxy"),
            ("ALL_PROXY", "http://", "invalid proxy URL in ALL_PROXY"),
            ("all_proxy", "a:99999", "invalid proxy URL in all_proxy"),
        ] {
            let problem = proxy(HTTPS, &[(variable, value)]).unwrap_err();
            assert!(problem.contains(expected) && !problem.contains("s3cret"), "{problem}");
        }
        let socks = proxy(HTTPS, &[("ALL_PROXY", "socks5://u:s3cret@a")]);
        if cfg!(feature = "socks") {
            assert_eq!(socks.unwrap(), "socks5://a:1080 (from ALL_PROXY)");
        } else {
            let problem = socks.unwrap_err();
            assert!(problem.contains("ALL_PROXY") && problem.contains("feature `socks`"));
            assert!(!problem.contains("s3cret"), "{problem}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_variable_that_is_not_utf_8_is_a_problem() {
        use std::os::unix::ffi::OsStringExt;

        for variable in ["HTTPS_PROXY", "NO_PROXY"] {
            let read = |name: &str| match name {
                name if name == variable => Some(OsString::from_vec(vec![b'a', 0xff])),
                "ALL_PROXY" => Some("a:1".into()),
                _ => None,
            };
            let problem = from_environment(&Uri::from_static("https://a.example/"), read);
            assert!(problem.unwrap_err().contains(variable));
        }
    }

    #[test]
    fn exceptions_by_table() {
        for (endpoint, exceptions, expected) in [
            ("http://192.0.2.7/", "*", true),
            ("http://[2001:db8::7]/", " * ", true),
            ("http://a.example/", "b.example,*", true),
            ("http://192.0.2.7/", "192.0.2.7", true),
            ("http://192.0.2.7/", "192.0.2.0/24", true),
            ("http://192.0.2.7/", "192.0.3.0/24", false),
            ("http://192.0.2.7:8080/", "192.0.2.7:8080", true),
            ("http://192.0.2.7:8080/", "192.0.2.7:80", false),
            ("http://192.0.2.7/", "192.0.2.7:80", true),
            ("https://192.0.2.7/", "192.0.2.7:443", true),
            ("http://[2001:db8::7]/", "2001:db8::7", true),
            ("http://[2001:db8::7]/", "[2001:db8::7]", true),
            ("http://[2001:db8::7]/", "2001:db8::/32", true),
            ("http://[2001:db8::7]:81/", "[2001:db8::7]:81", true),
            ("http://[2001:db8::7]:81/", "[2001:db8::7]:80", false),
            ("http://[2001:db8::7]/", "2001:db8::8", false),
            ("http://a.example/", "a.example", true),
            ("http://A.example/", "a.EXAMPLE", true),
            ("http://x.a.example/", "a.example", true),
            ("http://x.a.example/", ".a.example", true),
            ("http://x.a.example/", "*.a.example", true),
            ("http://a.example/", ".a.example", true),
            ("http://a.example/", "a.example.", true),
            ("http://ba.example/", "a.example", false),
            ("http://a.example/", "x.a.example", false),
            ("http://a.example:81/", "a.example:81", true),
            ("http://a.example:81/", "a.example:82", false),
            ("http://a.example/", "b.example a.example", true),
            ("http://a.example/", "b.example, a.example", true),
            ("http://a.example/", ",,", false),
            ("http://a.example/", "", false),
        ] {
            let endpoint = Uri::from_static(endpoint);
            assert_eq!(is_exempt(&endpoint, exceptions), expected, "{endpoint} {exceptions:?}");
        }
    }

    #[test]
    fn a_proxys_secrets_are_found_in_every_url() {
        let texts = |url: &str| -> Vec<String> {
            secrets(url).iter().map(|secret| secret.to_string()).collect()
        };
        let expected = ["p@ss:word", "user:p@ss:word", "Basic dXNlcjpwQHNzOndvcmQ"];
        assert_eq!(texts("http://user:p%40ss:word@proxy.example:3128/x@y"), expected);
        assert_eq!(texts("user:p%40ss:word@proxy.example:3128"), expected);
        assert_eq!(texts("http://user:p@ss:word@proxy.example"), expected);
        assert_eq!(texts("socks5h://proxy.example/@"), [""; 0]);
    }
}
