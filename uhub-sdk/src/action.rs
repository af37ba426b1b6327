//! The data by which the core knows an action.

use crate::{wire::decode::Model, wire::parameters::Parameters};

/// An action of the service. Only the requests in [`actions`](crate::actions) implement it.
pub trait Action: Sealed + std::fmt::Debug + Send + Sync {
    /// The documented name, such as `DescribeSomething`.
    const NAME: &'static str;
    /// Whether a call that may have been executed can be retried.
    const IDEMPOTENCY: Idempotency;
    /// The response.
    type Response: Model + Send + Unpin + 'static;

    /// The documented names of the parameters and response fields that must not be shown.
    #[doc(hidden)]
    const SECRETS: &'static [&'static str] = &[];

    /// Adds the parameters that are set, sorted by their documented names.
    #[doc(hidden)]
    fn add_parameters(&self, to: &mut Parameters<'_>);

    /// Returns how many items were requested.
    #[doc(hidden)]
    fn page_limit(&self) -> Option<i64> {
        None
    }
}

/// Seals [`Action`], so that it can get new items.
pub trait Sealed {}

/// Whether a call that may have been executed can be retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Idempotency {
    /// The action only reads.
    Safe,
    /// Calling it again has no further effect.
    Idempotent,
    /// Calling it again may take effect twice.
    NonIdempotent,
}

impl std::fmt::Display for Idempotency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Safe => "safe",
            Self::Idempotent => "idempotent",
            Self::NonIdempotent => "non-idempotent",
        })
    }
}

impl Idempotency {
    /// Returns whether a call that may have been executed can be retried.
    pub(crate) fn allows_retry(self) -> bool {
        self != Self::NonIdempotent
    }
}
