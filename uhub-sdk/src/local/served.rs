//! The end of a request: when it is answered, or will not be.

use std::sync::Arc;

use tokio::time::Instant;

use super::state::Shared;

/// A request that is being answered. Dropping it says that it is no more: what was sent of the answer
/// is recorded, and whoever wants to hear of it does.
pub(super) struct Served {
    shared: Arc<Shared>,
    number: u64,
    began: Instant,
    pub(super) status: Option<u16>,
    bytes: u64,
}

impl Served {
    pub(super) fn new(shared: Arc<Shared>, number: u64, began: Instant) -> Self {
        Self {
            shared,
            number,
            began,
            status: None,
            bytes: 0,
        }
    }

    /// So many bytes more of the body are on their way.
    pub(super) fn sent(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let elapsed = self.began.elapsed();
        let request = self.shared.state().log.finish(self.number, |request| {
            request.status = self.status;
            request.bytes = self.bytes;
            request.elapsed = Some(elapsed);
        });
        // A callback that panics while a panic unwinds would end the process.
        if let (Some(request), Some(tell), false) =
            (request, &self.shared.on_request, std::thread::panicking())
        {
            tell(&request);
        }
    }
}
