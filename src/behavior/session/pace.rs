//! How fast a widget may talk: [`limits::FRAMES_PER_SECOND_MAX`] for long, and
//! [`limits::FRAMES_BURST_MAX`] at once.

use crate::domain::time::{Span, Timestamp};
use crate::limits;

/// One session's account. It is one number, the time at which all of its frames would have come had
/// it kept to the rate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    kept_until: Timestamp,
    /// The same for pings and pongs, which the page does not send itself.
    controls_kept_until: Timestamp,
}

/// How far apart frames are at the rate.
const APART: Span = Span::from_millis(1_000 / limits::FRAMES_PER_SECOND_MAX as u64);

/// By how much a session may be ahead of the rate.
const AHEAD_MAX: Span = APART.times(limits::FRAMES_BURST_MAX as u64);

impl Pace {
    /// A session that has said nothing yet.
    pub(super) const fn new(now: Timestamp) -> Self {
        Self { kept_until: now, controls_kept_until: now }
    }

    /// Whether one more frame may come now; then it is counted.
    pub(super) fn admit(&mut self, now: Timestamp) -> bool {
        admit(&mut self.kept_until, now)
    }

    /// The same for a ping or a pong.
    pub(super) fn admit_control(&mut self, now: Timestamp) -> bool {
        admit(&mut self.controls_kept_until, now)
    }

    /// For how long its page has said nothing.
    pub(super) fn quiet(&self, now: Timestamp) -> Span {
        now.since(self.kept_until)
    }
}

fn admit(kept: &mut Timestamp, now: Timestamp) -> bool {
    let kept_until = (*kept).max(now) + APART;
    let is_admitted = kept_until.since(now) <= AHEAD_MAX;
    if is_admitted {
        *kept = kept_until;
    }
    is_admitted
}
