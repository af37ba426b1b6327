//! Key pairs, which never appear in any output.

use std::{fmt, time::SystemTime};

use zeroize::Zeroizing;

/// A public key, a private key and, for temporary credentials, a security token.
///
/// All three are erased from memory when dropped, and never appear in `Debug`, errors or logs.
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

    /// Returns the problems of the values, which no output shows.
    pub(crate) fn problems(&self) -> impl Iterator<Item = String> {
        let token = self.security_token.as_ref().map(|token| token.as_str());
        [
            ("public key", Some(self.public_key.as_str())),
            ("private key", Some(self.private_key.as_str())),
            ("security token", token),
        ]
        .into_iter()
        .filter_map(|(name, value)| value_problem(name, value?))
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

/// Returns the problem of a value that must not be empty or contain whitespace. The service would
/// answer a key with a trailing line break with 171, which does not show the cause.
pub(crate) fn value_problem(name: &str, value: &str) -> Option<String> {
    if value.is_empty() {
        return Some(format!("the {name} is empty"));
    }
    let is_invalid = |c: char| c.is_whitespace() || c.is_control();
    value
        .contains(is_invalid)
        .then(|| format!("the {name} contains whitespace: copy it again, without line breaks"))
}
