//! Precedence: the builder, then the environment, then profile files, then defaults.

use std::time::Duration;

use crate::{
    actions::service::ENDPOINT,
    config::parameter::ParameterValues,
    config::source::{ConfigSource, IgnoredSetting, Setting},
    credentials::cache::CredentialsSource,
    exchange::retry::RetryPolicy,
};

/// Settings from one source or several, each with its source. Absent settings are `None`.
#[derive(Clone, Default)]
pub(crate) struct PartialConfig {
    pub(crate) problems: Vec<String>,
    pub(crate) credentials: Option<Setting<CredentialsSource>>,
    /// Problems with the credentials of a profile. They are errors only if no others are set.
    pub(crate) credential_problems: Vec<String>,
    /// Why the files have no credentials. Unlike a problem, it allows the fallback provider.
    pub(crate) missing_credentials: Option<String>,
    pub(crate) parameters: ParameterValues,
    pub(crate) base_url: Option<Setting<String>>,
    pub(crate) channel_key: Option<Setting<String>>,
    pub(crate) timeout: Option<Setting<Duration>>,
    pub(crate) retry: Option<Setting<RetryPolicy>>,
    pub(crate) ignored: Vec<IgnoredSetting>,
}

/// The settings that a client is built with.
pub(crate) struct Config {
    /// The credentials, or why there are none.
    pub(crate) credentials: Result<Setting<CredentialsSource>, Vec<String>>,
    pub(crate) parameters: ParameterValues,
    pub(crate) base_url: Setting<String>,
    pub(crate) channel_key: Option<Setting<String>>,
    pub(crate) timeout: Setting<Duration>,
    pub(crate) retry: Setting<RetryPolicy>,
    pub(crate) ignored: Vec<IgnoredSetting>,
}

impl PartialConfig {
    /// Takes absent settings from a source of lower precedence.
    pub(crate) fn or(mut self, lower: Self) -> Self {
        self.problems.extend(lower.problems);
        self.credential_problems.extend(lower.credential_problems);
        self.ignored.extend(lower.ignored);
        Self {
            problems: self.problems,
            credentials: self.credentials.or(lower.credentials),
            credential_problems: self.credential_problems,
            missing_credentials: self.missing_credentials.or(lower.missing_credentials),
            parameters: lower.parameters.into_iter().chain(self.parameters).collect(),
            base_url: self.base_url.or(lower.base_url),
            channel_key: self.channel_key.or(lower.channel_key),
            timeout: self.timeout.or(lower.timeout),
            retry: self.retry.or(lower.retry),
            ignored: self.ignored,
        }
    }

    /// Fills absent settings with defaults. `fallback` applies only without other credentials.
    pub(crate) fn resolve(self, fallback: Option<CredentialsSource>) -> Config {
        let problems = self.credential_problems;
        let credentials = match (self.credentials, fallback) {
            (Some(credentials), _) => {
                for problem in problems {
                    tracing::warn!("unused credentials are invalid: {problem}");
                }
                Ok(credentials)
            }
            // A profile with invalid credentials is a mistake, and the fallback would hide it.
            (None, _) if !problems.is_empty() => Err(problems),
            (None, Some(value)) => Ok(Setting {
                value,
                source: ConfigSource::Provider,
            }),
            (None, None) => Err(vec![self.missing_credentials.unwrap_or_else(|| {
                "no credentials are set: call `credentials`, or start with `from_env` and set UCLOUD_PUBLIC_KEY \
                 and UCLOUD_PRIVATE_KEY or a profile."
                    .to_owned()
            })]),
        };
        Config {
            credentials,
            parameters: self.parameters,
            base_url: self.base_url.unwrap_or_else(|| Setting::default(ENDPOINT.to_owned())),
            channel_key: self.channel_key,
            timeout: self.timeout.unwrap_or_else(|| Setting::default(Duration::from_secs(120))),
            retry: self.retry.unwrap_or_else(|| Setting::default(RetryPolicy::default())),
            ignored: self.ignored,
        }
    }
}
