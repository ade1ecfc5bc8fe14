//! What the death of a conversation's actor means to the watcher: the actor's mail is lost with it,
//! and an agent that set units aside for it learns that by the next audit.

use crate::server::Millis;
use crate::watch::Watch;

/// How long agents may take to ask about everything that they hold.
const SORTED_OUT_WITHIN: Millis = 65_000;

impl Watch {
    /// A conversation's actor has died.
    pub(super) fn died(&mut self) {
        self.stats.deaths += 1;
        self.trouble = self.now;
        self.died_at = Some(self.now);
        self.rested.clear();
    }

    /// Whether no agent holds units for what was lost with an actor.
    pub(super) fn is_sorted_out(&self) -> bool {
        self.died_at.is_none_or(|died| self.now > died + SORTED_OUT_WITHIN)
    }
}
