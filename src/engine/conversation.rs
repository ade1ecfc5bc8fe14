//! The actor that drives one conversation: it decides, writes, and tells only what is written.
//!
//! ```text
//!   message ──> decide ──> commit ──> journal          (nothing is told yet)
//!                             │
//!                             └──> held back ──receipt──> publish, act, answer
//! ```
//!
//! Every answer, refusals and views included, waits for whatever was decided before it, so nobody
//! hears of a state that a crash could still undo.

mod admittance;
mod audience;
mod counting;
mod gate;
mod handle;
mod leaving;
mod listening;
mod loss;
mod missed;
mod news;
mod publish;
pub(super) mod restart;
mod tally;
mod waking;

use std::rc::Rc;
use std::sync::Arc;

use actix::{Actor, ActorFutureExt, AsyncContext, Handler, WrapFuture};

use crate::behavior::message::{Heard, ToConversation};
use crate::domain::conversation::Conversation;
use crate::domain::conversation::command::{Answer, Command, Refusal};
use crate::domain::decision::Decision;
use crate::domain::id::{ConversationId, Seq, SessionId};
use crate::domain::settings::Workstream;
use crate::domain::time::{Span, Timestamp};
use crate::engine::answers::Question;
use crate::engine::context::Context;
use crate::engine::conversation::audience::Audience;
use crate::engine::conversation::gate::Gate;
use crate::engine::conversation::tally::Tally;
use crate::engine::mailbox::Lost;
use crate::engine::thread::Thread;
use crate::journal::Append;

/// Messages kept while a conversation is read from the journal. More are dropped, and their
/// askers learn that nobody answered.
const OPENING_MESSAGES_MAX: usize = 1_024;

/// Drives one conversation.
#[derive(Debug)]
pub(super) struct ConversationActor {
    thread: Rc<Thread>,
    epoch: u32,
    conversation: Conversation,
    stage: Stage,
    beginning: Option<Box<Beginning>>,
    gate: Gate,
    audience: Audience,
    /// When to leave: the directory, if it is over and nobody needs it; then the stage.
    leave_at: Option<Timestamp>,
    /// When the restart is written at the latest, while it is not.
    unwritten_until: Option<Timestamp>,
    /// When it last repeated its lease to the agent.
    audited_at: Timestamp,
    counted: Tally,
}

/// What the actor is doing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Stage {
    /// It was entered for a chat that is about to begin, and keeps what it is told until it has.
    Entered,
    /// It reads its conversation, and keeps what it is told meanwhile.
    Opening,
    /// It was read, and has not yet begun to serve.
    Recovering,
    /// It serves.
    Serving,
    /// Its conversation is over, and it is about to stop.
    Retired,
    /// It is about to stop, and answers nothing: what it is told still is passed on to the one
    /// that takes its place.
    Leaving,
}

/// What an actor has while it does not serve.
#[derive(Debug, Default)]
struct Beginning {
    /// What it was told before its conversation had begun or was read, or when it was about to
    /// stop.
    kept: Vec<ToConversation>,
    /// How soon its restart is written.
    write_within: Span,
    /// From when its timers count again.
    counts_from: Timestamp,
}

impl ConversationActor {
    /// An actor that serves this conversation at once.
    pub(super) fn new(thread: Rc<Thread>, conversation: Conversation, epoch: u32) -> Self {
        let durable = conversation.seq();
        let seen = conversation.seen_by_customer();
        Self {
            audited_at: thread.shared.clock.now(),
            thread,
            epoch,
            conversation,
            stage: Stage::Serving,
            beginning: None,
            gate: Gate::new(durable),
            audience: Audience::new(seen),
            leave_at: None,
            unwritten_until: None,
            counted: Tally::default(),
        }
    }

    /// An actor for a conversation that is about to begin. Until it is told the first word it
    /// answers nobody: whoever finds it before that would hear that there is none.
    pub(super) fn entered(thread: Rc<Thread>, id: ConversationId, epoch: u32) -> Self {
        let mut actor = Self::new(thread, Conversation::new(id), epoch);
        actor.stage = Stage::Entered;
        actor.await_first_word();
        actor
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
        let mut actor = Self::new(thread, conversation, epoch);
        actor.stage = Stage::Recovering;
        actor.beginning = Some(Box::new(Beginning { kept: Vec::new(), write_within, counts_from }));
        actor
    }

    /// An actor that reads its conversation from the journal first.
    pub(super) fn opening(thread: Rc<Thread>, id: ConversationId, epoch: u32) -> Self {
        let mut actor = Self::new(thread, Conversation::new(id), epoch);
        actor.stage = Stage::Opening;
        actor
    }

    const fn id(&self) -> ConversationId {
        self.conversation.id()
    }

    /// The settings in force for this conversation.
    fn workstream(&self) -> Arc<Workstream> {
        self.with_workstream(Arc::clone)
    }

    /// Uses the settings in force.
    fn with_workstream<T>(&self, use_it: impl FnOnce(&Arc<Workstream>) -> T) -> T {
        let settings = self.thread.shared.settings.load();
        let Some(opening) = self.conversation.opening() else {
            return use_it(&self.thread.shared.fallback_workstream);
        };
        use_it(&settings.workstream_of(opening))
    }

    /// Decides, applies and writes; what follows is held back.
    fn perform(&mut self, command: Command) -> Result<Answer, Refusal> {
        self.perform_at(command, self.thread.shared.clock.now())
    }

    /// The same at the word of a session.
    fn perform_for(
        &mut self,
        command: Command,
        author: Option<SessionId>,
        workstream: &Workstream,
    ) -> Result<Answer, Refusal> {
        let now = self.thread.shared.clock.now();
        let decision = self.conversation.decide(command, now, workstream)?;
        Ok(self.carry_through(decision, author, now))
    }

    /// The same by somebody who has just looked at the clock.
    fn perform_at(&mut self, command: Command, now: Timestamp) -> Result<Answer, Refusal> {
        let conversation = &self.conversation;
        let decision =
            self.with_workstream(|workstream| conversation.decide(command, now, workstream))?;
        Ok(self.carry_through(decision, None, now))
    }

    /// Applies and writes what was decided; what follows is held back.
    fn carry_through(
        &mut self,
        decision: Decision,
        author: Option<SessionId>,
        now: Timestamp,
    ) -> Answer {
        let answer = decision.answer;
        if decision.events.is_empty() {
            return answer;
        }
        self.write_restart();
        self.note_lateness(&decision.events, now);
        let agent_before = self.conversation.agent().cloned();
        let pending = self.conversation.commit(decision, now);
        let (id, first, events) = (self.id(), pending.first(), pending.shared_events());
        let through = self.conversation.seq();
        let ticket = self.gate.note_append(&self.thread, id, through);
        let append = Append::Conversation { id, first, at: now, events, ticket };
        self.thread.append(append);
        let told =
            news::for_agents(&self.conversation, &pending, agent_before.as_ref(), &self.thread);
        self.gate.hold(pending, through, author, told);
        self.recount();
        answer
    }

    /// Reads the conversation, serves it as after a restart, and takes what was told meanwhile.
    fn read_from_journal(&self, context: &mut Context<Self>) {
        // What one of the same id has decided is read only once it is written.
        self.thread.send_appends();
        let reading = self.thread.shared.journal.load(self.id());
        context.spawn(reading.into_actor(self).map(|read, actor, context| match read {
            Ok(found) => actor.opened(found, context),
            Err(fault) => actor.give_up(&fault, context),
        }));
    }

    fn opened(&mut self, found: Option<Conversation>, context: &mut Context<Self>) {
        if self.stage != Stage::Opening {
            return;
        }
        self.stage = Stage::Serving;
        let kept = self.beginning.take().map_or_else(Vec::new, |beginning| beginning.kept);
        if let Some(conversation) = found {
            self.gate = Gate::new(conversation.seq());
            self.audience = Audience::new(conversation.seen_by_customer());
            self.conversation = conversation;
            self.recover(context);
        }
        self.take_kept(kept, context);
    }

    fn take_kept(&mut self, kept: Vec<ToConversation>, context: &mut Context<Self>) {
        for message in kept {
            self.take(message, context);
        }
        self.retire_if_over();
        self.rearm(context);
    }

    /// It is told the first word, or nobody is about to say one: it serves from now on, beginning
    /// with what it was told before.
    fn begin(&mut self, first: Option<ToConversation>, context: &mut Context<Self>) {
        self.stage = Stage::Serving;
        self.leave_at = None;
        let kept = self.beginning.take().map_or_else(Vec::new, |beginning| beginning.kept);
        self.take_kept(first.into_iter().chain(kept).collect(), context);
    }
}

impl Actor for ConversationActor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        match self.stage {
            Stage::Entered => self.rearm(context),
            Stage::Opening => self.read_from_journal(context),
            Stage::Recovering => {
                let beginning = self.beginning.take().unwrap_or_default();
                self.restart(beginning.counts_from, beginning.write_within, context);
            }
            Stage::Serving | Stage::Retired | Stage::Leaving => {}
        }
    }

    /// Runs after a panic as well, and then the conversation must be opened again even if nobody
    /// asks for it: its timers have died with the actor.
    fn stopped(&mut self, _: &mut Self::Context) {
        self.thread.shared.metrics.recount(self.counted.state, None);
        self.thread.shared.metrics.recount_away(self.counted.away, false);
        self.deny_all();
        self.thread.shared.post.leave_conversation(self.id(), self.epoch);
        // One that never began has nothing to be read.
        let was_there = self.conversation.seq() > Seq::ZERO || self.stage == Stage::Opening;
        if !was_there {
            self.thread.shared.let_go(self.id());
        }
        let is_meant = matches!(self.stage, Stage::Retired | Stage::Leaving);
        if was_there && !is_meant && !self.thread.shared.is_draining() {
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
}

impl Handler<Heard> for ConversationActor {
    type Result = ();

    fn handle(&mut self, heard: Heard, context: &mut Self::Context) {
        self.conversation.hear_all(heard.session, heard.signs);
        self.rearm(context);
    }
}

impl Handler<ToConversation> for ConversationActor {
    type Result = ();

    fn handle(&mut self, message: ToConversation, context: &mut Self::Context) {
        self.take(message, context);
        self.rearm(context);
    }
}

impl Handler<Question<ToConversation>> for ConversationActor {
    type Result = ();

    fn handle(&mut self, question: Question<ToConversation>, context: &mut Self::Context) {
        let (message, unanswered) = question.open();
        self.take(message, context);
        self.rearm(context);
        unanswered.take_over();
    }
}

impl Handler<Lost> for ConversationActor {
    type Result = ();

    fn handle(&mut self, Lost(fault): Lost, context: &mut Self::Context) {
        // One that has nothing in flight has lost nothing; one that leaves knows.
        if !matches!(self.stage, Stage::Entered | Stage::Opening | Stage::Leaving) {
            self.listen();
            self.give_up(&fault, context);
            self.rearm(context);
        }
    }
}

const _: () = assert!(
    size_of::<ConversationActor>() + size_of::<Context<ConversationActor>>() <= 288,
    "with what a task adds, a chat that is held takes 384 bytes: the next larger size is 512"
);
