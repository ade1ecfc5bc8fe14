//! Points in time as they are written outside: RFC 3339 in UTC, with milliseconds.

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::domain::time::{Span, Timestamp};
use crate::limits;

/// A point in time that is shown and serialized as `2026-01-31T09:05:07.250Z`.
///
/// A point outside the years that the format can write is shown as the nearest that it can.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rfc3339(pub Timestamp);

impl fmt::Display for Rfc3339 {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let earliest = jiff::Timestamp::UNIX_EPOCH;
        let latest = jiff::Timestamp::MAX;
        let millis = self.0.as_millis().clamp(earliest.as_millisecond(), latest.as_millisecond());
        let at = jiff::Timestamp::from_millisecond(millis).unwrap_or(latest);
        write!(formatter, "{at:.3}")
    }
}

impl Serialize for Rfc3339 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A point in time, written as RFC 3339 in UTC with milliseconds.
#[derive(Clone, Copy, Debug, Eq, PartialEq, utoipa::ToSchema)]
#[schema(value_type = String, format = DateTime, example = "2026-03-01T12:00:00.000Z")]
pub struct At(pub Timestamp);

impl Serialize for At {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&rfc3339(self.0))
    }
}

/// A length of time in seconds, with the milliseconds as the fraction.
#[derive(Clone, Copy, Debug, Eq, PartialEq, utoipa::ToSchema)]
#[schema(value_type = f64, example = 180)]
pub struct Seconds(pub Span);

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let millis = self.0.as_millis();
        // A whole number of seconds is written without a fraction, because people put it in like
        // that.
        if millis.is_multiple_of(1_000) {
            serializer.serialize_u64(millis / 1_000)
        } else {
            // The nearest number to a fraction of three digits is written with these digits.
            #[expect(clippy::cast_precision_loss, reason = "any span is far below 2^53 ms")]
            let seconds = millis as f64 / 1_000.0;
            serializer.serialize_f64(seconds)
        }
    }
}

impl Seconds {
    /// Reads a number of seconds; digits beyond the milliseconds are rounded.
    pub fn read(value: &Value) -> Result<Self, String> {
        let seconds = value
            .as_f64()
            .filter(|seconds| (0.0..=limits::SECONDS_READ_MAX).contains(seconds))
            .ok_or("must be a number of seconds, such as 180 or 2.5")?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at most 1e12, and not negative"
        )]
        let millis = (seconds * 1_000.0).round() as u64;
        Ok(Self(Span::from_millis(millis)))
    }
}

/// A time as RFC 3339 in UTC with milliseconds. One that no calendar holds is written as the start
/// of 1970.
pub fn rfc3339(at: Timestamp) -> String {
    let time = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or_default();
    format!("{time:.3}")
}

/// A length of time for people: `250 ms`, `2.5 s`, `3 min`, `1 h 5 min`.
pub fn spoken(span: Span) -> String {
    const SECOND: u64 = 1_000;
    const MINUTE: u64 = 60 * SECOND;
    const HOUR: u64 = 60 * MINUTE;
    let millis = span.as_millis();
    let two = |large: u64, large_unit: &str, small: u64, small_unit: &str| {
        if small == 0 {
            format!("{large} {large_unit}")
        } else {
            format!("{large} {large_unit} {small} {small_unit}")
        }
    };
    if millis < SECOND {
        format!("{millis} ms")
    } else if millis < MINUTE {
        match millis % SECOND {
            0 => format!("{} s", millis / SECOND),
            rest => {
                let fraction = format!("{rest:03}");
                format!("{}.{} s", millis / SECOND, fraction.trim_end_matches('0'))
            }
        }
    } else if millis < HOUR {
        two(millis / MINUTE, "min", millis % MINUTE / SECOND, "s")
    } else {
        two(millis / HOUR, "h", millis % HOUR / MINUTE, "min")
    }
}

/// Reads a length of time as people write one: `120s`, `5min`, `1h 30m`.
pub fn duration(text: &str) -> Result<Span, String> {
    let wrong = || "must be a length of time, such as 120s, 5min or 1h".to_owned();
    let length: jiff::SignedDuration = text.parse().map_err(|_| wrong())?;
    u64::try_from(length.as_millis()).map(Span::from_millis).map_err(|_| wrong())
}

/// Reads a point in time as people write one: RFC 3339, a date, or a time of day in UTC, which is
/// of the day of `day`.
pub fn moment(text: &str, day: Timestamp) -> Result<Timestamp, String> {
    use jiff::civil::{Date, DateTime, Time};

    let in_utc = |at: DateTime| at.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|at| at.timestamp());
    let day = jiff::Timestamp::from_millisecond(day.as_millis()).unwrap_or_default();
    let today = day.to_zoned(jiff::tz::TimeZone::UTC).date();
    let at = text
        .parse::<jiff::Timestamp>()
        .ok()
        .or_else(|| text.parse::<Time>().ok().and_then(|time| in_utc(today.to_datetime(time))))
        .or_else(|| text.parse::<DateTime>().ok().and_then(in_utc))
        .or_else(|| text.parse::<Date>().ok().and_then(|date| in_utc(date.to_datetime(Time::MIN))));
    at.map(|at| Timestamp::from_millis(at.as_millisecond()))
        .ok_or_else(|| "must be a time, such as 2026-03-01T14:03:07Z or 14:03:07".to_owned())
}
