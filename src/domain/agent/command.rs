//! What can be asked of an agent, and what can happen to one.

use std::fmt;
use std::sync::Arc;

use crate::domain::agent::feed::FeedNumber;
use crate::domain::agent::presence::Presence;
use crate::domain::id::{ConversationId, Seq};
use crate::domain::lease::Lease;
use crate::domain::settings::AgentSettings;
use crate::domain::time::{Span, Timestamp};

/// Something that is asked of an agent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum AgentCommand {
    /// They choose a presence.
    ChoosePresence(Presence),
    /// Somebody else chooses one for them, which does not show that they are there.
    SetPresence(Presence),
    /// They opened a feed.
    OpenFeed {
        /// The feed: a number that no feed of theirs has had.
        feed: FeedNumber,
        /// How often its console will beat, if it does.
        heartbeat: Span,
    },
    /// The console of a feed of theirs says that it is there.
    Beat(FeedNumber),
    /// A feed of theirs was closed.
    CloseFeed(FeedNumber),
    /// They made a request.
    Touch,
    /// A queue asks them to set units aside for a chat that they will be offered.
    Reserve {
        /// The chat.
        conversation: ConversationId,
        /// The units.
        lease: Lease,
    },
    /// A conversation says what it holds of them, from this place on.
    Adjust {
        /// The conversation.
        conversation: ConversationId,
        /// The place.
        seq: Seq,
        /// What it holds; nothing when it holds nothing.
        lease: Option<Lease>,
    },
    /// They can no longer take the offer for which units were set aside. It is not asked for again,
    /// and the conversation says whether it was made before.
    Withdraw {
        /// The conversation.
        conversation: ConversationId,
    },
    /// A conversation does not make the offer for which units were set aside.
    TurnDown {
        /// The conversation.
        conversation: ConversationId,
        /// The number under which the units were set aside.
        reservation: u64,
    },
    /// Every conversation has said what it holds of them since their actor was made.
    AllHeard,
    /// An administrator changed their settings.
    Configure(Arc<AgentSettings>),
    /// A timer may be due. Asking too early, or twice, changes nothing.
    Wake,
}

/// Something that happened to an agent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum AgentEvent {
    /// They chose a presence. Only this and the next event are journaled.
    PresenceChosen(Presence),
    /// Somebody else chose one for them.
    PresenceSet(Presence),
    /// They opened a feed.
    FeedOpened {
        /// The feed.
        feed: FeedNumber,
        /// How often its console will beat, if it does.
        heartbeat: Span,
    },
    /// The console of a feed beat.
    FeedBeat(FeedNumber),
    /// A feed of theirs was closed.
    FeedClosed(FeedNumber),
    /// The console of a feed used to beat and has stopped: it hangs, or its network is gone.
    FeedHung(FeedNumber),
    /// They made a request.
    Heard,
    /// Nothing was heard of them for too long.
    LinkLost,
    /// Units were set aside for a chat that they will be offered.
    LeaseReserved {
        /// The chat.
        conversation: ConversationId,
        /// The units.
        lease: Lease,
    },
    /// What was set aside will not be asked for again.
    ReservationWithdrawn {
        /// The conversation.
        conversation: ConversationId,
    },
    /// A conversation holds this of them, from this place on.
    LeaseAdjusted {
        /// The conversation.
        conversation: ConversationId,
        /// The place.
        seq: Seq,
        /// What it holds; nothing when it holds nothing.
        lease: Option<Lease>,
    },
    /// They were gone for longer than the grace of this lease, and its conversation must be told.
    LeaseForfeited {
        /// The conversation.
        conversation: ConversationId,
    },
    /// Every conversation was heard: from now on they are given work.
    AllHeard,
    /// They are gone for so long that the customer must be told.
    AbsenceNoticed {
        /// The conversation.
        conversation: ConversationId,
        /// Since when.
        since: Timestamp,
    },
    /// They are back, and a customer was told that they were away.
    ReturnNoticed {
        /// The conversation.
        conversation: ConversationId,
    },
    /// Their settings changed.
    Configured(Arc<AgentSettings>),
}

/// Why an agent cannot be given a chat.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AgentRefusal {
    /// They hold the chat already.
    AlreadyHeld,
    /// They have been gone for too long.
    Gone,
    /// They have too few units left.
    NoCapacity,
    /// They are not available.
    NotAvailable,
}

impl fmt::Display for AgentRefusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::AlreadyHeld => "the agent holds this chat already",
            Self::Gone => "the agent has been gone for longer than the grace",
            Self::NoCapacity => "the agent has too few units left",
            Self::NotAvailable => "the agent is not available",
        })
    }
}

impl std::error::Error for AgentRefusal {}
