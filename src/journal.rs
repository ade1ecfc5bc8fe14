//! The disk: an append-only history of everything that was decided, and what can be read of it.
//!
//! **The promise.** A receipt is given only after what it covers is on the disk, synced. Appends
//! of one stream keep their order. After a fault nothing that was appended since the last receipt
//! is known to be durable, and the streams concerned are told so; nothing is retried in silence.

pub mod audit;
pub mod memory;
pub mod record;
pub mod snapshot;
pub mod sqlite;

mod continuity;
mod leaving;
mod page;
mod pressure;

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::domain::agent::Presence;
use crate::domain::audit::AuditEntry;
use crate::domain::conversation::Conversation;
use crate::domain::conversation::State;
use crate::domain::conversation::event::{Audience, Event, Recorded};
use crate::domain::conversation::view::View;
use crate::domain::decision::Receipt;
use crate::domain::id::{AgentId, ConversationId, History, QueueId, Seq, VisitorId, WidgetId};
use crate::domain::settings::registry::{Registry, SettingChange};
use crate::domain::time::Timestamp;

pub use crate::domain::position::{Located, Position};
pub use crate::journal::audit::{AuditFilter, AuditPage, AuditRow};
pub use crate::journal::leaving::{Erasure, KeptEvent, Retained, RetentionRule, Which};
pub use crate::journal::pressure::Pressure;

/// A number that comes back with the receipt of an append, so that whoever waits for it need not be
/// looked for. It means nothing to the journal.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Ticket(pub u32);

/// What was appended to a conversation is durable.
#[derive(Clone, Copy, Debug)]
pub struct Confirmed {
    /// Which conversation.
    pub id: ConversationId,
    /// What came with the append.
    pub ticket: Ticket,
    /// Up to where.
    pub receipt: Receipt,
}

/// Something to be written.
#[derive(Debug)]
pub enum Append {
    /// What happened in a conversation, in order; the first event takes the place `first`.
    /// The receipt, or the fault, goes to the [`Receipts`] that the journal was opened with.
    Conversation {
        /// Which conversation.
        id: ConversationId,
        /// The place of the first event.
        first: Seq,
        /// When all of it happened.
        at: Timestamp,
        /// What happened; at least one event.
        events: Arc<[Event]>,
        /// What comes back with the receipt.
        ticket: Ticket,
    },
    /// The presence that an agent chose. `done` is answered when it is durable.
    Presence {
        /// Who.
        agent: AgentId,
        /// The presence.
        presence: Presence,
        /// Who chose it for them; nobody, where they did themselves.
        by: Option<AgentId>,
        /// When it was chosen.
        at: Timestamp,
        /// Whom to tell.
        done: Done,
    },
    /// A change of the settings, which is noted in the audit stream as well. `done` is answered
    /// when both are durable.
    Setting {
        /// The change.
        change: Box<SettingChange>,
        /// Who made it; nobody, where the server did by itself.
        by: Option<AgentId>,
        /// When it was made.
        at: Timestamp,
        /// Whom to tell.
        done: Done,
    },
    /// An entry of the audit stream, which has no position. `done` is answered when it is durable.
    Audit {
        /// The entry.
        entry: Box<AuditEntry>,
        /// Whom to tell.
        done: Done,
    },
}

/// Who waits for an append that is not a conversation's.
pub type Done = tokio::sync::oneshot::Sender<Result<Position, Fault>>;

/// Who is told what has become of the conversations' appends. Called on the journal's own thread,
/// so it must hand over and return.
pub trait Receipts: Send + Sync + 'static {
    /// These appends to conversations are durable, in their order, and the journal up to this
    /// position.
    fn durable(&self, confirmed: Vec<Confirmed>, position: Position);

    /// What these conversations appended since their last receipt may be lost.
    fn failed(&self, conversations: Vec<ConversationId>, fault: Fault);
}

/// Everything that is needed to start again.
#[derive(Debug, Default)]
pub struct Recovered {
    /// The settings in force.
    pub settings: Registry,
    /// The presence that each agent chose last.
    pub presences: Vec<(AgentId, Presence)>,
    /// Every conversation that is not closed, as it was at its last durable event.
    pub conversations: Vec<Conversation>,
    /// The time of the last event. Time must not run back behind it.
    pub latest: Timestamp,
    /// The history that goes on.
    pub history: History,
}

/// Which conversations a list holds. Everything that is given must match.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// In one of these states; in any when empty.
    pub states: Vec<State>,
    /// Offered to, with, or last with this agent.
    pub agent: Option<AgentId>,
    /// In one of these queues; in any when empty.
    pub queues: Vec<QueueId>,
    /// Begun in this widget.
    pub widget: Option<WidgetId>,
    /// Also matches a conversation that `agent` does not match: those that wait in these queues.
    pub or_waiting_in: Vec<QueueId>,
}

/// One page of a list, the newest conversation first.
#[derive(Debug, Default)]
pub struct Listing {
    /// The conversations, as of their last durable event.
    pub views: Vec<View>,
    /// Where the next page starts; nothing when this was the last.
    pub next: Option<ListCursor>,
}

/// A place in a list: the conversation that was shown last.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ListCursor {
    /// When it began.
    pub started_at: Timestamp,
    /// Its id.
    pub id: ConversationId,
}

/// The history of everything. Two implementations: on `SQLite`, and in memory.
///
/// Every read sees at least all that was durable when it was asked for.
pub trait Journal: fmt::Debug + Send + Sync + 'static {
    /// Takes an append, without waiting. The order of calls from one thread is kept.
    fn append(&self, append: Append);

    /// Takes several appends at once, in this order, for less than each alone.
    fn append_all(&self, appends: Vec<Append>) {
        for append in appends {
            self.append(append);
        }
    }

    /// How many appends have been taken and not yet answered.
    fn waiting(&self) -> usize;

    /// How hard they press on the disk.
    fn pressure(&self) -> Pressure;

    /// Whether writing works, as far as is known: not after a sync failed, which ends it until the
    /// next start, and not while the disk is full, which may pass.
    fn is_writable(&self) -> bool;

    /// How many events are durable and cannot be read yet.
    fn lag(&self) -> u64;

    /// The last durable position.
    fn head(&self) -> Position;

    /// The conversation as of its last durable event; nothing when there is none. What was
    /// appended before is settled first, so whoever opens a conversation again after a fault
    /// continues where the journal does.
    fn load(&self, id: ConversationId) -> BoxFuture<'static, Result<Option<Conversation>, Fault>>;

    /// What this audience may see of a conversation after a place, in order, within
    /// `entries` events and about `bytes` bytes of text; at least one event if there is any.
    fn read(
        &self,
        id: ConversationId,
        after: Seq,
        audience: Audience,
        entries: usize,
        bytes: usize,
    ) -> BoxFuture<'static, Result<Vec<Recorded>, Fault>>;

    /// What happened in a conversation after a place, in order and at most so many events, but for
    /// what was said: every text is [left out](crate::domain::text::MessageText::left_out).
    fn outline(
        &self,
        id: ConversationId,
        after: Seq,
        entries: usize,
    ) -> BoxFuture<'static, Result<Vec<Recorded>, Fault>>;

    /// A page of the conversations that match: at most so many, and about `bytes` bytes; at least
    /// one if there is any.
    fn list(
        &self,
        filter: Filter,
        after: Option<ListCursor>,
        most: usize,
        bytes: usize,
    ) -> BoxFuture<'static, Result<Listing, Fault>>;

    /// What happened after a position in conversations while an agent had a part in them, in the
    /// order of the journal: from the event that offered or gave it to them to the one that took
    /// it away, both included. At most so many events and about `bytes` bytes of text; at least
    /// one event if there is any.
    fn of_agent(
        &self,
        agent: AgentId,
        after: Position,
        most: usize,
        bytes: usize,
    ) -> BoxFuture<'static, Result<Vec<Located>, Fault>>;

    /// Takes one small step of the retention: archives or deletes some of the conversations whose
    /// time is over by these rules at `now`. Nothing else waits for it longer than for an append.
    fn retain(
        &self,
        rules: Vec<RetentionRule>,
        now: Timestamp,
    ) -> BoxFuture<'static, Result<Retained, Fault>>;

    /// Takes a few closed conversations out for good, of the archive as well. While one of them is
    /// not closed nothing is done. Whatever is read afterwards knows none of them.
    fn erase(
        &self,
        conversations: Vec<ConversationId>,
        now: Timestamp,
    ) -> BoxFuture<'static, Result<Erasure, Fault>>;

    /// Some of a visitor's conversations, in the order of their ids: those after one.
    fn of_visitor(
        &self,
        visitor: VisitorId,
        which: Which,
        after: Option<ConversationId>,
        most: usize,
    ) -> BoxFuture<'static, Result<Vec<ConversationId>, Fault>>;

    /// What happened in a conversation that is archived, as [`read`](Self::read) gives it of the
    /// others; nothing when it is not in the archive.
    fn archived(
        &self,
        id: ConversationId,
        after: Seq,
        bytes: usize,
    ) -> BoxFuture<'static, Result<Vec<Recorded>, Fault>>;

    /// A page of the audit stream, the newest first: entries before a number that match. It may be
    /// short, even empty, and still have a next.
    fn audit(
        &self,
        filter: AuditFilter,
        before: Option<u64>,
        most: usize,
    ) -> BoxFuture<'static, Result<AuditPage, Fault>>;

    /// Drops some of the oldest entries of the audit stream, of before a time, and notes that in
    /// it. Says whether there were any.
    fn drop_audit(
        &self,
        before: Timestamp,
        at: Timestamp,
    ) -> BoxFuture<'static, Result<bool, Fault>>;

    /// Whether the files may still hold something of what was taken out. It is written over within
    /// a while that depends on how large they are.
    fn has_traces(&self) -> bool {
        false
    }

    /// Resolves when everything appended before is durable and can be read.
    fn flush(&self) -> BoxFuture<'static, Result<(), Fault>>;
}

/// The disk does not do what it should.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Fault {
    /// Writing failed.
    #[error("the journal cannot be written: {0}")]
    Write(#[source] Arc<dyn std::error::Error + Send + Sync>),
    /// Reading failed.
    #[error("the journal cannot be read: {0}")]
    Read(#[source] Arc<dyn std::error::Error + Send + Sync>),
    /// What was read is not what was written.
    #[error("the journal is damaged at {place}: {problem}")]
    Damaged {
        /// Where.
        place: String,
        /// What is wrong there.
        problem: String,
    },
    /// The journal was closed.
    #[error("the journal is closed")]
    Closed,
}

/// The agent whose part in a conversation begins with this event, if it does for anybody; one who
/// accepts what they were offered has begun before.
fn part_begins(event: &Event) -> Option<&AgentId> {
    match event {
        Event::ChatOffered { lease, .. } | Event::ChatAccepted { lease, .. } => Some(&lease.agent),
        _ => None,
    }
}

/// The agent whose part in a conversation ends with this event, if it does for anybody. Who had a
/// chat at its end keeps it as theirs.
fn part_ends(event: &Event) -> Option<&AgentId> {
    match event {
        Event::OfferEnded { agent, .. } | Event::AgentLeft { agent, .. } => Some(agent),
        _ => None,
    }
}
