//! A lease: a claim of one conversation on one agent's capacity.

use crate::domain::id::AgentId;
use crate::domain::time::Span;

/// A claim on an agent's capacity. It belongs to its conversation; the agent keeps a copy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Lease {
    /// Whose capacity.
    pub agent: AgentId,
    /// How much of it.
    pub units: u32,
    /// For what.
    pub purpose: Purpose,
    /// How long the agent may be gone before the conversation looks for another.
    pub grace: Span,
}

/// What a lease is for.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Purpose {
    /// A chat that the agent has been offered.
    Offer,
    /// A chat that the agent is in.
    Chat,
    /// A chat that is over, whose paperwork is not.
    Wrapup,
}

impl Purpose {
    /// The name that HTTP and the journal use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Offer => "offer",
            Self::Chat => "chat",
            Self::Wrapup => "wrapup",
        }
    }
}
