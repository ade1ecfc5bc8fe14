//! The turn in which an agent deals with one input.

use crate::behavior::agent::input::Facts;
use crate::behavior::agent::output::{Note, Output};
use crate::behavior::message::{Answered, Denial, RequestId, ToConversation};
use crate::domain::id::{ConversationId, QueueId};
use crate::domain::queue::QueueCommand;
use crate::domain::time::Timestamp;

/// The moment at which an input is dealt with, and what is to be done for it.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    pub(super) now: Timestamp,
    pub(super) facts: Facts,
    pub(super) out: &'a mut Vec<Output>,
}

impl Turn<'_> {
    pub(super) fn tell_conversation(&mut self, id: ConversationId, message: ToConversation) {
        self.out.push(Output::ToConversation(id, Box::new(message)));
    }

    pub(super) fn tell_queue(&mut self, id: &QueueId, command: QueueCommand) {
        self.out.push(Output::ToQueue(id.clone(), Box::new(command)));
    }

    pub(super) fn answer(&mut self, request: RequestId, answer: Result<Answered, Denial>) {
        self.out.push(Output::Answer(request, Box::new(answer)));
    }

    pub(super) fn note(&mut self, note: Note) {
        self.out.push(Output::Note(note));
    }
}
