//! An open feed of an agent, and the sign of life of the console that reads it.

use crate::domain::time::{Span, Timestamp};

/// A feed, by its number among those of the agent.
pub type FeedNumber = u64;

/// The console that reads an open feed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Console {
    /// How often it said that it would beat.
    pub(super) heartbeat: Span,
    /// When it beat last. A console that never has is judged by its connection alone.
    pub(super) beat_at: Option<Timestamp>,
}

impl Console {
    /// The last moment at which its next beat is in time.
    pub(super) fn beats_by(&self) -> Option<Timestamp> {
        Some(self.beat_at? + self.heartbeat.times(2))
    }
}
