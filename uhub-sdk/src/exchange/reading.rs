//! Reads the body of a response: a small one at once, a large one on a thread for blocking work, so
//! that the runtime's other tasks go on.

use std::panic::resume_unwind;

use bytes::Bytes;
use tokio::task::spawn_blocking;

use crate::{
    error::Error,
    exchange::failure::no_runtime,
    wire::{
        budget::{Budget, CancelFlag},
        decode::Reading,
        envelope::ReadResult,
    },
};

/// The size from which a body is read on another thread, in bytes. A page of 100 images has 15 KiB;
/// passing one on costs about as much as reading 10 KiB.
const LARGE: usize = 64 << 10;

/// How the body of a response is read.
pub(crate) struct Read<T> {
    pub(crate) read: fn(&[u8], &Reading) -> ReadResult<T>,
    /// The number of items that were requested.
    pub(crate) limit: Option<i64>,
    /// Whether a field is part of the response's type; `None` if it has no types.
    pub(crate) known_fields: Option<fn(&str) -> bool>,
}

impl<T> Clone for Read<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Read<T> {}

impl<T: Send + 'static> Read<T> {
    /// Reads a body at once, unless it is large.
    pub(crate) fn read_small(self, body: &Bytes) -> Option<ReadResult<T>> {
        (body.len() < LARGE).then(|| {
            let budget = Budget::new(body.len(), self.limit, CancelFlag::default());
            (self.read)(body, &Reading::new(budget))
        })
    }

    /// Reads a body on another thread. Dropping the future stops it.
    pub(crate) async fn read_large(self, body: &Bytes) -> Result<ReadResult<T>, Error> {
        let Self { read, limit, .. } = self;
        let (flag, _cancel_on_drop) = CancelFlag::new();
        let (body, length) = (body.clone(), body.len());
        let task =
            spawn_blocking(move || read(&body, &Reading::new(Budget::new(length, limit, flag))));
        match task.await {
            Ok(content) => Ok(content),
            Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
            Err(_) => Err(no_runtime()),
        }
    }
}
