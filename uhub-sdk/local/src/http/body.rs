//! Response bodies, including the broken ones of faults.

use std::task::{Context, Poll, ready};
use std::{io, pin::Pin, time::Duration};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

use crate::http::{slots::BusyGuard, stream::StreamControl};
use crate::log::LogGuard;

/// The error that makes hyper close the connection.
pub(crate) fn connection_cut() -> io::Error {
    io::Error::other("the server closes the connection")
}

type Chunks = Box<dyn Iterator<Item = Bytes> + Send>;

pub(crate) struct ResponseBody {
    chunks: Chunks,
    /// The bytes that remain to be sent. `None` sends the body without a length.
    remaining: Option<u64>,
    /// The time after each chunk.
    pause: Duration,
    delay: Option<Pin<Box<Sleep>>>,
    /// Cuts the connection after the chunks, when they are flushed.
    cut: Option<StreamControl>,
    /// The stream's flushes before the last chunk.
    flushes: u64,
    /// Dropped with the body: when it was sent, or when the connection is closed.
    pub(crate) log_guard: Option<LogGuard>,
    /// Dropped with the body, too.
    pub(crate) busy: Option<BusyGuard>,
}

impl ResponseBody {
    fn new(chunks: Chunks, length: Option<u64>) -> Self {
        Self {
            chunks,
            remaining: length,
            pause: Duration::ZERO,
            delay: None,
            cut: None,
            flushes: 0,
            log_guard: None,
            busy: None,
        }
    }

    pub(crate) fn whole(bytes: Bytes) -> Self {
        let length = bytes.len();
        Self::slow(bytes, length, Duration::ZERO)
    }

    /// A body in pieces with a pause between them.
    pub(crate) fn slow(mut bytes: Bytes, piece: usize, pause: Duration) -> Self {
        let length = bytes.len() as u64;
        let pieces = std::iter::from_fn(move || {
            let length = piece.max(1).min(bytes.len());
            (length > 0).then(|| bytes.split_to(length))
        });
        Self { pause, ..Self::new(Box::new(pieces), Some(length)) }
    }

    /// The start of a body, after which the connection is cut.
    pub(crate) fn broken(start: Bytes, stream: StreamControl) -> Self {
        Self { cut: Some(stream), ..Self::new(Box::new([start].into_iter()), None) }
    }

    /// A body of any length, never in memory, and sent without its length.
    pub(crate) fn huge(action: &str, bytes: u64) -> Self {
        Self::new(Box::new(huge_chunks(action, bytes)), None)
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = self.get_mut();
        if let Some(delay) = &mut this.delay {
            ready!(delay.as_mut().poll(cx));
            this.delay = None;
        }
        let Some(bytes) = this.chunks.next() else {
            let Some(stream) = &this.cut else {
                return Poll::Ready(None);
            };
            ready!(stream.poll_flushed(this.flushes, cx));
            return Poll::Ready(Some(Err(connection_cut())));
        };
        if let Some(stream) = &this.cut {
            this.flushes = stream.flushes();
        }
        if !this.pause.is_zero() {
            this.delay = Some(Box::pin(sleep(this.pause)));
        }
        this.remaining = this.remaining.map(|length| length - bytes.len() as u64);
        if let Some(guard) = &this.log_guard {
            guard.request.lock().bytes += bytes.len() as u64;
        }
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.remaining == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.remaining.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// A JSON object of this length: `RetCode` 0 and padding.
fn huge_chunks(action: &str, bytes: u64) -> impl Iterator<Item = Bytes> + use<> {
    static FILLER: [u8; 64 * 1024] = [b'x'; 64 * 1024];

    // The client's action name is escaped as JSON.
    let object = serde_json::json!({"RetCode": 0, "Action": format!("{action}Response")});
    let object = object.to_string();
    let start = format!("{},\"Padding\":\"", &object[..object.len() - 1]);
    let end = "\"}";
    let padding = bytes.saturating_sub((start.len() + end.len()) as u64);
    let (pieces, rest) = (padding / FILLER.len() as u64, padding as usize % FILLER.len());
    let mut remaining = bytes;
    [Bytes::from(start)]
        .into_iter()
        .chain((0..pieces).map(|_| Bytes::from_static(&FILLER)))
        .chain([Bytes::from_static(&FILLER[..rest]), Bytes::from_static(end.as_bytes())])
        .map(move |mut chunk| {
            chunk.truncate(usize::try_from(remaining).unwrap_or(usize::MAX));
            remaining -= chunk.len() as u64;
            chunk
        })
        .filter(|chunk| !chunk.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn huge(action: &str, bytes: u64) -> Vec<u8> {
        huge_chunks(action, bytes).flatten().collect()
    }

    #[test]
    fn a_huge_body_has_the_requested_length() {
        for bytes in [0, 1, 10, 60, 100, 1000, 65_536, 200_000] {
            assert_eq!(huge("GetRepoImage", bytes).len() as u64, bytes);
        }
    }

    #[test]
    fn a_huge_body_is_json_with_ret_code_0() {
        let action = "Get\"Repo\\Image";
        let body: serde_json::Value = serde_json::from_slice(&huge(action, 200_000)).unwrap();
        assert_eq!(body["RetCode"], 0);
        assert_eq!(body["Action"], format!("{action}Response"));
    }

    #[test]
    fn a_huge_body_can_have_any_length() {
        let mut chunks = huge_chunks("A", u64::MAX);
        assert!(chunks.next().is_some());
        assert!(chunks.next().is_some_and(|bytes| bytes.len() == 64 * 1024));
    }
}
