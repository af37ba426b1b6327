//! Key pairs, which never appear in any output.

use std::{fmt, time::SystemTime};

use zeroize::Zeroizing;

use crate::error::is_unprintable;

/// A public key, a private key and, for temporary credentials, a security token.
///
/// All three never appear in `Debug`, errors or logs, and are erased from memory when the last
/// clone is dropped. That covers this value, and what the client reads from profile files and from
/// responses of the metadata service. It does not cover your own copies, the variables of the
/// process's environment, and the buffers of the HTTP library.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    pub(crate) public_key: Zeroizing<String>,
    pub(crate) private_key: Zeroizing<String>,
    pub(crate) security_token: Option<Zeroizing<String>>,
    pub(crate) expires_at: Option<SystemTime>,
}

impl Credentials {
    /// Creates credentials from a key pair, as shown in the platform's console.
    ///
    /// # Examples
    ///
    /// ```
    /// let credentials = uhub_sdk::Credentials::new("my-public-key", "my-private-key");
    /// assert_eq!(format!("{credentials:?}"), "Credentials { .. }");
    /// ```
    #[must_use]
    pub fn new(public_key: impl Into<String>, private_key: impl Into<String>) -> Self {
        Self {
            public_key: Zeroizing::new(public_key.into()),
            private_key: Zeroizing::new(private_key.into()),
            security_token: None,
            expires_at: None,
        }
    }

    /// Adds the security token of temporary credentials. Documented as `SecurityToken`.
    #[must_use]
    pub fn with_security_token(mut self, token: impl Into<String>) -> Self {
        self.security_token = Some(Zeroizing::new(token.into()));
        self
    }

    /// Sets the expiry of temporary credentials. Clients refresh provided credentials before it.
    #[must_use]
    pub fn with_expiry(mut self, instant: SystemTime) -> Self {
        self.expires_at = Some(instant);
        self
    }

    /// Creates credentials from keys that are erased already when dropped.
    pub(crate) fn from_secrets(
        public_key: Zeroizing<String>,
        private_key: Zeroizing<String>,
    ) -> Self {
        Self { public_key, private_key, security_token: None, expires_at: None }
    }

    /// Returns each invalid value with its problem. No problem quotes its value.
    pub(crate) fn problems(&self) -> impl Iterator<Item = (CredentialsField, &'static str)> {
        use CredentialsField::{PrivateKey, PublicKey, SecurityToken};
        let token = self.security_token.as_ref();
        [
            (PublicKey, Some(&self.public_key)),
            (PrivateKey, Some(&self.private_key)),
            (SecurityToken, token),
        ]
        .into_iter()
        .filter_map(|(field, value)| Some((field, value_problem(value?)?)))
    }

    /// Returns the values that must be redacted in every text.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &str> {
        [&self.private_key, &self.public_key]
            .into_iter()
            .chain(&self.security_token)
            .map(|secret| secret.as_str())
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

/// A value of [`Credentials`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CredentialsField {
    PublicKey,
    PrivateKey,
    SecurityToken,
}

impl fmt::Display for CredentialsField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PublicKey => "public key",
            Self::PrivateKey => "private key",
            Self::SecurityToken => "security token",
        })
    }
}

/// Returns the problem of a value that must not be empty or contain whitespace. The service would
/// answer a key with a trailing line break with a wrong signature, which does not show the cause.
pub(crate) fn value_problem(value: &str) -> Option<&'static str> {
    if value.is_empty() {
        Some("is empty")
    } else if value.contains(char::is_whitespace) {
        Some("contains whitespace")
    } else if value.contains(char::is_control) {
        Some("contains a control character")
    } else if value.contains(is_unprintable) {
        // Text that is copied from a web page may have a zero-width space.
        Some("contains an invisible character")
    } else {
        None
    }
}
