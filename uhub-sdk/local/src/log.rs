//! The log of requests.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{collections::VecDeque, time::Duration};

use serde::Serialize;
use tokio::time::Instant;

use crate::documentation;
use crate::fault::Fault;

/// The limits of the log, so that a long-running server does not fill the memory.
const MAX_REQUESTS: usize = 10_000;
const MAX_BYTES: usize = 32 * 1024 * 1024;

/// The limit on each part of a request's head, in characters.
const MAX_HEAD_PART: usize = 100;

/// Replaces secret values.
const HIDDEN: &str = "[hidden]";

/// A request that a [`LocalUhub`](crate::LocalUhub) received, and its result.
///
/// In JSON, it is an object of these fields, without those that are `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ReceivedRequest {
    /// The request's id, sent to the client as `X-UCLOUD-REQUEST-UUID`.
    pub request_id: String,
    /// The HTTP method: `GET`, `POST`. The method, the path and the content type are truncated to
    /// 100 characters.
    pub method: String,
    /// The path without the query. The API is at `/`.
    pub path: String,
    /// The `Content-Type` header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// The `Action` parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// The parameters in the order of arrival, empty if they are malformed. The values of
    /// `PublicKey`, `PrivateKey`, `Signature` and `SecurityToken` are `[hidden]`. JSON parameters
    /// have their signed form: flat, with every value as a string.
    pub parameters: Vec<(String, String)>,
    /// The number of the connection, from 1 in the order of the clients' arrival. A client may send
    /// its requests over several.
    pub connection: u64,
    /// The number of earlier requests with the same action and signature, on any connection. A
    /// signature contains neither time nor nonce, so they may be attempts of one call, equal calls,
    /// or those of another program. 0 without a signature.
    pub earlier_equal: u32,
    /// The service's `RetCode`, even if a [`Fault`] withholds or changes the response. A
    /// [`Fault::RetCode`]'s own code if it prevented the execution; `None` for other such faults.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ret_code: Option<i64>,
    /// Whether the action was executed, so that the service's own `RetCode` is 0.
    pub executed: bool,
    /// The injected fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// The HTTP status of the response. `None` until there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The number of body bytes that were sent.
    pub bytes: u64,
    /// The time from the head's arrival to the last sent byte or the end of the connection. `None`
    /// until then. Seconds in JSON.
    #[serde(skip_serializing_if = "Option::is_none", with = "crate::seconds")]
    pub elapsed: Option<Duration>,
}

impl ReceivedRequest {
    /// Returns the value of a parameter. The last one wins if it is repeated, as in the service.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let mut parameters = self.parameters.iter().rev();
        let (_, value) = parameters.find(|(each, _)| each == name)?;
        Some(value)
    }

    /// Returns the documented meaning of the return code, if it is documented and not 0.
    #[must_use]
    pub fn meaning(&self) -> Option<&'static str> {
        self.ret_code.and_then(documentation::meaning)
    }

    /// The approximate size in memory.
    fn size(&self) -> usize {
        /// Two strings and their allocations.
        const PAIR: usize = 2 * (size_of::<String>() + 16);
        let parameters = self.parameters.iter();
        let parameters = parameters.map(|(name, value)| name.len() + value.len() + PAIR);
        let action = self.action.as_ref().map_or(0, String::len);
        let fault = self.fault.as_ref().map_or(0, Fault::size);
        size_of::<Self>() + parameters.sum::<usize>() + action + fault
    }
}

/// A request in the log. It is updated until its response was sent, even if the log has removed it.
#[derive(Clone)]
pub(crate) struct LoggedRequest(Arc<Mutex<ReceivedRequest>>);

impl LoggedRequest {
    pub(crate) fn lock(&self) -> MutexGuard<'_, ReceivedRequest> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Called with every answered request.
pub(crate) type OnRequest = Arc<dyn Fn(&ReceivedRequest) + Send + Sync>;

/// Exists while a request is being answered. Dropping it records the time and calls `on_request`.
pub(crate) struct LogGuard {
    pub(crate) request: LoggedRequest,
    pub(crate) on_request: Option<OnRequest>,
    pub(crate) started: Instant,
}

impl Drop for LogGuard {
    fn drop(&mut self) {
        self.request.lock().elapsed = Some(self.started.elapsed());
        // A callback that panics during unwinding would abort the process.
        if let Some(on_request) = &self.on_request
            && !std::thread::panicking()
        {
            let request = self.request.lock().clone();
            on_request(&request);
        }
    }
}

/// The latest requests, oldest first.
#[derive(Default)]
pub(crate) struct Log {
    entries: VecDeque<Entry>,
    size: usize,
    hasher: RandomState,
}

struct Entry {
    request: LoggedRequest,
    size: usize,
    /// The hash of action and signature. `None` without a signature.
    hash: Option<u64>,
}

impl Log {
    /// Adds a request.
    pub(crate) fn push(&mut self, mut request: ReceivedRequest) -> LoggedRequest {
        let signature = request.parameter("Signature");
        let signature = signature.filter(|signature| !signature.is_empty());
        let hash = signature.map(|text| self.hasher.hash_one((&request.action, text)));
        let mut entries = self.entries.iter().rev();
        let earlier = entries.find(|entry| entry.hash.is_some() && entry.hash == hash);
        request.earlier_equal =
            earlier.map_or(0, |entry| entry.request.lock().earlier_equal.saturating_add(1));
        for (name, value) in &mut request.parameters {
            if is_secret(name) {
                *value = HIDDEN.to_owned();
            }
        }
        let content_type = request.content_type.as_mut();
        for text in [&mut request.method, &mut request.path].into_iter().chain(content_type) {
            if let Some((end, _)) = text.char_indices().nth(MAX_HEAD_PART) {
                text.truncate(end);
                text.shrink_to_fit();
            }
        }
        let size = request.size();
        self.size += size;
        let request = LoggedRequest(Arc::new(Mutex::new(request)));
        self.entries.push_back(Entry { request: request.clone(), size, hash });
        while self.entries.len() > MAX_REQUESTS || self.size > MAX_BYTES {
            let oldest = self.entries.pop_front();
            self.size -= oldest.map_or(0, |entry| entry.size);
        }
        request
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.size = 0;
    }

    pub(crate) fn to_vec(&self) -> Vec<ReceivedRequest> {
        let entries = self.entries.iter();
        entries.map(|entry| entry.request.lock().clone()).collect()
    }
}

/// Also hides misspelled and nested names: `signature`, `Auth.Signature`.
fn is_secret(name: &str) -> bool {
    const SECRETS: [&str; 4] = ["PublicKey", "PrivateKey", "Signature", "SecurityToken"];
    name.split('.').any(|part| SECRETS.iter().any(|secret| part.eq_ignore_ascii_case(secret)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(parameters: &[(&str, &str)]) -> ReceivedRequest {
        let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
        ReceivedRequest {
            method: "GET".to_owned(),
            parameters: parameters.iter().map(owned).collect(),
            ..ReceivedRequest::default()
        }
    }

    #[test]
    fn secrets_are_hidden() {
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
        let sent = [("B", "1"), ("A", "2"), ("SignatureMethod", "none"), ("B", "3")];
        log.push(request(&sent));
        let kept = log.to_vec().remove(0);
        assert_eq!(kept, request(&sent));
        assert_eq!(kept.parameter("B"), Some("3"));
        assert_eq!(kept.parameter("C"), None);
    }

    #[test]
    fn the_oldest_requests_are_removed() {
        let mut log = Log::default();
        for number in 0..=MAX_REQUESTS {
            log.push(request(&[("N", &number.to_string())]));
        }
        let kept = log.to_vec();
        assert_eq!(kept.len(), MAX_REQUESTS);
        assert_eq!(kept[0].parameter("N"), Some("1"));
        let size = log.size;
        log.clear();
        assert_eq!((log.to_vec(), log.size), (Vec::new(), 0));
        assert!(size > 0);
    }

    #[test]
    fn large_requests_are_removed_sooner() {
        let mut log = Log::default();
        let large = "x".repeat(MAX_BYTES / 10);
        for _ in 0..30 {
            log.push(request(&[("A", &large)]));
        }
        assert_eq!(log.to_vec().len(), 9);
        // A single request above the limit is removed too.
        log.push(request(&[("A", &large.repeat(11))]));
        assert_eq!((log.to_vec().len(), log.size), (0, 0));
    }

    #[test]
    fn long_heads_are_truncated() {
        let mut log = Log::default();
        let long = "é".repeat(MAX_BYTES / 10);
        for _ in 0..30 {
            let mut request = request(&[]);
            request.method.clone_from(&long);
            request.path.clone_from(&long);
            request.content_type = Some(long.clone());
            log.push(request);
        }
        let kept = log.to_vec();
        assert_eq!(kept.len(), 30);
        let short = "é".repeat(MAX_HEAD_PART);
        assert_eq!([&kept[0].method, &kept[0].path], [&short, &short]);
        assert_eq!(kept[0].content_type, Some(short));
    }

    #[test]
    fn every_part_of_a_request_counts_towards_the_limit() {
        let large = "x".repeat(MAX_BYTES / 10);
        let ret_code = Fault::RetCode { code: 1, message: large.clone() };
        let page = Fault::Respond {
            status: 200,
            headers: vec![("x".to_owned(), large.clone())],
            body: large.clone().into(),
        };
        for (fault, expected) in [(ret_code.clone(), 9), (ret_code.after_execution(), 9), (page, 4)]
        {
            let mut log = Log::default();
            for _ in 0..30 {
                let mut request = request(&[]);
                request.fault = Some(fault.clone());
                log.push(request);
            }
            assert_eq!(log.to_vec().len(), expected, "{:.40}", format!("{fault:?}"));
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
    fn equal_requests_are_counted_by_action_and_signature() {
        let log = &mut Log::default();
        let earlier = |log: &mut Log, action: &str, signature: &[(&str, &str)]| {
            let mut request = request(signature);
            request.action = Some(action.to_owned());
            let request = log.push(request);
            request.lock().earlier_equal
        };
        assert_eq!(earlier(log, "A", &[("Signature", "x")]), 0);
        assert_eq!(earlier(log, "A", &[("Signature", "x")]), 1);
        assert_eq!(earlier(log, "A", &[("Signature", "y")]), 0);
        assert_eq!(earlier(log, "B", &[("Signature", "x")]), 0);
        assert_eq!(earlier(log, "A", &[("Signature", "x")]), 2);
        assert_eq!(earlier(log, "A", &[]), 0);
        assert_eq!(earlier(log, "A", &[]), 0);
        log.clear();
        assert_eq!(earlier(log, "A", &[("Signature", "x")]), 0);
    }

    #[test]
    fn a_request_can_be_updated_even_after_it_is_removed() {
        let mut log = Log::default();
        let first = log.push(request(&[]));
        first.lock().ret_code = Some(0);
        assert_eq!(log.to_vec()[0].ret_code, Some(0));
        for _ in 0..MAX_REQUESTS {
            log.push(request(&[]));
        }
        first.lock().ret_code = Some(1);
        assert!(log.to_vec().iter().all(|request| request.ret_code.is_none()));
    }
}
