//! The limit of how many attempts are in flight at the same time.

use std::sync::Arc;

use tokio::sync::{Semaphore, SemaphorePermit};

/// The slots of a client. An attempt in flight holds one; attempts that wait for one get it in the
/// order of their arrival.
#[derive(Debug, Clone)]
pub(crate) struct Slots {
    semaphore: Arc<Semaphore>,
    pub(crate) count: usize,
}

impl Slots {
    pub(crate) fn new(count: usize) -> Self {
        let count = count.min(Semaphore::MAX_PERMITS);
        Self { semaphore: Arc::new(Semaphore::new(count)), count }
    }

    /// Waits for a slot, which is free again once the permit is dropped.
    pub(crate) async fn acquire(&self) -> Option<SemaphorePermit<'_>> {
        // This cannot fail: the semaphore is never closed.
        self.semaphore.acquire().await.ok()
    }
}
