//! A TCP stream that can be watched and cut.
//!
//! The connection does not flush what it holds when a body fails, so a body that is to break off
//! after so many bytes has to know that those bytes are out. And some faults end a connection where
//! HTTP would not: in the middle of a head, or by a reset.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

/// What is known of a stream, and what it is to do, while the connection holds it.
#[derive(Clone, Default)]
pub(super) struct Wire(Arc<Mutex<WireState>>);

#[derive(Default)]
struct WireState {
    flushes: u64,
    waiting: Option<Waker>,
    /// How many bytes more are written before the stream ends, if it is to end.
    left: Option<u64>,
    resets: bool,
}

impl Wire {
    /// How often the stream was flushed.
    pub(super) fn flushes(&self) -> u64 {
        self.state().flushes
    }

    /// Ready once it was flushed more often than this.
    pub(super) fn poll_flushed(&self, before: u64, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.state();
        if state.flushes > before {
            return Poll::Ready(());
        }
        state.waiting = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Ends the stream after this many bytes more.
    pub(super) fn cut_after(&self, bytes: u64) {
        self.state().left = Some(bytes);
    }

    /// Lets the stream end by a reset.
    pub(super) fn reset(&self) {
        self.state().resets = true;
    }

    fn flushed(&self) {
        let mut state = self.state();
        state.flushes += 1;
        if let Some(waiting) = state.waiting.take() {
            waiting.wake();
        }
    }

    fn state(&self) -> MutexGuard<'_, WireState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) struct Stream {
    tcp: TokioIo<TcpStream>,
    wire: Wire,
    /// How long the other side may read nothing of what is written.
    patience: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl Stream {
    pub(super) fn new(tcp: TcpStream, patience: Duration) -> Self {
        Self {
            tcp: TokioIo::new(tcp),
            wire: Wire::default(),
            patience,
            stalled: None,
        }
    }

    pub(super) fn wire(&self) -> Wire {
        self.wire.clone()
    }

    /// An attempt to write: given up if there was no progress for too long.
    fn progress(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let patience = self.patience;
        let stalled = self
            .stalled
            .get_or_insert_with(|| Box::pin(sleep(patience)));
        stalled
            .as_mut()
            .poll(cx)
            .map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if self.wire.state().resets {
            // It fails where the connection is gone already.
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
        let left = self.wire.state().left;
        let Some(left) = left else {
            let written = Pin::new(&mut self.tcp).poll_write(cx, buf);
            return self.progress(cx, written);
        };
        if left == 0 {
            return Poll::Ready(Err(io::Error::other("the connection is cut")));
        }
        let now = usize::try_from(left).map_or(buf.len(), |left| left.min(buf.len()));
        let written = Pin::new(&mut self.tcp).poll_write(cx, &buf[..now]);
        if let Poll::Ready(Ok(written)) = written {
            self.wire.state().left = Some(left - written as u64);
        }
        self.progress(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.wire.state().left.is_some() {
            let first = bufs.iter().find(|buf| !buf.is_empty());
            return self.poll_write(cx, first.map_or(&[], |buf| buf));
        }
        let written = Pin::new(&mut self.tcp).poll_write_vectored(cx, bufs);
        self.progress(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The connection calls this only when it has written all it held.
        let flushed = Pin::new(&mut self.tcp).poll_flush(cx);
        if let Poll::Ready(Ok(())) = flushed {
            self.wire.flushed();
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}
