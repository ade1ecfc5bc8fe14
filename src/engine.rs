//! The actors, and the face that they show to the edges.
//!
//! Each conversation, agent and queue is an actor that drives one machine of the domain. They name
//! each other by id, find each other through the directory, and hold no rules. Callers from
//! outside hold an [`Engine`].

mod agent;
mod agents;
mod alarms;
mod answers;
mod audit;
mod census;
mod context;
mod conversation;
mod directory;
mod erasing;
mod feed;
mod keepsake;
mod mailbox;
mod metrics;
mod outgoing;
mod pulse;
mod queue;
mod receipts;
mod refusals;
mod retention;
mod rush;
mod settings;
mod shared;
mod start;
mod threads;
mod tokens;
mod visit;

use std::sync::Arc;
use std::sync::atomic::Ordering;

pub use crate::behavior::message::{AgentSignal, AgentView, Closing, NotJoined, ToSession};
pub use crate::engine::alarms::Alarm;
pub use crate::engine::directory::Outbox;
pub use crate::engine::feed::{Feed, FeedEvent};
pub use crate::engine::keepsake::Keepsake;
pub use crate::engine::refusals::Face;
pub use crate::engine::start::{Options, Starting};
pub use crate::engine::threads::Threads;
pub use crate::engine::tokens::TokenRefusal;
pub use crate::engine::visit::{Entrance, Visit};
pub use crate::journal::{
    AuditFilter, AuditPage, AuditRow, Fault, Filter, KeptEvent, ListCursor, Listing, Which,
};

use crate::behavior::message::{Answered, Denial, RequestId, ToConversation, Trouble};
use crate::domain::conversation::command::{Answer, Command, Refusal};
use crate::domain::conversation::event::{Audience, Recorded};
use crate::domain::conversation::view::View;
use crate::domain::id::{AgentId, ConversationId, History, QueueId, Seq};
use crate::domain::settings::registry::{Registry, SettingRefusal};
use crate::domain::time::{Span, Timestamp};
use crate::engine::shared::Shared;
use crate::limits;

/// The engine: cheap to clone, used from any thread.
#[derive(Clone, Debug)]
pub struct Engine {
    shared: Arc<Shared>,
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
    /// Some chats are not closed, and so cannot be erased; at most the first few are named.
    #[error("nothing was erased, because these are not closed: {}", named(.0))]
    StillOpen(Vec<ConversationId>),
    /// Somebody else wanted to give an agent a chat who has been gone for longer than its grace.
    #[error("the agent has been gone for longer than the grace, and cannot be given a chat")]
    AgentGone,
    /// The feed is not open any more.
    #[error("the feed has ended; open it again")]
    FeedEnded,
    /// There is more to do than can be done; ask again later.
    #[error("the server has more to do than it can; try again in a moment")]
    Overloaded,
    /// What was asked for has failed too often lately; ask again later.
    #[error("this cannot be served at the moment; try again in a minute")]
    Unavailable,
    /// The world broke.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The world broke for the actor that was asked.
    #[error("{0}")]
    Trouble(Trouble),
}

impl From<Denial> for Failure {
    fn from(denial: Denial) -> Self {
        match denial {
            Denial::Refused(refusal) => Self::Refused(refusal),
            Denial::AgentGone => Self::AgentGone,
            Denial::FeedEnded => Self::FeedEnded,
            Denial::Overloaded => Self::Overloaded,
            Denial::Unavailable => Self::Unavailable,
            Denial::Trouble(trouble) => Self::Trouble(trouble),
        }
    }
}

fn named(ids: &[ConversationId]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

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
    /// The settings in force.
    pub fn settings(&self) -> Arc<Registry> {
        self.shared.settings.load_full()
    }

    /// The time, as the engine counts it.
    pub fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    /// The instant of a time.
    pub fn instant(&self, at: Timestamp) -> tokio::time::Instant {
        self.shared.clock.instant(at)
    }

    /// On which of the engine's threads a conversation lives.
    pub fn thread_of(&self, conversation: ConversationId) -> usize {
        self.shared.threads.number_of(conversation.shard())
    }

    /// Asks a conversation something. What was answered is durable.
    pub async fn command(&self, id: ConversationId, command: Command) -> Result<Answer, Failure> {
        match self.ask(id, |request| ToConversation::Ask(Box::new(command), request)).await? {
            Answered::Command(answer) => Ok(answer),
            _ => Err(Failure::Unavailable),
        }
    }

    /// Passes a signal of the agent's on. Refused unless the chat is theirs.
    pub async fn signal(
        &self,
        id: ConversationId,
        from: AgentId,
        signal: AgentSignal,
    ) -> Result<(), Failure> {
        self.ask(id, |request| ToConversation::Signal(from, signal, request)).await.map(drop)
    }

    /// A conversation as it is now.
    pub async fn view(&self, id: ConversationId) -> Result<View, Failure> {
        match self.ask(id, ToConversation::Show).await? {
            Answered::Conversation(view) => Ok(*view),
            _ => Err(Failure::Unavailable),
        }
    }

    /// A page of conversations, the newest first: at most so many, and within
    /// [`HTTP_PAGE_BYTES_MAX`](limits::HTTP_PAGE_BYTES_MAX).
    pub async fn list(
        &self,
        filter: Filter,
        after: Option<ListCursor>,
        most: usize,
    ) -> Result<Listing, Failure> {
        let bytes = limits::HTTP_PAGE_BYTES_MAX;
        Ok(self.shared.journal.list(filter, after, most, bytes).await?)
    }

    /// What this audience may see of a conversation after a place, in order: at most so many events
    /// and about so many bytes; at least one if there is any.
    pub async fn history(
        &self,
        id: ConversationId,
        after: Seq,
        audience: Audience,
        most: usize,
        bytes: usize,
    ) -> Result<Vec<Recorded>, Failure> {
        Ok(self.shared.journal.read(id, after, audience, most, bytes).await?)
    }

    /// What happened in a conversation after a place, in order, without what was said in it.
    pub async fn outline(
        &self,
        id: ConversationId,
        after: Seq,
        most: usize,
    ) -> Result<Vec<Recorded>, Failure> {
        Ok(self.shared.journal.outline(id, after, most).await?)
    }

    /// Whether the journal can be written and the engine takes new chats.
    pub fn is_ready(&self) -> bool {
        self.shared.journal.is_writable() && !self.shared.is_draining()
    }

    /// The history of the journal that goes on: places of another are not known here.
    pub fn journal_history(&self) -> History {
        self.shared.history
    }

    /// The metrics in Prometheus' text form.
    pub fn metrics(&self) -> String {
        let metrics = &self.shared.metrics;
        metrics
            .journal_waiting
            .set(i64::try_from(self.shared.journal.waiting()).unwrap_or(i64::MAX));
        metrics.journal_lag.set(i64::try_from(self.shared.journal.lag()).unwrap_or(i64::MAX));
        metrics
            .sessions
            .set(i64::try_from(self.shared.directory.live_sessions()).unwrap_or(i64::MAX));
        metrics.traces.set(self.shared.journal.has_traces().into());
        metrics
            .clock_ahead_ms
            .set(i64::try_from(self.shared.clock.ahead().as_millis()).unwrap_or(i64::MAX));
        metrics.render()
    }

    /// Notes that a frame of a widget was refused.
    pub fn note_refused_frame(&self, code: &'static str) {
        self.shared.metrics.refused_frames.inc();
        self.note_refused(Face::Widget, code);
    }

    /// Notes that a socket changed to the thread of its conversation.
    pub fn note_moved_socket(&self) {
        self.shared.metrics.moved_sockets.inc();
    }

    /// Notes that a connection was closed at once because no descriptor was left.
    pub fn note_turned_away(&self) {
        self.shared.metrics.turned_away.inc();
    }

    async fn ask(
        &self,
        id: ConversationId,
        message: impl FnOnce(RequestId) -> ToConversation,
    ) -> Result<Answered, Failure> {
        let _running = self.admit()?;
        let asked = self.shared.directory.answers.ask();
        self.shared.directory.tell(&self.shared, id, message(asked.id()));
        Ok(asked.answer().await?)
    }

    fn admit(&self) -> Result<Running<'_>, Failure> {
        let running = self.shared.asking.fetch_add(1, Ordering::Relaxed);
        let admitted = Running(&self.shared);
        if running >= limits::REQUESTS_MAX {
            self.shared.metrics.mailbox_refusals.inc();
            return Err(Failure::Overloaded);
        }
        Ok(admitted)
    }
}

/// A request that runs, counted for as long as it does.
struct Running<'a>(&'a Shared);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.asking.fetch_sub(1, Ordering::Relaxed);
    }
}
