//! Keys, which never show.

use std::{fmt, time::SystemTime};

use zeroize::Zeroizing;

/// A key pair, and the token that a temporary one comes with.
///
/// The private key and the token are erased from memory when the last copy is dropped, and show in
/// no output: not in `Debug`, not in errors, not in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    pub(crate) public_key: Zeroizing<String>,
    pub(crate) private_key: Zeroizing<String>,
    pub(crate) security_token: Option<Zeroizing<String>>,
    pub(crate) expires_at: Option<SystemTime>,
}

impl Credentials {
    /// A key pair as the platform's console shows it.
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

    /// Adds the token that a temporary key pair comes with. Documented as `SecurityToken`.
    #[must_use]
    pub fn with_security_token(mut self, token: impl Into<String>) -> Self {
        self.security_token = Some(Zeroizing::new(token.into()));
        self
    }

    /// Says when a temporary key pair ends. What a provider gives is asked for again before that.
    #[must_use]
    pub fn with_expiry(mut self, instant: SystemTime) -> Self {
        self.expires_at = Some(instant);
        self
    }

    /// What is wrong with them: what is shown nowhere may be no keys at all.
    pub(crate) fn faults(&self) -> impl Iterator<Item = String> {
        let token = self.security_token.as_ref().map(|token| token.as_str());
        [
            ("public key", Some(self.public_key.as_str())),
            ("private key", Some(self.private_key.as_str())),
            ("security token", token),
        ]
        .into_iter()
        .filter_map(|(name, value)| fault(name, value?))
    }

    /// What has to be hidden wherever it turns up.
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

/// What is wrong with a value that has no white space. A key that was copied with a line end would be
/// refused with 171, and nobody would see why.
pub(crate) fn fault(name: &str, value: &str) -> Option<String> {
    if value.is_empty() {
        return Some(format!("the {name} is empty"));
    }
    let is_odd = |c: char| c.is_whitespace() || c.is_control();
    value
        .contains(is_odd)
        .then(|| format!("the {name} has white space in it: copy it again, without line ends"))
}
