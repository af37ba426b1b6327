//! Damages inputs: at bytes, at words and at balanced brackets.

use std::ops::Range;

use fastrand::Rng;

/// Longer inputs are truncated.
const MAX_LENGTH: usize = 16 * 1024;

/// Returns a damaged copy of one of the inputs.
pub(crate) fn mutate(inputs: &[Vec<u8>], dictionary: &[Vec<u8>], rng: &mut Rng) -> Vec<u8> {
    let mut input = inputs[rng.usize(..inputs.len())].clone();
    let most = rng.usize(1..7);
    for _ in 0..=rng.usize(..most) {
        let other = &inputs[rng.usize(..inputs.len())];
        damage(&mut input, other, dictionary, rng);
        input.truncate(MAX_LENGTH);
    }
    input
}

fn damage(input: &mut Vec<u8>, other: &[u8], dictionary: &[Vec<u8>], rng: &mut Rng) {
    let place = span(input, rng);
    let replacement: Vec<u8> = match rng.u32(..12) {
        0 => vec![rng.u8(..)],
        1 => b"\n\r\t\0\"'`\\<>{}[](),:;&=#*_-~|$%@/!?0"[rng.usize(..32)..][..1].to_vec(),
        2 => Vec::new(),
        3..=5 if !dictionary.is_empty() => dictionary[rng.usize(..dictionary.len())].clone(),
        6 | 7 => other[span(other, rng)].to_vec(),
        8 => {
            // Twice, with what is between two parts of a list.
            let copied = &input[place.clone()];
            [copied, b",", copied].concat()
        }
        9 => {
            let copied = &input[place.clone()];
            copied.repeat(if rng.u32(..20) == 0 { rng.usize(..2000) } else { 2 })
        }
        10 => {
            let number = [0, 1, -1, i64::MAX, i64::MIN, 171, 1 << 53, 4096][rng.usize(..8)];
            number.to_string().into_bytes()
        }
        _ => {
            let mut copied = input[place.clone()].to_vec();
            if let Some(byte) = copied.len().checked_sub(1).map(|last| rng.usize(..=last)) {
                copied[byte] ^= 1 << rng.u32(..8);
            }
            copied
        }
    };
    // Half of the time beside the span instead of in its place.
    let place = if rng.bool() { place } else { place.end..place.end };
    input.splice(place, replacement);
}

/// A random part: a few bytes, a word, a string, or brackets with their contents.
fn span(input: &[u8], rng: &mut Rng) -> Range<usize> {
    if input.is_empty() {
        return 0..0;
    }
    let start = rng.usize(..input.len());
    match rng.u32(..5) {
        0 => start..(start + rng.usize(..4)).min(input.len()),
        1 => start..(start + rng.usize(..200)).min(input.len()),
        2 => line(input, start),
        3 => {
            let open = (start..input.len()).find(|&at| matches!(input[at], b'{' | b'[' | b'"'));
            open.map_or_else(|| word(input, start), |open| balanced(input, open))
        }
        _ => word(input, start),
    }
}

fn line(input: &[u8], at: usize) -> Range<usize> {
    let start = input[..at].iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
    let end = input[at..].iter().position(|&byte| byte == b'\n');
    start..end.map_or(input.len(), |end| at + end + 1)
}

fn word(input: &[u8], at: usize) -> Range<usize> {
    let is_inside = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte >= 0x80;
    let start = input[..at].iter().rposition(|byte| !is_inside(byte)).map_or(0, |end| end + 1);
    let end = input[at..].iter().position(|byte| !is_inside(byte));
    start..end.map_or(input.len(), |end| at + end.max(1))
}

/// From an opening bracket or quote to its counterpart.
fn balanced(input: &[u8], open: usize) -> Range<usize> {
    let mut depth = 0_usize;
    let mut is_string = false;
    let mut bytes = input.iter().enumerate().skip(open);
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' if is_string => {
                bytes.next();
            }
            b'"' => is_string = !is_string,
            b'{' | b'[' if !is_string => depth += 1,
            b'}' | b']' if !is_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 && !is_string {
            return open..at + 1;
        }
    }
    open..input.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_json_are_found() {
        let text = br#"{"a": [1, {"b\"]": 2}], "c": 3}"#;
        let found = |range: Range<usize>| String::from_utf8_lossy(&text[range]).into_owned();
        assert_eq!(found(balanced(text, 6)), r#"[1, {"b\"]": 2}]"#);
        assert_eq!(found(balanced(text, 1)), r#""a""#);
        assert_eq!(found(word(text, 7)), "1");
        assert_eq!(balanced(text, 0), 0..text.len());
    }
}
