//! Who comes into a conversation, and what is said to whoever does not.

use crate::behavior::message::{NotJoined, ToSession};
use crate::domain::conversation::command::Refusal;
use crate::domain::conversation::event::Reason;
use crate::domain::id::{SessionId, VisitorId};
use crate::engine::context::Context;
use crate::engine::conversation::ConversationActor;
use crate::engine::conversation::gate::Deferred;
use crate::wire::refusal::RefusalCode;

impl ConversationActor {
    /// Whether one of these visitors has begun it.
    pub(super) fn was_begun_by_one_of(&self, visitors: &[VisitorId]) -> bool {
        self.conversation.opening().is_some_and(|opening| visitors.contains(&opening.visitor))
    }

    pub(super) fn not_joined(&self, refusal: Refusal) -> NotJoined {
        let Some(state) = self.conversation.state() else { return NotJoined::Unknown };
        match refusal {
            Refusal::AlreadyClosed | Refusal::ConversationEnded => {
                let reason = self.conversation.reason();
                let was_lost = reason.is_some_and(Reason::is_loss);
                let redirect = self.with_workstream(|workstream| workstream.redirect.clone());
                NotJoined::Ended {
                    state,
                    reason,
                    seq: self.conversation.seen_by_customer(),
                    redirect: redirect.filter(|_| was_lost),
                    closed_at: self.conversation.closed_at(),
                }
            }
            other => NotJoined::Denied(RefusalCode::Conversation(other)),
        }
    }

    pub(super) fn turn_away(
        &mut self,
        session: SessionId,
        code: RefusalCode,
        context: &mut Context<Self>,
    ) {
        self.not_let_in(session, NotJoined::Denied(code), context);
    }

    pub(super) fn not_let_in(
        &mut self,
        session: SessionId,
        why: NotJoined,
        context: &mut Context<Self>,
    ) {
        let conversation = self.id();
        self.then(Deferred::Send(session, ToSession::NotJoined { conversation, why }), context);
        self.retire_if_over();
    }
}
