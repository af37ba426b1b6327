//! The idle connections, oldest first. One of them is closed if another client needs its place.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::{sync::Notify, time::Instant};

/// Every connection that has no running request: one that is idle, or whose head or body is not
/// complete yet.
#[derive(Debug, Default)]
pub(crate) struct IdleConnections(Mutex<Queue>);

#[derive(Debug, Default)]
struct Queue {
    next: u64,
    connections: BTreeMap<u64, IdleConnection>,
}

#[derive(Debug)]
struct IdleConnection {
    since: Instant,
    close: Arc<Notify>,
}

impl IdleConnections {
    /// Closes the connection that has been idle for longest, if for this long at least: the request
    /// of a new one may be on its way. Returns whether there was one.
    pub(crate) fn close_oldest(&self, least: Duration) -> bool {
        let mut queue = self.queue();
        match queue.connections.first_entry() {
            Some(oldest) if oldest.get().since.elapsed() >= least => {
                oldest.remove().close.notify_one();
                true
            }
            _ => false,
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of one connection.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    idle: Arc<IdleConnections>,
    place: Arc<Mutex<Place>>,
    close: Arc<Notify>,
}

#[derive(Debug)]
enum Place {
    Idle(u64),
    /// With this many requests, the last of which is read while the others are answered.
    Busy(usize),
    /// The connection has ended.
    Left,
}

impl Slot {
    /// The place of a new connection, which is idle.
    pub(crate) fn new(idle: Arc<IdleConnections>) -> Self {
        let place = Arc::new(Mutex::new(Place::Busy(1)));
        let slot = Self { idle, place, close: Arc::default() };
        slot.finish_one();
        slot
    }

    /// Waits until the connection has to make room for another.
    pub(crate) async fn closed(&self) {
        self.close.notified().await;
    }

    /// Marks the connection as busy until the guard is dropped. `None` if it is being closed.
    pub(crate) fn busy(&self) -> Option<BusyGuard> {
        let mut place = self.place();
        let requests = match *place {
            Place::Idle(number) => {
                self.idle.queue().connections.remove(&number)?;
                1
            }
            Place::Busy(requests) => requests + 1,
            Place::Left => return None,
        };
        *place = Place::Busy(requests);
        drop(place);
        Some(BusyGuard(self.clone()))
    }

    /// The connection has ended.
    pub(crate) fn leave(&self) {
        let place = std::mem::replace(&mut *self.place(), Place::Left);
        if let Place::Idle(number) = place {
            self.idle.queue().connections.remove(&number);
        }
    }

    fn finish_one(&self) {
        let mut place = self.place();
        match *place {
            Place::Busy(requests @ 2..) => *place = Place::Busy(requests - 1),
            Place::Busy(_) => {
                let mut queue = self.idle.queue();
                let number = queue.next;
                queue.next += 1;
                let close = Arc::clone(&self.close);
                queue.connections.insert(number, IdleConnection { since: Instant::now(), close });
                *place = Place::Idle(number);
            }
            Place::Idle(_) | Place::Left => {}
        }
    }

    fn place(&self) -> MutexGuard<'_, Place> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Exists while a connection has a running request.
#[derive(Debug)]
pub(crate) struct BusyGuard(Slot);

impl Drop for BusyGuard {
    fn drop(&mut self) {
        self.0.finish_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_idle_connection_is_closed_first() {
        let idle = Arc::new(IdleConnections::default());
        let [first, second] = [0; 2].map(|_| Slot::new(Arc::clone(&idle)));
        // A request makes a connection the newest.
        drop(first.busy().unwrap());
        assert!(!idle.close_oldest(Duration::from_secs(60)), "a new connection is closed");
        assert!(idle.close_oldest(Duration::ZERO));
        assert!(second.busy().is_none(), "a closed connection executes no request");
        let running = first.busy().unwrap();
        assert!(!idle.close_oldest(Duration::ZERO), "a busy connection is closed");
        drop(running);
        first.leave();
        second.leave();
        assert!(!idle.close_oldest(Duration::ZERO));
        assert!(first.busy().is_none());
    }
}
