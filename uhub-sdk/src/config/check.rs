//! Checks of settings. A problem never quotes a value that may contain a secret.

use std::{fmt::Display, net::IpAddr, time::Duration};

use http::{HeaderValue, Uri};
use url::{Host, Url};

use crate::{
    actions::service::ENDPOINT,
    config::environment::{PRIVATE_KEY, PUBLIC_KEY},
    config::parameter::{CLIENT_PARAMETERS, ParameterValues},
    config::source::{ConfigSource, Setting, SettingName},
    credentials::cache::CredentialsSource,
    credentials::key_pair::{CredentialsField, value_problem},
};

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) uri: Uri,
    pub(crate) is_loopback: bool,
}

/// Adds what to do about a problem of a value that was copied.
fn with_advice(problem: &str) -> String {
    match problem.strip_prefix("contains ") {
        Some(cause) => format!("contains {cause}: copy it again, without line breaks"),
        None => problem.to_owned(),
    }
}

pub(crate) fn credential_problems(credentials: &Setting<CredentialsSource>) -> Vec<String> {
    let CredentialsSource::Static(pair) = &credentials.value else {
        return Vec::new();
    };
    let sentence = |(field, problem)| {
        let (name, variable) = match field {
            CredentialsField::PublicKey => (SettingName::PUBLIC_KEY, PUBLIC_KEY),
            CredentialsField::PrivateKey => (SettingName::PRIVATE_KEY, PRIVATE_KEY),
            CredentialsField::SecurityToken => (SettingName::SECURITY_TOKEN, ""),
        };
        let problem = with_advice(problem);
        match &credentials.source {
            // The source of a pair is one variable; the value may be from the other.
            ConfigSource::Environment(_) => format!("{variable} {problem}."),
            _ => credentials.problem(name, problem),
        }
    };
    pair.problems().map(sentence).collect()
}

/// Returns the problems of the parameters that the client fills in.
pub(crate) fn parameter_problems(values: &ParameterValues) -> impl Iterator<Item = String> {
    CLIENT_PARAMETERS.iter().filter_map(|parameter| {
        let value = values.get(parameter.wire)?;
        let problem = value_problem(&value.value).map(with_advice)?;
        Some(value.problem(parameter.setting, problem))
    })
}

pub(crate) fn timeout_problem(timeout: &Setting<Duration>) -> Option<String> {
    let is_zero = timeout.value.is_zero();
    is_zero.then(|| timeout.problem(SettingName::TIMEOUT, "must be greater than zero"))
}

/// Converts the channel key to the value of its header.
pub(crate) fn channel_key(channel_key: &Setting<String>) -> Result<HeaderValue, String> {
    let value = &channel_key.value;
    let problem = match value_problem(value) {
        Some(problem) => with_advice(problem),
        None => match HeaderValue::from_str(value).ok().filter(|_| value.is_ascii()) {
            Some(value) => return Ok(value),
            None => "must consist of ASCII characters, because it is sent in a header".to_owned(),
        },
    };
    Err(channel_key.problem(SettingName::CHANNEL_KEY, problem))
}

/// Checks a base URL and returns it parsed, or all problems.
pub(crate) fn endpoint(
    base_url: &Setting<String>,
    allows_plain_http: bool,
) -> Result<Endpoint, Vec<String>> {
    let invalid = |error: &dyn Display| {
        let problem = format!("is invalid ({error}): expected a URL such as {ENDPOINT}");
        vec![base_url.problem(SettingName::BASE_URL, problem)]
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
            "is plain HTTP, which lets others on the network read and replay calls: use https, \
             or call `allow_plain_http`",
        ),
        _ => problems.push("must start with https://"),
    }
    if !url.username().is_empty() || url.password().is_some() {
        problems.push("must not contain a user name or a password");
    }
    if url.query().is_some() || url.fragment().is_some() {
        problems.push("must not contain a query or a fragment");
    }
    if !problems.is_empty() {
        let sentence = |problem| base_url.problem(SettingName::BASE_URL, problem);
        return Err(problems.into_iter().map(sentence).collect());
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
            ("https://gateway.example/service/", false),
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
            ("", "`base_url` is invalid"),
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
