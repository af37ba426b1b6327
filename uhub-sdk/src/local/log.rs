//! What arrived.

use std::collections::VecDeque;

/// A long-running server must not fill the memory with what it remembers.
const REMEMBERED: usize = 10_000;

/// Stands where a value is not kept.
const HIDDEN: &str = "[hidden]";

/// A request as it reached a [`LocalUhub`](super::LocalUhub).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReceivedRequest {
    /// The request's id, as `X-UCLOUD-REQUEST-UUID` gave it to the client.
    pub request_id: String,
    /// The HTTP method: `GET`, `POST`.
    pub method: String,
    /// The `Content-Type` header.
    pub content_type: Option<String>,
    /// The `Action` parameter.
    pub action: Option<String>,
    /// The parameters in the order they arrived, none if they could not be read. Of `PublicKey`,
    /// `Signature` and `SecurityToken` the value is `[hidden]`. JSON appears as it is signed: flat,
    /// every value as text.
    pub parameters: Vec<(String, String)>,
    /// The `RetCode` of the answer, or none where a [`Fault`](super::Fault) took its place.
    pub ret_code: Option<i64>,
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
}

/// The latest requests, oldest first.
#[derive(Default)]
pub(super) struct Log(VecDeque<ReceivedRequest>);

impl Log {
    pub(super) fn push(&mut self, mut request: ReceivedRequest) {
        for (name, value) in &mut request.parameters {
            if is_secret(name) {
                HIDDEN.clone_into(value);
            }
        }
        if self.0.len() == REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back(request);
    }

    pub(super) fn to_vec(&self) -> Vec<ReceivedRequest> {
        self.0.iter().cloned().collect()
    }
}

/// Generous, because a client under test may get the name wrong: `signature`, or a nested
/// `Signature.0`.
fn is_secret(name: &str) -> bool {
    let name = name.split('.').next().unwrap_or(name);
    ["PublicKey", "Signature", "SecurityToken"]
        .iter()
        .any(|secret| name.eq_ignore_ascii_case(secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(parameters: &[(&str, &str)]) -> ReceivedRequest {
        let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
        ReceivedRequest {
            request_id: String::new(),
            method: "GET".to_owned(),
            content_type: None,
            action: None,
            parameters: parameters.iter().map(owned).collect(),
            ret_code: None,
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
    }
}
