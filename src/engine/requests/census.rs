//! Asking every live conversation something, and knowing when all have answered.

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

/// After how long conversations are asked again of which some did not answer.
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(200);

/// Actors of queues and agents that hear all claims before they act. It is they who are told when
/// all were heard, not who has their name by then: that may be somebody who was made anew after
/// them, and has not heard all.
#[derive(Debug, Default)]
pub(super) struct MadeAnew {
    pub(super) queues: Vec<Addr<QueueActor>>,
    pub(super) agents: Vec<Addr<AgentActor>>,
}

impl Engine {
    /// How many live chats go by what a change would take away. Whoever begins one meanwhile must
    /// not find that setting any more, or this is old when it comes.
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

    /// Asks these. Where an actor dies with the question, all are asked again: it is opened again,
    /// and may have more to say than anybody. One that does not answer in the end is counted.
    async fn ask_these(
        &self,
        ids: &[ConversationId],
        question: &impl Fn(RequestId) -> ToConversation,
    ) -> u64 {
        let mut said = Said::default();
        for _ in 0..limits::ASKED_AGAIN_MAX {
            let asked = self.shared().answers.ask_together();
            for id in ids.iter().filter(|id| self.directory().has_conversation(**id)) {
                self.directory().tell_live(*id, question(asked.one_more()));
            }
            said = asked.all_answered().await;
            if said.denied == 0 {
                break;
            }
            tokio::time::sleep(ASK_AGAIN_AFTER).await;
        }
        if said.denied > 0 {
            tracing::warn!(denied = said.denied, "some conversations could not be asked");
        }
        said.counted + said.denied
    }

    /// Has everybody state their claims to queues and agents that were made anew, and tells those
    /// when all have: until then they give nothing away.
    pub(super) fn have_heard(&self, anew: MadeAnew) {
        if anew.queues.is_empty() && anew.agents.is_empty() {
            return;
        }
        let engine = self.clone();
        self.shared().threads.handle(0).spawn(async move {
            engine.have_claims_stated().await;
            for queue in anew.queues {
                send(&queue, ToQueue::Command(QueueCommand::AllHeard));
            }
            for agent in anew.agents {
                send(&agent, ToAgent::Command(AgentCommand::AllHeard));
            }
        });
    }

    /// Returns when every live conversation has stated its claims, and whoever they claim from has
    /// been told.
    async fn have_claims_stated(&self) {
        self.ask_all(|request| ToConversation::StateClaims(Some(request))).await;
        // What a thread has gathered for queues and agents it sends a turn later: go behind that.
        for thread in 0..self.shared().threads.count() {
            let (done, sent) = oneshot::channel();
            self.shared().threads.handle(thread).spawn_fn(move || {
                actix::spawn(async move {
                    // Whoever waited for this has stopped, and does not mind.
                    let _nobody_waits = done.send(());
                });
            });
            // A thread that died has said so itself.
            let _died = sent.await;
        }
    }
}
