//! The state that the handle and the connections share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::http::{guard::AllowedHosts, slots::IdleConnections};
use crate::log::{Log, OnRequest};
use crate::{data::store::Store, fault::scope::Faults};

/// What the server does with its port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Open,
    /// The port is closed for this time.
    Unavailable(Duration),
    Stopping,
}

/// The limits on a client, so that it cannot starve the others.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// The number of open connections.
    pub(crate) connections: usize,
    /// How long a connection has to be idle before it makes room for another.
    pub(crate) idle: Duration,
    /// The time to read a head, which starts with the connection or the last response, and the time
    /// to read a body.
    pub(crate) read: Duration,
    /// How long a client may read nothing of its response.
    pub(crate) write: Duration,
    /// The time that running requests have to finish when the server stops.
    pub(crate) grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            idle: Duration::from_secs(1),
            read: Duration::from_secs(10),
            write: Duration::from_secs(30),
            grace: Duration::from_secs(2),
        }
    }
}

pub(crate) struct Shared {
    pub(crate) latency: Duration,
    pub(crate) limits: Limits,
    pub(crate) on_request: Option<OnRequest>,
    /// Whether the server accepts control requests over HTTP.
    pub(crate) control: bool,
    /// By which names clients may reach the server.
    pub(crate) hosts: AllowedHosts,
    pub(crate) idle: Arc<IdleConnections>,
    pub(crate) phase: watch::Sender<Phase>,
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
    /// Closes the port for a time, unless the server stops.
    pub(crate) fn unavailable_for(&self, time: Duration) {
        self.phase.send_if_modified(|phase| {
            let is_running = *phase != Phase::Stopping;
            if is_running {
                *phase = Phase::Unavailable(time);
            }
            is_running
        });
    }

    /// Waits until the server stops.
    pub(crate) async fn stopping(&self) {
        // Fails only if the sender is dropped, which `self` prevents.
        let _ = self.phase.subscribe().wait_for(|phase| *phase == Phase::Stopping).await;
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A random request id in the form of a UUID.
pub(crate) fn new_request_id() -> String {
    let mut id = format!("{:032x}", fastrand::u128(..));
    for index in [20, 16, 12, 8] {
        id.insert(index, '-');
    }
    id
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
