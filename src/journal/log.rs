//! The log: what is appended, and who is told what has become of it. This half is the truth.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::domain::agent::Presence;
use crate::domain::audit::AuditEntry;
use crate::domain::conversation::event::Event;
use crate::domain::decision::Receipt;
use crate::domain::id::{AgentId, ConversationId, Seq};
use crate::domain::position::Position;
use crate::domain::settings::registry::SettingChange;
use crate::domain::time::Timestamp;
use crate::journal::fault::Fault;
use crate::journal::pressure::Pressure;

/// A log that only grows: what is appended, and how far it is.
///
/// A receipt is given only after what it covers is on the disk, synced. Appends of one stream keep
/// their order.
pub trait Log {
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

    /// How hard the waiting appends press on the disk.
    fn pressure(&self) -> Pressure;

    /// Whether writing works, as far as is known. It does not after a failed sync, which ends it
    /// until the next start, nor while the disk is full, which may pass.
    fn is_writable(&self) -> bool;

    /// How many events are durable and cannot be read yet.
    fn lag(&self) -> u64;

    /// The last durable position.
    fn head(&self) -> Position;

    /// Resolves when everything appended before is durable and can be read.
    fn flush(&self) -> BoxFuture<'static, Result<(), Fault>>;

    /// Writes what was appended before, and stops: later appends fail. It blocks until everything
    /// is written and can be read. A log that needs no closing does nothing.
    fn close(&self) {}
}

/// A number that comes back with the receipt of an append, so that the caller that waits for it
/// need not be searched for. It means nothing to the journal.
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
        /// Who chose it for the agent; nobody, where the agent did.
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

/// Is told what has become of the conversations' appends. It is called on the journal's own thread,
/// so it must hand over and return.
pub trait Receipts: Send + Sync + 'static {
    /// These appends to conversations are durable, in their order, and the journal up to this
    /// position.
    fn durable(&self, confirmed: Vec<Confirmed>, position: Position);

    /// What these conversations appended since their last receipt may be lost.
    fn failed(&self, conversations: Vec<ConversationId>, fault: Fault);
}
