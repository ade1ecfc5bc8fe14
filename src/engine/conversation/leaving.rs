//! How a conversation that is over, or never began, leaves: when nobody needs it any more.

use actix::ActorContext;

use crate::behavior::message::Closing;
use crate::domain::conversation::Conversation;
use crate::domain::id::Seq;
use crate::domain::time::{Span, Timestamp};
use crate::engine::context::Context;
use crate::engine::conversation::gate::Gate;
use crate::engine::conversation::{ConversationActor, Stage, publish};

/// How long a conversation that is over stays, for those who are about to ask for it.
const LINGER: Span = Span::from_secs(5);

/// How long an actor that has left the directory still answers.
const FAREWELL: Span = Span::from_millis(500);

impl ConversationActor {
    /// Whether nothing can happen in it any more, or nothing ever has.
    fn is_over(&self) -> bool {
        let over = self.conversation.is_closed() || self.conversation.seq() == Seq::ZERO;
        over && matches!(self.stage, Stage::Serving)
    }

    /// Whoever entered it says the first word at once. One who has died in between never does.
    pub(super) fn await_first_word(&mut self) {
        self.leave_at = Some(self.thread.shared.clock.now() + LINGER);
    }

    pub(super) fn retire_if_over(&mut self) {
        if self.is_over() && self.leave_at.is_none() {
            self.leave_at = Some(self.thread.shared.clock.now() + LINGER);
        }
    }

    /// Leaves the directory first and stops a moment later, so that nothing that is on its way is
    /// lost. Whoever asks meanwhile reads the same from the journal: it changes no more.
    pub(super) fn leave_if_due(&mut self, now: Timestamp, context: &mut Context<Self>) {
        if self.leave_at.is_none_or(|at| at > now) {
            return;
        }
        self.leave_at = None;
        if self.stage == Stage::Entered {
            self.begin(None, context);
        } else if matches!(self.stage, Stage::Retired) {
            context.stop();
        } else if self.is_over() && self.gate.is_open() && self.audience.is_empty() {
            self.stage = Stage::Retired;
            self.thread.shared.post.leave_conversation(self.id(), self.epoch);
            self.leave_at = Some(now + FAREWELL);
        } else {
            self.retire_if_over();
        }
    }

    /// Forgets everything. A session that is still told of the chat is closed, and hears that there
    /// is none when it comes back; so does whatever is on its way here.
    pub(super) fn erase(&mut self) {
        for session in self.audience.clear() {
            publish::close_session(&self.thread.shared, session, Closing::Restarted);
        }
        self.conversation = Conversation::new(self.id());
        self.gate = Gate::new(Seq::ZERO);
        self.stage = Stage::Retired;
        self.thread.shared.post.leave_conversation(self.id(), self.epoch);
        self.leave_at = Some(self.thread.shared.clock.now() + FAREWELL);
    }

    pub(super) fn retire_if_closed(&mut self) {
        if self.conversation.is_closed() && self.gate.is_open() {
            self.retire_if_over();
        }
    }
}
