//! What a conversation adds to the figures of the engine.

use std::time::Duration;

use crate::domain::conversation::event::Event;
use crate::domain::time::Timestamp;
use crate::engine::conversation::ConversationActor;
use crate::engine::conversation::tally::Tally;

impl ConversationActor {
    /// Notes how late the end of a window was, if that is what was decided.
    pub(super) fn note_lateness(&self, events: &[Event], now: Timestamp) {
        let Some(absence) = self.conversation.absence() else { return };
        if events.iter().any(|event| matches!(event, Event::CustomerDisconnected { .. })) {
            let late = Duration::from_millis(now.since(absence.until).as_millis());
            self.thread.shared.metrics.lateness.observe(late);
        }
    }

    pub(super) fn recount(&mut self) {
        let now = Tally::of(&self.conversation);
        if now != self.counted {
            if self.counted.waits && !now.waits {
                self.thread.shared.let_go(self.id());
            }
            self.thread.shared.metrics.recount(self.counted.state, now.state);
            self.thread.shared.metrics.recount_away(self.counted.away, now.away);
            self.counted = now;
        }
    }
}
