//! Temporary credentials from the metadata service of the platform's virtual machines.

use std::{fmt, time::Duration};

use bytes::Bytes;
use http::{Request, Uri};
use percent_encoding::utf8_percent_encode;
use serde::Deserialize;

use crate::{
    credentials::key_pair::Credentials,
    credentials::{ProvideCredentials, ProviderError},
    transport::reqwest::{HttpClient, HttpSettings, Proxy},
    transport::{BoxFuture, Transport},
    wire::encode::ESCAPED,
    wire::timestamp::Timestamp,
};

const BASE_URL: &str = "http://100.80.80.80";
const PATH: &str = "/meta-data/v2/iam/security-credentials";
/// The service is on the local network, or there is none.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const TIMEOUT: Duration = Duration::from_secs(5);

/// Temporary credentials of a virtual machine with a role, from the platform's metadata service.
///
/// The service is called only if this provider is set by
/// [`credentials_provider`](crate::ClientBuilder::credentials_provider) or
/// [`fallback_credentials_provider`](crate::ClientBuilder::fallback_credentials_provider), because
/// outside the platform its address may belong to another machine. Requests use plain HTTP, no
/// proxy and a timeout of 5 s.
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

    /// Sets the address of the metadata service. Defaults to `http://100.80.80.80`.
    #[must_use]
    pub fn with_base_url(mut self, value: impl Into<String>) -> Self {
        self.base_url = value.into();
        self
    }

    async fn fetch(&self) -> Result<Credentials, ProviderError> {
        let mut url = format!("{}{PATH}", self.base_url.trim_end_matches('/'));
        if let Some(role) = &self.role {
            url.push('/');
            url.extend(utf8_percent_encode(role, ESCAPED));
        }
        let uri: Uri =
            url.parse().map_err(|_| "invalid URL of the metadata service: expected http://HOST")?;
        // There is about one request an hour, so no connection is kept.
        let http = HttpClient::new(
            uri.clone(),
            HttpSettings {
                connect_timeout: CONNECT_TIMEOUT,
                max_response_size: 64 * 1024,
                proxy: Proxy::Disabled,
                max_idle_connections: 0,
                ..HttpSettings::default()
            },
        )?;
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = uri;
        let response = tokio::time::timeout(TIMEOUT, http.send(request))
            .await
            .map_err(|_| format!("the metadata service did not respond within {TIMEOUT:?}"))??;
        let status = response.status();
        if !status.is_success() {
            let role = match &self.role {
                Some(role) => format!("the role `{role}`"),
                None => "a role".to_owned(),
            };
            return Err(format!(
                "the metadata service returned HTTP {status}: check that the machine has {role}"
            )
            .into());
        }
        parse(response.body()).map_err(Into::into)
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

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Response {
    message: String,
    data: Data,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Data {
    access_key_id: String,
    access_key_secret: String,
    security_token: String,
    expiration: Timestamp,
}

/// Parses a response. Messages of serde are dropped, because they quote the text they cannot parse.
fn parse(body: &[u8]) -> Result<Credentials, String> {
    let Response { message, data }: Response = serde_json::from_slice(body).map_err(|error| {
        format!(
            "the response of the metadata service is not as documented (line {}, column {})",
            error.line(),
            error.column()
        )
    })?;
    let values = [&data.access_key_id, &data.access_key_secret, &data.security_token];
    if values.into_iter().any(String::is_empty) {
        return Err(format!("the metadata service returned no credentials: {message}"));
    }
    let expires_at = data
        .expiration
        .to_system_time()
        .ok_or("the metadata service returned an invalid `Expiration`")?;
    Ok(Credentials::new(data.access_key_id, data.access_key_secret)
        .with_security_token(data.security_token)
        .with_expiry(expires_at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_response_is_parsed_and_others_are_errors() {
        let whole = r#"{"RetCode": 0, "Data": {"AccessKeyId": "public-key", "AccessKeySecret": "private-key",
            "SecurityToken": "token", "Expiration": "2026-01-02T03:04:05Z", "CharacteristicElement": {}}}"#;
        let credentials = parse(whole.as_bytes()).unwrap();
        let expected = Credentials::new("public-key", "private-key").with_security_token("token");
        let instant = Timestamp::from("1767323045").to_system_time().unwrap();
        assert_eq!(credentials, expected.with_expiry(instant));

        for (body, expected) in [
            ("<html>private-key", "not as documented (line 1, column 1)"),
            (r#"{"Data": {"AccessKeyId": ["private-key"]}}"#, "not as documented"),
            (r#"{"RetCode": 1, "Message": "no role"}"#, "returned no credentials: no role"),
            (&whole.replace("2026-01-02T03:04:05Z", "tomorrow"), "invalid `Expiration`"),
            (&whole.replace("private-key", ""), "returned no credentials"),
        ] {
            let error = parse(body.as_bytes()).unwrap_err();
            assert!(error.contains(expected), "{error}");
            assert!(!error.contains("private-key"), "{error}");
        }
    }
}
