//! When an agent wants to be woken, and what is done then.

use crate::behavior::agent::commitment::Behavior;
use crate::behavior::agent::due::Due;
use crate::behavior::agent::input::Facts;
use crate::behavior::agent::turn::Turn;
use crate::domain::agent::command::AgentCommand;
use crate::domain::time::Timestamp;

impl Behavior {
    /// When the agent wants to be woken.
    pub fn wake_at(&self, facts: Facts) -> Option<Timestamp> {
        // When the server stops we end the feeds ourselves: nobody is to be given up, or missed,
        // for that.
        let due = self.due.filter(|_| !facts.is_draining).map(|due| due.served_at);
        let sorted_out = self.sorted_out.front().map(|(at, _)| *at);
        let all = [due, sorted_out, self.feeds.shown_by(), self.audit_at];
        all.into_iter().flatten().min()
    }

    pub(super) fn wake(&mut self, turn: &mut Turn<'_>) {
        self.tell_sorted_out(turn);
        for feed in self.feeds.take_overdue(turn.now) {
            self.show_more_when_room(feed, turn);
        }
        self.serve_due(turn);
        self.audit_if_due(turn);
    }

    /// Notes what must be looked at next.
    pub(super) fn note_due(&mut self, now: Timestamp) {
        let at = self.agent.wake_at().into_iter().chain(self.capacity_at).min();
        if self.due.map(|due| due.at) != at {
            self.due = at.map(|at| Due::at(at, now));
        }
    }

    fn serve_due(&mut self, turn: &mut Turn<'_>) {
        let is_due = |due: &Due| due.served_at <= turn.now && !turn.facts.is_draining;
        let Some(due) = self.due.filter(is_due) else { return };
        self.due = due.put_off(turn.now);
        if self.due.is_some() {
            return;
        }
        self.must_perform(AgentCommand::Wake, turn);
        self.close_ended(turn);
        self.tell_capacity_if_due(turn);
    }
}
