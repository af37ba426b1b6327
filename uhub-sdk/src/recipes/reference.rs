//! Image references for `docker pull`.

use std::{error::Error, fmt};

/// An invalid part of an image reference. [`pull_reference`] returns it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidReference(&'static str);

impl InvalidReference {
    /// The invalid part: `registry host`, `repository`, `image`, `name` (the three together) or
    /// `version`.
    #[must_use]
    pub fn part(&self) -> &'static str {
        self.0
    }
}

impl fmt::Display for InvalidReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid {} in an image reference", self.0)
    }
}

impl Error for InvalidReference {}

/// Returns what `docker pull` takes: `host/repository/image:tag` or
/// `host/repository/image@sha256:…`.
///
/// The registry's host is shown in the console. `version` is a tag or a SHA-256 digest.
///
/// # Errors
///
/// Returns the first part that [Docker's grammar][grammar] does not allow:
///
/// - The host is a domain name or an IPv4 address with an optional port. It contains a dot or a
///   port, or is `localhost`; Docker looks for any other on Docker Hub.
/// - The repository, and each component of the image between slashes, is lower-case letters and
///   digits, separated by `.`, `_`, `__` or hyphens. The whole name has at most 255 characters.
/// - A tag is at most 128 letters, digits, `_`, `.` and `-`, and starts with neither `.` nor `-`.
///
/// [grammar]: https://pkg.go.dev/github.com/distribution/reference
///
/// # Examples
///
/// ```
/// use uhub_sdk::recipes::pull_reference;
///
/// let reference = pull_reference("uhub.service.ucloud.cn", "base", "nginx", "1.27")?;
/// assert_eq!(reference, "uhub.service.ucloud.cn/base/nginx:1.27");
///
/// let error = pull_reference("uhub.service.ucloud.cn", "Base", "nginx", "1.27").unwrap_err();
/// assert_eq!(error.part(), "repository");
/// # Ok::<(), uhub_sdk::recipes::InvalidReference>(())
/// ```
pub fn pull_reference(
    registry_host: &str,
    repository: &str,
    image: &str,
    version: &str,
) -> Result<String, InvalidReference> {
    let (domain, port) = registry_host.split_once(':').unwrap_or((registry_host, "443"));
    let is_host = domain == "localhost" || registry_host.contains(['.', ':']);
    let is_port = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let is_digest = version.strip_prefix("sha256:").is_some_and(|hex| {
        hex.len() == 64 && hex.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'))
    });
    let is_tag = version.len() <= 128
        && version.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && version.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
    let name = format!("{registry_host}/{repository}/{image}");
    for (part, is_valid) in [
        ("registry host", is_host && is_port && is_domain(domain)),
        ("repository", is_component(repository)),
        ("image", image.split('/').all(is_component)),
        ("name", name.len() <= 255),
        ("version", is_digest || is_tag),
    ] {
        if !is_valid {
            return Err(InvalidReference(part));
        }
    }
    Ok(format!("{name}{}{version}", if is_digest { '@' } else { ':' }))
}

fn is_domain(domain: &str) -> bool {
    is_words(domain, |c| c.is_ascii_alphanumeric(), |separator| separator == ".")
}

fn is_component(component: &str) -> bool {
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    is_words(component, is_word, |separator| matches!(separator, "." | "_" | "__"))
}

/// Whether the text is words with one separator, or hyphens, between two.
fn is_words(text: &str, is_word: fn(char) -> bool, is_separator: fn(&str) -> bool) -> bool {
    text.starts_with(is_word)
        && text.ends_with(is_word)
        && text
            .split(is_word)
            .all(|between| is_separator(between) || between.trim_matches('-').is_empty())
}
