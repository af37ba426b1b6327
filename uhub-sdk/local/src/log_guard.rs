//! The end of a request: its response was sent, or its connection is closed.

use std::sync::Arc;

use tokio::time::Instant;

use crate::state::Shared;

/// Exists while a request is being answered. Dropping it records what was sent and calls
/// `on_request`.
pub(crate) struct LogGuard {
    shared: Arc<Shared>,
    number: u64,
    started: Instant,
    pub(crate) status: Option<u16>,
    sent: u64,
}

impl LogGuard {
    pub(crate) fn new(shared: Arc<Shared>, number: u64, started: Instant) -> Self {
        Self { shared, number, started, status: None, sent: 0 }
    }

    /// Counts bytes of the body.
    pub(crate) fn count(&mut self, bytes: usize) {
        self.sent += bytes as u64;
    }
}

impl Drop for LogGuard {
    fn drop(&mut self) {
        let elapsed = self.started.elapsed();
        let request = self.shared.state().log.update(self.number, |request| {
            request.status = self.status;
            request.bytes = self.sent;
            request.elapsed = Some(elapsed);
            request.clone()
        });
        // A callback that panics during unwinding would abort the process.
        if let (Some(request), Some(on_request), false) =
            (request, &self.shared.on_request, std::thread::panicking())
        {
            on_request(&request);
        }
    }
}
