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
/// The client caches the credentials and refreshes them before they expire, with one call of the
/// provider for all waiting calls. A failed refresh does not fail calls while the cached
/// credentials are valid.
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
