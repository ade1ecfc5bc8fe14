//! What a start of the server does to a conversation: decided at once, written a little later.
//!
//! A start ends every session and gives every timer its full length again. If that were written for
//! every conversation before anybody is served, a start would take as long as the disk needs for
//! all of them. It need not be: after a crash before the write, the next start decides the same
//! again. So the restart is written before the next event of the conversation, before anybody is
//! told of the conversation, or when its turn comes, whichever is first.

use crate::behavior::conversation::Behavior;
use crate::behavior::conversation::output::Output;
use crate::behavior::conversation::stage::Stage;
use crate::behavior::conversation::turn::Turn;
use crate::behavior::message::{Closing, ToAgent};
use crate::domain::conversation::command::Command;
use crate::domain::conversation::event::Event;
use crate::domain::id::Seq;
use crate::domain::time::Timestamp;

impl Behavior {
    /// Serves a conversation as it was when the server stopped.
    pub(super) fn restart(&mut self, turn: &mut Turn<'_>) {
        let beginning = self.beginning.take().unwrap_or_default();
        self.stage = Stage::Serving;
        let (now, workstream) = (turn.now, self.workstream(turn));
        let counts_from = now.max(beginning.counts_from);
        let decided = self.conversation.decide(Command::Recover, counts_from, &workstream);
        debug_assert!(decided.is_ok(), "recovery is never refused");
        for event in decided.into_iter().flat_map(|decision| decision.events) {
            // There is at most one event; if there were more, this would write the earlier.
            self.write_restart(turn);
            let first = self.conversation.seq().next();
            self.conversation.apply(&event, now);
            if self.conversation.latest_restart().as_ref() == Some(&(now, event.clone())) {
                self.unwritten_until = Some(now + beginning.write_within);
            } else {
                self.append_unheld(first, now, event, turn);
            }
        }
        self.conversation.let_go();
        self.state_claims_anew(turn);
        self.recount(turn);
    }

    /// Recovers after the actor died or the journal failed: sessions are lost, timers start anew,
    /// and every claim is stated again. Feeds may not have been told what is durable.
    pub(super) fn recover(&mut self, turn: &mut Turn<'_>) {
        for attending in self.conversation.attendance().sessions() {
            turn.close_session(attending.session, Closing::Restarted);
        }
        if let Some(lease) = self.conversation.lease() {
            turn.tell_agent(lease.agent.clone(), ToAgent::LosePlace);
        }
        let recovered = self.perform(Command::Recover, turn);
        debug_assert!(recovered.is_ok(), "recovery is never refused");
        self.state_claims(turn);
        self.recount(turn);
    }

    /// Gives the restart to the journal, if that has not been done. Nothing is held back for it,
    /// because nobody waits for anything that follows from it.
    pub(super) fn write_restart(&mut self, turn: &mut Turn<'_>) {
        let Some(_) = self.unwritten_until.take() else { return };
        // The restart is the last event, or it would have been written.
        let restart = self.conversation.latest_restart();
        debug_assert!(restart.is_some(), "what is not written can be read off the state");
        let Some((at, event)) = restart else { return };
        self.append_unheld(self.conversation.seq(), at, event, turn);
    }

    fn append_unheld(&mut self, seq: Seq, at: Timestamp, event: Event, turn: &mut Turn<'_>) {
        self.gate.note_append(seq, seq);
        turn.put(Output::Append { first: seq, at, events: [event].into() });
    }

    /// Writes the restart if its turn has come.
    pub(super) fn write_restart_if_due(&mut self, turn: &mut Turn<'_>) {
        if self.unwritten_until.is_some_and(|write_at| write_at <= turn.now) {
            self.write_restart(turn);
        }
    }

    /// The last place that was given to the journal.
    pub(super) fn written_through(&self) -> Seq {
        let seq = self.conversation.seq();
        match self.unwritten_until {
            Some(_) => Seq::new(seq.number() - 1),
            None => seq,
        }
    }
}
