//! Points in time as they are written outside: RFC 3339 in UTC, with milliseconds.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::domain::time::Timestamp;

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
