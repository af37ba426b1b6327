//! What is kept of a page's words, and what they say beyond the facts. The words themselves belong
//! to the page: a spec has ours, and a hash of theirs.

/// The languages of pages, as keys of a trace. One action may be documented in both.
pub(crate) const LANGUAGES: [&str; 2] = ["en", "zh"];

/// Returns the language of a page with these texts.
pub(crate) fn language<'a>(mut texts: impl Iterator<Item = &'a str>) -> &'static str {
    let is_chinese = |c: char| ('\u{3400}'..='\u{9fff}').contains(&c);
    match texts.any(|text| text.contains(is_chinese)) {
        true => LANGUAGES[1],
        false => LANGUAGES[0],
    }
}

/// Returns a hash of a text: five digits of all words, then three of the values and limits in
/// them. White space and the hints of a site for its readers do not count.
pub(crate) fn trace(text: &str) -> Option<String> {
    let text = text.replace("(opens in a new tab)", "");
    let words: String = text.split_whitespace().collect();
    let words_hash = fnv(words.bytes()) & 0xf_ffff;
    (!words.is_empty()).then(|| format!("{words_hash:05x}{:03x}", values_hash(&text)))
}

/// Whether two traces differ in the values or limits, too.
pub(crate) fn differ_in_values(one: &str, other: &str) -> bool {
    one.get(5..) != other.get(5..)
}

/// Hashes the words that may be values or limits: with digits, in capitals, or quoted. In Chinese,
/// each ASCII word may be one.
fn values_hash(text: &str) -> u64 {
    let is_value_of_chinese = language(std::iter::once(text)) == LANGUAGES[1];
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let mut values = Vec::new();
    let mut before = None;
    for piece in text.split_inclusive(|c| !is_part(c)) {
        let word = piece.trim_end_matches(|c| !is_part(c)).trim_matches('.');
        let is_quoted = before.is_some_and(|c| "\"'“‘`|/".contains(c));
        let is_value = is_value_of_chinese
            || is_quoted
            || word.contains(|c: char| c.is_ascii_digit())
            || word.chars().skip(1).any(|c| c.is_ascii_uppercase());
        if is_value && !word.is_empty() {
            values.extend(word.bytes().chain([b' ']));
        }
        before = piece.chars().next_back();
    }
    fnv(values.into_iter()) & 0xfff
}

/// The hash function FNV-1a, folded.
fn fnv(bytes: impl Iterator<Item = u8>) -> u64 {
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    });
    hash ^ (hash >> 32)
}

/// Whether a text says that what it describes is deprecated.
pub(crate) fn say_deprecated(text: &str) -> bool {
    const PHRASES: [&str; 19] = [
        "废弃",
        "弃用",
        "废除",
        "已下线",
        "即将下线",
        "已停用",
        "停止使用",
        "不再使用",
        "不再支持",
        "不再维护",
        "不再推荐",
        "不建议使用",
        "deprecated",
        "obsolete",
        "discontinued",
        "no longer supported",
        "no longer used",
        "no longer available",
        "no longer recommended",
    ];
    const DENIALS: [&str; 6] =
        ["not deprecated", "non-deprecated", "未废弃", "未弃用", "不会废弃", "非废弃"];
    let text = text.to_lowercase();
    let text = DENIALS.iter().fold(text, |text, denial| text.replace(denial, ""));
    PHRASES.iter().any(|phrase| text.contains(phrase))
}

/// Returns the words as a message quotes them: on one line, without control or direction
/// characters, and cut.
pub(crate) fn quoted(text: &str) -> String {
    const MAX_LENGTH: usize = 400;
    let cut: String = text.chars().take(MAX_LENGTH).collect();
    let more = if cut.len() < text.len() { "…" } else { "" };
    format!("{cut:?}{more}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_of_the_words_and_of_the_values_in_them() {
        let one = |text| trace(text).unwrap();
        assert_eq!(one("Limit,  default 20"), one(" Limit, default\n20"));
        assert_eq!(one("see Console"), one("see Console (opens in a new tab)"));
        assert_eq!(trace("  "), None);
        for (before, after, is_of_values) in [
            ("数量，默认为20", "数目，默认为20", false),
            ("数量，默认为20", "数量，默认为50", true),
            ("枚举值：A、B", "枚举值：A、B、C", true),
            ("The limit, at most 100", "Limit, at most 100", false),
            ("The limit, at most 100", "The limit, at most 1000", true),
            ("One of \"a\" and \"b\"", "One of \"a\" and \"c\"", true),
        ] {
            let (before, after) = (one(before), one(after));
            assert_ne!(before, after);
            assert_eq!(differ_in_values(&before, &after), is_of_values, "{before} {after}");
        }
    }

    #[test]
    fn words_for_deprecation_are_recognised() {
        for text in [
            "【已废弃】cmk id",
            "本字段即将废弃，建议使用HostId",
            "接口已下线",
            "该参数不再支持",
            "Deprecated: use `HostId`.",
            "This field is no longer supported",
        ] {
            assert!(say_deprecated(text), "{text}");
        }
        for text in ["", "下线时间", "This is not deprecated", "no longer than 5", "未废弃"]
        {
            assert!(!say_deprecated(text), "{text}");
        }
    }

    #[test]
    fn quoted_words_show_no_control_character() {
        assert_eq!(quoted("a\u{1b}[31m\u{202e}b"), r#""a\u{1b}[31m\u{202e}b""#);
    }
}
