//! What an action is to the core: data.

use crate::{wire::decode::Model, wire::parameters::Parameters};

/// An action of the service: its name, its parameters, its response.
///
/// The requests in [`actions`](crate::actions) implement it, and nothing else can.
pub trait Action: Sealed + std::fmt::Debug + Send + Sync {
    /// The documented name, such as `GetRepoImage`.
    const NAME: &'static str;
    /// Whether a call may be sent a second time.
    const IDEMPOTENCY: Idempotency;
    /// What the service answers.
    type Response: Model + Send + Unpin + 'static;

    /// Hands over the parameters that are set, sorted by name where that can be known beforehand.
    #[doc(hidden)]
    fn add_parameters(&self, to: &mut Parameters<'_>);
}

/// Keeps [`Action`] to the generated requests, so that it can grow.
pub trait Sealed {}

/// Whether a call may be sent a second time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Idempotency {
    /// The action reads: it may be repeated at any time.
    Safe,
    /// Repeating the action changes nothing more.
    Idempotent,
    /// Repeating the action may do it twice.
    NonIdempotent,
}

impl Idempotency {
    /// Whether a call whose outcome is unknown may be sent again without looking.
    pub(crate) fn allows_retry(self) -> bool {
        self != Self::NonIdempotent
    }
}
