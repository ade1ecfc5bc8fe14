//! The actors, and the face that they show to the edges.
//!
//! Each conversation, agent and queue is an actor that drives one machine of the domain. They name
//! each other by id, find each other through the directory, and hold no rules. Callers from
//! outside hold an [`Engine`].

mod agent;
mod alarms;
mod answers;
mod audit;
mod conversation;
mod directory;
mod failure;
mod feed;
mod keepsake;
mod mailbox;
mod metrics;
mod owner;
mod post;
mod pressure;
mod pulse;
mod queue;
mod receipts;
mod refusals;
mod requests;
mod shared;
mod start;
mod thread;
mod threads;
mod tokens;

pub use crate::behavior::message::{AgentSignal, AgentView, Closing, NotJoined, ToSession};
pub use crate::engine::alarms::{Alarm, Alarms};
pub use crate::engine::directory::Outbox;
pub use crate::engine::failure::Failure;
pub use crate::engine::feed::{Feed, FeedEvent};
pub use crate::engine::keepsake::Keepsake;
pub use crate::engine::refusals::Face;
pub use crate::engine::requests::Engine;
pub use crate::engine::requests::agents::Figures;
pub use crate::engine::requests::visit::Visit;
pub use crate::engine::start::{Options, Starting};
pub use crate::engine::threads::Threads;
pub use crate::engine::tokens::TokenRefusal;
pub use crate::journal::{
    AuditFilter, AuditPage, AuditRow, Fault, Filter, KeptEvent, ListCursor, Listing, Which,
};
