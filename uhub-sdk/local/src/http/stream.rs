//! A TCP stream that faults can observe and cut.
//!
//! hyper does not flush its buffer when a body fails, so a body that breaks off must wait until its
//! bytes are sent. Other faults end a connection where HTTP would not: within a head, or by a
//! reset.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::{io, pin::Pin, time::Duration};

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

/// Controls a [`Stream`] that hyper owns.
#[derive(Clone, Default)]
pub(crate) struct StreamControl(Arc<Mutex<StreamState>>);

#[derive(Default)]
struct StreamState {
    flushes: u64,
    flush_waker: Option<Waker>,
    /// How many more bytes are written before the stream ends. Unlimited if `None`.
    remaining: Option<u64>,
    resets: bool,
}

impl StreamControl {
    /// How often the stream was flushed.
    pub(crate) fn flushes(&self) -> u64 {
        self.state().flushes
    }

    /// Becomes ready when the stream was flushed more than `before` times.
    pub(crate) fn poll_flushed(&self, before: u64, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.state();
        if state.flushes > before {
            return Poll::Ready(());
        }
        state.flush_waker = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Ends the stream after this many more bytes.
    pub(crate) fn cut_after(&self, bytes: u64) {
        self.state().remaining = Some(bytes);
    }

    /// Makes the stream end with a TCP reset.
    pub(crate) fn reset(&self) {
        self.state().resets = true;
    }

    fn state(&self) -> MutexGuard<'_, StreamState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) struct Stream {
    tcp: TokioIo<TcpStream>,
    control: StreamControl,
    /// How long a write may make no progress.
    write_timeout: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl Stream {
    pub(crate) fn new(tcp: TcpStream, write_timeout: Duration) -> Self {
        Self {
            tcp: TokioIo::new(tcp),
            control: StreamControl::default(),
            write_timeout,
            stalled: None,
        }
    }

    pub(crate) fn control(&self) -> StreamControl {
        self.control.clone()
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if self.control.state().resets {
            // Fails if the connection is closed already.
            let _ = self.tcp.inner().set_zero_linger();
        }
    }
}

impl Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_read(cx, buf)
    }
}

impl Write for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let remaining = self.control.state().remaining;
        if remaining == Some(0) {
            return Poll::Ready(Err(io::Error::other("a fault cuts the connection")));
        }
        let length = remaining.map_or(buf.len(), |bytes| {
            usize::try_from(bytes).map_or(buf.len(), |bytes| bytes.min(buf.len()))
        });
        let written = Pin::new(&mut self.tcp).poll_write(cx, &buf[..length]);
        if let (Poll::Ready(Ok(written)), Some(remaining)) = (&written, remaining) {
            self.control.state().remaining = Some(remaining - *written as u64);
        }
        // Fails a write that makes no progress for too long.
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let timeout = self.write_timeout;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(timeout)));
        stalled.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // hyper flushes only after it has written its whole buffer.
        let flushed = Pin::new(&mut self.tcp).poll_flush(cx);
        if let Poll::Ready(Ok(())) = flushed {
            let mut state = self.control.state();
            state.flushes += 1;
            if let Some(waker) = state.flush_waker.take() {
                waker.wake();
            }
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}
