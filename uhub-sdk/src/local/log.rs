//! What arrived.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use serde::Serialize;

use super::fault::Fault;

/// A long-running server must not fill the memory with what it remembers: neither by many requests
/// nor by large ones.
const REMEMBERED: usize = 10_000;
const REMEMBERED_BYTES: usize = 32 * 1024 * 1024;

/// How much is kept of what is in the head of a request, which may be long.
const KEPT_OF_HEAD: usize = 100;

/// Stands where a value is not kept.
const HIDDEN: &str = "[hidden]";

/// A request as it reached a [`LocalUhub`](super::LocalUhub), and what became of it.
///
/// As JSON it is an object of these fields under these names, without those that are `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ReceivedRequest {
    /// The request's id, as `X-UCLOUD-REQUEST-UUID` gave it to the client.
    pub request_id: String,
    /// The HTTP method: `GET`, `POST`. Of this, the path and the content type at most 100
    /// characters are kept.
    pub method: String,
    /// The path that was asked for, without its query. The API is at `/`.
    pub path: String,
    /// The `Content-Type` header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// The `Action` parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// The parameters in the order they arrived, none if they could not be read. Of `PublicKey`,
    /// `PrivateKey`, `Signature` and `SecurityToken` the value is `[hidden]`. JSON appears as it is signed: flat,
    /// every value as text.
    pub parameters: Vec<(String, String)>,
    /// 1, and 1 more for each earlier request with the same action and the same signature. A
    /// signature has neither time nor nonce, so a client's second attempt carries the same one as
    /// its first; and so do two equal calls. A request without a signature is always the first.
    pub attempt: u32,
    /// The `RetCode` with which the service answers, even if a [`Fault`] keeps the answer back or
    /// changes it; a [`Fault::RetCode`]'s own, where that stands in the service's place; none where
    /// another fault does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ret_code: Option<i64>,
    /// Whether the request was carried out: whether the service has done what was asked, and so
    /// its own `RetCode` is 0.
    pub carried_out: bool,
    /// The fault that was played.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// The HTTP status of the answer; none as long as there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How many bytes of the answer's body were sent.
    pub bytes: u64,
    /// How long it took from the arrival of the request's head to the last byte that was sent, or to
    /// the end of the connection; none as long as the request is being answered. In JSON, seconds.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "super::seconds::optional::serialize"
    )]
    pub elapsed: Option<Duration>,
}

impl ReceivedRequest {
    /// The value of a parameter; of the last one, where it was repeated, as the server reads it.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let last = self
            .parameters
            .iter()
            .rev()
            .find(|(each, _)| each == name)?;
        Some(&last.1)
    }

    /// About how much memory it takes.
    fn size(&self) -> usize {
        /// Two strings, and what goes with a piece of memory for each.
        const PAIR: usize = 2 * (size_of::<String>() + 16);
        let parameters = self.parameters.iter();
        let pairs = parameters.map(|(name, value)| name.len() + value.len() + PAIR);
        let texts = [
            Some(&self.request_id),
            Some(&self.method),
            Some(&self.path),
            self.content_type.as_ref(),
            self.action.as_ref(),
        ];
        size_of::<Self>()
            + pairs.sum::<usize>()
            + texts.into_iter().flatten().map(String::len).sum::<usize>()
            + self.fault.as_ref().map_or(0, Fault::size)
    }
}

/// The latest requests, oldest first.
#[derive(Default)]
pub(super) struct Log {
    entries: VecDeque<Entry>,
    /// The number of the oldest of them: requests are numbered as they come.
    oldest: u64,
    size: usize,
    /// How often each signed request has come, of those that are remembered.
    attempts: HashMap<u64, Attempts>,
    hasher: RandomState,
}

struct Entry {
    request: ReceivedRequest,
    size: usize,
    /// Of action and signature, where there is one.
    hash: Option<u64>,
}

#[derive(Default)]
struct Attempts {
    made: u32,
    remembered: usize,
}

impl Log {
    /// Remembers a request, and gives it a number.
    pub(super) fn push(&mut self, mut request: ReceivedRequest) -> u64 {
        let signature = request.parameter("Signature");
        let signature = signature.filter(|signature| !signature.is_empty());
        let hash = signature.map(|text| self.hasher.hash_one((&request.action, text)));
        request.attempt = match hash {
            None => 1,
            Some(hash) => {
                let attempts = self.attempts.entry(hash).or_default();
                attempts.made = attempts.made.saturating_add(1);
                attempts.remembered += 1;
                attempts.made
            }
        };
        for (name, value) in &mut request.parameters {
            if is_secret(name) {
                *value = HIDDEN.to_owned();
            }
        }
        shorten(&mut request.method);
        shorten(&mut request.path);
        request.content_type.as_mut().map(shorten);
        let size = request.size();
        self.size += size;
        self.entries.push_back(Entry {
            request,
            size,
            hash,
        });
        while self.entries.len() > REMEMBERED || self.size > REMEMBERED_BYTES {
            self.forget_oldest();
        }
        self.oldest + self.entries.len() as u64 - 1
    }

    fn forget_oldest(&mut self) {
        let Some(entry) = self.entries.pop_front() else {
            return;
        };
        self.oldest += 1;
        self.size -= entry.size;
        if let Some(hash) = entry.hash
            && let Some(attempts) = self.attempts.get_mut(&hash)
        {
            attempts.remembered -= 1;
            if attempts.remembered == 0 {
                self.attempts.remove(&hash);
            }
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        while !self.entries.is_empty() {
            self.forget_oldest();
        }
    }

    /// Says what became of a request, if it is remembered.
    pub(super) fn update(&mut self, number: u64, change: impl FnOnce(&mut ReceivedRequest)) {
        if let Some(entry) = self.entry(number) {
            change(&mut entry.request);
        }
    }

    /// The same, and what is known of the request now.
    pub(super) fn finish(
        &mut self,
        number: u64,
        change: impl FnOnce(&mut ReceivedRequest),
    ) -> Option<ReceivedRequest> {
        self.update(number, change);
        self.entry(number).map(|entry| entry.request.clone())
    }

    fn entry(&mut self, number: u64) -> Option<&mut Entry> {
        let index = number.checked_sub(self.oldest)?;
        self.entries.get_mut(usize::try_from(index).ok()?)
    }

    pub(super) fn to_vec(&self) -> Vec<ReceivedRequest> {
        let entries = self.entries.iter();
        entries.map(|entry| entry.request.clone()).collect()
    }
}

fn shorten(text: &mut String) {
    if let Some((end, _)) = text.char_indices().nth(KEPT_OF_HEAD) {
        text.truncate(end);
        text.shrink_to_fit();
    }
}

/// Generous, because a client under test may get the name wrong: `signature`, or a nested
/// `Auth.Signature`.
fn is_secret(name: &str) -> bool {
    name.split('.').any(|part| {
        ["PublicKey", "PrivateKey", "Signature", "SecurityToken"]
            .iter()
            .any(|secret| part.eq_ignore_ascii_case(secret))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(parameters: &[(&str, &str)]) -> ReceivedRequest {
        let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
        ReceivedRequest {
            method: "GET".to_owned(),
            parameters: parameters.iter().map(owned).collect(),
            attempt: 1,
            ..ReceivedRequest::default()
        }
    }

    #[test]
    fn secrets_are_not_kept() {
        let mut log = Log::default();
        let names = [
            "PublicKey",
            "Signature",
            "SecurityToken",
            "signature",
            "PUBLICKEY",
            "Signature.0",
            "Auth.Signature",
            "PrivateKey",
        ];
        log.push(request(&names.map(|name| (name, "s3cret"))));
        let kept = log.to_vec().remove(0);
        assert!(!format!("{kept:?}").contains("s3cret"));
        assert_eq!(kept.parameters.len(), names.len());
        assert_eq!(kept.parameter("Signature"), Some(HIDDEN));
    }

    #[test]
    fn other_parameters_are_kept_in_order() {
        let mut log = Log::default();
        let sent = [
            ("B", "1"),
            ("A", "2"),
            ("SignatureMethod", "none"),
            ("B", "3"),
        ];
        log.push(request(&sent));
        let kept = log.to_vec().remove(0);
        assert_eq!(kept, request(&sent));
        assert_eq!(kept.parameter("B"), Some("3"));
        assert_eq!(kept.parameter("C"), None);
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let mut log = Log::default();
        for number in 0..=REMEMBERED {
            log.push(request(&[("N", &number.to_string())]));
        }
        let kept = log.to_vec();
        assert_eq!(kept.len(), REMEMBERED);
        assert_eq!(kept[0].parameter("N"), Some("1"));
        let size = log.size;
        log.clear();
        assert_eq!((log.to_vec(), log.size), (Vec::new(), 0));
        assert!(size > 0);
    }

    #[test]
    fn large_requests_are_forgotten_sooner() {
        let mut log = Log::default();
        let large = "x".repeat(REMEMBERED_BYTES / 10);
        for _ in 0..30 {
            log.push(request(&[("A", &large)]));
        }
        assert_eq!(log.to_vec().len(), 9);
        // One alone that is too large is not kept either.
        let number = log.push(request(&[("A", &large.repeat(11))]));
        assert_eq!(log.to_vec().len(), 0);
        assert_eq!(log.finish(number, |_| ()), None);
    }

    #[test]
    fn of_a_long_head_little_is_kept() {
        let mut log = Log::default();
        let long = "é".repeat(REMEMBERED_BYTES / 10);
        for _ in 0..30 {
            let mut request = request(&[]);
            request.method.clone_from(&long);
            request.path.clone_from(&long);
            request.content_type = Some(long.clone());
            log.push(request);
        }
        let kept = log.to_vec();
        assert_eq!(kept.len(), 30);
        let short = "é".repeat(KEPT_OF_HEAD);
        assert_eq!([&kept[0].method, &kept[0].path], [&short, &short]);
        assert_eq!(kept[0].content_type, Some(short));
    }

    #[test]
    fn all_that_is_kept_counts() {
        let large = "x".repeat(REMEMBERED_BYTES / 10);
        let played = Fault::RetCode {
            code: 1,
            message: large.clone(),
        };
        let page = Fault::Respond {
            status: 200,
            headers: vec![("x".to_owned(), large.clone())],
            body: large.clone().into(),
        };
        for (fault, left) in [
            (played.clone(), 9),
            (played.after_execution(), 9),
            (page, 4),
        ] {
            let mut log = Log::default();
            for _ in 0..30 {
                let mut request = request(&[]);
                request.fault = Some(fault.clone());
                log.push(request);
            }
            assert_eq!(log.to_vec().len(), left, "{:.40}", format!("{fault:?}"));
        }
        let mut log = Log::default();
        for _ in 0..30 {
            let mut request = request(&[]);
            request.action = Some(large.clone());
            log.push(request);
        }
        assert_eq!(log.to_vec().len(), 9);
    }

    #[test]
    fn attempts_are_counted_by_action_and_signature() {
        let mut log = Log::default();
        let mut attempt = |action: &str, signature: &[(&str, &str)]| {
            let mut request = request(signature);
            request.action = Some(action.to_owned());
            let number = log.push(request);
            log.finish(number, |_| ()).unwrap().attempt
        };
        assert_eq!(attempt("A", &[("Signature", "x")]), 1);
        assert_eq!(attempt("A", &[("Signature", "x")]), 2);
        assert_eq!(attempt("A", &[("Signature", "y")]), 1);
        assert_eq!(attempt("B", &[("Signature", "x")]), 1);
        assert_eq!(attempt("A", &[("Signature", "x")]), 3);
        assert_eq!(attempt("A", &[]), 1);
        assert_eq!(attempt("A", &[]), 1);
        log.clear();
        assert!(log.attempts.is_empty());
    }

    #[test]
    fn what_becomes_of_a_request_is_known_as_long_as_the_request_is() {
        let mut log = Log::default();
        let first = log.push(request(&[]));
        log.update(first, |request| request.ret_code = Some(0));
        assert_eq!(log.to_vec()[0].ret_code, Some(0));
        for _ in 0..REMEMBERED {
            log.push(request(&[]));
        }
        assert_eq!(log.finish(first, |_| panic!("it is forgotten")), None);
        assert_eq!(log.finish(u64::MAX, |_| ()), None);
    }
}
