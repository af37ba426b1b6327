//! Temporary credentials from the metadata service of the platform's virtual machines.

use std::{error::Error as StdError, fmt, time::Duration};

use bytes::Bytes;
use http::{Request, StatusCode, Uri};
use percent_encoding::utf8_percent_encode;
use url::Url;
use zeroize::{Zeroize, Zeroizing};

use crate::{
    credentials::{
        ProvideCredentials, ProviderError,
        json::{SecretObject, SecretValue},
        key_pair::{Credentials, value_problem},
    },
    error::{ErrorKind, Execution, Seconds, StatusText, printable},
    exchange::redact::truncate,
    transport::reqwest::{HttpSettings, HttpTransport, Proxy},
    transport::{BoxFuture, Transport, TransportError, root_cause},
    wire::encode::ESCAPED,
    wire::timestamp::Timestamp,
};

const BASE_URL: &str = "http://100.80.80.80";
const PATH: &str = "/meta-data/v2/iam/security-credentials";
/// The service is on the local network, or there is none.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const TIMEOUT: Duration = Duration::from_secs(5);
const MAX_SIZE: usize = 64 * 1024;
/// Shorter values would match in ordinary words.
const MIN_SECRET: usize = 4;
/// Words of a message that are at least as long may be keys.
const MIN_KEY: usize = 16;

/// Temporary credentials of a virtual machine with a role, from the platform's metadata service.
///
/// The service is called only if this provider is set by
/// [`credentials_provider`](crate::ClientBuilder::credentials_provider) or
/// [`fallback_credentials_provider`](crate::ClientBuilder::fallback_credentials_provider), because
/// outside the platform its address may belong to another machine. Requests use plain HTTP, no
/// proxy and a timeout of 5 s.
///
/// Only a response with `RetCode` 0, both keys, the token and an `Expiration` is accepted. An
/// `Expiration` in the past is: the clock of the machine may be wrong, and the service decides.
/// HTTP errors that a retry does not change, such as 404 for a missing role, are
/// [permanent](ProviderError::permanent). Errors name the URL.
///
/// # Examples
///
/// Uses the machine's credentials if the environment and the profile files have none:
///
/// ```no_run
/// use uhub_sdk::{ClientBuilder, MetadataCredentials};
///
/// let client = ClientBuilder::from_env()?
///     .fallback_credentials_provider(MetadataCredentials::new())
///     .build()?;
/// # Ok::<(), uhub_sdk::Error>(())
/// ```
#[derive(Clone)]
pub struct MetadataCredentials {
    base_url: String,
    role: Option<String>,
}

impl Default for MetadataCredentials {
    fn default() -> Self {
        Self { base_url: BASE_URL.to_owned(), role: None }
    }
}

impl MetadataCredentials {
    /// Creates a provider of the credentials of the machine's default role.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Selects a role.
    #[must_use]
    pub fn with_role(mut self, name: impl Into<String>) -> Self {
        self.role = Some(name.into());
        self
    }

    /// Sets the address of the metadata service. Defaults to `http://100.80.80.80`. It must not
    /// contain a user name, a password or a query.
    #[must_use]
    pub fn with_base_url(mut self, value: impl Into<String>) -> Self {
        self.base_url = value.into();
        self
    }

    async fn fetch(&self) -> Result<Credentials, ProviderError> {
        let url = self.url().map_err(|problem| ProviderError::new(problem).permanent())?;
        self.request(&url).await.map_err(|failure| {
            let mut error = ProviderError::new(format!("metadata service {url}: {}", failure.text));
            error.is_timeout = failure.is_timeout;
            if failure.is_permanent { error.permanent() } else { error }
        })
    }

    /// Returns the URL of the credentials, which contains no secret.
    fn url(&self) -> Result<Uri, &'static str> {
        let base = Url::parse(&self.base_url)
            .ok()
            .filter(|url| ["http", "https"].contains(&url.scheme()))
            .ok_or("the URL of the metadata service is invalid: expected http://HOST")?;
        if !base.username().is_empty() || base.password().is_some() {
            return Err(
                "the URL of the metadata service must not contain a user name or a password",
            );
        }
        if base.query().is_some() || base.fragment().is_some() {
            return Err("the URL of the metadata service must not contain a query or a fragment");
        }
        let mut url = format!("{}{PATH}", base.as_str().trim_end_matches('/'));
        if let Some(role) = &self.role {
            // A path with dots would be another one.
            if role.trim().is_empty() || role == "." || role == ".." {
                return Err("the role of the metadata service is invalid: expected a name");
            }
            url.push('/');
            url.extend(utf8_percent_encode(role, ESCAPED));
        }
        url.parse().map_err(|_| "the URL of the metadata service is invalid: expected http://HOST")
    }

    async fn request(&self, url: &Uri) -> Result<Credentials, Failure> {
        // There is about one request an hour, so no connection is kept.
        let http = HttpTransport::new(
            url.clone(),
            HttpSettings {
                connect_timeout: CONNECT_TIMEOUT,
                max_response_size: MAX_SIZE,
                proxy: Proxy::Disabled,
                max_idle_connections: 0,
                ..HttpSettings::default()
            },
        )
        .map_err(|error| Failure::permanent(error.to_string()))?;
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = url.clone();
        let response = match tokio::time::timeout(TIMEOUT, http.send(request)).await {
            Ok(response) => response.map_err(Failure::from)?,
            Err(_) => {
                let text = format!("no response within {}", Seconds(TIMEOUT));
                return Err(Failure { is_timeout: true, ..Failure::transient(text) });
            }
        };
        let status = response.status();
        let body = response.into_body();
        let result = if status.is_success() {
            parse(&body, self.role.as_deref()).map_err(Failure::transient)
        } else {
            Err(self.refused(status))
        };
        // If the connection has ended, this is the only handle on the buffer.
        if let Ok(mut body) = body.try_into_mut() {
            body.as_mut().zeroize();
        }
        result
    }

    fn refused(&self, status: StatusCode) -> Failure {
        let shown = StatusText(status);
        if status == StatusCode::NOT_FOUND {
            return Failure::permanent(match &self.role {
                Some(role) => {
                    format!("HTTP {shown}: check that this machine has the role `{role}`")
                }
                None => format!("HTTP {shown}: check that this machine has a role"),
            });
        }
        if status.is_redirection() {
            return Failure::permanent(format!("HTTP {shown}: redirects are not followed"));
        }
        let is_permanent = status.is_client_error()
            && ![StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS].contains(&status);
        Failure { text: format!("HTTP {shown}"), is_permanent, is_timeout: false }
    }
}

/// Why the credentials are missing.
struct Failure {
    text: String,
    is_permanent: bool,
    is_timeout: bool,
}

impl Failure {
    fn transient(text: impl Into<String>) -> Self {
        Self { text: text.into(), is_permanent: false, is_timeout: false }
    }

    fn permanent(text: impl Into<String>) -> Self {
        Self { text: text.into(), is_permanent: true, is_timeout: false }
    }
}

impl From<TransportError> for Failure {
    fn from(error: TransportError) -> Self {
        let cause = match error.source() {
            Some(source) => root_cause(source).to_string(),
            None => error.to_string(),
        };
        match (error.kind, error.execution) {
            (_, Execution::NotSent) => Self::transient(format!(
                "cannot connect: {cause}: it exists on virtual machines of the platform only"
            )),
            (ErrorKind::ResponseTooLarge, _) => {
                Self::permanent(format!("the response is larger than {MAX_SIZE} bytes"))
            }
            _ => Self::transient(format!("the response is incomplete: {cause}")),
        }
    }
}

/// Omits the URL, which may contain a password.
impl fmt::Debug for MetadataCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetadataCredentials").field("role", &self.role).finish_non_exhaustive()
    }
}

impl ProvideCredentials for MetadataCredentials {
    fn provide(&self) -> BoxFuture<'_, Result<Credentials, ProviderError>> {
        Box::pin(self.fetch())
    }
}

/// Reads a response. No error quotes a value of `Data`.
fn parse(body: &[u8], role: Option<&str>) -> Result<Credentials, String> {
    let response = str::from_utf8(body)
        .ok()
        .and_then(SecretObject::parse)
        .ok_or("the response is not a JSON object")?;
    let data = response.get("Data").and_then(SecretValue::object);
    for object in [Some(&response), data.as_ref()].into_iter().flatten() {
        if let Some((key, _)) = object.repeated() {
            return Err(format!("the response has `{key}` more than once"));
        }
    }
    let ret_code = response.get("RetCode").ok_or("the response has no `RetCode`")?;
    let ret_code = ret_code.scalar().ok_or("the `RetCode` of the response is invalid")?;
    if ret_code.as_str() != "0" {
        let message = response.get("Message").and_then(SecretValue::text).unwrap_or_default();
        let message = redact(&message, data.as_ref(), role);
        return Err(match message.as_str() {
            "" => format!("RetCode {}", printable(truncate(&ret_code, 20))),
            message => format!("RetCode {}: {message}", printable(truncate(&ret_code, 20))),
        });
    }
    let data = data.ok_or("the response has no `Data`")?;
    let value = |key: &str| {
        let value = data.get(key).and_then(SecretValue::text).unwrap_or_default();
        match value_problem(&value) {
            None => Ok(value),
            Some("is empty") => Err(format!("the response has no `{key}`")),
            Some(problem) => Err(format!("the `{key}` of the response {problem}")),
        }
    };
    let [public_key, private_key] = [value("AccessKeyId")?, value("AccessKeySecret")?];
    let security_token = value("SecurityToken")?;
    let expires_at = data
        .get("Expiration")
        .and_then(SecretValue::scalar)
        .and_then(|text| Timestamp::from(text.as_str()).to_system_time())
        .ok_or("the `Expiration` of the response is missing or not a time")?;
    // The resource name of the role, such as `ucs:iam::1:role/ucs-service-role/NAME`.
    let actual = data.get("CharacterName").and_then(SecretValue::text).unwrap_or_default();
    if let Some(role) = role.filter(|_| !actual.is_empty()) {
        let is_same =
            actual.strip_suffix(role).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'));
        if !is_same {
            let actual = printable(truncate(&actual, 128));
            return Err(format!("the response is for the role `{actual}`, not for `{role}`"));
        }
    }
    let mut credentials = Credentials::from_secrets(public_key, private_key);
    credentials.security_token = Some(security_token);
    Ok(credentials.with_expiry(expires_at))
}

/// Returns the beginning of a message without the values of `Data` and without words that may be
/// keys, except for the name of the role.
fn redact(message: &str, data: Option<&SecretObject>, role: Option<&str>) -> String {
    let mut text = Zeroizing::new(message.to_owned());
    for (_, value) in data.iter().flat_map(|data| data.members()) {
        if let Some(secret) = value.text().filter(|secret| secret.len() >= MIN_SECRET) {
            text = Zeroizing::new(text.replace(secret.as_str(), "[hidden]"));
        }
    }
    let is_part_of_word = |c: char| c.is_ascii_alphanumeric() || "+/=_-.%~".contains(c);
    let mut redacted = String::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let end = rest.find(|c| !is_part_of_word(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        redacted.push_str(match word {
            _ if Some(word) == role || word.len() < MIN_KEY => word,
            _ => "[hidden]",
        });
        let separator = after.chars().next();
        redacted.extend(separator);
        rest = &after[separator.map_or(0, char::len_utf8)..];
    }
    printable(truncate(&redacted, 256))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_response_is_parsed_and_others_are_errors() {
        let whole = r#"{"RetCode": 0, "Data": {"AccessKeyId": "public-key", "AccessKeySecret": "private-key",
            "SecurityToken": "token", "Expiration": "2026-01-02T03:04:05Z", "CharacteristicElement": {}}}"#;
        let credentials = parse(whole.as_bytes(), Some("web")).unwrap();
        let expected = Credentials::new("public-key", "private-key").with_security_token("token");
        let instant = Timestamp::from("1767323045").to_system_time().unwrap();
        assert_eq!(credentials, expected.with_expiry(instant));
        let text = whole.replace("\"RetCode\": 0", "\"RetCode\": \"0\"");
        assert!(parse(text.as_bytes(), None).is_ok());
        let own = whole.replace("{}", "{}, \"CharacterName\": \"ucs:iam::1:role/service/web\"");
        assert!(parse(own.as_bytes(), Some("web")).is_ok() && parse(own.as_bytes(), None).is_ok());

        let replaced = |from: &str, to: &str| {
            assert!(whole.contains(from), "{from}");
            whole.replace(from, to)
        };
        let long_key = "k".repeat(MIN_KEY);
        for (body, expected) in [
            ("<html>private-key".to_owned(), "the response is not a JSON object"),
            ("[]".to_owned(), "the response is not a JSON object"),
            (format!("{whole} x"), "the response is not a JSON object"),
            (r#"{"RetCode": 0}"#.to_owned(), "the response has no `Data`"),
            (r#"{"RetCode": 0, "Data": []}"#.to_owned(), "the response has no `Data`"),
            (r#"{"RetCode": 1, "Message": "no role"}"#.to_owned(), "RetCode 1: no role"),
            (r#"{"RetCode": 1}"#.to_owned(), "RetCode 1"),
            (replaced("\"RetCode\": 0", "\"RetCode\": 5"), "RetCode 5"),
            (replaced("\"RetCode\": 0", "\"RetCode\": \"5\""), "RetCode 5"),
            (replaced("\"RetCode\": 0,", ""), "the response has no `RetCode`"),
            (replaced("\"RetCode\": 0", "\"RetCode\": null"), "the response has no `RetCode`"),
            (
                replaced("\"RetCode\": 0", "\"RetCode\": false"),
                "the `RetCode` of the response is invalid",
            ),
            (
                replaced("\"RetCode\": 0", "\"RetCode\": {\"code\": 0}"),
                "the `RetCode` of the response is invalid",
            ),
            (
                replaced("\"RetCode\": 0", "\"RetCode\": 5, \"RetCode\": 0"),
                "the response has `RetCode` more than once",
            ),
            (
                replaced("{\"AccessKeyId\"", "{\"AccessKeyId\": \"other-key\", \"AccessKeyId\""),
                "the response has `AccessKeyId` more than once",
            ),
            (replaced("private-key", ""), "the response has no `AccessKeySecret`"),
            (
                replaced("\"private-key\"", "[\"private-key\"]"),
                "the response has no `AccessKeySecret`",
            ),
            (
                replaced("public-key", "public-key\\n"),
                "the `AccessKeyId` of the response contains whitespace",
            ),
            (
                replaced("private-key", "private-key\\u0007"),
                "the `AccessKeySecret` of the response contains a control character",
            ),
            (replaced("\"token\"", "null"), "the response has no `SecurityToken`"),
            (
                replaced("2026-01-02T03:04:05Z", "tomorrow"),
                "the `Expiration` of the response is missing or not a time",
            ),
            (
                replaced("2026-01-02T03:04:05Z", ""),
                "the `Expiration` of the response is missing or not a time",
            ),
            (
                own.replace("/web", "/admin"),
                "the response is for the role `ucs:iam::1:role/service/admin`, not for `web`",
            ),
            (
                replaced("0, ", "5, \"Message\": \"private-key of public-key is unknown\", "),
                "RetCode 5: [hidden] of [hidden] is unknown",
            ),
            (
                format!("{{\"RetCode\": 5, \"Message\": \"{long_key}, of web\\n\"}}"),
                "RetCode 5: [hidden], of web",
            ),
        ] {
            let error = parse(body.as_bytes(), Some("web")).unwrap_err();
            assert_eq!(error, expected, "{body}");
        }
    }

    #[test]
    fn a_url_or_role_that_cannot_be_meant_is_refused() {
        let url = |base_url, role: Option<&str>| {
            let provider = MetadataCredentials::new().with_base_url(base_url);
            let provider = match role {
                Some(role) => provider.with_role(role),
                None => provider,
            };
            provider.url().map(|url| url.to_string())
        };
        let path = "/meta-data/v2/iam/security-credentials";
        assert_eq!(url(BASE_URL, None), Ok(format!("http://100.80.80.80{path}")));
        assert_eq!(url("http://a/b/", Some("x/ü")), Ok(format!("http://a/b{path}/x%2F%C3%BC")));
        for (base_url, role, expected) in [
            ("http://user:hunter2@a/", None, "must not contain a user name or a password"),
            ("http://hunter2@a/", None, "must not contain a user name"),
            ("http://a/?hunter2", None, "must not contain a query"),
            ("http://a/#hunter2", None, "must not contain a query or a fragment"),
            ("hunter2", None, "is invalid: expected http://HOST"),
            ("file:///hunter2", None, "is invalid: expected http://HOST"),
            ("", None, "is invalid: expected http://HOST"),
            (BASE_URL, Some(""), "the role of the metadata service is invalid"),
            (BASE_URL, Some(".."), "the role of the metadata service is invalid"),
        ] {
            let problem = url(base_url, role).unwrap_err();
            assert!(problem.contains(expected), "{base_url}: {problem}");
            assert!(!problem.contains("hunter2"), "{problem}");
        }
    }
}
