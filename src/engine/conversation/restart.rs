//! What a start of the server does to a conversation: decided at once, written a little later.
//!
//! A start takes every session away and gives every timer its full length again. Were that written
//! for every conversation before anybody is served, a start would take as long as the disk needs
//! for all of them. It need not be: a crash before it is written is a start again, which says the
//! same anew. So it is written before whatever happens next in the conversation, before anybody is
//! told anything of it, or when its turn comes, whichever is first.

use crate::behavior::message::Closing;
use crate::domain::conversation::command::Command;
use crate::domain::conversation::event::Event;
use crate::domain::id::Seq;
use crate::domain::time::{Span, Timestamp};
use crate::engine::context::Context;
use crate::engine::conversation::{ConversationActor, Stage, publish};
use crate::journal::Append;

/// How many conversations write their restart in a second, if nothing else makes them: the
/// projection follows three times as fast, so nobody's reading waits.
const WRITTEN_EACH_SECOND: u64 = 10_000;

/// How long a start has the disk for itself, and for those who come back at once.
const WRITTEN_FROM: Span = Span::from_millis(500);

/// How long a start takes for each conversation, at most, in microseconds. Until all of them are
/// live nobody can come back, so that time must not count against those that were live first.
const STARTED_WITHIN: u64 = 8;

/// How long it takes until so many conversations are live.
pub(in crate::engine) const fn lasts(conversations: u64) -> Span {
    Span::from_millis(conversations * STARTED_WITHIN / 1_000)
}

/// How soon the conversation with this place among all writes its restart.
pub(in crate::engine) const fn turn(place: u64) -> Span {
    Span::from_millis(WRITTEN_FROM.as_millis() + place * 1_000 / WRITTEN_EACH_SECOND)
}

impl ConversationActor {
    /// Serves a conversation as it was when the server stopped. Its timers count from `counts_from`
    /// at the earliest, and its restart is written within `write_within`.
    pub(super) fn restart(
        &mut self,
        counts_from: Timestamp,
        write_within: Span,
        context: &mut Context<Self>,
    ) {
        self.stage = Stage::Serving;
        let now = self.thread.shared.clock.now();
        let decided = self.with_workstream(|workstream| {
            self.conversation.decide(Command::Recover, now.max(counts_from), workstream)
        });
        debug_assert!(decided.is_ok(), "recovery is never refused");
        for event in decided.into_iter().flat_map(|decision| decision.events) {
            // There is at most one; were there more, the earlier would be written by this.
            self.write_restart();
            let first = self.conversation.seq().next();
            self.conversation.apply(&event, now);
            if self.conversation.latest_restart().as_ref() == Some(&(now, event.clone())) {
                self.unwritten_until = Some(now + write_within);
            } else {
                self.append_unheld(first, now, event);
            }
        }
        self.conversation.let_go();
        self.state_claims_anew();
        self.recount();
        self.rearm(context);
    }

    /// After its actor had died: sessions are lost, timers start anew, and every claim is stated
    /// again.
    pub(super) fn recover(&mut self, context: &mut Context<Self>) {
        let attending: Vec<_> =
            self.conversation.attendance().sessions().iter().map(|one| one.session).collect();
        for session in attending {
            publish::close_session(&self.thread.shared, session, Closing::Restarted);
        }
        let recovered = self.perform(Command::Recover);
        debug_assert!(recovered.is_ok(), "recovery is never refused");
        self.state_claims();
        self.recount();
        self.rearm(context);
    }

    /// Gives the restart to the journal, if that has not been done. Nothing is held back for it,
    /// because nothing follows from it that anybody waits for.
    pub(super) fn write_restart(&mut self) {
        let Some(_) = self.unwritten_until.take() else { return };
        // It is the last thing that happened, or it would have been written.
        let restart = self.conversation.latest_restart();
        debug_assert!(restart.is_some(), "what is not written can be read off the state");
        let Some((at, event)) = restart else { return };
        self.append_unheld(self.conversation.seq(), at, event);
    }

    fn append_unheld(&mut self, seq: Seq, at: Timestamp, event: Event) {
        let (id, events) = (self.id(), [event].into());
        let ticket = self.gate.note_append(&self.thread, id, seq);
        let append = Append::Conversation { id, first: seq, at, events, ticket };
        self.thread.append(append);
    }

    /// Writes the restart if its turn has come.
    pub(super) fn write_restart_if_due(&mut self, now: Timestamp) {
        if self.unwritten_until.is_some_and(|write_at| write_at <= now) {
            self.write_restart();
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
