//! What the connections and the handle share.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::log::{Log, ReceivedRequest};
use super::scope::Faults;
use super::store::Store;

/// What one client must not take from the others.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    /// How many connections are open at a time.
    pub(super) connections: usize,
    /// How many bytes the body of a request has.
    pub(super) body: usize,
    /// How many bytes the body of a request has that tells the server what to do.
    pub(super) control_body: usize,
    /// How long the head of a request takes to arrive, and how long its body.
    pub(super) read: Duration,
    /// How long a client may read nothing of its answer.
    pub(super) write: Duration,
    /// How long running requests have to finish when the server stops.
    pub(super) grace: Duration,
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

/// Who is told of every request that was answered.
pub(super) type OnRequest = Arc<dyn Fn(&ReceivedRequest) + Send + Sync>;

pub(super) struct Shared {
    pub(super) latency: Duration,
    pub(super) limits: Limits,
    pub(super) on_request: Option<OnRequest>,
    pub(super) ids: RequestIds,
    /// Whether it can be told what to do over HTTP.
    pub(super) control: bool,
    /// Until when the server is to be away.
    pub(super) away: watch::Sender<Option<Instant>>,
    /// How often the store has changed.
    pub(super) changes: watch::Sender<u64>,
    /// One lock, so that requests, their faults and their effects have one order.
    pub(super) state: Mutex<State>,
}

pub(super) struct State {
    pub(super) store: Store,
    pub(super) faults: Faults,
    pub(super) log: Log,
    pub(super) metadata_requests: usize,
}

impl Shared {
    /// Lets the server be away for a time.
    pub(super) fn unavailable_for(&self, time: Duration) {
        // What is longer than the clock goes is for ever, nearly.
        let now = Instant::now();
        let until = now
            .checked_add(time)
            .unwrap_or(now + Duration::from_secs(u32::MAX.into()));
        self.away.send_replace(Some(until));
    }

    /// The store has changed.
    pub(super) fn changed(&self) {
        self.changes.send_modify(|changes| *changes += 1);
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ids in the shape of a UUID: unlike those of another server, because the first half is random,
/// and unlike each other, because the second half counts.
pub(super) struct RequestIds {
    server: u64,
    next: AtomicU64,
}

impl RequestIds {
    pub(super) fn new() -> Self {
        Self {
            server: RandomState::new().hash_one(0),
            next: AtomicU64::new(1),
        }
    }

    pub(super) fn next(&self) -> String {
        let server = self.server;
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        format!(
            "{:08x}-{:04x}-4{:03x}-8000-{:012x}",
            server >> 32,
            server >> 16 & 0xffff,
            server & 0xfff,
            number & 0xffff_ffff_ffff,
        )
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_are_unique_and_look_like_a_uuid() {
        let (one, other) = (RequestIds::new(), RequestIds::new());
        let ids: HashSet<String> = (0..100).flat_map(|_| [one.next(), other.next()]).collect();
        assert_eq!(ids.len(), 200);
        for id in ids {
            let lengths: Vec<usize> = id.split('-').map(str::len).collect();
            assert_eq!(lengths, [8, 4, 4, 4, 12], "{id}");
            assert!(
                id.bytes()
                    .all(|byte| byte == b'-' || byte.is_ascii_hexdigit()),
                "{id}"
            );
        }
    }
}
