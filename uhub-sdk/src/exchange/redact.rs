//! Removes the secrets of a call from everything that becomes part of an error.

use std::{cmp::Reverse, error::Error as StdError};

use percent_encoding::utf8_percent_encode;
use zeroize::Zeroizing;

use crate::{
    credentials::key_pair::Credentials, error::printable, wire::encode::ESCAPED,
    wire::sign::Signature,
};

/// The secrets of one call: its credentials and its signature.
pub(crate) struct Redactor<'c> {
    pub(crate) credentials: &'c Credentials,
    pub(crate) signature: Signature,
}

impl Redactor<'_> {
    fn secrets(&self) -> impl Iterator<Item = &str> {
        self.credentials.secrets().chain([self.signature.as_str()])
    }

    /// Returns the first `length` characters of a text, redacted and without control characters.
    pub(crate) fn excerpt(&self, text: &str, length: usize) -> String {
        // Search much more than is kept, so that a secret is not cut in two and missed.
        let text = self.redact(&printable(truncate(text, 65_536)));
        let kept = truncate(&text, length);
        if kept.len() < text.len() { format!("{kept}…") } else { text }
    }

    /// Returns a request's id, redacted: a proxy may have set it.
    pub(crate) fn request_id(&self, id: &str) -> String {
        // Fast path for ids in the service's format, since every response has one.
        let is_plain =
            id.len() <= 64 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let contains = |secret: &str| {
            let mut parts = id.as_bytes().windows(secret.len().max(1));
            parts.any(|part| part.eq_ignore_ascii_case(secret.as_bytes()))
        };
        if is_plain && !self.secrets().any(contains) {
            return id.to_owned();
        }
        self.excerpt(id, 128)
    }

    /// Returns an error from outside, or only its redacted text if its chain contains a secret.
    pub(crate) fn source(
        &self,
        source: Box<dyn StdError + Send + Sync>,
    ) -> Box<dyn StdError + Send + Sync> {
        let mut chain = format!("{source} {source:?}");
        let mut next = source.source();
        while let Some(error) = next {
            chain.push_str(&format!(" {error} {error:?}"));
            next = error.source();
        }
        if self.redact(&chain) == chain {
            source
        } else {
            self.excerpt(&source.to_string(), 512).into()
        }
    }

    /// Replaces each secret, in each form that a proxy may repeat it in.
    fn redact(&self, text: &str) -> String {
        let mut needles = Vec::new();
        // A shorter secret is not a real one, and would match in ordinary words.
        for secret in self.secrets().filter(|secret| secret.len() >= 6) {
            let escaped = utf8_percent_encode(secret, ESCAPED).to_string();
            needles.push(Zeroizing::new(escaped));
            needles.push(Zeroizing::new(secret.replace('/', "\\/")));
            needles.push(Zeroizing::new(secret.to_owned()));
        }
        needles.sort_by_key(|needle| Reverse(needle.len()));
        let mut redacted = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            // Percent-escapes may be in lower case.
            let is_prefix = |needle: &&Zeroizing<String>| {
                let start = rest.as_bytes().get(..needle.len());
                start.is_some_and(|start| start.eq_ignore_ascii_case(needle.as_bytes()))
            };
            match needles.iter().find(is_prefix) {
                Some(needle) => {
                    redacted.push_str("[hidden]");
                    rest = &rest[needle.len()..];
                }
                None => {
                    redacted.push(next);
                    rest = &rest[next.len_utf8()..];
                }
            }
        }
        redacted
    }
}

/// Returns at most `length` characters of a text.
pub(crate) fn truncate(text: &str, length: usize) -> &str {
    text.char_indices().nth(length).map_or(text, |(end, _)| &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::sign::signature;

    #[test]
    fn a_request_id_is_unchanged_unless_it_contains_a_secret() {
        let credentials = Credentials::new("public1key", "private2key");
        let redactor =
            Redactor { credentials: &credentials, signature: signature("", "private2key") };
        let signature = redactor.signature.as_str().to_uppercase();
        for (id, expected) in [
            ("90fe6b11-e9dd-4917-8000-000000000003", "90fe6b11-e9dd-4917-8000-000000000003"),
            ("", ""),
            ("a b\u{1b}c", "a b c"),
            ("x-PRIVATE2KEY-y", "x-[hidden]-y"),
            ("public1key", "[hidden]"),
            (signature.as_str(), "[hidden]"),
        ] {
            assert_eq!(redactor.request_id(id), expected);
        }
        assert_eq!(redactor.request_id(&"x".repeat(1000)).chars().count(), 129);
    }
}
