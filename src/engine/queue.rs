//! The actor that drives one queue: it asks agents for those who wait, and tells customers where
//! they stand.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix::{Actor, ActorContext, AsyncContext, Context, Handler};

use crate::behavior::message::{Answered, ToAgent, ToConversation, ToQueue};
use crate::domain::id::{ConversationId, QueueId};
use crate::domain::queue::{Queue, QueueCommand, QueueEvent};
use crate::engine::answers::Question;
use crate::engine::post::Delivery;
use crate::engine::shared::Shared;

/// How often customers are told where they stand, if that has changed.
const POSITIONS_EVERY: Duration = Duration::from_secs(10);

/// How many of the line are told. Further back a position says little, and telling all of a long
/// line would cost more than serving it.
const POSITIONS_MOST: usize = 1_000;

/// Drives one queue.
#[derive(Debug)]
pub(super) struct QueueActor {
    shared: Arc<Shared>,
    id: QueueId,
    queue: Queue,
    /// How many wait, for those who must know before a chat begins.
    waiting: Arc<AtomicUsize>,
    /// Whether anybody's position has changed since they were told.
    moved: bool,
}

impl QueueActor {
    /// An empty queue, which serves nobody until it is told that everybody was heard.
    pub(super) fn new(shared: Arc<Shared>, id: QueueId, waiting: Arc<AtomicUsize>) -> Self {
        Self { shared, id, queue: Queue::hearing(), waiting, moved: false }
    }

    fn perform(&mut self, command: QueueCommand) {
        if let QueueCommand::Locate(conversation) = command {
            return self.locate(conversation);
        }
        let may_match = command.may_match();
        let Some(event) = self.queue.decide(command) else { return };
        self.queue.apply(&event, self.shared.clock.now());
        if may_match {
            self.serve();
        }
        self.moved = true;
        self.waiting.store(self.queue.waiting(), Ordering::Relaxed);
    }

    /// Tells a chat where it stands, unless it is far from both ends of a long line.
    fn locate(&self, conversation: ConversationId) {
        if let Some(position) = self.queue.position_of(conversation, POSITIONS_MOST) {
            let wait = self.queue.average_wait();
            let position = ToConversation::Position { position, wait };
            self.shared.post.tell_live(conversation, position);
        }
    }

    fn note(&mut self, command: QueueCommand) {
        if let Some(event) = self.queue.decide(command) {
            self.queue.apply(&event, self.shared.clock.now());
        }
    }

    /// Asks agents for as many of the line as there is room for.
    fn serve(&mut self) {
        let now = self.shared.clock.now();
        while let Some(event) = self.queue.decide(QueueCommand::Match) {
            let QueueEvent::Asked(conversation, agent) = &event else { break };
            let (conversation, agent) = (*conversation, agent.clone());
            let lease = self.queue.provisional_lease(conversation, agent.clone());
            self.queue.apply(&event, now);
            let reserve = ToAgent::Reserve(self.id.clone(), conversation, lease);
            if self.shared.post.tell_agent(&agent, reserve) == Delivery::Nobody {
                self.note(QueueCommand::Refused(conversation, agent.clone()));
                self.note(QueueCommand::AgentLeft(agent));
            }
        }
    }

    fn tell_positions(&mut self) {
        if !std::mem::take(&mut self.moved) {
            return;
        }
        let wait = self.queue.average_wait();
        for (conversation, position) in self.queue.positions(POSITIONS_MOST) {
            let position = ToConversation::Position { position, wait };
            self.shared.post.tell_live(conversation, position);
        }
    }
}

impl Actor for QueueActor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.run_interval(POSITIONS_EVERY, |actor, _| actor.tell_positions());
    }
}

impl Handler<ToQueue> for QueueActor {
    type Result = ();

    fn handle(&mut self, message: ToQueue, context: &mut Self::Context) {
        match message {
            ToQueue::Command(command) => self.perform(command),
            ToQueue::Several(commands) => {
                for command in commands {
                    self.perform(command);
                }
            }
            ToQueue::Figures(request) => {
                let figures = Answered::Figures(self.queue.waiting(), self.queue.average_wait());
                self.shared.answer(request, Ok(figures));
            }
            ToQueue::Explain(conversation, request) => {
                let standing = self.queue.standing(conversation, POSITIONS_MOST);
                self.shared.answer(request, Ok(Answered::Standing(standing)));
            }
            ToQueue::Dismiss(request) => {
                context.stop();
                self.shared.answer(request, Ok(Answered::Done));
            }
        }
    }
}

impl Handler<Question<ToQueue>> for QueueActor {
    type Result = ();

    fn handle(&mut self, question: Question<ToQueue>, context: &mut Self::Context) {
        let (message, unanswered) = question.open();
        self.handle(message, context);
        unanswered.take_over();
    }
}
