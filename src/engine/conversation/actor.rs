//! What a conversation's actor has, and what it asks of its thread.

use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::task;

use crate::behavior::conversation::Behavior;
use crate::behavior::facts::Facts;
use crate::domain::conversation::Conversation;
use crate::domain::decision::Receipt;
use crate::domain::id::ConversationId;
use crate::domain::time::{Span, Timestamp};
use crate::engine::alarms::Watch;
use crate::engine::thread::{Flight, Thread};

/// Drives one conversation.
#[derive(Debug)]
pub(in crate::engine) struct ConversationActor {
    pub(super) thread: Rc<Thread>,
    pub(super) epoch: u32,
    /// Where its receipts are found while it waits for one.
    pub(super) flight: Option<Flight>,
    pub(super) behavior: Behavior,
}

impl ConversationActor {
    /// An actor for a conversation that is about to begin. It answers nobody until it is told the
    /// first word.
    pub(in crate::engine) fn entered(thread: Rc<Thread>, id: ConversationId, epoch: u32) -> Self {
        let behavior = Behavior::entered(id, thread.shared.clock.now());
        Self { thread, epoch, flight: None, behavior }
    }

    /// An actor that serves a conversation as it was when the server stopped. Its timers count from
    /// `counts_from`, or from now if that is later. The server's restart is written to it within
    /// `write_within`.
    pub(in crate::engine) fn recovered(
        thread: Rc<Thread>,
        conversation: Conversation,
        epoch: u32,
        counts_from: Timestamp,
        write_within: Span,
    ) -> Self {
        let now = thread.shared.clock.now();
        let behavior = Behavior::recovered(conversation, counts_from, write_within, now);
        Self { thread, epoch, flight: None, behavior }
    }

    /// An actor that reads its conversation from the journal first.
    pub(in crate::engine) fn opening(thread: Rc<Thread>, id: ConversationId, epoch: u32) -> Self {
        let behavior = Behavior::opening(id, thread.shared.clock.now());
        Self { thread, epoch, flight: None, behavior }
    }

    pub(super) const fn id(&self) -> ConversationId {
        self.behavior.id()
    }

    pub(super) const fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Has the behavior do something, with the facts of the moment.
    pub(super) fn with_facts<T>(
        &mut self,
        act: impl FnOnce(&mut Behavior, Timestamp, &Facts<'_>) -> T,
    ) -> T {
        let shared = &self.thread.shared;
        let settings = shared.settings.load();
        let facts = Facts {
            settings: &settings,
            fallback: &shared.fallback_workstream,
            is_writable: shared.journal.is_writable(),
            audit_every: shared.audit_every,
            near: &*self.thread,
        };
        act(&mut self.behavior, shared.clock.now(), &facts)
    }

    /// Takes note of the signs of life of the sessions that are in the conversation.
    pub(super) fn listen(&mut self) {
        self.with_facts(|behavior, _, facts| behavior.listen(facts));
    }

    /// What may put off the deadline that is about to be waited for, and until when.
    pub(super) fn watch(&self, due: Timestamp) -> Option<Watch> {
        let shared = &self.thread.shared;
        let silence = self.behavior.silence(due, shared.audit_every)?;
        let pulse = shared.post.pulse_of(silence.session, self.id())?;
        Some(Watch { pulse, due, after: silence.after, until: silence.until })
    }

    /// What the journal has confirmed since this was asked last.
    pub(super) fn take_receipt(&self) -> Option<Receipt> {
        self.flight.and_then(|flight| self.thread.take_receipt(flight))
    }

    /// Has the actor's task woken by the next receipt, if it waits for one.
    pub(super) fn await_receipt(&self, task: &task::Context<'_>) {
        if let Some(flight) = self.flight {
            self.thread.await_receipt(flight, task);
        }
    }

    /// Waits for no receipt any more.
    pub(super) fn end_flight(&mut self) {
        if let Some(flight) = self.flight.take() {
            self.thread.end_flight(flight);
        }
    }

    /// Leaves nothing behind that others count on, however the actor ends. If it has died and its
    /// conversation may still have something to decide, the conversation is opened again, even if
    /// nobody asks for it. Its place in the directory stays until then, so that a census of all
    /// live conversations asks this one too.
    pub(super) fn depart(&mut self, has_died: bool) {
        self.end_flight();
        let (shared, id) = (&self.thread.shared, self.behavior.id());
        let counted = self.behavior.counted();
        shared.metrics.recount(counted.state, None);
        shared.metrics.recount_away(counted.away, false);
        if has_died {
            shared.answers.deny_kept_by(self.epoch);
        }
        // A conversation that never began has nothing in the journal to be read.
        let may_be_written = self.behavior.may_be_written();
        if !may_be_written {
            shared.let_go(id);
        }
        let has_more = may_be_written && !self.behavior.is_retired() && !shared.is_draining();
        if has_died && has_more {
            shared.has_lost_actor.store(true, Ordering::Relaxed);
            self.reopen();
        } else {
            shared.post.leave_conversation(id, self.epoch);
        }
    }

    /// Has the conversation opened again from what is durable: its timers have died with the actor.
    fn reopen(&self) {
        let (shared, id) = (self.thread.shared.clone(), self.id());
        self.thread.shared.threads.of_shard(id.shard()).spawn_fn(move || {
            shared.metrics.reopened.inc();
            tracing::error!(
                conversation = %id,
                "the actor of conversation {id} has died: it is read again"
            );
            shared.post.clone().reopen(id);
        });
    }
}
