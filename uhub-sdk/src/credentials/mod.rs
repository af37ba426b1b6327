//! Credentials, and providers of credentials that change while a program runs.

pub(crate) mod cache;
pub(crate) mod json;
pub(crate) mod key_pair;
pub(crate) mod metadata;

use std::{error::Error as StdError, fmt, sync::Arc};

use crate::{credentials::key_pair::Credentials, transport::BoxFuture};

/// The error of a credentials provider. Its text appears in the error of the call and must not
/// contain secrets.
///
/// Every error converts to it by `?` and `into`, and so do texts.
///
/// # Examples
///
/// ```
/// use uhub_sdk::{Credentials, ProviderError};
///
/// fn read(path: &str) -> Result<Credentials, ProviderError> {
///     let text = std::fs::read_to_string(path)?;
///     let (public_key, private_key) = text.split_once(' ').ok_or("the file has no key pair")?;
///     Ok(Credentials::new(public_key, private_key.trim()))
/// }
/// ```
#[derive(Debug, Clone)]
pub struct ProviderError {
    cause: Arc<dyn StdError + Send + Sync>,
    pub(crate) is_permanent: bool,
    pub(crate) is_timeout: bool,
}

impl ProviderError {
    /// Creates an error from a text or from another error. It is transient: the call asks again, if
    /// its retry policy allows.
    #[must_use]
    pub fn new(cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { cause: cause.into().into(), is_permanent: false, is_timeout: false }
    }

    /// Marks the error as permanent, such as a missing role: the call fails without a retry. A
    /// later call asks again.
    #[must_use]
    pub fn permanent(mut self) -> Self {
        self.is_permanent = true;
        self
    }

    /// Creates an error for a time limit that was exceeded.
    pub(crate) fn timed_out(message: String) -> Self {
        Self { is_timeout: true, ..Self::new(message) }
    }

    /// Returns the cause, whose text this error shows itself.
    pub(crate) fn into_cause(self) -> Arc<dyn StdError + Send + Sync> {
        self.cause
    }
}

impl<E: Into<Box<dyn StdError + Send + Sync>>> From<E> for ProviderError {
    fn from(cause: E) -> Self {
        Self::new(cause)
    }
}

impl fmt::Display for ProviderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.cause, f)
    }
}

/// A provider of credentials that change while a program runs, such as a vault, a file that is
/// replaced, or the [metadata service](crate::MetadataCredentials).
///
/// The client caches the credentials, with one call of the provider for all waiting calls:
///
/// - The provider is called by the first call that needs credentials, and then by the first call
///   that is less than 5 minutes from their expiry or past it. If the lifetime is below 20 minutes,
///   the margin is a quarter of it. Credentials without an expiry are replaced only if the service
///   rejects their token.
/// - The provider has 30 s to respond, or what
///   [`credentials_timeout`](crate::ClientBuilder::credentials_timeout) sets. A call that has no
///   valid credentials waits for it, within the call's timeouts; other calls use the cached
///   credentials.
/// - A failed refresh does not fail calls while the cached credentials are valid. The provider is
///   called again after 10 s at the earliest; without valid credentials, after 1 s. Until then, all
///   calls share the failure. A panic of the provider is a failure, without the panic's message.
/// - Without valid credentials, a call is retried according to its
///   [`RetryPolicy`](crate::RetryPolicy), unless the error is
///   [permanent](ProviderError::permanent).
/// - The provider runs in a task of the runtime of the first call. Calls on other runtimes wait for
///   it for 1 s, and then call the provider on their own.
///
/// # Examples
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use uhub_sdk::{BoxFuture, Client, Credentials, ProvideCredentials, ProviderError};
///
/// #[derive(Debug)]
/// struct Vault;
///
/// impl ProvideCredentials for Vault {
///     fn provide(&self) -> BoxFuture<'_, Result<Credentials, ProviderError>> {
///         Box::pin(async {
///             let credentials =
///                 Credentials::new("public-key", "private-key").with_security_token("token");
///             Ok(credentials.with_expiry(SystemTime::now() + Duration::from_secs(3600)))
///         })
///     }
/// }
///
/// let client = Client::builder().credentials_provider(Vault).build()?;
/// # Ok::<(), uhub_sdk::Error>(())
/// ```
pub trait ProvideCredentials: fmt::Debug + Send + Sync + 'static {
    /// Returns the current credentials. Must not block the thread.
    ///
    /// # Errors
    ///
    /// Any error, which converts to [`ProviderError`]. Calls without valid credentials then fail
    /// with an error of kind [`Credentials`](crate::ErrorKind::Credentials), which contains its
    /// text.
    fn provide(&self) -> BoxFuture<'_, Result<Credentials, ProviderError>>;
}

impl<T: ProvideCredentials + ?Sized> ProvideCredentials for Arc<T> {
    fn provide(&self) -> BoxFuture<'_, Result<Credentials, ProviderError>> {
        (**self).provide()
    }
}
