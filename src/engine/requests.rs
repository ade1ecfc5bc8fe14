//! The face that the engine shows to the edges.

pub(super) mod agents;
mod audit;
mod census;
mod erasure;
mod refusals;
mod retention;
mod settings;
mod tokens;
pub(super) mod visit;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::behavior::message::{AgentSignal, Answered, RequestId, ToConversation};
use crate::domain::conversation::command::{Answer, Command};
use crate::domain::conversation::event::{Audience, Recorded};
use crate::domain::conversation::view::View;
use crate::domain::id::{AgentId, ConversationId, History, Seq};
use crate::domain::settings::registry::Registry;
use crate::domain::time::Timestamp;
use crate::engine::directory::Directory;
use crate::engine::failure::Failure;
use crate::engine::post::Post as _;
use crate::engine::refusals::Face;
use crate::engine::shared::Shared;
use crate::journal::{Filter, ListCursor, Listing};
use crate::limits;

/// The engine: cheap to clone, used from any thread.
#[derive(Clone, Debug)]
pub struct Engine {
    parts: Arc<Parts>,
}

/// What it consists of.
#[derive(Debug)]
struct Parts {
    shared: Arc<Shared>,
    directory: Arc<Directory>,
}

impl Engine {
    /// The engine whose actors share this, and are found there.
    pub(super) fn new(shared: Arc<Shared>, directory: Arc<Directory>) -> Self {
        Self { parts: Arc::new(Parts { shared, directory }) }
    }

    /// What every actor may reach.
    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.parts.shared
    }

    /// Who is where.
    pub(super) fn directory(&self) -> &Arc<Directory> {
        &self.parts.directory
    }

    /// The settings in force.
    pub fn settings(&self) -> Arc<Registry> {
        self.shared().settings.load_full()
    }

    /// The time, as the engine counts it.
    pub fn now(&self) -> Timestamp {
        self.shared().clock.now()
    }

    /// The instant of a time.
    pub fn instant(&self, at: Timestamp) -> tokio::time::Instant {
        self.shared().clock.instant(at)
    }

    /// On which of the engine's threads a conversation lives.
    pub fn thread_of(&self, conversation: ConversationId) -> usize {
        self.shared().threads.number_of(conversation.shard())
    }

    /// Asks a conversation something. What was answered is durable.
    pub async fn command(&self, id: ConversationId, command: Command) -> Result<Answer, Failure> {
        match self.ask(id, |request| ToConversation::Ask(Box::new(command), request)).await? {
            Answered::Command(answer) => Ok(answer),
            _ => Err(Failure::Unavailable),
        }
    }

    /// Passes on an agent's signal. Refused unless the chat is theirs.
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
        Ok(self.shared().journal.list(filter, after, most, bytes).await?)
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
        Ok(self.shared().journal.read(id, after, audience, most, bytes).await?)
    }

    /// What happened in a conversation after a place, in order, without what was said in it.
    pub async fn outline(
        &self,
        id: ConversationId,
        after: Seq,
        most: usize,
    ) -> Result<Vec<Recorded>, Failure> {
        Ok(self.shared().journal.outline(id, after, most).await?)
    }

    /// Whether the journal can be written and the engine takes new chats.
    pub fn is_ready(&self) -> bool {
        self.shared().journal.is_writable() && !self.shared().is_draining()
    }

    /// The journal's present history. Places of another history are not known here.
    pub fn journal_history(&self) -> History {
        self.shared().history
    }

    /// The metrics in Prometheus' text form.
    pub fn metrics(&self) -> String {
        let metrics = &self.shared().metrics;
        metrics
            .journal_waiting
            .set(i64::try_from(self.shared().journal.waiting()).unwrap_or(i64::MAX));
        metrics.journal_lag.set(i64::try_from(self.shared().journal.lag()).unwrap_or(i64::MAX));
        metrics.sessions.set(i64::try_from(self.directory().live_sessions()).unwrap_or(i64::MAX));
        metrics.traces.set(self.shared().journal.has_traces().into());
        metrics
            .clock_ahead_ms
            .set(i64::try_from(self.shared().clock.ahead().as_millis()).unwrap_or(i64::MAX));
        metrics.render()
    }

    /// Notes that a frame of a widget was refused.
    pub fn note_refused_frame(&self, code: &'static str) {
        self.shared().metrics.refused_frames.inc();
        self.note_refused(Face::Widget, code);
    }

    /// Notes that a socket changed to the thread of its conversation.
    pub fn note_moved_socket(&self) {
        self.shared().metrics.moved_sockets.inc();
    }

    /// Notes that a connection was closed at once because no descriptor was left.
    pub fn note_turned_away(&self) {
        self.shared().metrics.turned_away.inc();
    }

    async fn ask(
        &self,
        id: ConversationId,
        message: impl FnOnce(RequestId) -> ToConversation,
    ) -> Result<Answered, Failure> {
        let _running = self.admit()?;
        let asked = self.shared().answers.ask();
        self.directory().tell(id, message(asked.id()));
        Ok(asked.answer().await?)
    }

    fn admit(&self) -> Result<Running<'_>, Failure> {
        let running = self.shared().asking.fetch_add(1, Ordering::Relaxed);
        let admitted = Running(self.shared());
        if running >= limits::REQUESTS_MAX {
            self.shared().metrics.mailbox_refusals.inc();
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
