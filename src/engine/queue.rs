//! The actor that drives one queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use actix::{Actor, ActorContext, AsyncContext, Context, Handler, SpawnHandle};

use crate::behavior::message::{ToAgent, ToConversation, ToQueue};
use crate::behavior::queue::{Behavior, Input, Output};
use crate::domain::id::QueueId;
use crate::domain::time::Timestamp;
use crate::engine::answers::Question;
use crate::engine::post::Delivery;
use crate::engine::shared::Shared;

/// Drives one queue.
#[derive(Debug)]
pub(super) struct QueueActor {
    shared: Arc<Shared>,
    id: QueueId,
    behavior: Behavior,
    /// How many chats wait, for callers that must know it before a chat begins.
    waiting: Arc<AtomicUsize>,
    /// When it is woken, and by which timer.
    timer: Option<(Timestamp, SpawnHandle)>,
}

impl QueueActor {
    /// An empty queue, which serves nobody until it is told that every conversation was heard.
    pub(super) fn new(shared: Arc<Shared>, id: QueueId, waiting: Arc<AtomicUsize>) -> Self {
        let behavior = Behavior::hearing(shared.clock.now());
        Self { shared, id, behavior, waiting, timer: None }
    }

    /// Gives the behavior one input, and those that follow from it.
    fn turn(&mut self, input: Input, context: &mut Context<Self>) {
        let now = self.shared.clock.now();
        let (mut inputs, mut outputs) = (vec![input], Vec::new());
        while let Some(input) = inputs.pop() {
            self.behavior.handle(input, now, &mut outputs);
            for output in outputs.drain(..) {
                inputs.extend(self.perform(output, context));
            }
        }
        self.rearm(context);
    }

    /// Performs one output. Gives back what the behavior must hear of at once.
    fn perform(&self, output: Output, context: &mut Context<Self>) -> Option<Input> {
        match output {
            Output::Reserve(agent, conversation, lease) => {
                let reserve = ToAgent::Reserve(self.id.clone(), conversation, lease);
                let told = self.shared.post.tell_agent(&agent, reserve);
                return (told == Delivery::Nobody).then_some(Input::Missing(conversation, agent));
            }
            Output::Position(conversation, position, wait) => {
                let position = ToConversation::Position { position, wait };
                self.shared.post.tell_live(conversation, position);
            }
            Output::Waiting(waiting) => self.waiting.store(waiting, Ordering::Relaxed),
            Output::Answer(request, answer) => self.shared.answer(request, Ok(answer)),
            Output::Stop => context.stop(),
        }
        None
    }

    fn rearm(&mut self, context: &mut Context<Self>) {
        let wake_at = self.behavior.wake_at();
        if self.timer.as_ref().map(|(at, _)| *at) == wake_at {
            return;
        }
        if let Some((_, armed)) = self.timer.take() {
            context.cancel_future(armed);
        }
        self.timer = wake_at.map(|at| {
            let armed = context.run_later(self.shared.clock.until(at), |actor, context| {
                actor.timer = None;
                actor.turn(Input::Wake, context);
            });
            (at, armed)
        });
    }
}

impl Actor for QueueActor {
    type Context = Context<Self>;
}

impl Handler<ToQueue> for QueueActor {
    type Result = ();

    fn handle(&mut self, message: ToQueue, context: &mut Self::Context) {
        self.turn(Input::Told(message), context);
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
