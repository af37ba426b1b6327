//! Checks of settings. A problem never quotes a value that may contain a secret.

use std::{fmt::Display, net::IpAddr};

use http::Uri;
use url::{Host, Url};

use crate::{
    actions::service::ENDPOINT,
    config::source::{ConfigSource, Setting},
    credentials::cache::CredentialsSource,
    credentials::key_pair::value_problem,
    transport::reqwest::Proxy,
};

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) uri: Uri,
    pub(crate) is_loopback: bool,
}

impl<T> Setting<T> {
    /// Makes a sentence of a problem, with the source unless that is the program itself.
    fn sentence(&self, problem: impl Display) -> String {
        match &self.source {
            source @ (ConfigSource::Environment(_) | ConfigSource::Profile { .. }) => {
                format!("{source}: {problem}.")
            }
            _ => format!("{problem}."),
        }
    }
}

pub(crate) fn credential_problems(credentials: &Setting<CredentialsSource>) -> Vec<String> {
    match &credentials.value {
        CredentialsSource::Static(pair) => {
            pair.problems().map(|problem| credentials.sentence(problem)).collect()
        }
        CredentialsSource::Provider(_) => Vec::new(),
    }
}

pub(crate) fn project_problem(project_id: &Setting<String>) -> Option<String> {
    value_problem("project id", &project_id.value).map(|problem| project_id.sentence(problem))
}

/// Checks a proxy's URL, whose scheme is optional.
pub(crate) fn proxy_problem(proxy: &Proxy) -> Option<String> {
    let Proxy::Url(url) = proxy else {
        return None;
    };
    let parsed =
        if url.contains("://") { Url::parse(url) } else { Url::parse(&format!("http://{url}")) };
    let is_valid =
        parsed.is_ok_and(|url| ["http", "https"].contains(&url.scheme()) && url.has_host());
    (!is_valid).then(|| {
        "invalid proxy URL: expected HOST:PORT, http://HOST:PORT or https://HOST:PORT.".to_owned()
    })
}

/// Checks a base URL and returns it parsed, or all problems.
pub(crate) fn endpoint(
    base_url: &Setting<String>,
    allows_plain_http: bool,
) -> Result<Endpoint, Vec<String>> {
    let invalid = |error: &dyn Display| {
        let problem =
            format!("the base URL is invalid ({error}): expected a URL such as {ENDPOINT}");
        vec![base_url.sentence(problem)]
    };
    let url = Url::parse(&base_url.value).map_err(|error| invalid(&error))?;
    let is_loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => IpAddr::from(ip).to_canonical().is_loopback(),
        None => false,
    };
    let mut problems = Vec::new();
    match url.scheme() {
        "https" => {}
        "http" if is_loopback || allows_plain_http => {}
        "http" => problems.push(
            "the base URL is plain HTTP, which lets others on the network read and replay calls: use https, \
             or call `allow_plain_http`",
        ),
        _ => problems.push("the base URL must start with https://"),
    }
    if !url.username().is_empty() || url.password().is_some() {
        problems.push("the base URL must not contain a user name or a password");
    }
    if url.query().is_some() || url.fragment().is_some() {
        problems.push("the base URL must not contain a query or a fragment");
    }
    if !problems.is_empty() {
        return Err(problems.into_iter().map(|problem| base_url.sentence(problem)).collect());
    }
    let uri = url.as_str().parse::<Uri>().map_err(|error| invalid(&error))?;
    Ok(Endpoint { uri, is_loopback })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Client;

    #[test]
    fn a_base_url_is_checked() {
        for (url, loopback) in [
            ("https://api.ucloud.cn", false),
            ("http://127.0.0.1:8080", true),
            ("http://127.9.9.9", true),
            ("http://localhost:1/", true),
            ("http://[::1]:1/", true),
            ("http://[::ffff:127.0.0.1]/", true),
            ("https://gateway.example/uhub/", false),
        ] {
            let setting = Setting::explicit(url.to_owned());
            assert_eq!(
                endpoint(&setting, false).map(|endpoint| endpoint.is_loopback),
                Ok(loopback),
                "{url}"
            );
        }
        for (url, expected) in [
            ("http://api.service.ucloud.cn", "allow_plain_http"),
            ("http://127.0.0.1.evil.example/", "allow_plain_http"),
            ("http://localhost.evil.example/", "allow_plain_http"),
            ("https://user:hunter2@api.ucloud.cn/", "password"),
            ("https://api.ucloud.cn/?Action=X", "query"),
            ("https://api.ucloud.cn/#x", "fragment"),
            ("api.ucloud.cn", "expected a URL such as https://"),
            ("localhost:8080", "must start with https://"),
            ("http://a.example/?q", "must not contain a query"),
            ("file:///etc/passwd", "must start with https://"),
            ("", "the base URL is invalid"),
        ] {
            let setting = Setting::explicit(url.to_owned());
            let problems = endpoint(&setting, false).unwrap_err().join(" ");
            assert!(problems.contains(expected), "{url}: {problems}");
            assert!(!problems.contains("hunter2"), "{problems}");
            let builder = Client::builder().base_url(url);
            assert!(!format!("{builder:?}").contains("hunter2"), "{builder:?}");
        }
        let private = Setting::explicit("http://api.service.ucloud.cn".to_owned());
        assert!(endpoint(&private, true).is_ok());
    }
}
