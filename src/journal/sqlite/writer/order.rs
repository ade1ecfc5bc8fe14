//! What the writer is told: to write something, or to take something out.

use std::sync::mpsc::Sender;

use crate::domain::id::ConversationId;
use crate::domain::settings::Disposal;
use crate::domain::time::Timestamp;
use crate::journal::Fault;
use crate::journal::sqlite::writer::encoding::Encoded;

/// What the writer is told.
pub(in crate::journal::sqlite) enum Order {
    /// Write this.
    Append(Encoded),
    /// Take conversations out, once everything before it is settled.
    TakeOut(TakeOut),
    /// Drop the oldest entries of the audit stream, once everything before it is settled.
    DropAudit(DropAudit),
    /// Do this once everything before it is settled.
    Settled(Box<dyn FnOnce() + Send>),
    /// Stop once everything before it is settled.
    Stop,
}

/// Conversations that are to be taken out.
pub(in crate::journal::sqlite) struct TakeOut {
    /// Which.
    pub(in crate::journal::sqlite) conversations: Vec<Found>,
    /// The position up to which their events were looked for. If one has gone on since, it stays.
    pub(in crate::journal::sqlite) seen: u64,
    /// What becomes of them.
    pub(in crate::journal::sqlite) disposal: Disposal,
    /// When.
    pub(in crate::journal::sqlite) at: Timestamp,
    /// Who is told how many went.
    pub(in crate::journal::sqlite) done: Sender<Result<u64, Fault>>,
}

/// Entries of the audit stream that are to be dropped: some of those from before a time.
pub(in crate::journal::sqlite) struct DropAudit {
    pub(in crate::journal::sqlite) before: Timestamp,
    /// When.
    pub(in crate::journal::sqlite) at: Timestamp,
    /// Who is told whether there was anything.
    pub(in crate::journal::sqlite) done: tokio::sync::oneshot::Sender<Result<bool, Fault>>,
}

/// A conversation in the journal.
pub(in crate::journal::sqlite) struct Found {
    pub(in crate::journal::sqlite) conversation: ConversationId,
    /// The positions of the rows that hold all its events.
    pub(in crate::journal::sqlite) rows: Vec<u64>,
    /// How many events these are.
    pub(in crate::journal::sqlite) events: u64,
}
