//! The names of created repositories: those that Docker can pull from.

/// The limit on a name, in characters.
const MAX_LENGTH: usize = 255;

/// What a name must be, for a message.
pub(super) const RULE: &str =
    "at most 255 lower-case letters and digits, in parts separated by `.`, `_`, `__` or hyphens";

/// Whether a name is a component of a name in [Docker's grammar][grammar].
///
/// [grammar]: https://pkg.go.dev/github.com/distribution/reference
pub(super) fn is_valid(name: &str) -> bool {
    let is_word = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = name.as_bytes();
    // A separator has words on both sides.
    let mut separators = bytes.split(is_word).filter(|separator| !separator.is_empty());
    name.len() <= MAX_LENGTH
        && bytes.first().is_some_and(is_word)
        && bytes.last().is_some_and(is_word)
        && separators.all(|separator| {
            matches!(separator, b"." | b"_" | b"__") || separator.iter().all(|&byte| byte == b'-')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_dockers_grammar() {
        let longest = "a".repeat(255);
        for name in
            ["base", "a", "0", "a-b", "a--b---c", "a.b", "a_b", "a__b", "team-7.x", &longest]
        {
            assert!(is_valid(name), "{name}");
        }
        let long = "a".repeat(10_000);
        #[rustfmt::skip]
        let invalid = [
            "", "x/y", "ünïcode ☃", "Base", "-a", "a-", ".a", "a.", "_a", "a..b", "a___b", "a._b",
            "a-_b", "a b", " a", "a\n", "a\0", "a:b", "a@b", "..", "a/../b", "镜像", "é", &long,
        ];
        for name in invalid {
            assert!(!is_valid(name), "{name}");
        }
    }
}
