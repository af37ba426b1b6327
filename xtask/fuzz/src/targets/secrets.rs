//! Finds secrets in text, also shortened and escaped.

use std::{error::Error, fmt::Write};

/// The number of characters of a secret that are too many.
const MAX_SHOWN: usize = 12;

/// Returns an error and its sources in both formats.
pub(crate) fn full_text(error: &uhub_sdk::Error) -> String {
    let mut text = format!("{error} {error:?}");
    let mut source = error.source();
    while let Some(error) = source {
        let _ = write!(text, " {error} {error:?}");
        source = error.source();
    }
    text
}

/// Returns the first secret that the text shows, or a long part of it.
pub(crate) fn find<'a>(text: &str, secrets: &[&'a str]) -> Option<&'a str> {
    let once = unescape(text);
    let twice = unescape(&once);
    let mut texts = vec![text, &once, &twice];
    texts.dedup();
    secrets.iter().copied().find(|secret| texts.iter().any(|text| shows(text, secret)))
}

fn shows(text: &str, secret: &str) -> bool {
    if secret.len() < MAX_SHOWN {
        return !secret.is_empty() && text.contains(secret);
    }
    // Every part of that length contains one of these, which are quickly searched for.
    let half = MAX_SHOWN / 2;
    let mut pieces = secret.as_bytes().chunks_exact(half).enumerate();
    pieces.any(|(number, piece)| {
        let Ok(piece) = std::str::from_utf8(piece) else {
            return false;
        };
        text.match_indices(piece).any(|(at, _)| {
            let before = secret.bytes().take(number * half).collect::<Vec<_>>();
            let after = &secret.as_bytes()[number * half..];
            let same_after = text.as_bytes()[at..]
                .iter()
                .zip(after)
                .take_while(|(one, other)| one == other)
                .count();
            let same_before = text.as_bytes()[..at]
                .iter()
                .rev()
                .zip(before.iter().rev())
                .take_while(|(one, other)| one == other)
                .count();
            same_before + same_after >= MAX_SHOWN
        })
    })
}

/// Without percent encoding, and without the escapes of JSON and `Debug`.
fn unescape(text: &str) -> String {
    let decoded = percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    if !decoded.contains('\\') {
        return decoded;
    }
    let mut unescaped = String::new();
    let mut rest = decoded.as_str();
    while let Some(at) = rest.find('\\') {
        unescaped.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let code = rest.strip_prefix('u').map(|digits| digits.trim_start_matches('{'));
        let code = code.and_then(|digits| {
            let length = digits.bytes().take(4).take_while(u8::is_ascii_hexdigit).count();
            let c = u32::from_str_radix(&digits[..length], 16).ok().and_then(char::from_u32)?;
            Some((c, digits[length..].trim_start_matches('}')))
        });
        if let Some((c, after)) = code {
            unescaped.push(c);
            rest = after;
        }
    }
    unescaped + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_found_in_every_form() {
        let secret = "pRiVaTe+kEy/46f09bb9fab4f12dfc16";
        for text in [
            "the key is pRiVaTe+kEy/46f09bb9fab4f12dfc16.",
            "it starts with pRiVaTe+kEy/46f",
            "sent as pRiVaTe%2BkEy%2F46f09bb9fab4f12dfc16",
            "sent as pRiVaTe%252BkEy%252F46f09",
            r"pRiVaTe\u002bkEy\/46f09b",
        ] {
            assert_eq!(find(text, &["other secret", secret]), Some(secret), "{text}");
        }
        assert_eq!(find("nothing of it: pRiVaTe+kEy", &[secret]), None);
    }
}
