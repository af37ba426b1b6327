//! Where keys come from that change while a program runs.

pub(crate) mod cache;
pub(crate) mod key_pair;
pub(crate) mod metadata;

use std::{error::Error as StdError, fmt, sync::Arc};

use crate::{credentials::key_pair::Credentials, transport::BoxFuture};

/// Why a provider has no credentials. Its text is shown with the error of a call: no secret may be in it.
pub type ProviderError = Box<dyn StdError + Send + Sync>;

/// Where credentials come from that change while a program runs: a vault, a file that is replaced, the
/// [machine's metadata service](MetadataCredentials).
///
/// The client keeps what it is given and asks again when it is about to expire, once for all calls that
/// wait for it. While the old keys are still valid, no call fails because new ones cannot be had.
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
///             let keys = Credentials::new("public-key", "private-key").with_security_token("token");
///             Ok(keys.with_expiry(SystemTime::now() + Duration::from_secs(3600)))
///         })
///     }
/// }
///
/// let client = Client::builder().credentials_provider(Vault).build()?;
/// # Ok::<(), uhub_sdk::Error>(())
/// ```
pub trait ProvideCredentials: fmt::Debug + Send + Sync + 'static {
    /// The credentials as of now.
    ///
    /// # Errors
    ///
    /// There are none, for whatever reason. Calls that have no valid keys fail with it; their error is
    /// of kind [`Credentials`](crate::ErrorKind::Credentials).
    fn provide(&self) -> BoxFuture<'_, Result<Credentials, ProviderError>>;
}

impl<T: ProvideCredentials + ?Sized> ProvideCredentials for Arc<T> {
    fn provide(&self) -> BoxFuture<'_, Result<Credentials, ProviderError>> {
        (**self).provide()
    }
}

impl<T: ProvideCredentials + ?Sized> ProvideCredentials for Box<T> {
    fn provide(&self) -> BoxFuture<'_, Result<Credentials, ProviderError>> {
        (**self).provide()
    }
}
