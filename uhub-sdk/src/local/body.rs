//! The bodies of responses, the broken ones included.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

use super::served::Served;
use super::stream::Wire;

/// The connection ends here, as a fault wants it to.
#[derive(Debug)]
pub(super) struct Cut;

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the connection is cut")
    }
}

impl std::error::Error for Cut {}

pub(super) struct AnswerBody {
    kind: Kind,
    /// Dropped with the body, when it was sent or nobody is there to take it.
    served: Option<Served>,
}

enum Kind {
    /// All of it at once.
    Whole(Option<Bytes>),
    /// In pieces, with a pause before each but the first.
    Slow(Slow),
    /// A first part, and then the connection is cut.
    Broken(Broken),
    /// As long as wanted, and never in memory.
    Huge(Huge),
}

impl AnswerBody {
    pub(super) fn whole(bytes: Bytes) -> Self {
        Self::of(Kind::Whole(Some(bytes).filter(|bytes| !bytes.is_empty())))
    }

    pub(super) fn slow(bytes: Bytes, piece: usize, pause: Duration) -> Self {
        Self::of(Kind::Slow(Slow {
            left: bytes,
            piece: piece.max(1),
            pause,
            waiting: None,
        }))
    }

    pub(super) fn broken(first: Bytes, wire: Wire) -> Self {
        Self::of(Kind::Broken(Broken {
            first: Some(first),
            wire,
            flushed_before: 0,
        }))
    }

    pub(super) fn huge(action: &str, bytes: u64) -> Self {
        Self::of(Kind::Huge(Huge::new(action, bytes)))
    }

    fn of(kind: Kind) -> Self {
        Self { kind, served: None }
    }

    /// Tells `served` of what is sent, and of the end.
    pub(super) fn watched(mut self, served: Served) -> Self {
        self.served = Some(served);
        self
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        let this = self.get_mut();
        let next = match &mut this.kind {
            Kind::Whole(bytes) => bytes.take(),
            Kind::Slow(slow) => ready!(slow.poll_next(cx)),
            Kind::Huge(huge) => huge.next(),
            Kind::Broken(broken) => match ready!(broken.poll_next(cx)) {
                Ok(first) => Some(first),
                Err(cut) => return Poll::Ready(Some(Err(cut))),
            },
        };
        if let (Some(served), Some(bytes)) = (&mut this.served, &next) {
            served.sent(bytes.len());
        }
        Poll::Ready(next.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Whole(bytes) => bytes.is_none(),
            Kind::Slow(slow) => slow.left.is_empty(),
            Kind::Broken(_) | Kind::Huge(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64),
            Kind::Slow(slow) => SizeHint::with_exact(slow.left.len() as u64),
            // A broken body is not as long as its headers say, and a huge one is to say nothing.
            Kind::Broken(_) | Kind::Huge(_) => SizeHint::default(),
        }
    }
}

struct Slow {
    left: Bytes,
    piece: usize,
    pause: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
}

impl Slow {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if let Some(waiting) = &mut self.waiting {
            ready!(waiting.as_mut().poll(cx));
        }
        if self.left.is_empty() {
            return Poll::Ready(None);
        }
        self.waiting = Some(Box::pin(sleep(self.pause)));
        let piece = self.left.split_to(self.piece.min(self.left.len()));
        Poll::Ready(Some(piece))
    }
}

struct Broken {
    first: Option<Bytes>,
    wire: Wire,
    flushed_before: u64,
}

impl Broken {
    fn poll_next(&mut self, cx: &Context<'_>) -> Poll<Result<Bytes, Cut>> {
        if let Some(first) = self.first.take() {
            self.flushed_before = self.wire.flushes();
            if !first.is_empty() {
                return Poll::Ready(Ok(first));
            }
        }
        ready!(self.wire.poll_flushed(self.flushed_before, cx));
        Poll::Ready(Err(Cut))
    }
}

struct Huge {
    start: Bytes,
    padding: u64,
    end: Bytes,
}

impl Huge {
    fn new(action: &str, bytes: u64) -> Self {
        static END: &[u8] = b"\"}";

        // Through JSON, because the name of the action is the client's.
        let mut start =
            serde_json::json!({"RetCode": 0, "Action": format!("{action}Response")}).to_string();
        start.pop();
        start.push_str(r#","Padding":""#);
        let mut start = Bytes::from(start);
        start.truncate(usize::try_from(bytes).unwrap_or(usize::MAX));
        let mut end = Bytes::from_static(END);
        let left = bytes - start.len() as u64;
        end.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        let padding = left - end.len() as u64;
        Self {
            start,
            padding,
            end,
        }
    }

    fn next(&mut self) -> Option<Bytes> {
        static FILLER: [u8; 64 * 1024] = [b'x'; 64 * 1024];

        if !self.start.is_empty() {
            return Some(std::mem::take(&mut self.start));
        }
        if self.padding > 0 {
            let length =
                usize::try_from(self.padding).map_or(FILLER.len(), |left| left.min(FILLER.len()));
            self.padding -= length as u64;
            return Some(Bytes::from_static(&FILLER[..length]));
        }
        Some(std::mem::take(&mut self.end)).filter(|end| !end.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collect(mut huge: Huge) -> Vec<u8> {
        std::iter::from_fn(|| huge.next()).flatten().collect()
    }

    #[test]
    fn a_huge_body_is_as_long_as_it_says() {
        for bytes in [0, 1, 10, 60, 100, 1000, 65_536, 200_000] {
            assert_eq!(
                collect(Huge::new("GetRepoImage", bytes)).len() as u64,
                bytes
            );
        }
    }

    #[test]
    fn a_huge_body_is_json_and_says_success() {
        let action = "Get\"Repo\\Image";
        let body: serde_json::Value =
            serde_json::from_slice(&collect(Huge::new(action, 200_000))).unwrap();
        assert_eq!(body["RetCode"], 0);
        assert_eq!(body["Action"], format!("{action}Response"));
    }

    #[test]
    fn a_huge_body_of_any_length_can_be_asked_for() {
        let mut huge = Huge::new("A", u64::MAX);
        assert!(huge.next().is_some());
        assert!(huge.next().is_some_and(|bytes| bytes.len() <= 64 * 1024));
    }
}
