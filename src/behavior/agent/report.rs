//! What queues and feeds are told of an agent: what is different from what they were told last.

use crate::behavior::agent::commitment::{Behavior, Report};
use crate::behavior::agent::output::{Note, Turn};
use crate::behavior::message::FeedItem;
use crate::domain::id::QueueId;
use crate::domain::queue::QueueCommand;
use crate::domain::time::Span;
use crate::limits;
use crate::wire::feed;

/// How often feeds are told of changes when an agent has more leases than are told at once: each
/// time all leases are named.
const CAPACITY_EVERY: Span = Span::from_secs(1);

impl Behavior {
    /// Tells queues and feeds what is different from what they were told last.
    pub(super) fn tell_changes(&mut self, turn: &mut Turn<'_>) {
        let now = Report::of(&self.agent);
        if now == self.told {
            return;
        }
        let before = std::mem::replace(&mut self.told, now);
        let now = &self.told;
        if before.availability != now.availability {
            self.tell_queues(turn);
        }
        let delta =
            i64::try_from(now.leases).unwrap_or(0) - i64::try_from(before.leases).unwrap_or(0);
        if delta != 0 {
            turn.note(Note::Leases(delta));
        }
        if !self.feeds.were_ever_open() {
            // After a start thousands of leases come at once, before any console does.
            return;
        }
        let mut told = Vec::new();
        if (before.presence, before.chosen) != (now.presence, now.chosen) {
            told.push(self.presence_told());
        }
        let has_changed = (before.units, before.revision) != (now.units, now.revision);
        let waits = now.leases > limits::LEASES_TOLD_AT_ONCE;
        if has_changed && waits {
            self.capacity_at.get_or_insert(self.capacity_told_at + CAPACITY_EVERY);
        } else if has_changed {
            told.push(self.capacity_told());
        }
        self.feeds.tell(told, turn);
    }

    /// Tells feeds of the leases, if that is due.
    pub(super) fn tell_capacity_if_due(&mut self, turn: &mut Turn<'_>) {
        if self.capacity_at.take_if(|at| *at <= turn.now).is_some() {
            self.capacity_told_at = turn.now;
            let told = vec![self.capacity_told()];
            self.feeds.tell(told, turn);
        }
    }

    pub(super) fn tell_queues(&self, turn: &mut Turn<'_>) {
        for queue in &self.queues {
            self.tell_availability(queue, turn);
        }
    }

    pub(super) fn tell_availability(&self, queue: &QueueId, turn: &mut Turn<'_>) {
        turn.tell_queue(queue, QueueCommand::AgentChanged(self.agent.availability()));
    }

    pub(super) fn presence_told(&self) -> FeedItem {
        FeedItem::from(feed::presence(self.id(), self.agent.presence(), self.agent.chosen()))
    }

    pub(super) fn capacity_told(&self) -> FeedItem {
        let leases = self.agent.leases().iter().map(|(id, held)| (*id, &held.lease));
        let units = self.agent.settings().units;
        FeedItem::from(feed::capacity(self.id(), units, self.agent.used(), leases))
    }
}
