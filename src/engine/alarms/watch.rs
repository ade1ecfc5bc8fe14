//! What puts an alarm off without being asked: signs of life of the session whose silence the alarm
//! waits for.

use std::sync::Arc;

use crate::domain::time::{Span, Timestamp};
use crate::engine::pulse::Pulse;

/// The time of an alarm that is not set.
pub(super) const NEVER: u64 = u64::MAX;

/// What puts an alarm off.
#[derive(Debug)]
pub(in crate::engine) struct Watch {
    /// The signs of life.
    pub pulse: Arc<Pulse>,
    /// The time that the alarm is set for, by the clock of the pulse.
    pub due: Timestamp,
    /// How long after a sign of life the alarm is due.
    pub after: Span,
    /// When the alarm is due at the latest, whatever signs of life there are.
    pub until: Option<Timestamp>,
}

/// A [`Watch`] in the wheel's own time.
#[derive(Debug)]
pub(super) struct Watching {
    pulse: Arc<Pulse>,
    /// What is added to the time of a sign of life, in milliseconds since 1970, for the time that
    /// it puts the alarm off to.
    offset: i64,
    until: u64,
}

impl Watching {
    pub(super) fn of(watch: Watch, at: u64) -> Self {
        let Watch { pulse, due, after, until } = watch;
        let after = i64::try_from(after.as_millis()).unwrap_or(i64::MAX);
        let offset = at.cast_signed().saturating_sub(due.as_millis()).saturating_add(after);
        let until = until.map_or(NEVER, |until| at.saturating_add(until.since(due).as_millis()));
        Self { pulse, offset, until }
    }

    pub(super) fn puts_off_to(&self) -> u64 {
        let due = self.pulse.heard_at().as_millis().saturating_add(self.offset);
        u64::try_from(due).unwrap_or(0).min(self.until)
    }
}
