//! Times and lengths of time as they are written outside: RFC 3339 with milliseconds, and seconds
//! with the milliseconds as their fraction.

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::domain::time::{Span, Timestamp};

/// The longest time that is read, in seconds; every setting's own limit is far below it.
const SECONDS_MAX: f64 = 1e9;

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
        // A whole number is written as one, because that is what people put in.
        if millis.is_multiple_of(1_000) {
            serializer.serialize_u64(millis / 1_000)
        } else {
            serializer.serialize_f64(self.0.as_secs_f64())
        }
    }
}

impl Seconds {
    /// Reads a number of seconds; digits beyond the milliseconds are rounded.
    pub fn read(value: &Value) -> Result<Self, String> {
        let seconds = value
            .as_f64()
            .filter(|seconds| (0.0..=SECONDS_MAX).contains(seconds))
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
        format!("{} s", span.as_secs_f64())
    } else if millis < HOUR {
        two(millis / MINUTE, "min", millis % MINUTE / SECOND, "s")
    } else {
        two(millis / HOUR, "h", millis % HOUR / MINUTE, "min")
    }
}
