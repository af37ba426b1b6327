//! Times as the service writes them.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Deserializer, Serialize};

use crate::wire::decode::{FieldContext, FromWire};

/// A time as the service wrote it: as text, or as Unix seconds. The documentation does not say which,
/// so the text is kept, and the instant is offered where it can be told.
///
/// # Examples
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use uhub_sdk::Timestamp;
///
/// let instant = SystemTime::UNIX_EPOCH + Duration::from_secs(1_342_434_682);
/// assert_eq!(Timestamp::from("1342434682").to_system_time(), Some(instant));
/// assert_eq!(Timestamp::from("2012-07-16T18:31:22+08:00").to_system_time(), Some(instant));
/// // In which time zone?
/// assert_eq!(Timestamp::from("2012-07-16 10:31:22").to_system_time(), None);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Timestamp(String);

impl Timestamp {
    /// The time as the service wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The instant, if the text is a number of seconds since 1970 or a time of RFC 3339, which names
    /// its zone. A text without a zone is no instant.
    #[must_use]
    pub fn to_system_time(&self) -> Option<SystemTime> {
        let seconds = self
            .0
            .parse()
            .ok()
            .filter(|seconds| (0..=LAST_SECOND).contains(seconds));
        let (seconds, nanos) = seconds
            .map(|seconds: i64| (seconds, 0))
            .or_else(|| rfc3339(&self.0))?;
        let since = Duration::from_secs(seconds.unsigned_abs());
        let instant = if seconds < 0 {
            SystemTime::UNIX_EPOCH.checked_sub(since)
        } else {
            SystemTime::UNIX_EPOCH.checked_add(since)
        };
        instant?.checked_add(Duration::from_nanos(nanos))
    }
}

/// The end of the year 9999. A larger number counts something else: milliseconds, most likely.
const LAST_SECOND: i64 = 253_402_300_799;

/// `2012-07-16T18:31:22.5+08:00` as seconds since 1970 and nanoseconds.
fn rfc3339(text: &str) -> Option<(i64, u64)> {
    let number = |range: std::ops::Range<usize>| -> Option<i64> {
        let digits = text.get(range)?;
        digits
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| digits.parse().ok())?
    };
    let is = |index: usize, expected: &[u8]| {
        text.as_bytes()
            .get(index)
            .is_some_and(|byte| expected.contains(byte))
    };
    if !(is(4, b"-") && is(7, b"-") && is(10, b"Tt ") && is(13, b":") && is(16, b":")) {
        return None;
    }
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    if !((1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day))
        || hour > 23
        || minute > 59
        || second > 60
    {
        return None;
    }
    let mut rest = text.get(19..)?;
    let mut nanos = 0;
    if let Some(fraction) = rest.strip_prefix('.') {
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
        let padded = format!("{:0<9}", fraction.get(..digits.min(9))?);
        nanos = if digits == 0 {
            return None;
        } else {
            padded.parse().ok()?
        };
        rest = &fraction[digits..];
    }
    let offset = match rest.as_bytes() {
        [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
            let end = text.len();
            let (hours, minutes) = (number(end - 5..end - 3)?, number(end - 2..end)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            (hours * 60 + minutes) * if *sign == b'+' { 60 } else { -60 }
        }
        _ => return None,
    };
    let days = days_since_1970(year, month, day);
    Some((
        ((days * 24 + hour) * 60 + minute) * 60 + second - offset,
        nanos,
    ))
}

fn days_in(year: i64, month: i64) -> i64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Years are counted from March, so that the leap day is their last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

impl From<&str> for Timestamp {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for Timestamp {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::from_wire(
            from,
            FieldContext::nowhere(&crate::wire::decode::Warnings::default()),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> Option<i64> {
        let instant = Timestamp::from(text).to_system_time()?;
        Some(match instant.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => since.as_secs() as i64,
            Err(before) => -(before.duration().as_secs() as i64),
        })
    }

    #[test]
    fn an_instant_is_told_where_the_text_tells_it() {
        for (text, expected) in [
            ("0", 0),
            ("1342434682", 1_342_434_682),
            ("1970-01-01T00:00:00Z", 0),
            ("1969-12-31T23:59:59z", -1),
            ("2012-07-16T18:31:22+08:00", 1_342_434_682),
            ("2012-07-16 10:31:22.999Z", 1_342_434_682),
            ("2000-02-29T00:00:00Z", 951_782_400),
            ("2024-12-31T23:59:60-00:30", 1_735_691_400),
            ("9999-12-31T23:59:59Z", LAST_SECOND),
        ] {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
        for text in [
            "",
            "5.5",
            "-1",
            "1342434682000",
            "2012-07-16 10:31:22",
            "2012-07-16",
            "2012-07-16T10:31:22",
            "yesterday",
            "2023-02-29T00:00:00Z",
            "2012-13-01T00:00:00Z",
            "2012-07-16T24:00:00Z",
            "2012-07-16T10:31:22.Z",
            "2012-07-16T10:31:22+8:00",
            "2012-07-16T10:31:22+08:60",
            "CTydYXMK",
            "２０１２-07-16T10:31:22Z",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".*") {
            let _ = Timestamp::from(text).to_system_time();
        }

        #[test]
        fn every_day_is_counted(day in 0..2_932_896_i64) {
            // Back from the count to the date, month by month.
            let (mut year, mut month, mut rest) = (1970, 1, day);
            while rest >= 365 + i64::from(days_in(year, 2) == 29) {
                rest -= 365 + i64::from(days_in(year, 2) == 29);
                year += 1;
            }
            while rest >= days_in(year, month) {
                rest -= days_in(year, month);
                month += 1;
            }
            let text = format!("{year:04}-{month:02}-{:02}T00:00:00Z", rest + 1);
            proptest::prop_assert_eq!(seconds(&text), Some(day * 86_400), "{}", text);
        }
    }
}
