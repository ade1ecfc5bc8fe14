//! The actors, and the face that they show to the edges.

use std::sync::Arc;

use crate::domain::agent::{Link, Presence};
use crate::domain::conversation::command::{Answer, Command, Refusal};
use crate::domain::conversation::event::{Audience, Recorded};
use crate::domain::conversation::view::View;
use crate::domain::id::{AgentId, ConversationId, QueueId, Seq};
use crate::domain::lease::Lease;
use crate::domain::settings::AgentSettings;
use crate::domain::settings::registry::{Registry, SettingChange, SettingRefusal};
use crate::domain::time::Timestamp;
use crate::journal::{Fault, Filter, ListCursor};

/// The engine: cheap to clone, used from any thread.
#[derive(Clone, Debug)]
pub struct Engine {
    _shared: Arc<()>,
}

/// Why the engine did not do what it was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Failure {
    /// A rule of the conversation said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A rule of the settings said no.
    #[error(transparent)]
    Setting(#[from] SettingRefusal),
    /// There is no such agent.
    #[error("there is no such agent")]
    UnknownAgent,
    /// The journal cannot keep up; ask again later.
    #[error("the server has more to write than it can; try again in a moment")]
    Overloaded,
    /// What was asked for has failed too often lately; ask again later.
    #[error("this cannot be served at the moment; try again in a minute")]
    Unavailable,
    /// The world broke.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// An agent as they are shown.
#[derive(Clone, Debug)]
pub struct AgentView {
    /// Their settings.
    pub settings: Arc<AgentSettings>,
    /// The presence that others see.
    pub presence: Presence,
    /// The presence they chose.
    pub chosen: Presence,
    /// What connects them.
    pub link: Link,
    /// The sum of the leases' units.
    pub used: u32,
    /// What they hold.
    pub leases: Vec<(ConversationId, Lease)>,
}

/// One event of an agent's feed, encoded: `event`, `data` and `id` as they stand in the stream.
#[derive(Clone, Debug)]
pub struct FeedEvent {
    /// The id to resume after.
    pub id: Arc<str>,
    /// The name of the event.
    pub event: &'static str,
    /// Its JSON.
    pub data: bytestring::ByteString,
}

/// An open feed. Dropping it closes it. It ends when the console reads too slowly, when a ninth
/// feed of the agent is opened, or when the server stops.
#[derive(Debug)]
pub struct Feed {
    /// What comes.
    pub events: tokio::sync::mpsc::Receiver<FeedEvent>,
}

/// Live figures for supervisors.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Sockets that are open.
    pub sessions: u64,
    /// Conversations by state, in the order of [`State::ALL`](crate::domain::conversation::State::ALL).
    pub conversations: [u64; 5],
    /// Customers who are away.
    pub away: u64,
    /// Each queue: how many wait, and how long those served lately had waited.
    pub queues: Vec<(QueueId, usize, Option<crate::domain::time::Span>)>,
    /// Every agent.
    pub agents: Vec<AgentView>,
}

/// One page of a list of conversations.
#[derive(Debug, Default)]
pub struct ViewPage {
    /// The conversations.
    pub views: Vec<View>,
    /// Where the next page starts.
    pub next: Option<ListCursor>,
}

/// What an agent passes on to a customer without its being journaled.
#[derive(Clone, Copy, Debug)]
pub enum AgentSignal {
    /// They type, or stopped.
    Typing(bool),
    /// They have read up to this place.
    Read(Seq),
}

impl Engine {
    /// The settings in force.
    pub fn settings(&self) -> Arc<Registry> {
        todo!()
    }

    /// The time, as the engine counts it.
    pub fn now(&self) -> Timestamp {
        todo!()
    }

    /// Asks a conversation something. What was answered is durable.
    pub async fn command(&self, _id: ConversationId, _command: Command) -> Result<Answer, Failure> {
        todo!()
    }

    /// Passes a signal of the agent's on. Refused unless the chat is theirs.
    pub async fn signal(
        &self,
        _id: ConversationId,
        _from: AgentId,
        _signal: AgentSignal,
    ) -> Result<(), Failure> {
        todo!()
    }

    /// A conversation as it is now.
    pub async fn view(&self, _id: ConversationId) -> Result<View, Failure> {
        todo!()
    }

    /// A page of conversations, the newest first.
    pub async fn list(
        &self,
        _filter: Filter,
        _after: Option<ListCursor>,
        _most: usize,
    ) -> Result<ViewPage, Failure> {
        todo!()
    }

    /// What this audience may see of a conversation after a place.
    pub async fn history(
        &self,
        _id: ConversationId,
        _after: Seq,
        _audience: Audience,
        _most: usize,
    ) -> Result<Vec<Recorded>, Failure> {
        todo!()
    }

    /// An agent as they are now.
    pub async fn agent(&self, _id: &AgentId) -> Result<AgentView, Failure> {
        todo!()
    }

    /// Notes that an agent was heard of by a request. Cheap; unknown agents are ignored.
    pub fn touch(&self, _id: &AgentId) {
        todo!()
    }

    /// Chooses an agent's presence. Durable when it returns.
    pub async fn choose_presence(
        &self,
        _id: &AgentId,
        _presence: Presence,
    ) -> Result<AgentView, Failure> {
        todo!()
    }

    /// Opens an agent's feed: everything after the event with the id `after`, or, without one,
    /// the agent's present state first. An `after` that was never given out is as none.
    pub async fn open_feed(&self, _id: &AgentId, _after: Option<String>) -> Result<Feed, Failure> {
        todo!()
    }

    /// Changes the settings. Durable and in force when it returns.
    pub async fn change(&self, _change: SettingChange) -> Result<(), Failure> {
        todo!()
    }

    /// Live figures.
    pub async fn figures(&self) -> Result<Figures, Failure> {
        todo!()
    }

    /// Whether the journal can be written and the engine takes new chats.
    pub fn is_ready(&self) -> bool {
        todo!()
    }

    /// The metrics in Prometheus' text form.
    pub fn metrics(&self) -> String {
        todo!()
    }
}
