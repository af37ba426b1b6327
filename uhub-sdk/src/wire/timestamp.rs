//! Times as the service writes them.

use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    time::{Duration, SystemTime},
};

use serde::Serialize;

/// A time as the service writes it: text, or Unix seconds. The documentation does not specify the
/// format, so the text is kept and converted on demand.
///
/// Timestamps are compared as instants, whatever their format. Texts that do not name an instant,
/// such as a time without a time zone, are equal only to themselves and have no order.
///
/// # Examples
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use uhub_sdk::Timestamp;
///
/// let instant = SystemTime::UNIX_EPOCH + Duration::from_secs(1_342_434_682);
/// let timestamp = Timestamp::from("1342434682");
/// assert_eq!(timestamp.to_system_time(), Some(instant));
/// assert_eq!(timestamp, Timestamp::from("2012-07-16T18:31:22+08:00"));
/// assert_eq!(timestamp, Timestamp::from(instant));
/// assert!(timestamp < Timestamp::from("2012-07-17T00:00:00Z"));
///
/// // There is no time zone.
/// let local = Timestamp::from("2012-07-16 18:31:22");
/// assert_eq!(local.to_system_time(), None);
/// assert_eq!(local.partial_cmp(&timestamp), None);
/// assert_eq!(local.to_system_time_assuming_offset(8 * 3600), Some(instant));
/// ```
#[derive(Debug, Clone, Default, Serialize)]
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
        self.convert(None)
    }

    /// Converts like [`to_system_time`](Self::to_system_time), and takes a time without a time zone
    /// for one at this offset from UTC, in seconds. East is positive: China is `8 * 3600`.
    ///
    /// Returns `None` for any other text, such as a date without a time.
    #[must_use]
    pub fn to_system_time_assuming_offset(&self, offset: i32) -> Option<SystemTime> {
        self.convert(Some(offset))
    }

    /// `assumed` is the offset of times without a time zone.
    fn convert(&self, assumed: Option<i32>) -> Option<SystemTime> {
        // `parse` accepts a sign.
        let seconds = self.0.parse().ok().filter(|_| !self.0.starts_with('+'));
        match seconds.filter(|seconds| *seconds <= LAST_SECOND) {
            Some(seconds) => SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds)),
            None => parse_rfc3339(&self.0, assumed),
        }
    }

    /// Returns what is compared.
    fn instant_or_text(&self) -> Result<SystemTime, &str> {
        self.to_system_time().ok_or(&self.0)
    }
}

impl PartialEq for Timestamp {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0 || self.instant_or_text() == other.instant_or_text()
    }
}

impl Eq for Timestamp {}

impl Hash for Timestamp {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.instant_or_text().hash(state);
    }
}

impl PartialOrd for Timestamp {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self.instant_or_text(), other.instant_or_text()) {
            (Ok(instant), Ok(other)) => Some(instant.cmp(&other)),
            (own, other) => (own == other).then_some(Ordering::Equal),
        }
    }
}

/// Writes the time as RFC 3339 in UTC, such as `2012-07-16T10:31:22Z`, with nanoseconds if there are
/// any. A time before the year 0 or after 9999 becomes a text that does not convert back.
impl From<SystemTime> for Timestamp {
    fn from(instant: SystemTime) -> Self {
        let (seconds, nanos) = match instant.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => (i128::from(since.as_secs()), since.subsec_nanos()),
            Err(before) => {
                let before = before.duration().as_nanos().cast_signed();
                // The rest is less than a billion.
                let nanos = u32::try_from((-before).rem_euclid(1_000_000_000)).unwrap_or_default();
                ((-before).div_euclid(1_000_000_000), nanos)
            }
        };
        let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let (year, month, day) = date(days);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        let fraction = if nanos == 0 { String::new() } else { format!(".{nanos:09}") };
        Self(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z"))
    }
}

/// Parses an RFC 3339 time, such as `2012-07-16T18:31:22.5+08:00`. `assumed` is the offset from UTC
/// if the text has none, in seconds.
fn parse_rfc3339(text: &str, assumed: Option<i32>) -> Option<SystemTime> {
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
            let is_zone = |c: char| !c.is_ascii_digit();
            rest.split_at(Some(rest.find(is_zone).unwrap_or(rest.len())).filter(|end| *end > 0)?)
        }
        None => ("", rest),
    };
    let nanos = format!("{fraction:0<9}")[..9].parse().ok()?;
    let offset = match zone.split_at_checked(1) {
        _ if zone.is_empty() => i64::from(assumed?),
        Some(("Z" | "z", "")) => 0,
        Some((sign @ ("+" | "-"), zone)) => {
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

/// Returns the Gregorian year, month and day of a number of days since 1970-01-01.
fn date(days: i128) -> (i128, i128, i128) {
    // Years begin in March here, as in `days_since_1970`. There are 146,097 days in 400 years.
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let year = era * 400 + year_of_era;
    if month < 10 { (year, month + 3, day) } else { (year + 1, month - 9, day) }
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
    #[inline]
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
    use proptest::prelude::*;

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

    #[test]
    fn an_offset_may_be_assumed() {
        for (text, expected) in [
            ("2012-07-16 18:31:22", Some(1_342_434_682)),
            ("2012-07-16T18:31:22.5", Some(1_342_434_682)),
            // These have their own.
            ("2012-07-16T10:31:22Z", Some(1_342_434_682)),
            ("2012-07-16T10:31:22+00:00", Some(1_342_434_682)),
            ("1342434682", Some(1_342_434_682)),
            ("2012-07-16", None),
            ("2012-07-16T18:31:22.", None),
            ("2012-07-16T18:31:22 CST", None),
            ("2012-07-16T18:31:22é", None),
            ("", None),
        ] {
            let instant = Timestamp::from(text).to_system_time_assuming_offset(8 * 3600);
            let seconds = instant.map(|at| at.duration_since(SystemTime::UNIX_EPOCH).unwrap());
            assert_eq!(seconds.map(|seconds| seconds.as_secs()), expected, "{text}");
        }
    }

    #[test]
    fn times_without_an_instant_have_no_order() {
        let [local, later, at] =
            ["2012-07-16 10:31:22", "2012-07-17 10:31:22", "1342434682"].map(Timestamp::from);
        assert_eq!(local.partial_cmp(&later), None);
        assert_eq!(local.partial_cmp(&at), None);
        assert_eq!(local.partial_cmp(&local.clone()), Some(Ordering::Equal));
        assert_ne!(local, at);
        assert_eq!(Timestamp::default(), Timestamp::from(""));
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

        /// jiff writes and reads the same.
        #[test]
        fn jiff_agrees(seconds in -62_167_219_200..=253_402_207_200_i64, nanos in prop_oneof![Just(0), 0..1_000_000_000_i32], offset in -86_399..=86_399_i32) {
            let theirs = jiff::Timestamp::new(seconds, nanos);
            proptest::prop_assume!(theirs.is_ok());
            let theirs = theirs.unwrap();
            let instant = SystemTime::from(theirs);
            let ours = Timestamp::from(instant);
            proptest::prop_assert_eq!(ours.to_system_time(), Some(instant), "{}", ours);
            proptest::prop_assert_eq!(ours.as_str().parse::<jiff::Timestamp>().unwrap(), theirs);
            let text = theirs.to_string();
            proptest::prop_assert_eq!(Timestamp::from(text).to_system_time(), Some(instant));
            // At an offset, with and without it in the text.
            let offset = offset / 60 * 60;
            let zoned = jiff::tz::Offset::from_seconds(offset).unwrap();
            let local = zoned.to_datetime(theirs);
            proptest::prop_assume!((0..=9999).contains(&local.year()));
            let assumed = Timestamp::from(local.to_string());
            proptest::prop_assert_eq!(assumed.to_system_time_assuming_offset(offset), Some(instant));
            proptest::prop_assert_eq!(assumed.to_system_time(), None);
            let shown = Timestamp::from(theirs.display_with_offset(zoned).to_string());
            proptest::prop_assert_eq!(&shown, &ours);
            let hash = |timestamp| std::hash::BuildHasher::hash_one(&std::hash::BuildHasherDefault::<std::hash::DefaultHasher>::default(), timestamp);
            proptest::prop_assert_eq!(hash(&shown), hash(&ours));
        }

        #[test]
        fn instants_are_compared(a in 0..3_u64, b in 0..3_u64) {
            let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            let (number, text) = (Timestamp::from(a.to_string()), Timestamp::from(at(b)));
            proptest::prop_assert_eq!(number.partial_cmp(&text), Some(a.cmp(&b)));
            proptest::prop_assert_eq!(number == text, a == b);
        }

        #[test]
        fn any_system_time_is_written(seconds in any::<i64>(), nanos in 0..1_000_000_000_u32) {
            let distance = Duration::new(seconds.unsigned_abs(), nanos);
            let epoch = SystemTime::UNIX_EPOCH;
            let instant =
                if seconds < 0 { epoch.checked_sub(distance) } else { epoch.checked_add(distance) };
            if let Some(instant) = instant {
                let back = Timestamp::from(instant).to_system_time();
                proptest::prop_assert!(back.is_none_or(|back| back == instant));
            }
        }
    }
}
