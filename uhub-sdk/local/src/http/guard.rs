//! Recognizes requests that do not come from a client: a web page made a browser send them.
//!
//! A page's own requests have an `Origin`, a `Referer` or a `Sec-Fetch-Site`. After DNS rebinding
//! they have none, but a `Host` that DNS can redirect.

use std::net::IpAddr;

use http::header::{HOST, HeaderName, ORIGIN, REFERER};
use http::{request::Parts, uri::Authority};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

pub(crate) const WEB_PAGE: &str = "web pages cannot use this server";
pub(crate) const FOREIGN_HOST: &str = "the host is not this machine: use an IP address, \
    `localhost`, or a name that the server was started with (`--allow-host`)";

/// By which names clients may reach the server.
#[derive(Clone, Debug, Default)]
pub(crate) struct AllowedHosts {
    /// Names besides `localhost`.
    pub(crate) names: Vec<String>,
    /// Whether an address may be another than loopback.
    pub(crate) any_address: bool,
}

impl AllowedHosts {
    fn allow(&self, host: &str) -> bool {
        let Some(name) = host_name(host) else {
            return false;
        };
        let is_allowed = |allowed: &String| name.eq_ignore_ascii_case(allowed);
        match name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
            Ok(address) => self.any_address || address.to_canonical().is_loopback(),
            Err(_) => name.eq_ignore_ascii_case("localhost") || self.names.iter().any(is_allowed),
        }
    }
}

/// Refuses a web page's request.
pub(crate) fn check(head: &Parts, allowed: &AllowedHosts) -> Result<(), &'static str> {
    let fetch_site = head.headers.get(SEC_FETCH_SITE);
    // `none` is a person's own: an address that was typed.
    let is_page = head.headers.contains_key(ORIGIN)
        || head.headers.contains_key(REFERER)
        || fetch_site.is_some_and(|site| site != "none");
    if is_page {
        return Err(WEB_PAGE);
    }
    let mut hosts = head.headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return Err(FOREIGN_HOST);
    };
    // A request to a proxy has a host in its first line too.
    let authority = head.uri.authority().map(Authority::as_str);
    let is_allowed = host.to_str().is_ok_and(|host| allowed.allow(host))
        && authority.is_none_or(|authority| allowed.allow(authority));
    if is_allowed { Ok(()) } else { Err(FOREIGN_HOST) }
}

/// The host without its port. `None` for anything else, such as one with user information.
fn host_name(host: &str) -> Option<String> {
    let authority = host.parse::<Authority>().ok()?;
    let name = authority.host();
    let is_plain = host == name || authority.port_u16().is_some();
    (is_plain && !host.contains('@')).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn refusal(headers: &[(&str, &str)], allowed: &AllowedHosts) -> Option<&'static str> {
        let mut request = Request::get("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (head, ()) = request.body(()).unwrap().into_parts();
        check(&head, allowed).err()
    }

    #[test]
    fn hosts_are_this_machine_or_allowed() {
        let loopback = AllowedHosts::default();
        let network = AllowedHosts { names: vec!["uhub".to_owned()], any_address: true };
        for (host, is_loopback, is_network) in [
            ("localhost", true, true),
            ("LOCALHOST:8080", true, true),
            ("127.0.0.1:80", true, true),
            ("127.9.9.9", true, true),
            ("[::1]:80", true, true),
            ("[::ffff:127.0.0.1]", true, true),
            ("10.0.0.5:80", false, true),
            ("uhub:80", false, true),
            ("UHUB", false, true),
            ("page.example", false, false),
            ("localhost.page.example", false, false),
            ("127.0.0.1.page.example", false, false),
            ("127.0.0.1:1@page.example", false, false),
            ("page.example@127.0.0.1:80", false, false),
            ("localhost:http", false, false),
            ("[::1", false, false),
            ("", false, false),
        ] {
            assert_eq!(refusal(&[("host", host)], &loopback).is_none(), is_loopback, "{host}");
            assert_eq!(refusal(&[("host", host)], &network).is_none(), is_network, "{host}");
        }
        assert_eq!(refusal(&[], &network), Some(FOREIGN_HOST));
        let two = [("host", "localhost"), ("host", "localhost")];
        assert_eq!(refusal(&two, &network), Some(FOREIGN_HOST));
    }

    #[test]
    fn web_pages_are_recognized_by_their_headers() {
        for (name, value, is_refused) in [
            ("origin", "https://page.example", true),
            ("origin", "null", true),
            ("origin", "http://localhost", true),
            ("referer", "https://page.example/", true),
            ("sec-fetch-site", "cross-site", true),
            ("sec-fetch-site", "same-site", true),
            ("sec-fetch-site", "none", false),
            ("sec-fetch-mode", "cors", false),
            ("user-agent", "Mozilla/5.0", false),
        ] {
            let refusal = refusal(&[("host", "localhost"), (name, value)], &Default::default());
            assert_eq!(refusal.is_some(), is_refused, "{name}: {value}");
        }
    }
}
