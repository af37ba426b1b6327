//! The metadata service of the platform's machines, as far as it hands out temporary keys.

use std::time::Duration;

use http::StatusCode;
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::answer::Answer;
use super::data::Key;
use super::protocol::ret_code;
use super::store::Store;

/// Where a machine finds the temporary key of its role, and behind a slash that of a role by its name.
const PATH: &str = "/meta-data/v2/iam/security-credentials";

/// The role whose temporary keys the [metadata service](super::LocalUhub::metadata_url) hands out.
///
/// ```
/// use std::time::Duration;
/// use uhub_sdk::local::{Data, Role};
///
/// let mut data = Data::demo();
/// data.role = Some(Role::new("backup", Duration::from_secs(3600)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Role {
    /// The name.
    pub name: String,
    /// How long a key is valid, in whole seconds. In JSON, `seconds`.
    #[serde(rename = "seconds", with = "super::seconds")]
    pub lifetime: Duration,
}

impl Role {
    /// A role of this name, whose keys are valid for this long.
    #[must_use]
    pub fn new(name: impl Into<String>, lifetime: Duration) -> Self {
        Self {
            name: name.into(),
            lifetime,
        }
    }
}

/// Whose key is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    TheRole,
    RoleNamed(String),
}

pub(super) fn asked(path: &str) -> Option<Asked> {
    match path.strip_prefix(PATH)? {
        "" | "/" => Some(Asked::TheRole),
        rest => {
            let name = percent_decode_str(rest.strip_prefix('/')?);
            Some(Asked::RoleNamed(name.decode_utf8_lossy().into_owned()))
        }
    }
}

pub(super) fn answer(asked: &Asked, store: &mut Store) -> Answer {
    let lifetime = match (&store.role, asked) {
        (Some(role), Asked::TheRole) => Some(role.lifetime),
        (Some(role), Asked::RoleNamed(name)) if *name == role.name => Some(role.lifetime),
        _ => None,
    };
    match lifetime {
        Some(lifetime) => key(lifetime, store),
        None => Answer::text(StatusCode::NOT_FOUND, "no such role\n".to_owned()),
    }
}

/// A new key, valid by the service's clock.
fn key(lifetime: Duration, store: &mut Store) -> Answer {
    let lifetime = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
    let expires = store.now().saturating_add(lifetime);
    let number = store.next_issued();
    let key = Key::new(
        format!("temporary-public-{number}"),
        format!("temporary-private-{number}"),
    )
    .security_token(format!("temporary-token-{number}"))
    .expires(expires);
    let data = json!({
        "AccessKeyId": key.public_key,
        "AccessKeySecret": key.private_key,
        "SecurityToken": key.security_token,
        "Expiration": rfc3339(expires),
    });
    store.issue(key);
    Answer::fields([("RetCode", ret_code::SUCCESS.into()), ("Data", data)])
}

/// Unix seconds as a time of RFC 3339, in UTC and between the years 0 and 9999.
fn rfc3339(unix_seconds: i64) -> String {
    let seconds = unix_seconds.clamp(-62_167_219_200, 253_402_300_799);
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Years are counted from March, so that the leap day is their last.
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (year, month) = match month {
        0..=9 => (era * 400 + year_of_era, month + 3),
        _ => (era * 400 + year_of_era + 1, month - 9),
    };
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;

    #[test]
    fn paths_are_read() {
        let named = |name: &str| Some(Asked::RoleNamed(name.to_owned()));
        for (rest, expected) in [
            ("", Some(Asked::TheRole)),
            ("/", Some(Asked::TheRole)),
            ("/web", named("web")),
            ("/a%2Fb%20c", named("a/b c")),
            ("x", None),
        ] {
            assert_eq!(asked(&format!("{PATH}{rest}")), expected, "{rest}");
        }
        for path in ["/", "", "/meta-data"] {
            assert_eq!(asked(path), None, "{path}");
        }
    }

    #[test]
    fn times_are_written() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_342_434_682, "2012-07-16T10:31:22Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
            (i64::MAX, "9999-12-31T23:59:59Z"),
            (i64::MIN, "0000-01-01T00:00:00Z"),
        ] {
            assert_eq!(rfc3339(seconds), text);
        }
    }

    proptest::proptest! {
        #[test]
        fn times_are_read_again(seconds in 0..253_402_300_799_i64) {
            let instant = Timestamp::from(rfc3339(seconds)).to_system_time().unwrap();
            let since = instant.duration_since(std::time::UNIX_EPOCH).unwrap();
            proptest::prop_assert_eq!(since.as_secs() as i64, seconds);
        }
    }
}
