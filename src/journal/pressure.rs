//! How hard appends press on the disk: one rule for every journal.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::clock::Stopwatch;
use crate::limits;

/// How hard appends press on the disk, from the lowest level to the highest. What follows from each
/// level is in `engine/pressure.rs`.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub enum Pressure {
    /// The disk keeps up.
    #[default]
    Calm,
    /// More than [`BUSY_APPENDS`](limits::BUSY_APPENDS) wait, or did a moment ago: whatever can
    /// wait leaves the disk to them.
    Busy,
    /// More than [`APPENDS_WAITING_MAX`](limits::APPENDS_WAITING_MAX) wait: a caller that can be
    /// refused may not add to them.
    Full,
}

impl Pressure {
    /// The level while so many appends wait; `is_still_busy` while a large group was written a
    /// moment ago, because between two groups of a burst few may wait.
    #[must_use]
    pub const fn of(waiting: usize, is_still_busy: bool) -> Self {
        if waiting > limits::APPENDS_WAITING_MAX {
            Self::Full
        } else if waiting > limits::BUSY_APPENDS || is_still_busy {
            Self::Busy
        } else {
            Self::Calm
        }
    }
}

/// Until when the journal counts as busy after a large group. A journal keeps it beside the number
/// of the appends that wait.
#[derive(Debug, Default)]
pub(super) struct BusyUntil {
    stopwatch: Stopwatch,
    /// In milliseconds of the stopwatch.
    until: AtomicU64,
}

impl BusyUntil {
    /// Notes that a group of so many appends has been written.
    pub(super) fn note_group(&self, appends: usize) {
        if appends > limits::BUSY_APPENDS {
            let until = self.milliseconds() + limits::BUSY_FOR_MS;
            self.until.store(until, Ordering::Relaxed);
        }
    }

    /// The level while so many wait.
    pub(super) fn pressure(&self, waiting: usize) -> Pressure {
        let is_still_busy = self.milliseconds() < self.until.load(Ordering::Relaxed);
        Pressure::of(waiting, is_still_busy)
    }

    fn milliseconds(&self) -> u64 {
        u64::try_from(self.stopwatch.time().as_millis()).unwrap_or(u64::MAX)
    }
}
