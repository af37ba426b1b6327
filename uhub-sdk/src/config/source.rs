//! Where each setting of a client comes from.

use std::{collections::BTreeMap, fmt, path::PathBuf};

/// The source of a setting. It never contains the value.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigSource {
    /// The crate's default.
    Default,
    /// A method of the [`ClientBuilder`](crate::ClientBuilder).
    Explicit,
    /// The [fallback provider](crate::ClientBuilder::fallback_credentials_provider), because no
    /// other credentials are set.
    Provider,
    /// An environment variable.
    Environment(&'static str),
    /// A profile in a file of the platform's command-line tool.
    Profile {
        /// The name of the profile.
        name: String,
        /// The path of the file.
        path: PathBuf,
    },
}

impl fmt::Display for ConfigSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Explicit => f.write_str("builder"),
            Self::Provider => f.write_str("fallback credentials provider"),
            Self::Environment(variable) => write!(f, "environment variable {variable}"),
            Self::Profile { name, path } => write!(f, "profile `{name}` in {}", path.display()),
        }
    }
}

/// The sources of a client's settings, returned by
/// [`Client::config_sources`](crate::Client::config_sources).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigSources {
    /// The source of the credentials or of the credentials provider.
    pub credentials: ConfigSource,
    /// The sources of the parameters that the client fills in where a call sets none, such as
    /// `ProjectId`, by their documented names. A parameter that is not set is left out.
    pub parameters: BTreeMap<&'static str, ConfigSource>,
    /// The source of the base URL.
    pub base_url: ConfigSource,
    /// The source of the channel key, if one is set.
    pub channel_key: Option<ConfigSource>,
    /// The source of the call timeout.
    pub timeout: ConfigSource,
    /// The source of the retry policy.
    pub retry: ConfigSource,
    /// The settings of the profile that this client does not know and ignores. What does not change
    /// calls is left out, such as `region` of a service without regions; so is what is empty.
    pub ignored: Vec<IgnoredSetting>,
}

/// A setting of a profile that the client ignores.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct IgnoredSetting {
    /// The key in the file. Of one with more than 32 characters, which may be a secret in the wrong
    /// place, only the length is given.
    pub key: String,
    /// The profile and its file.
    pub source: ConfigSource,
}

impl fmt::Display for IgnoredSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` of {}", self.key, self.source)
    }
}

/// What a setting is called in messages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SettingName {
    /// In profile files.
    pub(crate) key: &'static str,
    pub(crate) in_builder: &'static str,
}

impl SettingName {
    pub(crate) const BASE_URL: Self = Self { key: "base_url", in_builder: "`base_url`" };
    pub(crate) const CHANNEL_KEY: Self = Self { key: "channel_key", in_builder: "`channel_key`" };
    pub(crate) const TIMEOUT: Self = Self { key: "timeout_sec", in_builder: "`timeout`" };
    pub(crate) const PUBLIC_KEY: Self =
        Self { key: "public_key", in_builder: "the public key of `credentials`" };
    pub(crate) const PRIVATE_KEY: Self =
        Self { key: "private_key", in_builder: "the private key of `credentials`" };
    pub(crate) const SECURITY_TOKEN: Self =
        Self { key: "security_token", in_builder: "the security token of `credentials`" };
}

/// A parameter that the client fills in, and the setting that has its value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClientParameter {
    /// The documented name.
    pub(crate) wire: &'static str,
    pub(crate) setting: SettingName,
    pub(crate) variable: Option<&'static str>,
}

#[allow(dead_code, reason = "each service has some of these parameters")]
impl ClientParameter {
    pub(crate) const fn project_id(wire: &'static str) -> Self {
        let setting = SettingName { key: "project_id", in_builder: "`project_id`" };
        Self { wire, setting, variable: Some("UCLOUD_PROJECT_ID") }
    }

    pub(crate) const fn region(wire: &'static str) -> Self {
        let setting = SettingName { key: "region", in_builder: "`region`" };
        Self { wire, setting, variable: Some("UCLOUD_REGION") }
    }

    pub(crate) const fn zone(wire: &'static str) -> Self {
        let setting = SettingName { key: "zone", in_builder: "`zone`" };
        Self { wire, setting, variable: None }
    }
}

/// A value with its source.
#[derive(Clone)]
pub(crate) struct Setting<T> {
    pub(crate) value: T,
    pub(crate) source: ConfigSource,
}

impl<T> Setting<T> {
    pub(crate) fn explicit(value: T) -> Self {
        let source = ConfigSource::Explicit;
        Self { value, source }
    }

    pub(crate) fn default(value: T) -> Self {
        let source = ConfigSource::Default;
        Self { value, source }
    }

    pub(crate) fn map<U>(self, convert: impl FnOnce(T) -> U) -> Setting<U> {
        Setting { value: convert(self.value), source: self.source }
    }

    /// Makes a sentence of a problem of the value. Its subject is the variable, the key in the file
    /// or the method of the builder that the value comes from.
    pub(crate) fn problem(&self, name: SettingName, predicate: impl fmt::Display) -> String {
        match &self.source {
            ConfigSource::Environment(variable) => format!("{variable} {predicate}."),
            source @ ConfigSource::Profile { .. } => {
                format!("`{}` of {source} {predicate}.", name.key)
            }
            _ => format!("{} {predicate}.", name.in_builder),
        }
    }
}
