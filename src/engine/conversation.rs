//! The actor that drives one conversation: it gives the behavior what comes, and does what the
//! behavior says is to be done (`conversation/performance.rs`).

mod performance;

use std::rc::Rc;
use std::task;

use actix::{Actor, Handler};

use crate::behavior::conversation::{Behavior, Input};
use crate::behavior::facts::Facts;
use crate::behavior::message::{Heard, ToConversation};
use crate::clock::Clock;
use crate::domain::conversation::Conversation;
use crate::domain::id::ConversationId;
use crate::domain::time::{Span, Timestamp};
use crate::engine::alarms::{Alarms, Watch};
use crate::engine::answers::Question;
use crate::engine::context::{Context, Punctual};
use crate::engine::mailbox::Lost;
use crate::engine::thread::{Flight, Thread};

/// Drives one conversation.
#[derive(Debug)]
pub(super) struct ConversationActor {
    thread: Rc<Thread>,
    epoch: u32,
    /// Where the journal's word is found while it waits for one.
    flight: Option<Flight>,
    behavior: Behavior,
}

const _: () = assert!(
    size_of::<ConversationActor>() + size_of::<Context<ConversationActor>>() <= 288,
    "with what a task adds, a chat that is held takes 384 bytes: the next larger size is 512"
);

impl ConversationActor {
    /// An actor for a conversation that is about to begin. Until it is told the first word it
    /// answers nobody.
    pub(super) fn entered(thread: Rc<Thread>, id: ConversationId, epoch: u32) -> Self {
        let behavior = Behavior::entered(id, thread.shared.clock.now());
        Self { thread, epoch, flight: None, behavior }
    }

    /// An actor that serves a conversation as it was when the server stopped. Its timers count from
    /// `counts_from`, or from now if that is later; that the server has started again is written
    /// within `write_within`.
    pub(super) fn recovered(
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
    pub(super) fn opening(thread: Rc<Thread>, id: ConversationId, epoch: u32) -> Self {
        let behavior = Behavior::opening(id, thread.shared.clock.now());
        Self { thread, epoch, flight: None, behavior }
    }

    const fn id(&self) -> ConversationId {
        self.behavior.id()
    }

    /// Has the behavior do something, with the facts of the moment.
    fn with_facts<T>(&mut self, act: impl FnOnce(&mut Behavior, Timestamp, &Facts<'_>) -> T) -> T {
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

    /// Has it opened again, from what is durable: its timers have died with the actor.
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

impl Actor for ConversationActor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        self.turn(Input::Begin, context);
    }

    /// Runs after a panic as well, and then the conversation must be opened again even if nobody
    /// asks for it.
    fn stopped(&mut self, _: &mut Self::Context) {
        let (shared, id) = (&self.thread.shared, self.id());
        let counted = self.behavior.counted();
        shared.metrics.recount(counted.state, None);
        shared.metrics.recount_away(counted.away, false);
        if let Some(flight) = self.flight.take() {
            self.thread.end_flight(flight);
        }
        for request in self.behavior.abandon() {
            shared.answers.deny(request);
        }
        shared.post.leave_conversation(id, self.epoch);
        // One that never began has nothing to be read.
        if !self.behavior.may_be_written() {
            shared.let_go(id);
        } else if !self.behavior.is_leaving() && !shared.is_draining() {
            self.reopen();
        }
    }
}

impl Punctual for ConversationActor {
    fn clock(&self) -> Clock {
        self.thread.shared.clock
    }

    fn alarms(&self) -> &Alarms {
        &self.thread.alarms
    }

    fn watch(&self, due: Timestamp) -> Option<Watch> {
        let shared = &self.thread.shared;
        let silence = self.behavior.silence(due, shared.audit_every)?;
        let pulse = shared.post.pulse_of(silence.session, self.id())?;
        Some(Watch { pulse, due, after: silence.after, until: silence.until })
    }

    fn on_deadline(&mut self, _: Timestamp, context: &mut Self::Context) {
        self.turn(Input::Wake, context);
    }

    fn take_receipt(&mut self, context: &mut Self::Context) -> bool {
        let Some(flight) = self.flight else { return false };
        let Some(receipt) = self.thread.take_receipt(flight) else { return false };
        self.turn(Input::Durable(receipt), context);
        true
    }

    fn await_receipt(&self, task: &task::Context<'_>) {
        if let Some(flight) = self.flight {
            self.thread.await_receipt(flight, task);
        }
    }
}

impl Handler<Heard> for ConversationActor {
    type Result = ();

    fn handle(&mut self, heard: Heard, context: &mut Self::Context) {
        self.turn(Input::Heard(heard), context);
    }
}

impl Handler<ToConversation> for ConversationActor {
    type Result = ();

    fn handle(&mut self, message: ToConversation, context: &mut Self::Context) {
        self.turn(Input::Told(message), context);
    }
}

impl Handler<Question<ToConversation>> for ConversationActor {
    type Result = ();

    fn handle(&mut self, question: Question<ToConversation>, context: &mut Self::Context) {
        let (message, unanswered) = question.open();
        self.turn(Input::Told(message), context);
        unanswered.take_over();
    }
}

impl Handler<Lost> for ConversationActor {
    type Result = ();

    fn handle(&mut self, Lost(fault): Lost, context: &mut Self::Context) {
        self.turn(Input::Lost((&fault).into()), context);
    }
}
