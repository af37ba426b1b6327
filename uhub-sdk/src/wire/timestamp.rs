//! Times as the service writes them.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use serde::Serialize;

/// A time as the service writes it: text, or Unix seconds. The documentation does not specify the
/// format, so the text is kept and converted on demand.
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
/// // There is no time zone.
/// assert_eq!(Timestamp::from("2012-07-16 10:31:22").to_system_time(), None);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Timestamp(String);

/// The end of the year 9999. A larger number is not in seconds, but probably in milliseconds.
const LAST_SECOND: u64 = 253_402_300_799;

impl Timestamp {
    /// Returns the text of the service.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Converts Unix seconds or an RFC 3339 time. Returns `None` for any other text, such as a time
    /// without a time zone.
    #[must_use]
    pub fn to_system_time(&self) -> Option<SystemTime> {
        let seconds = self.0.parse().ok();
        match seconds.filter(|seconds| *seconds <= LAST_SECOND) {
            Some(seconds) => SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds)),
            None => parse_rfc3339(&self.0),
        }
    }
}

/// Parses an RFC 3339 time, such as `2012-07-16T18:31:22.5+08:00`.
fn parse_rfc3339(text: &str) -> Option<SystemTime> {
    let (date_time, rest) = text.split_at_checked(19)?;
    let [year, month, day, hour, minute, second] = numbers(date_time, b"0000-00-00T00:00:00")?;
    let days = days_since_1970(year, month, day);
    let is_date =
        (1..=12).contains(&month) && day > 0 && days < days_since_1970(year, month + 1, 1);
    // A 60th second is a leap second.
    if !is_date || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (fraction, zone) = match rest.strip_prefix('.') {
        Some(rest) => {
            rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).filter(|end| *end > 0)?)
        }
        None => ("", rest),
    };
    let nanos = format!("{fraction:0<9}")[..9].parse().ok()?;
    let offset = match zone.split_at_checked(1)? {
        ("Z" | "z", "") => 0,
        (sign @ ("+" | "-"), zone) => {
            let [hours, minutes] =
                numbers(zone, b"00:00").filter(|[hours, minutes]| *hours < 24 && *minutes < 60)?;
            (hours * 60 + minutes) * if sign == "+" { 60 } else { -60 }
        }
        _ => return None,
    };
    let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second - offset;
    let distance = Duration::from_secs(seconds.unsigned_abs());
    let instant = if seconds < 0 {
        SystemTime::UNIX_EPOCH.checked_sub(distance)?
    } else {
        SystemTime::UNIX_EPOCH.checked_add(distance)?
    };
    instant.checked_add(Duration::from_nanos(nanos))
}

/// Returns the numbers in a text of this shape: `0` is a digit, `T` is `T`, `t` or a space.
fn numbers<const N: usize>(text: &str, shape: &[u8]) -> Option<[i64; N]> {
    let fits = |(byte, shape): (u8, &u8)| match shape {
        b'0' => byte.is_ascii_digit(),
        b'T' => b"Tt ".contains(&byte),
        separator => byte == *separator,
    };
    if text.len() != shape.len() || !text.bytes().zip(shape).all(fits) {
        return None;
    }
    let mut parts = text.split(|c: char| !c.is_ascii_digit());
    let mut numbers = [0; N];
    for number in &mut numbers {
        *number = parts.next()?.parse().ok()?;
    }
    Some(numbers)
}

/// Counts the days from 1970-01-01 to a Gregorian date. Month 13 is the next January.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March here, so that a leap day is the last day of a year.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + (153 * month + 2) / 5 + day - 719_469
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
    fn only_texts_that_name_an_instant_are_converted() {
        for (text, expected) in [
            ("0", 0),
            ("1342434682", 1_342_434_682),
            ("1970-01-01T00:00:00Z", 0),
            ("1969-12-31T23:59:59z", -1),
            ("2012-07-16T18:31:22+08:00", 1_342_434_682),
            ("2012-07-16 10:31:22.999Z", 1_342_434_682),
            ("2000-02-29T00:00:00Z", 951_782_400),
            ("2024-12-31T23:59:60-00:30", 1_735_691_400),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
            ("0000-03-01T00:00:00Z", -62_162_035_200),
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
            "1900-02-29T00:00:00Z",
            "2012-12-32T00:00:00Z",
            "2012-00-01T00:00:00Z",
            "2012-01-00T00:00:00Z",
            "2012-07-16T10:31:22.5",
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

    fn days_in(year: i64, month: i64) -> i64 {
        let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        match month {
            2 => 28 + i64::from(is_leap),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        }
    }

    proptest::proptest! {
        #[test]
        fn conversion_never_panics(text in ".*") {
            let _ = Timestamp::from(text).to_system_time();
        }

        #[test]
        fn every_date_is_converted(day in 0..2_932_896_i64) {
            // Counts years and months back from the number of days.
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
