//! The disk: an append-only history of everything that was decided, and what can be read of it.
//!
//! **The promise.** A receipt is given only after what it covers is on the disk, synced. Appends
//! of one stream keep their order. After a fault nothing that was appended since the last receipt
//! is known to be durable, and the streams concerned are told so; nothing is retried in silence.
//!
//! A journal is a log ([`Log`]), the chats that are projected from it ([`Chats`]), the removal from
//! both ([`Removal`]) and the audit stream ([`AuditStream`]). A second store need share none of the
//! first one's files: it only has to be all four.

pub mod audit;
pub mod memory;
pub mod record;
pub mod snapshot;
pub mod sqlite;
pub mod store;

mod chats;
mod continuity;
mod fault;
mod log;
mod page;
mod pressure;
mod removal;

use std::fmt;

use crate::domain::agent::Presence;
use crate::domain::conversation::Conversation;
use crate::domain::id::{AgentId, History};
use crate::domain::settings::registry::Registry;
use crate::domain::time::Timestamp;

pub use crate::domain::position::{Located, Position};
pub use crate::journal::audit::{AuditFilter, AuditPage, AuditRow, AuditStream};
pub use crate::journal::chats::{Chats, Filter, ListCursor, Listing};
pub use crate::journal::fault::Fault;
pub use crate::journal::log::{Append, Confirmed, Done, Log, Receipts, Ticket};
pub use crate::journal::pressure::Pressure;
pub use crate::journal::removal::{Erasure, KeptEvent, Removal, Retained, RetentionRule, Which};

/// The history of everything. Two implementations: on `SQLite`, and in memory.
pub trait Journal:
    Log + Chats + Removal + AuditStream + fmt::Debug + Send + Sync + 'static
{
}

impl<T> Journal for T where
    T: Log + Chats + Removal + AuditStream + fmt::Debug + Send + Sync + 'static
{
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
