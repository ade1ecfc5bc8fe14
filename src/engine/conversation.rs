//! The actor that drives one conversation. It gives the behavior each input, and performs the
//! outputs that the behavior returns (`conversation/performance.rs`).

mod actor;
mod context;
mod performance;
mod reads;
mod task;

use actix::{Actor, Handler};

use crate::behavior::conversation::Input;
use crate::behavior::message::ToConversation;
use crate::engine::answers::Question;
use crate::engine::conversation::context::Context;

pub(super) use crate::engine::conversation::actor::ConversationActor;

impl Actor for ConversationActor {
    type Context = Context;

    fn started(&mut self, context: &mut Context) {
        self.turn(Input::Begin, context);
    }

    /// Runs after a panic as well.
    fn stopped(&mut self, context: &mut Context) {
        self.depart(context.has_died);
    }
}

impl Handler<ToConversation> for ConversationActor {
    type Result = ();

    fn handle(&mut self, message: ToConversation, context: &mut Context) {
        self.turn(Input::Told(message), context);
    }
}

impl Handler<Question<ToConversation>> for ConversationActor {
    type Result = ();

    fn handle(&mut self, question: Question<ToConversation>, context: &mut Context) {
        let (message, unanswered) = question.open();
        self.turn(Input::Told(message), context);
        unanswered.be_kept_by(self.epoch());
    }
}

/// Inputs from the engine itself: what was read, what was lost, which sessions were heard.
impl Handler<Input> for ConversationActor {
    type Result = ();

    fn handle(&mut self, input: Input, context: &mut Context) {
        self.turn(input, context);
    }
}
