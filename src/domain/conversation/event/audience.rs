//! Who may see an event, and who is named beside the agent that it is about.

use crate::domain::conversation::event::Event;
use crate::domain::id::AgentId;

/// Who is looking.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Audience {
    /// Agents, supervisors and administrators.
    Agent,
    /// The customer.
    Customer,
}

impl Event {
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
