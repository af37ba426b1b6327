//! What `docker pull` takes.

use std::fmt;

/// Which of an image's contents is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Version<'a> {
    /// Whatever the tag stands for at the time: `1.27`.
    Tag(&'a str),
    /// Always the same: `sha256:…`.
    Digest(&'a str),
}

/// A part of a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReferencePart {
    /// The registry's host.
    Host,
    /// The name of the repository.
    Repository,
    /// The name of the image.
    Image,
    /// Host, repository and image together.
    Name,
    /// The tag.
    Tag,
    /// The digest.
    Digest,
}

/// A part of a reference that Docker would not take; [`pull_reference`] returns it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidReference {
    part: ReferencePart,
    value: String,
}

impl InvalidReference {
    /// Which part it is.
    #[must_use]
    pub fn part(&self) -> ReferencePart {
        self.part
    }
}

impl fmt::Display for InvalidReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, rule) = match self.part {
            ReferencePart::Host => (
                "host",
                "a host and a port if need be, without scheme, path or user, and one that has neither dot nor port \
                 has to be `localhost`",
            ),
            ReferencePart::Repository => ("repository", COMPONENT_RULE),
            ReferencePart::Image => ("image", COMPONENT_RULE),
            ReferencePart::Name => ("name", "255 characters at most, from the host to the image"),
            ReferencePart::Tag => (
                "tag",
                "letters, digits, `_`, `.` and `-`, 128 at most, and neither `.` nor `-` first",
            ),
            ReferencePart::Digest => (
                "digest",
                "`sha256:`, `sha384:` or `sha512:`, and all of its hexadecimal digits in lower case",
            ),
        };
        write!(f, "the {name} is no part of an image reference")?;
        // A host that is a URL may have a password in it.
        if self.part != ReferencePart::Host {
            let mut rest = self.value.chars();
            let begin: String = rest.by_ref().take(80).collect();
            let more = if rest.next().is_some() { "…" } else { "" };
            write!(f, ": {begin:?}{more}")?;
        }
        write!(f, ". What Docker takes is {rule}.")
    }
}

impl std::error::Error for InvalidReference {}

const COMPONENT_RULE: &str =
    "lower-case letters and digits, with one `.`, one or two `_` or any number of `-` between them";

/// What `docker pull` takes: `host/repository/image:tag` or `host/repository/image@sha256:…`.
///
/// The host is the registry's, which no action tells: the console shows it. The name of an image may
/// have several components, with a `/` between them; that of a repository has one.
///
/// # Errors
///
/// If a part is not as [Docker's grammar][grammar] has it: the first such part. A host needs a dot or a
/// port, or is `localhost`, because Docker takes any other for a repository of Docker Hub.
///
/// [grammar]: https://pkg.go.dev/github.com/distribution/reference
///
/// # Examples
///
/// ```
/// use uhub_sdk::recipes::{ReferencePart, Version, pull_reference};
///
/// let host = "uhub.service.ucloud.cn";
/// let reference = pull_reference(host, "base", "nginx", Version::Tag("1.27"))?;
/// assert_eq!(reference, "uhub.service.ucloud.cn/base/nginx:1.27");
///
/// let error = pull_reference(host, "Base", "nginx", Version::Tag("1.27")).unwrap_err();
/// assert_eq!(error.part(), ReferencePart::Repository);
/// # Ok::<(), uhub_sdk::recipes::InvalidReference>(())
/// ```
pub fn pull_reference(
    registry_host: &str,
    repository: &str,
    image: &str,
    version: Version<'_>,
) -> Result<String, InvalidReference> {
    let name = format!("{registry_host}/{repository}/{image}");
    let (version_part, version, is_version, separator) = match version {
        Version::Tag(tag) => (ReferencePart::Tag, tag, is_tag(tag), ':'),
        Version::Digest(digest) => (ReferencePart::Digest, digest, is_digest(digest), '@'),
    };
    for (part, value, is_valid) in [
        (ReferencePart::Host, registry_host, is_host(registry_host)),
        (
            ReferencePart::Repository,
            repository,
            is_component(repository),
        ),
        (
            ReferencePart::Image,
            image,
            image.split('/').all(is_component),
        ),
        (ReferencePart::Name, name.as_str(), name.len() <= 255),
        (version_part, version, is_version),
    ] {
        if !is_valid {
            return Err(InvalidReference {
                part,
                value: value.to_owned(),
            });
        }
    }
    Ok(format!("{name}{separator}{version}"))
}

fn is_host(host: &str) -> bool {
    let is_address = |bytes: &str| {
        !bytes.is_empty()
            && bytes
                .bytes()
                .all(|byte| byte.is_ascii_hexdigit() || byte == b':')
    };
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    if let Some(rest) = host.strip_prefix('[') {
        return rest.split_once(']').is_some_and(|(address, port)| {
            is_address(address) && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
        });
    }
    let (labels, port) = match host.split_once(':') {
        Some((labels, port)) => (labels, Some(port)),
        None => (host, None),
    };
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    labels.split('.').all(is_label)
        && port.is_none_or(is_port)
        && (labels.contains('.') || port.is_some() || labels == "localhost")
}

/// Runs of lower-case letters and digits, with a separator between any two.
fn is_component(component: &str) -> bool {
    let is_within = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends_within = |byte: Option<&u8>| byte.copied().is_some_and(is_within);
    let bytes = component.as_bytes();
    ends_within(bytes.first())
        && ends_within(bytes.last())
        && component
            .split(|c: char| c.is_ascii() && is_within(c as u8))
            .all(|separator| {
                matches!(separator, "" | "." | "_" | "__") || separator.bytes().all(|b| b == b'-')
            })
}

fn is_tag(tag: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    tag.len() <= 128
        && tag.bytes().next().is_some_and(is_word)
        && tag
            .bytes()
            .all(|byte| is_word(byte) || matches!(byte, b'.' | b'-'))
}

fn is_digest(digest: &str) -> bool {
    let Some((algorithm, hex)) = digest.split_once(':') else {
        return false;
    };
    let length = match algorithm {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        _ => return false,
    };
    hex.len() == length
        && hex
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
