//! A lease: a claim of one conversation on one agent's capacity.

use std::num::NonZeroU16;

use crate::domain::id::AgentId;
use crate::domain::time::Span;

/// A claim on an agent's capacity. It belongs to its conversation; the agent keeps a copy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Lease {
    /// The agent whose capacity is claimed.
    pub agent: AgentId,
    /// How much of it.
    pub units: u32,
    /// For what.
    pub purpose: Purpose,
    /// How long the agent may be gone before the conversation looks for another.
    pub grace: Span,
    /// After how long the customer is told that the agent's connection is gone; never when absent.
    pub notice: Option<Notice>,
    /// Whether the customer has been told that the connection is gone, and not yet that it is back.
    pub missed: bool,
}

impl Lease {
    /// A lease whose customer is never told that the agent is away.
    pub const fn new(agent: AgentId, units: u32, purpose: Purpose, grace: Span) -> Self {
        Self { agent, units, purpose, grace, notice: None, missed: false }
    }

    /// After how long the customer must be told that the agent's connection is gone; nothing if
    /// they were told, or are never to be told.
    pub fn untold(&self) -> Option<Span> {
        let is_due = self.purpose == Purpose::Chat && !self.missed;
        self.notice.filter(|_| is_due).map(Notice::span)
    }
}

/// After how long a customer is told that their agent's connection is gone, in whole tenths of a
/// second. Every chat that is held has one, and this fits in two bytes that were free.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Notice(NonZeroU16);

impl Notice {
    const TENTH: u64 = 100;

    /// This length, rounded up; at least a tenth of a second, and at most 6,553 s.
    pub fn after(span: Span) -> Self {
        let tenths = span.as_millis().div_ceil(Self::TENTH).max(1);
        let tenths = u16::try_from(tenths).unwrap_or(u16::MAX);
        Self(NonZeroU16::new(tenths).unwrap_or(NonZeroU16::MIN))
    }

    /// How long.
    pub const fn span(self) -> Span {
        Span::from_millis(self.0.get() as u64 * Self::TENTH)
    }
}

/// What a lease is for.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Purpose {
    /// A chat that the agent has been offered.
    Offer,
    /// A chat that the agent is in.
    Chat,
    /// A chat that is over, while its paperwork is not.
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
