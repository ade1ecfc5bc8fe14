//! The latest events of an agent's feeds, for feeds that come back.

use std::collections::VecDeque;

use crate::behavior::agent::event::FeedEvent;
use crate::domain::id::{ConversationId, Seq};
use crate::limits;

/// An event that is kept.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) number: u64,
    /// The place at which the journal tells of it, too, if it does.
    pub(super) place: Option<(ConversationId, Seq)>,
    pub(super) event: FeedEvent,
}

/// The events that are kept. Older ones are read from the journal.
#[derive(Debug)]
pub(super) struct Ring {
    events: VecDeque<Kept>,
    bytes: usize,
}

impl Ring {
    pub(super) const fn new() -> Self {
        Self { events: VecDeque::new(), bytes: 0 }
    }

    pub(super) fn keep(&mut self, kept: Kept) {
        self.bytes += kept.event.data.len();
        self.events.push_back(kept);
        while self.events.len() > limits::FEED_REPLAY_MAX
            || self.bytes > limits::FEED_REPLAY_BYTES_MAX
        {
            let Some(oldest) = self.events.pop_front() else { break };
            self.bytes -= oldest.event.data.len();
        }
    }

    /// Forgets all events: a feed that comes back is told from the journal.
    pub(super) fn forget(&mut self) {
        *self = Self::new();
    }

    /// The events from a number on, if all of them are still kept; `next` is the number of the next
    /// event.
    pub(super) fn from(&self, number: u64, next: u64) -> Option<Vec<Kept>> {
        let first = self.events.front().map_or(next, |kept| kept.number);
        if number < first || number > next {
            return None;
        }
        Some(self.events.iter().filter(|kept| kept.number >= number).cloned().collect())
    }
}
