//! What the edges ask of agents and queues.

use std::sync::Arc;

use crate::behavior::agent::Opening;
use crate::behavior::message::{AgentView, Answered, Denial, RequestId, ToAgent, ToQueue};
use crate::domain::agent::Presence;
use crate::domain::agent::command::AgentCommand;
use crate::domain::conversation::State;
use crate::domain::id::{AgentId, ConversationId, QueueId};
use crate::domain::lease::Purpose;
use crate::domain::queue::Standing;
use crate::domain::time::{Span, Timestamp};
use crate::engine::answers::Asked;
use crate::engine::failure::Failure;
use crate::engine::feed::{self, Feed};
use crate::engine::mailbox::OpenFeed;
use crate::engine::post::Post as _;
use crate::engine::requests::Engine;

/// Live figures for supervisors.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Sockets that are open.
    pub sessions: u64,
    /// Conversations by state, in the order of
    /// [`State::ALL`](crate::domain::conversation::State::ALL); those that are closed are not
    /// counted.
    pub conversations: [u64; 5],
    /// Customers who are away.
    pub away: u64,
    /// Each queue: how many wait, and how long those served lately had waited.
    pub queues: Vec<(QueueId, usize, Option<Span>)>,
    /// Every agent.
    pub agents: Vec<AgentView>,
}

impl Engine {
    /// An agent as they are now.
    pub async fn agent(&self, id: &AgentId) -> Result<AgentView, Failure> {
        self.ask_view(id, ToAgent::Show).await
    }

    async fn ask_view(
        &self,
        id: &AgentId,
        message: impl FnOnce(RequestId) -> ToAgent,
    ) -> Result<AgentView, Failure> {
        match self.ask_agent(id, message).await? {
            Answered::Agent(view) => Ok(*view),
            _ => Err(Failure::Unavailable),
        }
    }

    /// Notes that an agent was heard of by a request. Unknown agents are ignored.
    pub fn touch(&self, id: &AgentId) {
        self.directory().tell_agent(id, ToAgent::Command(AgentCommand::Touch));
    }

    /// Chooses an agent's presence for themselves. Durable when it returns.
    pub async fn choose_presence(
        &self,
        id: &AgentId,
        presence: Presence,
    ) -> Result<AgentView, Failure> {
        self.decide_presence(id, presence, None).await
    }

    /// Chooses a presence for an agent who may not be there, in the name of the caller `by`.
    /// Durable when it returns.
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
        if self.shared().must_wait() {
            return Err(Failure::Overloaded);
        }
        self.ask_view(id, |request| ToAgent::ChoosePresence(presence, by, request)).await
    }

    /// Opens an agent's feed: everything after the event with the id `after`, or, without one, the
    /// agent's present state first. An `after` that was never given out counts as none. A feed that
    /// only watches, such as a supervisor's, does not count as the agent being there. Once its
    /// console has beaten, it must go on beating every `heartbeat`.
    pub async fn open_feed(
        &self,
        id: &AgentId,
        after: Option<String>,
        watching: bool,
        heartbeat: Span,
    ) -> Result<Feed, Failure> {
        let _running = self.admit()?;
        let asked = self.shared().answers.ask();
        let (feed, name) = self.shared().next_feed();
        let opening = Opening { feed, after, watching, heartbeat, request: asked.id() };
        let (closed, sender, feed) =
            feed::open(name, heartbeat, Arc::clone(&self.shared().feeds_waiting));
        self.directory().open_feed(id, OpenFeed { opening, sender, closed });
        self.answer_of(id, asked).await?;
        Ok(feed)
    }

    /// Notes that the console of a feed is there.
    pub async fn beat(&self, id: &AgentId, feed: String) -> Result<(), Failure> {
        self.ask_agent(id, |request| ToAgent::Beat(feed, request)).await.map(drop)
    }

    /// Whether another person may give the agent a chat for this purpose. Says until when the agent
    /// must be back, if they are away, or that they have been gone for too long.
    pub async fn expect_agent(
        &self,
        id: &AgentId,
        conversation: ConversationId,
        purpose: Purpose,
    ) -> Result<Option<Timestamp>, Failure> {
        let workstream = self.view(conversation).await?.workstream;
        let settings = self.settings();
        let workstream = settings.workstreams.get(&workstream);
        let workstream = workstream.unwrap_or(&self.shared().fallback_workstream);
        let grace = workstream.grace_for(purpose);
        match self.ask_agent(id, |request| ToAgent::Expect(grace, request)).await? {
            Answered::Expected(until) => Ok(until),
            _ => Err(Failure::Unavailable),
        }
    }

    /// Live figures.
    pub async fn figures(&self) -> Result<Figures, Failure> {
        let settings = self.settings();
        let mut figures = Figures {
            sessions: self.directory().live_sessions() as u64,
            conversations: State::ALL.map(|state| self.shared().metrics.in_state(state)),
            away: self.shared().metrics.are_away(),
            ..Figures::default()
        };
        for id in settings.queues.keys() {
            // A queue that was removed meanwhile has no figures.
            if let Ok(Answered::Figures(waiting, average)) =
                self.ask_queue(id, ToQueue::Figures).await
            {
                figures.queues.push((id.clone(), waiting, average));
            }
        }
        for id in settings.agents.keys() {
            figures.agents.extend(self.agent(id).await.ok());
        }
        Ok(figures)
    }

    /// How a chat that waits stands in the line of this queue; nothing when it does not wait there,
    /// or the queue is gone.
    pub async fn standing(
        &self,
        queue: &QueueId,
        conversation: ConversationId,
    ) -> Option<Standing> {
        let explain = |request| ToQueue::Explain(conversation, request);
        match self.ask_queue(queue, explain).await.ok()? {
            Answered::Standing(standing) => standing,
            _ => None,
        }
    }

    async fn ask_queue(
        &self,
        id: &QueueId,
        message: impl FnOnce(RequestId) -> ToQueue,
    ) -> Result<Answered, Denial> {
        let asked = self.shared().answers.ask();
        self.directory().tell_queue(id, message(asked.id()));
        asked.answer().await
    }

    async fn ask_agent(
        &self,
        id: &AgentId,
        message: impl FnOnce(RequestId) -> ToAgent,
    ) -> Result<Answered, Failure> {
        let _running = self.admit()?;
        let asked = self.shared().answers.ask();
        self.directory().tell_agent(id, message(asked.id()));
        self.answer_of(id, asked).await
    }

    /// What an agent answers, or [`Failure::UnknownAgent`] when there is no such agent.
    async fn answer_of(&self, id: &AgentId, asked: Asked) -> Result<Answered, Failure> {
        match asked.answer().await {
            Err(Denial::Unavailable) if !self.settings().agents.contains_key(id) => {
                Err(Failure::UnknownAgent)
            }
            answer => Ok(answer?),
        }
    }
}
