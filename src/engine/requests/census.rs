//! Asking every live conversation something, and knowing when all have answered.

use std::sync::atomic::Ordering;
use std::time::Duration;

use actix::Addr;
use tokio::sync::oneshot;

use crate::behavior::message::{RequestId, ToAgent, ToConversation, ToQueue};
use crate::domain::agent::command::AgentCommand;
use crate::domain::id::ConversationId;
use crate::domain::queue::QueueCommand;
use crate::domain::settings::registry::SettingChange;
use crate::engine::agent::AgentActor;
use crate::engine::answers::Said;
use crate::engine::directory::send;
use crate::engine::post::Post as _;
use crate::engine::queue::QueueActor;
use crate::engine::requests::Engine;
use crate::limits;

/// How long it takes until conversations are asked again because some did not answer.
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(200);

/// Actors of queues and agents that hear all claims before they act. These very actors are told
/// when all were heard, and not the actors that have their ids by then: those may have been made
/// later, and have not heard all.
#[derive(Debug, Default)]
pub(in crate::engine) struct MadeAnew {
    pub(super) queues: Vec<Addr<QueueActor>>,
    pub(super) agents: Vec<Addr<AgentActor>>,
}

impl Engine {
    /// How many live chats use a setting that a change would take away. A chat that begins
    /// meanwhile must not find that setting any more, or the count is old when it comes.
    pub(super) async fn count_chats_under(&self, change: &SettingChange) -> u64 {
        let Some(setting) = change.takes_away() else { return 0 };
        self.ask_all(|request| ToConversation::BeCounted(setting.clone(), request)).await
    }

    /// Asks every live conversation, and returns when each has answered, with how many are to be
    /// counted.
    async fn ask_all(&self, question: impl Fn(RequestId) -> ToConversation) -> u64 {
        let mut counted = 0;
        let ids = self.directory().conversation_ids();
        for ids in ids.chunks(limits::ASKED_AT_ONCE) {
            counted += self.ask_these(ids, &question).await;
        }
        counted
    }

    /// Asks these conversations. If an actor dies with the question, all are asked again: the dead
    /// one is opened again, and may have more to say than the others. A conversation that does not
    /// answer in the end is counted.
    async fn ask_these(
        &self,
        ids: &[ConversationId],
        question: &impl Fn(RequestId) -> ToConversation,
    ) -> u64 {
        let mut said = Said::default();
        for round in 0..limits::ASKED_AGAIN_MAX {
            if round > 0 {
                tokio::time::sleep(ASK_AGAIN_AFTER).await;
            }
            let asked = self.shared().answers.ask_together();
            for id in ids.iter().filter(|id| self.directory().has_conversation(**id)) {
                self.directory().tell_live(*id, question(asked.one_more()));
            }
            said = asked.all_answered().await;
            if said.denied == 0 {
                break;
            }
        }
        if said.denied > 0 {
            tracing::warn!(denied = said.denied, "some conversations could not be asked");
        }
        said.counted + said.denied
    }

    /// Has every conversation state its claims to queues and agents that were made anew, and tells
    /// these when all have: until then they give nothing away.
    pub(super) fn have_heard(&self, anew: MadeAnew) {
        if anew.queues.is_empty() && anew.agents.is_empty() {
            return;
        }
        let engine = self.clone();
        self.shared().threads.handle(0).spawn(async move {
            engine.have_claims_stated().await;
            engine.tell_heard(anew).await;
        });
    }

    /// The same at a start, at which every conversation has stated its claims by itself. If the
    /// actor of one has died in its first turn, its claims are lost, and all are asked. Nobody may
    /// come in before this returns: a visitor whose chat is not known yet could begin a second.
    pub(in crate::engine) async fn have_heard_at_start(&self, anew: MadeAnew) {
        if self.shared().has_lost_actor.load(Ordering::Relaxed) {
            self.have_claims_stated().await;
        }
        self.tell_heard(anew).await;
    }

    async fn have_claims_stated(&self) {
        self.ask_all(|request| ToConversation::StateClaims(Some(request))).await;
    }

    /// Tells actors that were made anew that all claims have been stated.
    async fn tell_heard(&self, anew: MadeAnew) {
        self.go_behind_gathered_mail().await;
        for queue in anew.queues {
            send(&queue, ToQueue::Command(QueueCommand::AllHeard));
        }
        for agent in anew.agents {
            send(&agent, ToAgent::Command(AgentCommand::AllHeard));
        }
    }

    /// Returns when each thread has sent what it has gathered for queues and agents, which it does
    /// a turn later.
    async fn go_behind_gathered_mail(&self) {
        for thread in 0..self.shared().threads.count() {
            let (done, sent) = oneshot::channel();
            self.shared().threads.handle(thread).spawn_fn(move || {
                actix::spawn(async move {
                    // If nobody waits for this any more, nothing is lost.
                    let _nobody_waits = done.send(());
                });
            });
            // A thread that died has said so itself.
            let _died = sent.await;
        }
    }
}
