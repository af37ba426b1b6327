//! The budget for retries that all calls of a client share.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::error::{Error, ErrorKind};

/// The tokens that a client has left for retries. Each retry costs some; a retry that succeeds gets
/// them back, and every success adds one.
#[derive(Debug)]
pub(crate) struct RetryBudget(AtomicU32);

impl RetryBudget {
    pub(crate) const FULL: u32 = 1000;
    pub(crate) const COST: u32 = 5;
    pub(crate) const COST_IF_THROTTLED: u32 = 1;

    /// Returns the cost of a retry after this error.
    pub(crate) fn cost(error: &Error) -> u32 {
        match error.kind() {
            // Not the service's fault.
            ErrorKind::Credentials => 0,
            _ if error.0.is_local => 0,
            _ if error.is_throttled() => Self::COST_IF_THROTTLED,
            _ => Self::COST,
        }
    }

    /// Takes the cost of one retry, if there is enough.
    pub(crate) fn take(&self, cost: u32) -> Option<Permit<'_>> {
        let take = |left: u32| left.checked_sub(cost);
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
            .ok()
            .map(|_| Permit { budget: self, cost })
    }

    pub(crate) fn give(&self, tokens: u32) {
        // The budget is full nearly always: avoid the contended write.
        if self.left() < Self::FULL {
            let give = |left: u32| Some((left + tokens).min(Self::FULL));
            // This cannot fail: the closure always returns a value.
            let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, give);
        }
    }

    pub(crate) fn left(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self(AtomicU32::new(Self::FULL))
    }
}

/// The cost of a retry that has not been sent yet. Dropping it returns the cost to the budget.
#[derive(Debug)]
pub(crate) struct Permit<'b> {
    budget: &'b RetryBudget,
    cost: u32,
}

impl Permit<'_> {
    /// Keeps the cost, since the retry is sent, and returns it.
    pub(crate) fn spend(mut self) -> u32 {
        std::mem::take(&mut self.cost)
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.budget.give(self.cost);
    }
}
