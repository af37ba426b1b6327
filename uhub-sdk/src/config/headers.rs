//! Headers that the program adds to every request.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use zeroize::Zeroizing;

use crate::wire::encode::{AGENT, CHANNEL_KEY};

/// The headers as they were set, unchecked.
#[derive(Clone, Default)]
pub(crate) struct ExtraHeaders {
    /// Names and values. A value may be a secret.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) user_agent_suffix: Option<String>,
}

/// Headers that the client or the HTTP client sets, or that change how a response is read.
const RESERVED: [HeaderName; 15] = [
    header::ACCEPT_ENCODING,
    header::CONNECTION,
    header::CONTENT_ENCODING,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::EXPECT,
    header::HOST,
    header::PROXY_AUTHORIZATION,
    header::RANGE,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    CHANNEL_KEY,
    HeaderName::from_static("keep-alive"),
];

impl ExtraHeaders {
    /// Returns the values whose names suggest a secret.
    pub(crate) fn secrets(&self) -> Vec<Zeroizing<String>> {
        const NAMES: [&str; 7] = ["auth", "cookie", "credential", "key", "pass", "secret", "token"];
        let secret = self.headers.iter().filter(|(name, _)| {
            let name = name.to_ascii_lowercase();
            NAMES.iter().any(|part| name.contains(part))
        });
        // Of `Bearer TOKEN`, the token may be repeated alone.
        let values = secret.flat_map(|(_, value)| [Some(&**value), value.split(' ').next_back()]);
        values.flatten().map(|value| Zeroizing::new(value.to_owned())).collect()
    }

    /// Returns the headers, or all problems with them.
    pub(crate) fn build(&self) -> Result<HeaderMap, Vec<String>> {
        let mut headers = HeaderMap::new();
        let mut problems = Vec::new();
        for (name, value) in &self.headers {
            match header(name, value) {
                Ok((name, value)) => {
                    headers.append(name, value);
                }
                Err(problem) => problems.push(problem),
            }
        }
        if let Some(suffix) = &self.user_agent_suffix {
            match user_agent(suffix) {
                Some(value) => {
                    headers.insert(header::USER_AGENT, value);
                }
                None => problems.push(
                    "`user_agent_suffix` must be printable ASCII, such as `my-app/1.2`.".to_owned(),
                ),
            }
        }
        if problems.is_empty() { Ok(headers) } else { Err(problems) }
    }
}

/// Checks a header. The problem does not quote the value.
fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), String> {
    let Ok(parsed) = HeaderName::try_from(name) else {
        return Err(format!("{name:?} cannot name a header: expected a name such as `X-Team`."));
    };
    if parsed == header::USER_AGENT {
        return Err("the header `user-agent` cannot be set: use `user_agent_suffix`.".to_owned());
    }
    if RESERVED.contains(&parsed) {
        return Err(format!("the header `{parsed}` cannot be set: the client sets it itself."));
    }
    match HeaderValue::try_from(value) {
        Ok(mut value) => {
            // Keeps it out of `Debug`.
            value.set_sensitive(true);
            Ok((parsed, value))
        }
        Err(_) => Err(format!("the value of the header `{parsed}` contains control characters.")),
    }
}

fn user_agent(suffix: &str) -> Option<HeaderValue> {
    let is_valid = !suffix.trim().is_empty() && suffix.chars().all(|c| (' '..='~').contains(&c));
    let value = format!("{} {}", AGENT.to_str().ok()?, suffix.trim());
    is_valid.then(|| HeaderValue::try_from(value).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(headers: &[(&str, &str)], suffix: Option<&str>) -> Result<HeaderMap, Vec<String>> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let headers = headers.iter().map(owned).collect();
        ExtraHeaders { headers, user_agent_suffix: suffix.map(str::to_owned) }.build()
    }

    #[test]
    fn headers_are_checked() {
        let headers = build(
            &[("X-Team", "a"), ("x-team", "b"), ("Authorization", "Bearer t"), ("X-Empty", "")],
            Some(" my-app/1.2 (batch) "),
        )
        .unwrap();
        assert_eq!(headers.get_all("x-team").iter().count(), 2);
        assert_eq!(headers["authorization"], "Bearer t");
        let agent = headers["user-agent"].to_str().unwrap();
        assert!(
            agent.starts_with(concat!(env!("CARGO_PKG_NAME"), "/"))
                && agent.ends_with(" my-app/1.2 (batch)")
        );
        assert!(!format!("{headers:?}").contains("Bearer"));

        for (name, value, expected) in [
            ("", "x", "cannot name a header"),
            ("a b", "x", "cannot name a header"),
            ("X-A\r\nX-B", "x", "cannot name a header"),
            ("X-A", "s3cret\r\nX-B: y", "control characters"),
            ("X-A", "s3cret\0", "control characters"),
            ("User-Agent", "x", "use `user_agent_suffix`"),
            ("Content-Type", "x", "cannot be set"),
            ("content-length", "1", "cannot be set"),
            ("Accept-Encoding", "gzip", "cannot be set"),
            ("Host", "x", "cannot be set"),
            ("Transfer-Encoding", "chunked", "cannot be set"),
            ("Proxy-Authorization", "x", "cannot be set"),
            ("Connection", "close", "cannot be set"),
        ] {
            let problems = build(&[(name, value)], None).unwrap_err();
            assert_eq!(problems.len(), 1);
            assert!(problems[0].contains(expected), "{name:?}: {problems:?}");
            assert!(!problems[0].contains("s3cret"), "{problems:?}");
        }
        for suffix in ["", " ", "a\nb", "ü", "a\tb"] {
            assert!(build(&[], Some(suffix)).is_err(), "{suffix:?}");
        }
        assert_eq!(build(&[("", ""), ("Host", "x")], Some("")).unwrap_err().len(), 3);
    }
}
