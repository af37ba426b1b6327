//! Credentials, and providers of credentials that change while a program runs.

pub(crate) mod cache;
pub(crate) mod key_pair;
pub(crate) mod metadata;

use std::{error::Error as StdError, fmt, sync::Arc};

use crate::{credentials::key_pair::Credentials, transport::BoxFuture};

/// The error of a credentials provider. Its text appears in the error of the call and must not
/// contain secrets.
pub type ProviderError = Box<dyn StdError + Send + Sync>;

/// A provider of credentials that change while a program runs, such as a vault, a file that is
/// replaced, or the [metadata service](crate::MetadataCredentials).
///
/// The client caches the credentials, with one call of the provider for all waiting calls:
///
/// - The provider is called by the first call that needs credentials, and then by the first call
///   that is less than 5 minutes from their expiry or past it. If the lifetime is below 20 minutes,
///   the margin is a quarter of it. Credentials without an expiry are replaced only if the service
///   rejects their token.
/// - The provider has 30 s to respond. A call that has no valid credentials waits for it, within
///   the call's timeouts; other calls use the cached credentials.
/// - A failed refresh does not fail calls while the cached credentials are valid. The provider is
///   called again after 10 s at the earliest; without valid credentials, after 1 s.
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
    /// Returns the current credentials.
    ///
    /// # Errors
    ///
    /// Any error. Calls without valid credentials then fail with an error of kind
    /// [`Credentials`](crate::ErrorKind::Credentials), which contains its text.
    fn provide(&self) -> BoxFuture<'_, Result<Credentials, ProviderError>>;
}

impl<T: ProvideCredentials + ?Sized> ProvideCredentials for Arc<T> {
    fn provide(&self) -> BoxFuture<'_, Result<Credentials, ProviderError>> {
        (**self).provide()
    }
}
