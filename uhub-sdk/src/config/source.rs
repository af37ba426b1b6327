//! Where the settings of a client come from.

use std::{fmt, path::PathBuf};

/// Where a setting comes from. It never holds the value.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// Nothing says otherwise.
    Default,
    /// The builder was given it.
    Given,
    /// Whom [`or_credentials_provider`](crate::ClientBuilder::or_credentials_provider) names, as there
    /// were no other keys.
    LastResort,
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

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("the default"),
            Self::Given => f.write_str("the builder"),
            Self::LastResort => f.write_str("the provider of last resort"),
            Self::Environment(variable) => write!(f, "the environment ({variable})"),
            Self::Profile { name, path } => {
                write!(f, "the profile `{name}` in {}", path.display())
            }
        }
    }
}

/// Where a client has its settings from; [`Client::sources`](crate::Client::sources) says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sources {
    /// Of the keys, or of the provider that is asked for them.
    pub credentials: Source,
    /// Of the project, if the client has one.
    pub project_id: Option<Source>,
    /// Of the base URL.
    pub base_url: Source,
    /// Of the time a call may take.
    pub timeout: Source,
    /// Of how often a call is repeated.
    pub retry: Source,
}

/// A setting, and where it comes from.
#[derive(Clone)]
pub(crate) struct Setting<T> {
    pub(crate) value: T,
    pub(crate) source: Source,
}

impl<T> Setting<T> {
    pub(crate) fn new(value: T, source: Source) -> Self {
        Self { value, source }
    }

    pub(crate) fn given(value: T) -> Self {
        Self::new(value, Source::Given)
    }

    pub(crate) fn default(value: T) -> Self {
        Self::new(value, Source::Default)
    }
}
