//! Durations in JSON: seconds, with a fraction if needed. The functions also serve an `Option`.

use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, Serializer};

pub(crate) fn serialize<T, S>(time: &T, serializer: S) -> Result<S::Ok, S::Error>
where
    T: Copy + Into<Option<Duration>>,
    S: Serializer,
{
    let time: Option<Duration> = (*time).into();
    time.map(|time| time.as_secs_f64()).serialize(serializer)
}

pub(crate) fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: From<Duration>,
    D: Deserializer<'de>,
{
    let seconds = f64::deserialize(deserializer)?;
    let time = Duration::try_from_secs_f64(seconds)
        .map_err(|_| Error::custom(format_args!("{seconds} is not a valid number of seconds")))?;
    Ok(time.into())
}
