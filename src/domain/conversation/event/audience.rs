//! Who may see an event, and who is named beside the agent that it is about.

use crate::domain::conversation::event::{Event, OfferEnd};
use crate::domain::id::AgentId;
use crate::domain::time::Span;

/// Who is looking.
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
    /// It ended without an acceptance.
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
    /// The customer is back, after so long.
    Back(Span),
    /// Nothing: the conversation as it is says all of it.
    InState,
}

impl ForAgent {
    /// Whether a console that is shown the conversation afterwards misses nothing of it.
    pub const fn is_shown_by_the_state(self) -> bool {
        matches!(self, Self::InState | Self::Away)
    }
}

impl Event {
    /// What the feed of an agent is told of it, who had the conversation before, or has it after,
    /// or both.
    pub fn for_agent(&self, agent: &AgentId, was_theirs: bool, is_theirs: bool) -> ForAgent {
        match self {
            Self::ChatOffered { lease, .. } if lease.agent == *agent => ForAgent::Offered,
            Self::OfferEnded { agent: offered, end, .. } if offered == agent => {
                ForAgent::Withdrawn(Withdrawal::Ended(*end))
            }
            // Whoever had the chat before they accepted it had it as an offer.
            Self::ChatAccepted { lease, .. } if lease.agent == *agent && was_theirs => {
                ForAgent::Withdrawn(Withdrawal::Accepted)
            }
            // A closed conversation remembers an agent who had accepted it, and only such a one.
            Self::ConversationClosed { .. } if was_theirs && !is_theirs => {
                ForAgent::Withdrawn(Withdrawal::Closed)
            }
            Self::MessagePosted { .. } => ForAgent::Message,
            Self::CustomerAway { .. } => ForAgent::Away,
            Self::CustomerReturned { after, .. } => ForAgent::Back(*after),
            Self::ConversationStarted(_)
            | Self::SessionJoined { .. }
            | Self::SessionLost { .. }
            | Self::CustomerDisconnected { .. }
            | Self::ChatOffered { .. }
            | Self::OfferEnded { .. }
            | Self::ChatAccepted { .. }
            | Self::AgentLeft { .. }
            | Self::AgentAway { .. }
            | Self::AgentBack { .. }
            | Self::CustomerReminded { .. }
            | Self::WrapupStarted { .. }
            | Self::LeaseReleased { .. }
            | Self::ConversationClosed { .. }
            | Self::ServerRestarted { .. } => ForAgent::InState,
        }
    }

    /// Who did it in the place of the agent that it names: a supervisor who acts for one, or gives
    /// them a chat. No customer is told.
    pub const fn by(&self) -> Option<&AgentId> {
        match self {
            Self::MessagePosted { by, .. }
            | Self::ChatOffered { by, .. }
            | Self::OfferEnded { by, .. }
            | Self::ChatAccepted { by, .. }
            | Self::AgentLeft { by, .. } => by.as_ref(),
            _ => None,
        }
    }

    /// Whether this audience may see the event. What a customer may not see leaves a gap in the
    /// sequence that they see.
    pub const fn is_seen_by(&self, audience: Audience) -> bool {
        match audience {
            Audience::Agent => true,
            Audience::Customer => match self {
                Self::ConversationStarted(_)
                | Self::MessagePosted { .. }
                | Self::ChatAccepted { .. }
                | Self::AgentLeft { .. }
                | Self::AgentAway { .. }
                | Self::AgentBack { .. }
                | Self::CustomerReminded { .. }
                | Self::WrapupStarted { .. }
                | Self::ConversationClosed { .. } => true,
                Self::SessionJoined { .. }
                | Self::SessionLost { .. }
                | Self::CustomerAway { .. }
                | Self::CustomerReturned { .. }
                | Self::CustomerDisconnected { .. }
                | Self::ChatOffered { .. }
                | Self::OfferEnded { .. }
                | Self::LeaseReleased { .. }
                | Self::ServerRestarted { .. } => false,
            },
        }
    }
}
