//! The audiences of an event, and what an agent's feed may be told of one.

use crate::domain::conversation::event::ending::OfferEnd;
use crate::domain::time::Span;

/// An audience.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Audience {
    /// Agents, supervisors and administrators.
    Agent,
    /// The customer.
    Customer,
}

/// Why an offer does not stand any more.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Withdrawal {
    /// The offer ended without an acceptance.
    Ended(OfferEnd),
    /// The agent accepted it.
    Accepted,
    /// The chat was closed.
    Closed,
}

/// What an agent's feed is told of an event, besides the conversation as it is afterwards.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ForAgent {
    /// The chat is offered to them.
    Offered,
    /// The offer that they had does not stand any more.
    Withdrawn(Withdrawal),
    /// Somebody said something.
    Message,
    /// The customer is away.
    Away,
    /// The customer is back, after this length of time.
    Back(Span),
    /// Nothing: the conversation's present state says all of it.
    InState,
}

impl ForAgent {
    /// Whether a console that is shown the conversation afterwards misses nothing of the event.
    pub const fn is_shown_by_the_state(self) -> bool {
        matches!(self, Self::InState | Self::Away)
    }
}
