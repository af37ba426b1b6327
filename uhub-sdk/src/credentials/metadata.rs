//! The temporary keys of the platform's own machines.

use std::{fmt, time::Duration};

use bytes::Bytes;
use http::{Request, Uri};
use percent_encoding::utf8_percent_encode;
use serde::Deserialize;

use crate::{
    credentials::key_pair::Credentials,
    credentials::{ProvideCredentials, ProviderError},
    transport::reqwest::{HttpClient, Proxy, Settings},
    transport::{BoxFuture, Transport},
    wire::encode::ESCAPED,
    wire::timestamp::Timestamp,
};

const BASE_URL: &str = "http://100.80.80.80";
const PATH: &str = "/meta-data/v2/iam/security-credentials";
/// The service is next door, or not there at all.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const TIMEOUT: Duration = Duration::from_secs(5);

/// Temporary credentials from the metadata service of the platform's own virtual machines, where a
/// role was given to the machine.
///
/// It is asked only if this is given to
/// [`credentials_provider`](crate::ClientBuilder::credentials_provider) or
/// [`fallback_credentials_provider`](crate::ClientBuilder::fallback_credentials_provider): elsewhere, somebody else's
/// machine may have that address. It is reached without a proxy, in plain HTTP, and has 5 seconds to answer.
///
/// # Examples
///
/// Keys from the environment or the profile files where there are any, and else the machine's own:
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
        Self {
            base_url: BASE_URL.to_owned(),
            role: None,
        }
    }
}

impl MetadataCredentials {
    /// The credentials of the machine's own role.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The credentials of this role.
    #[must_use]
    pub fn with_role(mut self, name: impl Into<String>) -> Self {
        self.role = Some(name.into());
        self
    }

    /// Where the metadata service is. Default: `http://100.80.80.80`.
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
        let uri: Uri = url
            .parse()
            .map_err(|_| "the metadata service's URL is not one: expected http://HOST")?;
        // Asked about once an hour: no connection is worth keeping.
        let http = HttpClient::new(Settings {
            endpoint: uri.clone(),
            connect_timeout: CONNECT_TIMEOUT,
            max_response_size: 64 * 1024,
            proxy: Proxy::Nothing,
            roots: Vec::new(),
            idle_timeout: TIMEOUT,
            max_idle_connections: 0,
        })?;
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = uri;
        let response = tokio::time::timeout(TIMEOUT, http.send(request))
            .await
            .map_err(|_| format!("the metadata service did not answer within {TIMEOUT:?}"))??;
        let status = response.status();
        if !status.is_success() {
            let role = self.role.as_ref().map_or_else(
                || "does the machine have a role?".to_owned(),
                |role| format!("does the machine have the role `{role}`?"),
            );
            return Err(format!("the metadata service answered HTTP {status}: {role}").into());
        }
        read(response.body()).map_err(Into::into)
    }
}

/// Without the URL: there may be a password in it.
impl fmt::Debug for MetadataCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetadataCredentials")
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

impl ProvideCredentials for MetadataCredentials {
    fn provide(&self) -> BoxFuture<'_, Result<Credentials, ProviderError>> {
        Box::pin(self.fetch())
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Answer {
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

/// Reads the answer. What serde says of it is not repeated: it quotes what it cannot read.
fn read(body: &[u8]) -> Result<Credentials, String> {
    let answer: Answer = serde_json::from_slice(body).map_err(|error| {
        format!(
            "the metadata service's answer is not as documented (line {}, column {})",
            error.line(),
            error.column()
        )
    })?;
    let Answer { message, data } = answer;
    let keys = [
        &data.access_key_id,
        &data.access_key_secret,
        &data.security_token,
    ];
    if keys.into_iter().any(String::is_empty) {
        return Err(format!(
            "the metadata service has no credentials: {message}"
        ));
    }
    let expires_at = data
        .expiration
        .to_system_time()
        .ok_or("the metadata service's `Expiration` is no time")?;
    Ok(Credentials::new(data.access_key_id, data.access_key_secret)
        .with_security_token(data.security_token)
        .with_expiry(expires_at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_answer_is_read_and_others_are_named() {
        let whole = r#"{"RetCode": 0, "Data": {"AccessKeyId": "public-key", "AccessKeySecret": "private-key",
            "SecurityToken": "token", "Expiration": "2026-01-02T03:04:05Z", "CharacteristicElement": {}}}"#;
        let keys = read(whole.as_bytes()).unwrap();
        let expected = Credentials::new("public-key", "private-key").with_security_token("token");
        let instant = Timestamp::from("1767323045").to_system_time().unwrap();
        assert_eq!(keys, expected.with_expiry(instant));

        for (body, expected) in [
            ("<html>private-key", "not as documented (line 1, column 1)"),
            (
                r#"{"Data": {"AccessKeyId": ["private-key"]}}"#,
                "not as documented",
            ),
            (
                r#"{"RetCode": 1, "Message": "no role"}"#,
                "has no credentials: no role",
            ),
            (
                &whole.replace("2026-01-02T03:04:05Z", "tomorrow"),
                "`Expiration` is no time",
            ),
            (&whole.replace("private-key", ""), "has no credentials"),
        ] {
            let why = read(body.as_bytes()).unwrap_err();
            assert!(why.contains(expected), "{why}");
            assert!(!why.contains("private-key"), "{why}");
        }
    }
}
