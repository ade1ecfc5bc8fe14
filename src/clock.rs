//! The one place that reads a clock. Time runs on from the wall clock at the start, by the
//! monotonic clock, so a step of the wall clock ends no window early and none late.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use crate::domain::time::{Span, Timestamp};
use crate::limits;

/// By how much the last event of a journal may be later than the wall clock.
pub const AHEAD_MAX: Span = Span::from_secs(limits::CLOCK_AHEAD_SECONDS_MAX);

/// Longer than any server runs: thirty years.
const NEVER: Duration = Duration::from_secs(30 * 365 * 24 * 3_600);

/// The engine's clock: cheap to copy, the same on every thread.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started_at: Timestamp,
    /// When `started_at` began.
    started: Instant,
}

#[expect(clippy::disallowed_methods, reason = "this is where the wall clock is read")]
fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn timestamp(since_epoch: Duration) -> Timestamp {
    Timestamp::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}

/// What the wall clock says.
pub fn wall() -> Timestamp {
    timestamp(since_epoch())
}

/// What the monotonic clock says, to measure by it how long something lasts.
pub fn reading() -> Instant {
    Instant::now()
}

/// Measures how long something lasts, by the monotonic clock.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Begins to measure.
    #[must_use]
    pub fn start() -> Self {
        Self(reading())
    }

    /// How long it has run.
    #[must_use]
    pub fn time(&self) -> Duration {
        self.0.elapsed()
    }
}

impl Default for Stopwatch {
    fn default() -> Self {
        Self::start()
    }
}

impl Clock {
    /// Starts a clock at the wall clock's time, or at `not_before` if that is later: time must not
    /// run back behind what an earlier run has written down.
    pub fn start(not_before: Timestamp) -> Self {
        let (since_epoch, reading) = (since_epoch(), Instant::now());
        // Without the part of a millisecond that has gone already, the clock would be behind the
        // wall clock by it for as long as the server runs.
        let gone = Duration::from_nanos(u64::from(since_epoch.subsec_nanos() % 1_000_000));
        Self {
            started_at: timestamp(since_epoch).max(not_before),
            started: reading.checked_sub(gone).unwrap_or(reading),
        }
    }

    /// By how much it is ahead of the wall clock now.
    pub fn ahead(&self) -> Span {
        self.now().since(wall())
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        let elapsed = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.started_at + Span::from_millis(elapsed)
    }

    /// The instant at which [`Clock::now`] first gives `at`, or has given it already. It depends on
    /// nothing but `at`. A caller that reads the time first and counts from a later moment may be
    /// held up between the two, and is then woken too early, or too late.
    pub fn instant(&self, at: Timestamp) -> Instant {
        let after = Duration::from_millis(at.since(self.started_at).as_millis());
        self.started.checked_add(after).unwrap_or_else(|| self.started + NEVER)
    }

    /// How long it is until `at`; no time when that is past.
    pub fn until(&self, at: Timestamp) -> Duration {
        // The clock counts whole milliseconds: up to one more may already have passed.
        Duration::from_millis(at.since(self.now()).as_millis())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_does_not_stay_behind_the_wall_clock_by_the_part_of_a_millisecond_it_began_in() {
        // Time enough for each clock to begin in another part of a millisecond.
        let begun = Instant::now();
        let mut clocks = Vec::new();
        while begun.elapsed() < Duration::from_millis(5) {
            clocks.push(Clock::start(Timestamp::from_millis(0)));
        }
        let behind = |clock: &&Clock| {
            let wall = wall();
            clock.now() < wall
        };
        let count = clocks.iter().filter(behind).count();
        // A clock that was held up between its two readings is behind for good: that is rare.
        assert!(count * 10 < clocks.len(), "{count} of {} are behind", clocks.len());
    }
}
