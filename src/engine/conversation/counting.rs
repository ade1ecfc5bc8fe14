//! What a conversation adds to the figures of the engine.

use std::time::Duration;

use crate::domain::conversation::State;
use crate::domain::conversation::event::Event;
use crate::domain::time::Timestamp;
use crate::engine::conversation::ConversationActor;

/// What this conversation stands for in the gauges.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Counted {
    pub(super) state: Option<State>,
    pub(super) away: bool,
    /// Whether it waits for its first agent, as its customer sees it.
    pub(super) waits: bool,
}

impl ConversationActor {
    /// Notes how late the end of a window was, if that is what was decided.
    pub(super) fn note_lateness(&self, events: &[Event], now: Timestamp) {
        let Some(absence) = self.conversation.absence() else { return };
        if events.iter().any(|event| matches!(event, Event::CustomerDisconnected { .. })) {
            let late = Duration::from_millis(now.since(absence.until).as_millis());
            self.shared.metrics.lateness.observe(late);
        }
    }

    pub(super) fn recount(&mut self) {
        let now = Counted {
            state: self.conversation.state().filter(|state| *state != State::Closed),
            away: self.conversation.absence().is_some(),
            waits: self.conversation.state_for_customer() == Some(State::Open),
        };
        if now != self.counted {
            if self.counted.waits && !now.waits {
                self.shared.let_go(self.id());
            }
            self.shared.metrics.recount(self.counted.state, now.state);
            self.shared.metrics.recount_away(self.counted.away, now.away);
            self.counted = now;
        }
    }
}
