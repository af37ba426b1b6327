//! Where the settings of a client come from.

use std::{fmt, path::PathBuf};

/// Where a setting comes from. It never holds the value.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigSource {
    /// Nothing says otherwise.
    Default,
    /// The builder was given it.
    Explicit,
    /// Whom [`fallback_credentials_provider`](crate::ClientBuilder::fallback_credentials_provider) names, as there
    /// were no other keys.
    Provider,
    /// This variable of the environment.
    Environment(&'static str),
    /// A profile in a file of the platform's command-line tool.
    Profile {
        /// The profile.
        name: String,
        /// The file.
        path: PathBuf,
    },
}

impl fmt::Display for ConfigSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("the default"),
            Self::Explicit => f.write_str("the builder"),
            Self::Provider => f.write_str("the provider of last resort"),
            Self::Environment(variable) => write!(f, "the environment ({variable})"),
            Self::Profile { name, path } => {
                write!(f, "the profile `{name}` in {}", path.display())
            }
        }
    }
}

/// Where a client has its settings from; [`Client::config_sources`](crate::Client::config_sources) says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigSources {
    /// Of the keys, or of the provider that is asked for them.
    pub credentials: ConfigSource,
    /// Of the project, if the client has one.
    pub project_id: Option<ConfigSource>,
    /// Of the base URL.
    pub base_url: ConfigSource,
    /// Of the time a call may take.
    pub timeout: ConfigSource,
    /// Of how often a call is repeated.
    pub retry: ConfigSource,
}

/// A setting, and where it comes from.
#[derive(Clone)]
pub(crate) struct Setting<T> {
    pub(crate) value: T,
    pub(crate) source: ConfigSource,
}

impl<T> Setting<T> {
    pub(crate) fn new(value: T, source: ConfigSource) -> Self {
        Self { value, source }
    }

    pub(crate) fn given(value: T) -> Self {
        Self::new(value, ConfigSource::Explicit)
    }

    pub(crate) fn default(value: T) -> Self {
        Self::new(value, ConfigSource::Default)
    }
}
