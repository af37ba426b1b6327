//! The observer of a client's calls, for metrics.

use std::{fmt, sync::Arc, time::Duration};

use crate::error::Error;

/// Observes every attempt and every call of a client, for counts, durations and throttling.
///
/// The call waits for the observer, so return quickly. The values passed to it contain no keys,
/// tokens or signatures.
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
    /// Called at the end of each attempt.
    fn attempt(&self, attempt: &Attempt<'_>) {
        let _ = attempt;
    }

    /// Called at the end of each call, after all attempts. Not called if the call's future is
    /// dropped, or if the call fails before its first attempt (no runtime, zero timeout).
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

/// One attempt of a call, as passed to an [`Observer`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Attempt<'c> {
    /// The documented name of the action.
    pub action: &'c str,
    /// The number of the attempt, from 1.
    pub number: u32,
    /// The duration of the attempt.
    pub elapsed: Duration,
    /// The HTTP status of the response, if there was one.
    pub http_status: Option<u16>,
    /// The error, if the attempt failed. It covers this attempt only.
    pub error: Option<&'c Error>,
    /// The delay before the next attempt, if there is one.
    pub wait: Option<Duration>,
}

impl Attempt<'_> {
    /// Returns whether the attempt was throttled.
    #[must_use]
    pub fn is_throttled(&self) -> bool {
        self.error.is_some_and(Error::is_throttled)
    }
}

/// A call that has ended, as passed to an [`Observer`].
#[derive(Debug)]
#[non_exhaustive]
pub struct FinishedCall<'c> {
    /// The documented name of the action.
    pub action: &'c str,
    /// The number of attempts.
    pub attempts: u32,
    /// The duration of the call, including all attempts and the delays between them.
    pub elapsed: Duration,
    /// The error, if the call failed.
    pub error: Option<&'c Error>,
}
