//! The state that the handle and the connections share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::data::store::Store;
use crate::fault::scope::Faults;
use crate::log::{Log, ReceivedRequest};

/// The limits on a client, so that it cannot starve the others.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// The number of open connections.
    pub(crate) connections: usize,
    /// The length of an API request's body, in bytes.
    pub(crate) body: usize,
    /// The length of a control request's body, in bytes.
    pub(crate) control_body: usize,
    /// The time to read a head, and the time to read a body.
    pub(crate) read: Duration,
    /// How long a client may read nothing of its response.
    pub(crate) write: Duration,
    /// The time that running requests have to finish when the server stops.
    pub(crate) grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 512,
            body: 1024 * 1024,
            control_body: 64 * 1024 * 1024,
            read: Duration::from_secs(30),
            write: Duration::from_secs(30),
            grace: Duration::from_secs(2),
        }
    }
}

/// Called with every answered request.
pub(crate) type OnRequest = Arc<dyn Fn(&ReceivedRequest) + Send + Sync>;

pub(crate) struct Shared {
    pub(crate) latency: Duration,
    pub(crate) limits: Limits,
    pub(crate) on_request: Option<OnRequest>,
    /// Whether the server accepts control requests over HTTP.
    pub(crate) control: bool,
    /// Until when the port is closed.
    pub(crate) unavailable: watch::Sender<Option<Instant>>,
    /// One lock, so that requests, faults and effects have one order.
    pub(crate) state: Mutex<State>,
}

pub(crate) struct State {
    pub(crate) store: Store,
    pub(crate) faults: Faults,
    pub(crate) log: Log,
    pub(crate) metadata_requests: usize,
}

impl Shared {
    /// Closes the port for a time.
    pub(crate) fn unavailable_for(&self, time: Duration) {
        let now = Instant::now();
        // Caps the end: `Instant + Duration` overflows for huge times.
        let until = now.checked_add(time).unwrap_or(now + Duration::from_secs(u32::MAX.into()));
        self.unavailable.send_replace(Some(until));
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits until the server is stopped or dropped.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// A random request id in the form of a UUID.
pub(crate) fn new_request_id() -> String {
    let (high, low) = (fastrand::u64(..), fastrand::u64(..));
    format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xfff,
        low >> 48 & 0xfff,
        low & 0xffff_ffff_ffff,
    )
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn request_ids_are_unique_and_have_the_form_of_a_uuid() {
        let ids: HashSet<String> = (0..200).map(|_| new_request_id()).collect();
        assert_eq!(ids.len(), 200);
        for id in ids {
            let lengths: Vec<usize> = id.split('-').map(str::len).collect();
            assert_eq!(lengths, [8, 4, 4, 4, 12], "{id}");
            assert!(id.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit()), "{id}");
        }
    }
}
