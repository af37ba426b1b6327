//! Removes the secrets of a call from everything that becomes part of an error.

use std::{borrow::Cow, error::Error as StdError, fmt, ops::Range, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use zeroize::Zeroizing;

use crate::{
    credentials::key_pair::Credentials,
    error::{is_unprintable, printable},
    wire::sign::Signature,
};

/// The secrets of one call: its credentials, its signature and its proxy's password.
pub(crate) struct Redactor<'c> {
    pub(crate) credentials: &'c Credentials,
    pub(crate) signature: Signature,
    /// Those of a proxy, of extra headers and of the request.
    pub(crate) others: Cow<'c, [Zeroizing<String>]>,
    /// The names of fields whose values are hidden wherever JSON has them.
    pub(crate) names: &'static [&'static str],
}

/// Shorter secrets match in ordinary words, so they are replaced only where a value stands.
const MIN_LENGTH: usize = 6;

const HIDDEN: &str = "[hidden]";

/// How many errors of a chain are kept if it must be rewritten.
const MAX_CHAIN: usize = 16;

/// How many layers of escapes are undone.
const MAX_LAYERS: usize = 4;

impl Redactor<'_> {
    fn secrets(&self) -> impl Iterator<Item = &str> {
        let others = self.others.iter().map(|secret| secret.as_str());
        let own = self.credentials.secrets().chain([self.signature.as_str()]);
        own.chain(others).filter(|secret| !secret.is_empty())
    }

    /// Returns the first `length` characters of a text, redacted and printable.
    pub(crate) fn excerpt(&self, text: &str, length: usize) -> String {
        // Search much more than is kept, so that a secret is not cut in two and missed.
        let text = self.redact(&printable(truncate(text, 65_536)));
        let kept = truncate(&text, length);
        if kept.len() < text.len() { format!("{kept}…") } else { text }
    }

    /// Returns a request's id, redacted: a proxy may have set it.
    pub(crate) fn request_id(&self, id: &str) -> String {
        // Fast path for ids in the service's format, since every response has one.
        let contains = |secret: &str| {
            // Few secrets can be a part of such an id: most have other letters, or are longer.
            secret.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-') && {
                let mut parts = id.as_bytes().windows(secret.len());
                parts.any(|part| part.eq_ignore_ascii_case(secret.as_bytes()))
            }
        };
        if is_uuid(id) && !self.secrets().any(contains) {
            return id.to_owned();
        }
        self.excerpt(id, 128)
    }

    /// Returns an error from outside, or its redacted texts if its chain contains a secret or what
    /// must not be shown.
    pub(crate) fn source(
        &self,
        source: Arc<dyn StdError + Send + Sync>,
    ) -> Arc<dyn StdError + Send + Sync> {
        let is_clean = |error: &&dyn StdError| {
            let (shown, debug) = (error.to_string(), format!("{error:?}"));
            !shown.contains(is_unprintable)
                && self.redact(&shown) == shown
                && self.redact(&debug) == debug
        };
        if chain(&*source).iter().all(is_clean) {
            return source;
        }
        texts(source, |text| self.excerpt(text, 512))
    }

    /// Replaces each secret, in each form that a proxy may repeat it in: unchanged, in Base64 or in
    /// hex, and each of these escaped for a URL, for JSON or for HTML, several times over.
    fn redact(&self, text: &str) -> String {
        let needles: Vec<Needle> = self.secrets().flat_map(Needle::all).collect();
        let mut hidden: Vec<Range<usize>> =
            Decoded::all(text).iter().flat_map(|decoded| decoded.find(&needles)).collect();
        hidden.extend(self.names.iter().flat_map(|name| values(text, name)));
        hidden.sort_by_key(|range| range.start);
        let mut redacted = String::with_capacity(text.len());
        let mut at = 0;
        for Range { start, end } in hidden {
            // Forms of one secret overlap.
            if start >= at {
                redacted.push_str(text.get(at..start).unwrap_or_default());
                redacted.push_str(HIDDEN);
            }
            at = at.max(end);
        }
        redacted.push_str(text.get(at..).unwrap_or_default());
        redacted
    }
}

/// Returns where the values of a name are in JSON: `"name": "value"`. A value that is no string ends
/// where its object goes on, and one that is cut at the end of the text.
fn values(text: &str, name: &str) -> Vec<Range<usize>> {
    let key = format!("\"{name}\"");
    let keys = text.match_indices(&key).map(|(at, _)| at + key.len());
    let value = |at: usize| {
        let rest = &text[at..];
        let value = rest.trim_start().strip_prefix(':')?.trim_start();
        let start = at + rest.len() - value.len();
        let length = match value.strip_prefix('"') {
            Some(string) => {
                let mut is_escaped = false;
                let end = string.find(|c| {
                    let is_end = c == '"' && !is_escaped;
                    is_escaped = c == '\\' && !is_escaped;
                    is_end
                });
                end.map_or(value.len(), |end| end + 2)
            }
            // A list may hold several.
            None if value.starts_with('[') => value.find(']').map_or(value.len(), |end| end + 1),
            None => value.find([',', '}', '\n']).unwrap_or(value.len()),
        };
        Some(start..start + length)
    };
    keys.filter_map(value).collect()
}

fn is_uuid(id: &str) -> bool {
    let Ok(id) = <&[u8; 36]>::try_from(id.as_bytes()) else {
        return false;
    };
    // Every response has one, so each byte is compared without a branch.
    id.iter().enumerate().fold(true, |is_uuid, (index, byte)| {
        is_uuid
            & match index {
                8 | 13 | 18 | 23 => *byte == b'-',
                _ => byte.is_ascii_hexdigit(),
            }
    })
}

/// A form of a secret.
struct Needle {
    bytes: Zeroizing<Vec<u8>>,
    form: Form,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Plain,
    /// Part of a longer Base64 text, whose rest is hidden too.
    Base64,
    /// A short secret, which is looked for after `=` and `:` only.
    Value,
}

impl Needle {
    /// Returns the forms of a secret.
    fn all(secret: &str) -> Vec<Self> {
        let new = |bytes: Vec<u8>, form| Self { bytes: Zeroizing::new(bytes), form };
        if secret.len() < MIN_LENGTH {
            return vec![new(secret.as_bytes().to_vec(), Form::Value)];
        }
        let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        let mut all =
            vec![new(secret.as_bytes().to_vec(), Form::Plain), new(hex.into_bytes(), Form::Plain)];
        // Base64 depends on the position of the secret in the text that is encoded. The digits at
        // both ends depend on its neighbours too.
        for before in 0..3 {
            let text = Zeroizing::new([&[0; 2][..before], secret.as_bytes()].concat());
            let encoded = Zeroizing::new(STANDARD_NO_PAD.encode(&*text));
            let own = &encoded.as_bytes()[(before * 4).div_ceil(3)..text.len() * 4 / 3];
            if own.len() >= MIN_LENGTH {
                all.push(new(own.to_vec(), Form::Base64));
            }
        }
        all
    }

    /// Returns the end of this needle in a text, if it is at this position.
    fn end_at(&self, text: &[u8], start: usize) -> Option<usize> {
        let mut end = start + self.bytes.len();
        let found = text.get(start..end)?.iter().zip(&*self.bytes);
        if !found.into_iter().all(|(byte, needle)| folded(*byte) == folded(*needle)) {
            return None;
        }
        let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/-_=".contains(byte);
        match self.form {
            Form::Plain => {}
            Form::Base64 => end += text[end..].iter().take_while(|byte| is_digit(byte)).count(),
            Form::Value => {
                let is_gap = |byte: &&u8| b"\"' ".contains(byte);
                let name = text[..start].iter().rev().find(|byte| !is_gap(byte));
                let is_cut = text.get(end).is_some_and(u8::is_ascii_alphanumeric);
                if is_cut || !name.is_some_and(|byte| b"=:".contains(byte)) {
                    return None;
                }
            }
        }
        Some(end)
    }
}

/// A text without its escapes, and where each byte comes from.
#[derive(Clone)]
struct Decoded {
    bytes: Vec<u8>,
    /// The position of each byte in the original text, and the length of that text.
    origins: Vec<usize>,
}

/// A kind of escapes: reads one at the beginning of a text, and returns the character and the length.
type Unescape = fn(&[u8]) -> Option<(char, usize)>;

impl Decoded {
    /// Returns a text unchanged and in each form that undoing escapes gives: all kinds of them at
    /// once, and each kind alone, since one kind may be part of a secret.
    fn all(text: &str) -> Vec<Self> {
        let kinds: [&[Unescape]; 4] =
            [&[percent, backslash, entity], &[percent], &[backslash], &[entity]];
        let origins = (0..=text.len()).collect();
        let mut all = vec![Self { bytes: text.as_bytes().to_vec(), origins }];
        for kinds in kinds {
            let mut last = 0;
            for _ in 0..MAX_LAYERS {
                let Some(next) = all[last].without_escapes(kinds) else { break };
                last = all.len();
                all.push(next);
            }
        }
        all
    }

    /// Undoes one layer of escapes; `None` if there are none.
    fn without_escapes(&self, kinds: &[Unescape]) -> Option<Self> {
        let mut decoded = Self { bytes: Vec::new(), origins: Vec::new() };
        let mut at = 0;
        while let Some(byte) = self.bytes.get(at) {
            let rest = &self.bytes[at..];
            match kinds.iter().find_map(|unescape| unescape(rest)) {
                Some((c, length)) => {
                    match u8::try_from(u32::from(c)) {
                        // One of the bytes of a character.
                        Ok(byte) if rest[0] == b'%' => decoded.bytes.push(byte),
                        _ => decoded.bytes.extend(c.encode_utf8(&mut [0; 4]).bytes()),
                    }
                    decoded.origins.resize(decoded.bytes.len(), self.origins[at]);
                    at += length;
                }
                None => {
                    decoded.bytes.push(*byte);
                    decoded.origins.push(self.origins[at]);
                    at += 1;
                }
            }
        }
        decoded.origins.push(*self.origins.last()?);
        (decoded.bytes.len() < self.bytes.len()).then_some(decoded)
    }

    /// Returns where the secrets are in the original text.
    fn find(&self, needles: &[Needle]) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        let mut at = 0;
        while at < self.bytes.len() {
            let ends = needles.iter().filter_map(|needle| needle.end_at(&self.bytes, at));
            match ends.max() {
                Some(end) => {
                    found.push(self.origins[at]..self.origins[end]);
                    at = end;
                }
                None => at += 1,
            }
        }
        found
    }
}

/// Makes bytes equal that differ only in case, or in the alphabet of Base64.
fn folded(byte: u8) -> u8 {
    match byte {
        b'-' => b'+',
        b'_' => b'/',
        _ => byte.to_ascii_lowercase(),
    }
}

/// Reads hexadecimal digits as a character.
fn hex(digits: Option<&[u8]>) -> Option<char> {
    let digits = digits.filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
    char::from_u32(u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?)
}

/// `%2B`.
fn percent(text: &[u8]) -> Option<(char, usize)> {
    hex(text.strip_prefix(b"%")?.get(..2)).map(|c| (c, 3))
}

/// `\/`, `\u002b`, `\x2b`.
fn backslash(text: &[u8]) -> Option<(char, usize)> {
    let rest = text.strip_prefix(b"\\")?;
    match rest.first()? {
        b'u' => hex(rest.get(1..5)).map(|c| (c, 6)),
        b'x' => hex(rest.get(1..3)).map(|c| (c, 4)),
        byte @ (b'/' | b'\\' | b'"' | b'\'') => Some((char::from(*byte), 2)),
        _ => None,
    }
}

/// `&amp;`, `&#43;`, `&#x2B;`.
fn entity(text: &[u8]) -> Option<(char, usize)> {
    let rest = text.strip_prefix(b"&")?;
    let end = rest.iter().take(10).position(|byte| *byte == b';')?;
    let name = std::str::from_utf8(&rest[..end]).ok()?;
    let c = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "plus" => '+',
        "sol" => '/',
        "equals" => '=',
        _ => {
            let number = name.strip_prefix('#')?;
            match number.strip_prefix(['x', 'X']) {
                Some(digits) => hex(Some(digits.as_bytes()))?,
                None => char::from_u32(number.parse().ok()?)?,
            }
        }
    };
    Some((c, end + 2))
}

/// Returns an error from outside, or its printable texts if its chain has others.
pub(crate) fn printable_source(
    source: Arc<dyn StdError + Send + Sync>,
) -> Arc<dyn StdError + Send + Sync> {
    let is_clean = |error: &&dyn StdError| !error.to_string().contains(is_unprintable);
    if chain(&*source).iter().all(is_clean) { source } else { texts(source, printable) }
}

/// Returns an error without what `said` or an outer error of its chain says already; `None` if
/// nothing is left. Many errors contain the text of their source.
pub(crate) fn without_repetition(
    said: &str,
    source: Arc<dyn StdError + Send + Sync>,
) -> Option<Arc<dyn StdError + Send + Sync>> {
    let mut outer = said.to_owned();
    let mut new_texts = Vec::new();
    let errors = chain(&*source);
    // The number of errors before the last one that repeats.
    let mut repeated = 0;
    for (index, error) in errors.iter().take(MAX_CHAIN).enumerate() {
        let text = error.to_string();
        // Middleware may repeat the text of the error that it wraps.
        let repeats = !trimmed(said).is_empty() && text.contains(trimmed(said));
        if repeats || trimmed(&text).is_empty() || outer.contains(trimmed(&text)) {
            repeated = index + 1;
        } else {
            outer.push('\n');
            outer.push_str(&text);
            new_texts.push(text);
        }
    }
    let length = errors.len().min(MAX_CHAIN);
    match repeated {
        0 => Some(source),
        _ if new_texts.is_empty() => None,
        // The types of the others are kept.
        depth if new_texts.len() == length - depth => Some(Arc::new(InnerError { source, depth })),
        _ => wrapped(new_texts),
    }
}

/// An error of the chain of another one.
#[derive(Debug)]
struct InnerError {
    source: Arc<dyn StdError + Send + Sync>,
    /// The number of errors around it.
    depth: usize,
}

impl InnerError {
    fn get(&self) -> &(dyn StdError + 'static) {
        chain(&*self.source).get(self.depth).copied().unwrap_or(&*self.source)
    }
}

impl fmt::Display for InnerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.get(), f)
    }
}

impl StdError for InnerError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.get().source()
    }
}

fn trimmed(text: &str) -> &str {
    text.trim().trim_end_matches('.')
}

/// Returns the texts of an error and its sources.
fn texts(
    source: Arc<dyn StdError + Send + Sync>,
    text: impl Fn(&str) -> String,
) -> Arc<dyn StdError + Send + Sync> {
    let errors = chain(&*source);
    let texts = errors.iter().take(MAX_CHAIN).map(|error| text(&error.to_string())).collect();
    wrapped(texts).unwrap_or(source)
}

/// Returns a chain of errors with these texts.
fn wrapped(texts: Vec<String>) -> Option<Arc<dyn StdError + Send + Sync>> {
    // From the root cause outwards.
    let wrap = |source, text| Some(Box::new(RedactedError { text, source }));
    let outermost = texts.into_iter().rev().fold(None, wrap)?;
    Some(Arc::from(outermost as Box<dyn StdError + Send + Sync>))
}

/// Returns the errors of a chain, from the outermost to the root cause.
fn chain<'e>(error: &'e (dyn StdError + 'static)) -> Vec<&'e (dyn StdError + 'static)> {
    let mut chain = vec![error];
    let mut next = error.source();
    while let Some(error) = next {
        chain.push(error);
        next = error.source();
    }
    chain
}

/// The text of an error from outside, without its secrets.
#[derive(Debug)]
struct RedactedError {
    text: String,
    source: Option<Box<RedactedError>>,
}

impl fmt::Display for RedactedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl StdError for RedactedError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// Returns at most `length` characters of a text.
pub(crate) fn truncate(text: &str, length: usize) -> &str {
    text.char_indices().nth(length).map_or(text, |(end, _)| &text[..end])
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    use proptest::prelude::*;

    use super::*;
    use crate::{transport::reqwest::proxy::secrets as proxy_secrets, wire::sign::signature};

    fn redactor<'c>(credentials: &'c Credentials, others: &'c [Zeroizing<String>]) -> Redactor<'c> {
        let signature = signature("", &credentials.private_key);
        Redactor { credentials, signature, others: others.into(), names: &["Password", "Tokens"] }
    }

    /// An error with a text and a source.
    #[derive(Debug)]
    struct Layer(&'static str, Option<Box<Layer>>);

    impl fmt::Display for Layer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl StdError for Layer {
        fn source(&self) -> Option<&(dyn StdError + 'static)> {
            self.1.as_deref().map(|source| source as _)
        }
    }

    #[test]
    fn a_source_says_nothing_twice() {
        for (said, texts, expected) in [
            ("no route.", &["sending failed", "refused"][..], &["sending failed", "refused"][..]),
            ("vault: disk on fire.", &["vault: disk on fire", "disk on fire"], &[]),
            ("vault: disk on fire.", &["disk on fire.", "os error 5"], &["os error 5"]),
            ("no route.", &["buffer: no route.", "no route.", "refused"], &["refused"]),
            ("no route.", &["a: b: c", "b: c", "c"], &["a: b: c"]),
            ("no route.", &["", " ", "c"], &["c"]),
        ] {
            let layers =
                texts.iter().rev().fold(None, |source, text| Some(Box::new(Layer(text, source))));
            let kept = without_repetition(
                said,
                Arc::from(layers.unwrap() as Box<dyn StdError + Send + Sync>),
            );
            let kept = kept.iter().flat_map(|kept| chain(&**kept));
            let kept: Vec<String> = kept.map(ToString::to_string).collect();
            assert_eq!(kept, expected, "{said} {texts:?}");
        }
        // The errors within what is kept are the original ones.
        let layers =
            Layer("twice", Some(Box::new(Layer("outer", Some(Box::new(Layer("inner", None)))))));
        let kept = without_repetition("twice.", Arc::new(layers)).unwrap();
        assert_eq!(kept.to_string(), "outer");
        let inner = kept.source().and_then(|inner| inner.downcast_ref::<Layer>());
        assert_eq!(inner.map(|inner| inner.0), Some("inner"));
    }

    #[test]
    fn a_request_id_is_unchanged_unless_it_contains_a_secret() {
        let credentials = Credentials::new("public1key", "private2key");
        let redactor = redactor(&credentials, &[]);
        let signature = redactor.signature.as_str().to_uppercase();
        for (id, expected) in [
            ("90fe6b11-e9dd-4917-8000-000000000003", "90fe6b11-e9dd-4917-8000-000000000003"),
            ("", ""),
            ("a b\u{1b}c", "a b c"),
            ("x-PRIVATE2KEY-y", "x-[hidden]-y"),
            ("public1key", "[hidden]"),
            ("x-7075626c6963316b6579", "x-[hidden]"),
            (signature.as_str(), "[hidden]"),
        ] {
            assert_eq!(redactor.request_id(id), expected);
        }
        assert_eq!(redactor.request_id(&"x".repeat(1000)).chars().count(), 129);
    }

    #[test]
    fn short_secrets_are_hidden_as_values_only() {
        let credentials = Credentials::new("test", "e");
        let proxy = proxy_secrets("http://u:pw@proxy.example:3128");
        let redactor = redactor(&credentials, &proxy);
        for (text, expected) in [
            ("the test of the repository \"test\" failed", None),
            ("GET /?PublicKey=testing&x=te", None),
            ("GET /?PublicKey=test&Action=GetIt", Some("GET /?PublicKey=[hidden]&Action=GetIt")),
            (r#"{"PublicKey": "test"}"#, Some(r#"{"PublicKey": "[hidden]"}"#)),
            ("http://u:pw@proxy.example", Some("http://u:[hidden]@proxy.example")),
            // "u:pw" in Base64.
            ("Proxy-Authorization: Basic dTpwdw==", Some("Proxy-Authorization: [hidden]==")),
        ] {
            assert_eq!(redactor.redact(text), expected.unwrap_or(text));
        }
    }

    /// A way in which a proxy may repeat a text.
    fn escaped(text: &str, form: u8) -> String {
        let mut out = String::new();
        for c in text.chars() {
            let code = u32::from(c);
            match form {
                0 => out.push_str(
                    &utf8_percent_encode(c.encode_utf8(&mut [0; 4]), NON_ALPHANUMERIC).to_string(),
                ),
                1 => write!(out, "%{code:02x}").unwrap(),
                2 => write!(out, "\\u{code:04X}").unwrap(),
                3 => match c {
                    '/' | '"' | '\\' => write!(out, "\\{c}").unwrap(),
                    _ => out.push(c),
                },
                4 => write!(out, "&#{code};").unwrap(),
                5 => write!(out, "&#x{code:x};").unwrap(),
                6 => match c {
                    '&' => out.push_str("&amp;"),
                    '<' => out.push_str("&lt;"),
                    '>' => out.push_str("&gt;"),
                    '"' => out.push_str("&quot;"),
                    '\'' => out.push_str("&#39;"),
                    _ => out.push(c),
                },
                7 => out.push(c.to_ascii_uppercase()),
                _ => out.push(c),
            }
        }
        out
    }

    proptest! {
        #[test]
        fn no_form_of_a_secret_remains(
            public_key in "[!-~]{6,40}",
            private_key in "[!-~]{6,40}",
            token in "[!-~]{6,80}",
            password in "[!-~]{6,20}",
            which in 0..4_usize,
            coded in 0..5_u8,
            around in ("[ -~]{0,7}", "[ -~]{0,7}"),
            form in 0..9_u8,
            layers in 1..4_usize,
        ) {
            let credentials =
                Credentials::new(&public_key, &private_key).with_security_token(&token);
            let user = utf8_percent_encode(&password, NON_ALPHANUMERIC);
            let proxy = proxy_secrets(&format!("http://user:{user}@proxy.example"));
            let redactor = redactor(&credentials, &proxy);
            let secret = [&public_key, &private_key, &token, &password][which];
            let (before, after) = around;
            let whole = format!("{before}{secret}{after}");
            let mut shown = match coded {
                0 => base64::engine::general_purpose::STANDARD.encode(&whole),
                1 => base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&whole),
                2 => secret.bytes().map(|byte| format!("{byte:02X}")).collect(),
                _ => secret.clone(),
            };
            for _ in 0..layers {
                shown = escaped(&shown, form);
            }
            let text = format!("the proxy refused {shown} today");
            let redacted = redactor.redact(&text);
            prop_assert!(redacted.contains(HIDDEN), "{text}: {redacted}");
            let long_base64 = coded < 2 && layers == 1 && form == 8;
            if coded > 1 || long_base64 {
                prop_assert!(redacted.len() <= "the proxy refused [hidden] today".len() + 24, "{text}: {redacted}");
            }
            prop_assert!(redacted.starts_with("the proxy refused ") && redacted.ends_with(" today"));
        }

        #[test]
        fn other_text_is_unchanged(text in "\\PC{0,200}") {
            let credentials = Credentials::new("pUbLiC-kEy", "pRiVaTe+kEy");
            let redactor = redactor(&credentials, &[]);
            prop_assert_eq!(redactor.redact(&text), text);
        }
    }

    #[test]
    fn the_values_of_secret_fields_are_hidden() {
        let credentials = Credentials::new("public-key", "private-key");
        let redactor = redactor(&credentials, &[]);
        for (body, expected) in [
            (
                r#"{"Id": 1, "Password": "a\"b\\", "Next": 2}"#,
                r#"{"Id": 1, "Password": [hidden], "Next": 2}"#,
            ),
            (r#"{"Password" : 1234, "Next": 2}"#, r#"{"Password" : [hidden], "Next": 2}"#),
            (r#"{"Tokens":["a", "b"],"Next":2}"#, r#"{"Tokens":[hidden],"Next":2}"#),
            (r#"[{"Password": "hunter2 is cu"#, r#"[{"Password": [hidden]"#),
            (
                r#"{"PasswordPolicy": "long", "Token": "x"}"#,
                r#"{"PasswordPolicy": "long", "Token": "x"}"#,
            ),
            (r#""Password" is wrong"#, r#""Password" is wrong"#),
        ] {
            assert_eq!(redactor.excerpt(body, 256), expected);
        }
    }
}
