//! Points in time and lengths of time, in whole milliseconds.
//!
//! There is no clock here: the caller of a state machine says what time it is.

use std::fmt;
use std::num::NonZeroU64;
use std::ops::{Add, Sub};

/// A point in time: milliseconds since 1970-01-01T00:00:00Z.
///
/// It is kept as the distance from the earliest one. That is never zero, so an absent time needs no
/// extra room: every chat that is held has several times that may be absent.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Timestamp(NonZeroU64);

/// The distance between the earliest time that can be written down and the start of 1970.
const EARLIEST: u64 = 1 << 63;

impl Timestamp {
    /// The point `millis` milliseconds after the start of 1970 in UTC.
    pub const fn from_millis(millis: i64) -> Self {
        match NonZeroU64::new(millis.cast_unsigned() ^ EARLIEST) {
            Some(distance) => Self(distance),
            // 292 million years before anything counted here.
            None => Self(NonZeroU64::MIN),
        }
    }

    /// Milliseconds since the start of 1970 in UTC.
    pub const fn as_millis(self) -> i64 {
        (self.0.get() ^ EARLIEST).cast_signed()
    }

    /// The time from `earlier` to `self`; zero when `earlier` is in fact later.
    pub fn since(self, earlier: Self) -> Span {
        Span(self.0.get().saturating_sub(earlier.0.get()))
    }
}

impl Add<Span> for Timestamp {
    type Output = Self;

    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl Sub<Span> for Timestamp {
    type Output = Self;

    fn sub(self, span: Span) -> Self {
        let distance = self.0.get().saturating_sub(span.0);
        Self(NonZeroU64::new(distance).unwrap_or(NonZeroU64::MIN))
    }
}

/// The moment at which something ends unless something happens before. The moment itself counts:
/// what happens at it is in time.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Deadline(Timestamp);

impl Deadline {
    /// This moment.
    pub const fn at(moment: Timestamp) -> Self {
        Self(moment)
    }

    /// The last moment that is in time.
    pub const fn moment(self) -> Timestamp {
        self.0
    }

    /// Whether it is over at `now`.
    pub fn is_over(self, now: Timestamp) -> bool {
        now > self.0
    }

    /// When to look whether it is over: the first moment at which it is.
    pub fn wake_at(self) -> Timestamp {
        self.0 + Span(1)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}ms", self.as_millis())
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Timestamp").field(&self.as_millis()).finish()
    }
}

impl Default for Timestamp {
    fn default() -> Self {
        Self::from_millis(0)
    }
}

/// A length of time in milliseconds, never negative.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Span(u64);

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// `millis` milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// `seconds` seconds.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// The length in milliseconds.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// The length in seconds, with the milliseconds as the fraction.
    pub fn as_secs_f64(self) -> f64 {
        std::time::Duration::from_millis(self.0).as_secs_f64()
    }

    /// `count` times this length.
    pub const fn times(self, count: u64) -> Self {
        Self(self.0.saturating_mul(count))
    }

    /// This length divided by `parts`.
    pub const fn divided_by(self, parts: u64) -> Self {
        Self(self.0 / if parts == 0 { 1 } else { parts })
    }
}

impl Add for Span {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}
