//! What becomes of a conversation whose actor cannot go on: it is read again, and nobody waits for
//! the earlier one in vain.

use actix::{ActorContext, AsyncContext};

use crate::behavior::message::{Closing, Denial, ToAgent, ToConversation, Trouble};
use crate::domain::id::{AgentId, Seq};
use crate::engine::context::Context;
use crate::engine::conversation::gate::Waiters;
use crate::engine::conversation::{ConversationActor, Stage, publish};
use crate::journal::Fault;

/// How long to wait before a conversation whose append failed is opened again.
const REOPEN_AFTER: std::time::Duration = std::time::Duration::from_secs(1);

impl ConversationActor {
    /// The journal may have lost what is held back: what was decided here is not the truth. The
    /// directory opens the conversation again from what is, a little later, and not before: while
    /// the disk is full it would fail again at every message.
    pub(super) fn give_up(&mut self, fault: &Fault, context: &mut Context<Self>) {
        let conversation = self.id();
        tracing::error!(
            %conversation, %fault,
            "the journal failed: conversation {conversation} is read again"
        );
        let Waiters { mut sessions, agents, requests, stating } = self.gate.fail();
        let trouble = Trouble::from(fault);
        for request in requests {
            self.thread.shared.answer(request, Err(Denial::Trouble(trouble.clone())));
        }
        sessions.extend(self.audience.clear());
        for session in sessions {
            publish::close_session(&self.thread.shared, session, Closing::Restarted);
        }
        // Whoever waits for these claims waits for those of the one that takes its place.
        let state = |request| ToConversation::StateClaims(Some(request));
        let kept = &mut self.beginning.get_or_insert_default().kept;
        kept.extend(stating.into_iter().map(state));
        self.stage = Stage::Leaving;
        context.run_later(REOPEN_AFTER, |actor, context| actor.make_way(agents, context));
    }

    /// Denies every request that waits for this actor, which answers nobody any more.
    pub(super) fn deny_all(&mut self) {
        let Waiters { requests, stating, .. } = self.gate.fail();
        let kept = self.beginning.take().map_or_else(Vec::new, |beginning| beginning.kept);
        let kept = kept.iter().filter_map(ToConversation::request);
        for request in requests.into_iter().chain(stating).chain(kept) {
            self.thread.shared.answers.deny(request);
        }
    }

    /// Has the conversation opened again, and passes on what was told to this actor meanwhile.
    fn make_way(&mut self, agents: Vec<AgentId>, context: &mut Context<Self>) {
        let (shared, id) = (self.thread.shared.clone(), self.id());
        shared.post.leave_conversation(id, self.epoch);
        if self.conversation.seq() > Seq::ZERO {
            shared.post.tell(id, ToConversation::StateClaims(None));
        }
        // One who set units aside for an offer that was lost would hold them in vain.
        for agent in agents {
            shared.post.tell_agent(&agent, ToAgent::AskAbout(id));
        }
        let kept = self.beginning.take().map_or_else(Vec::new, |beginning| beginning.kept);
        for message in kept {
            match message {
                // What they have set aside may be gone by now.
                ToConversation::Offer(agent, ..) => {
                    shared.post.tell_agent(&agent, ToAgent::AskAbout(id));
                }
                message => {
                    shared.post.tell(id, message);
                }
            }
        }
        context.stop();
    }
}
