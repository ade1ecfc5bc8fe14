//! What the edges ask of agents and queues.

use tokio::sync::oneshot;

use crate::domain::agent::Presence;
use crate::domain::agent::command::AgentCommand;
use crate::domain::conversation::State;
use crate::domain::id::{AgentId, ConversationId, QueueId};
use crate::domain::lease::Purpose;
use crate::domain::queue::Standing;
use crate::domain::time::{Span, Timestamp};
use crate::engine::directory::Delivery;
use crate::engine::message::{OpenFeed, Reply, ToAgent, ToQueue};
use crate::engine::{AgentView, Engine, Failure, Feed, Figures};

impl Engine {
    /// An agent as they are now.
    pub async fn agent(&self, id: &AgentId) -> Result<AgentView, Failure> {
        self.ask_agent(id, ToAgent::Show).await
    }

    /// Notes that an agent was heard of by a request. Unknown agents are ignored.
    pub fn touch(&self, id: &AgentId) {
        self.shared.directory.tell_agent(id, ToAgent::Command(AgentCommand::Touch));
    }

    /// Chooses an agent's presence for themselves. Durable when it returns.
    pub async fn choose_presence(
        &self,
        id: &AgentId,
        presence: Presence,
    ) -> Result<AgentView, Failure> {
        self.decide_presence(id, presence, None).await
    }

    /// Chooses one for an agent who may not be there, in the name of who asks. Durable when it
    /// returns.
    pub async fn set_presence(
        &self,
        id: &AgentId,
        presence: Presence,
        by: AgentId,
    ) -> Result<AgentView, Failure> {
        self.decide_presence(id, presence, Some(by)).await
    }

    async fn decide_presence(
        &self,
        id: &AgentId,
        presence: Presence,
        by: Option<AgentId>,
    ) -> Result<AgentView, Failure> {
        if self.shared.is_overloaded() {
            return Err(Failure::Overloaded);
        }
        self.ask_agent(id, |reply| ToAgent::ChoosePresence(presence, by, reply)).await
    }

    /// Opens an agent's feed: everything after the event with the id `after`, or, without one,
    /// the agent's present state first. An `after` that was never given out is as none. A feed
    /// that only watches, a supervisor's, does not count as the agent's being there. Once its
    /// console has beaten, it must go on every `heartbeat`.
    pub async fn open_feed(
        &self,
        id: &AgentId,
        after: Option<String>,
        watching: bool,
        heartbeat: Span,
    ) -> Result<Feed, Failure> {
        let opening = |reply| ToAgent::OpenFeed(OpenFeed { after, watching, heartbeat, reply });
        self.ask_agent(id, opening).await
    }

    /// Notes that the console of a feed is there.
    pub async fn beat(&self, id: &AgentId, feed: String) -> Result<(), Failure> {
        self.ask_agent(id, |reply| ToAgent::Beat(feed, reply)).await
    }

    /// Whether somebody else may give an agent a chat for this purpose: until when they must be
    /// back, if they are away, or that they have been gone for too long.
    pub async fn expect_agent(
        &self,
        id: &AgentId,
        conversation: ConversationId,
        purpose: Purpose,
    ) -> Result<Option<Timestamp>, Failure> {
        let workstream = self.view(conversation).await?.workstream;
        let settings = self.settings();
        let workstream = settings.workstreams.get(&workstream);
        let workstream = workstream.unwrap_or(&self.shared.fallback_workstream);
        let grace = workstream.grace_for(purpose);
        self.ask_agent(id, |reply| ToAgent::Expect(grace, reply)).await
    }

    /// Live figures.
    pub async fn figures(&self) -> Result<Figures, Failure> {
        let settings = self.settings();
        let mut figures = Figures {
            sessions: self.shared.directory.live_sessions() as u64,
            conversations: State::ALL.map(|state| self.shared.metrics.in_state(state)),
            away: self.shared.metrics.are_away(),
            ..Figures::default()
        };
        for id in settings.queues.keys() {
            let (reply, answer) = oneshot::channel();
            self.shared.directory.tell_queue(id, ToQueue::Figures(reply));
            // A queue that was removed meanwhile has no figures.
            if let Ok(Ok((waiting, average))) = answer.await {
                figures.queues.push((id.clone(), waiting, average));
            }
        }
        for id in settings.agents.keys() {
            figures.agents.extend(self.agent(id).await.ok());
        }
        Ok(figures)
    }

    /// How a chat that waits stands in the line of this queue; nothing when it does not, or the
    /// queue is gone.
    pub async fn standing(
        &self,
        queue: &QueueId,
        conversation: ConversationId,
    ) -> Option<Standing> {
        let (reply, answer) = oneshot::channel();
        self.shared.directory.tell_queue(queue, ToQueue::Explain(conversation, reply));
        answer.await.ok()?.ok()?
    }

    async fn ask_agent<T>(
        &self,
        id: &AgentId,
        message: impl FnOnce(Reply<T>) -> ToAgent,
    ) -> Result<T, Failure> {
        let _running = self.admit()?;
        let (reply, answer) = oneshot::channel();
        if self.shared.directory.tell_agent(id, message(reply)) != Delivery::Sent {
            return Err(if self.settings().agents.contains_key(id) {
                Failure::Unavailable
            } else {
                Failure::UnknownAgent
            });
        }
        // An actor that died with the question leaves it unanswered.
        answer.await.unwrap_or(Err(Failure::Unavailable))
    }
}
