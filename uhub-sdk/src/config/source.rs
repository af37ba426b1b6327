//! Where each setting of a client comes from.

use std::{fmt, path::PathBuf};

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
    /// The source of the project id, if one is set.
    pub project_id: Option<ConfigSource>,
    /// The source of the base URL.
    pub base_url: ConfigSource,
    /// The source of the call timeout.
    pub timeout: ConfigSource,
    /// The source of the retry policy.
    pub retry: ConfigSource,
}

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
}
