//! Helpers that several test targets share.
#![allow(dead_code, reason = "not every target needs all of them")]

use std::{process::Command, time::Duration};

use bytes::Bytes;
use uhub_sdk::{Credentials, Error, RetryPolicy, local::Fault};

/// Credentials that are easy to find in any output.
pub(crate) const PUBLIC_KEY: &str = "pUbLiC-kEy@example.com/1296235120854146120";
pub(crate) const PRIVATE_KEY: &str = "pRiVaTe+kEy/46f09bb9fab4f12dfc16";

pub(crate) fn credentials() -> Credentials {
    Credentials::new(PUBLIC_KEY, PRIVATE_KEY)
}

/// Three attempts with very short waits.
pub(crate) fn quick_retries() -> RetryPolicy {
    RetryPolicy::default().with_max_attempts(3).with_base_delay(Duration::from_millis(2))
}

/// A fault that replaces the response.
pub(crate) fn respond(status: u16, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Fault {
    let headers =
        headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Fault::Respond { status, headers, body: body.into() }
}

/// Returns an error and its sources in both formats.
pub(crate) fn full_text(error: &Error) -> String {
    let mut text = format!("{error} {error:?}");
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        text.push_str(&format!(" {error} {error:?}"));
        source = error.source();
    }
    text
}

/// Checks that a text contains neither credentials nor a signature, in any form.
#[track_caller]
pub(crate) fn assert_no_secrets(text: &str) {
    for secret in ["pUbLiC", "pRiVaTe", "Signature=", "46f09bb9"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    let mut hex = text.split(|c: char| !c.is_ascii_hexdigit()).map(str::len);
    assert!(hex.all(|length| length < 40), "a signature in {text}");
}

/// Returns the command of an example, which `cargo test` builds, without credentials or profiles in
/// its environment.
pub(crate) fn example(name: &str) -> Command {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    path.push("examples");
    path.push(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(path.exists(), "{} is missing: run `cargo build --examples`", path.display());
    let mut command = Command::new(path);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("UCLOUD_")) {
        command.env_remove(name);
    }
    for home in ["HOME", "USERPROFILE"] {
        command.env(home, "/nowhere");
    }
    command
}
