//! What a client tells of its calls to whoever counts them.

use std::{fmt, sync::Arc, time::Duration};

use crate::error::Error;

/// Learns of every attempt and every call of a client: to count them, to time them, to see throttling.
///
/// It is called while the call waits: count, and return. What it is told holds no key, token or signature.
///
/// # Examples
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use uhub_sdk::{Attempt, Client, Credentials, Observer};
///
/// #[derive(Debug, Default)]
/// struct Throttles(AtomicU64);
///
/// impl Observer for Throttles {
///     fn attempt(&self, attempt: &Attempt<'_>) {
///         if attempt.is_throttled() {
///             self.0.fetch_add(1, Ordering::Relaxed);
///         }
///     }
/// }
///
/// let client = Client::builder()
///     .credentials(Credentials::new("public-key", "private-key"))
///     .observer(Throttles::default())
///     .build()?;
/// # Ok::<(), uhub_sdk::Error>(())
/// ```
pub trait Observer: fmt::Debug + Send + Sync + 'static {
    /// An attempt at a call has ended.
    fn attempt(&self, attempt: &Attempt<'_>) {
        let _ = attempt;
    }

    /// A call has ended, with all its attempts. A call that was dropped before its end is not told of.
    fn call(&self, call: &FinishedCall<'_>) {
        let _ = call;
    }
}

impl<T: Observer + ?Sized> Observer for Arc<T> {
    fn attempt(&self, attempt: &Attempt<'_>) {
        (**self).attempt(attempt);
    }

    fn call(&self, call: &FinishedCall<'_>) {
        (**self).call(call);
    }
}

impl<T: Observer + ?Sized> Observer for Box<T> {
    fn attempt(&self, attempt: &Attempt<'_>) {
        (**self).attempt(attempt);
    }

    fn call(&self, call: &FinishedCall<'_>) {
        (**self).call(call);
    }
}

/// One attempt at a call, as an [`Observer`] is told of it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Attempt<'c> {
    /// The action, by its documented name.
    pub action: &'c str,
    /// Which attempt at the call this was: the first is 1.
    pub number: u32,
    /// How long it took.
    pub elapsed: Duration,
    /// The HTTP status of the response, if there was one.
    pub http_status: Option<u16>,
    /// What went wrong, if anything did. It knows of this attempt alone.
    pub error: Option<&'c Error>,
    /// How long the client waits before the next attempt, if there is one.
    pub wait: Option<Duration>,
}

impl Attempt<'_> {
    /// Whether the service turned the attempt away because there were too many.
    #[must_use]
    pub fn is_throttled(&self) -> bool {
        self.error.is_some_and(Error::is_throttled)
    }
}

/// A call that has ended, as an [`Observer`] is told of it.
#[derive(Debug)]
#[non_exhaustive]
pub struct FinishedCall<'c> {
    /// The action, by its documented name.
    pub action: &'c str,
    /// How many attempts it took.
    pub attempts: u32,
    /// How long it took, all attempts and the waits between them together.
    pub elapsed: Duration,
    /// What went wrong, if it failed.
    pub error: Option<&'c Error>,
}
