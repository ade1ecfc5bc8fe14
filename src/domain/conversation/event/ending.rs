//! How an offer, an agent's part and the whole chat can end.

/// How an offer ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OfferEnd {
    /// The agent said no.
    Declined,
    /// The agent said nothing in time.
    Lapsed,
    /// The agent was gone for longer than the grace.
    AgentGone,
    /// A supervisor gave the chat to somebody else.
    Reassigned,
}

impl OfferEnd {
    /// Whether it counts as the agent's no.
    pub const fn is_decline(self) -> bool {
        match self {
            Self::Declined | Self::Lapsed => true,
            Self::AgentGone | Self::Reassigned => false,
        }
    }
}

/// Why an agent left a chat.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Departure {
    /// They gave it back.
    Released,
    /// They were gone for longer than the grace.
    Gone,
}

/// Why a chat ended.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Reason {
    /// The window ended while the chat waited, or was offered.
    CustomerDisconnectedWhileOpen,
    /// The window ended while the chat was with an agent.
    CustomerDisconnectedWhileActive,
    /// The customer ended it.
    CustomerEnded,
    /// The customer owed an answer for too long.
    CustomerIdle,
    /// The agent ended it.
    AgentEnded,
    /// No agent was found for it in time.
    OpenTooLong,
    /// The chat had been with an agent for too long.
    ActiveTooLong,
    /// A supervisor closed it.
    ForceClosed,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 8] = [
        Self::CustomerDisconnectedWhileOpen,
        Self::CustomerDisconnectedWhileActive,
        Self::CustomerEnded,
        Self::CustomerIdle,
        Self::AgentEnded,
        Self::OpenTooLong,
        Self::ActiveTooLong,
        Self::ForceClosed,
    ];

    /// Whether the chat ended because the customer was lost, and not because somebody ended it.
    pub const fn is_loss(self) -> bool {
        matches!(self, Self::CustomerDisconnectedWhileOpen | Self::CustomerDisconnectedWhileActive)
    }

    /// The name on the wire, in HTTP and in the journal.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CustomerDisconnectedWhileOpen => "customer_disconnected_while_open",
            Self::CustomerDisconnectedWhileActive => "customer_disconnected_while_active",
            Self::CustomerEnded => "customer_ended",
            Self::CustomerIdle => "customer_idle",
            Self::AgentEnded => "agent_ended",
            Self::OpenTooLong => "open_too_long",
            Self::ActiveTooLong => "active_too_long",
            Self::ForceClosed => "force_closed",
        }
    }
}
