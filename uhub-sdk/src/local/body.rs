//! The bodies of responses, the broken ones included.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use super::stream::Flushes;

/// The connection ends here, as a fault wants it to.
#[derive(Debug)]
pub(super) struct Cut;

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the connection is cut")
    }
}

impl std::error::Error for Cut {}

pub(super) enum AnswerBody {
    /// All of it at once.
    Whole(Option<Bytes>),
    /// A first part, and then the connection is cut.
    Broken(Broken),
    /// As long as wanted, and never in memory.
    Huge(Huge),
}

impl AnswerBody {
    pub(super) fn whole(bytes: Bytes) -> Self {
        Self::Whole(Some(bytes))
    }

    pub(super) fn broken(first: Bytes, flushes: Flushes) -> Self {
        Self::Broken(Broken {
            first: Some(first),
            flushes,
            flushed_before: 0,
        })
    }

    pub(super) fn huge(action: &str, bytes: u64) -> Self {
        Self::Huge(Huge::new(action, bytes))
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        let next = match self.get_mut() {
            Self::Whole(bytes) => bytes.take(),
            Self::Huge(huge) => huge.next(),
            Self::Broken(broken) => return broken.poll_frame(cx),
        };
        Poll::Ready(next.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64),
            // A broken body is not as long as its headers say, and a huge one is to say nothing.
            Self::Broken(_) | Self::Huge(_) => SizeHint::default(),
        }
    }
}

pub(super) struct Broken {
    first: Option<Bytes>,
    flushes: Flushes,
    flushed_before: u64,
}

impl Broken {
    fn poll_frame(&mut self, cx: &Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        if let Some(first) = self.first.take() {
            self.flushed_before = self.flushes.count();
            if !first.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(first))));
            }
        }
        ready!(self.flushes.poll_after(self.flushed_before, cx));
        Poll::Ready(Some(Err(Cut)))
    }
}

pub(super) struct Huge {
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
