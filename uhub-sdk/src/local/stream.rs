//! A TCP stream that tells when all that was written to it is on its way.
//!
//! The connection does not flush what it holds when a body fails, so a body that is to break off
//! after so many bytes has to know that those bytes are out.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// How often a stream was flushed.
#[derive(Clone, Default)]
pub(super) struct Flushes(Arc<Mutex<FlushState>>);

#[derive(Default)]
struct FlushState {
    count: u64,
    waiting: Option<Waker>,
}

impl Flushes {
    pub(super) fn count(&self) -> u64 {
        self.state().count
    }

    /// Ready once there were more than `count`.
    pub(super) fn poll_after(&self, count: u64, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.state();
        if state.count > count {
            return Poll::Ready(());
        }
        state.waiting = Some(cx.waker().clone());
        Poll::Pending
    }

    fn add(&self) {
        let mut state = self.state();
        state.count += 1;
        if let Some(waiting) = state.waiting.take() {
            waiting.wake();
        }
    }

    fn state(&self) -> MutexGuard<'_, FlushState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) struct Stream {
    tcp: TokioIo<TcpStream>,
    flushes: Flushes,
}

impl Stream {
    pub(super) fn new(tcp: TcpStream) -> Self {
        Self {
            tcp: TokioIo::new(tcp),
            flushes: Flushes::default(),
        }
    }

    pub(super) fn flushes(&self) -> Flushes {
        self.flushes.clone()
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
        Pin::new(&mut self.tcp).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The connection calls this only when it has written all it held.
        let flushed = Pin::new(&mut self.tcp).poll_flush(cx);
        if let Poll::Ready(Ok(())) = flushed {
            self.flushes.add();
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}
