//! What a conversation has at hand while it deals with one input.

use bytestring::ByteString;

use crate::behavior::conversation::output::{Note, Output};
use crate::behavior::facts::Facts;
use crate::behavior::message::{Answered, Closing, Denial, RequestId, ToAgent, ToSession};
use crate::domain::id::{AgentId, QueueId, Seq, SessionId};
use crate::domain::queue::QueueCommand;
use crate::domain::time::Timestamp;

/// The moment, what is known of it, and what is to be done.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    pub(super) now: Timestamp,
    pub(super) facts: &'a Facts<'a>,
    out: &'a mut Vec<Output>,
}

impl<'a> Turn<'a> {
    pub(super) const fn new(
        now: Timestamp,
        facts: &'a Facts<'a>,
        out: &'a mut Vec<Output>,
    ) -> Self {
        Self { now, facts, out }
    }

    pub(super) fn put(&mut self, output: Output) {
        self.out.push(output);
    }

    pub(super) fn note(&mut self, note: Note) {
        self.put(Output::Note(note));
    }

    pub(super) fn answer(&mut self, request: RequestId, answer: Result<Answered, Denial>) {
        self.put(Output::Answer(request, answer));
    }

    pub(super) fn tell_session(&mut self, session: SessionId, message: ToSession) {
        self.put(Output::Session(session, message));
    }

    /// Shows a frame of what happened at a place. With [`Seq::ZERO`] the frame is only passing, and
    /// a slow reader may miss it.
    pub(super) fn show(&mut self, session: SessionId, seq: Seq, text: ByteString) {
        self.tell_session(session, ToSession::Frame { seq, text });
    }

    pub(super) fn close_session(&mut self, session: SessionId, closing: Closing) {
        self.tell_session(session, ToSession::Close(closing));
    }

    pub(super) fn tell_agent(&mut self, agent: AgentId, message: ToAgent) {
        self.put(Output::Agent(agent, message));
    }

    pub(super) fn tell_queue(&mut self, queue: QueueId, command: QueueCommand) {
        self.put(Output::Queue(queue, command));
    }
}
