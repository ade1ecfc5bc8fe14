//! What can happen in a conversation. Every event is journaled and takes one [`Seq`].
//!
//! An event that starts a timer carries its deadline, so that replay needs no settings.
//!
//! [`Seq`]: crate::domain::id::Seq

mod audience;
mod ending;

use std::sync::Arc;

use crate::domain::cause::{Cause, Evidence};
use crate::domain::id::{
    AgentId, MessageId, QueueId, Seq, SessionId, VisitorId, WidgetId, WorkstreamId,
};
use crate::domain::lease::Lease;
use crate::domain::text::{DisplayName, JsonText, MessageText};
use crate::domain::time::{Span, Timestamp};

pub use crate::domain::conversation::event::audience::{Audience, ForAgent, Withdrawal};
pub use crate::domain::conversation::event::ending::{Departure, OfferEnd, Reason};

/// Something that happened in a conversation.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Event {
    /// A customer asked for a chat; it waits in its queue.
    ConversationStarted(Opening),
    /// A session of the customer's joined.
    SessionJoined {
        /// The session.
        session: SessionId,
        /// How often it was asked to beat.
        heartbeat: Span,
        /// The program it says it is.
        program: Option<Arc<str>>,
    },
    /// A session of the customer's was lost.
    SessionLost {
        /// The session.
        session: SessionId,
        /// Why.
        cause: Cause,
        /// When it was last heard of.
        heard_at: Timestamp,
        /// Until when it counts as having been there: a silent session until it was last heard of.
        there_until: Timestamp,
        /// What else is known of it.
        evidence: Evidence,
    },
    /// The last session was lost; the customer is held.
    CustomerAway {
        /// From when the absence counts.
        since: Timestamp,
        /// The last moment at which a return is in time.
        until: Timestamp,
        /// Why the last session was lost.
        cause: Cause,
    },
    /// The customer was away, and is back.
    CustomerReturned {
        /// How long they were away. The timers that stood still end later by this length.
        after: Span,
        /// When they are reminded unless they answer, if they owe an answer. It starts anew with
        /// its full length.
        reminder: Option<Reminder>,
    },
    /// The window ended and the customer was still away.
    CustomerDisconnected {
        /// From when the absence counted.
        since: Timestamp,
        /// Why the last session was lost.
        cause: Cause,
    },
    /// Somebody said something.
    MessagePosted {
        /// The id its author gave it.
        id: MessageId,
        /// Its author.
        from: Author,
        /// Who posted it, if that is somebody other than its author.
        by: Option<AgentId>,
        /// What they said.
        text: MessageText,
        /// When the customer is reminded unless they answer; only on an agent's message.
        reminder: Option<Reminder>,
    },
    /// The chat was offered to an agent, whose units are held from now on.
    ChatOffered {
        /// The units.
        lease: Lease,
        /// When the offer lapses.
        until: Timestamp,
        /// Who gave it to them; absent if the queue did.
        by: Option<AgentId>,
    },
    /// The offer ended without an acceptance; the chat waits in its queue again.
    OfferEnded {
        /// The agent who had it.
        agent: AgentId,
        /// How it ended.
        end: OfferEnd,
        /// The person who ended it, if that is somebody other than the agent.
        by: Option<AgentId>,
        /// Whether the agent has let it go too often and is not offered it again.
        excluded: bool,
        /// When the chat closes if no agent is found for it.
        close_at: Option<Timestamp>,
    },
    /// An agent took the chat: the one it was offered to, or one who picked it from the queue.
    ChatAccepted {
        /// The agent, and the units that are held from now on.
        lease: Lease,
        /// The name that customers see.
        name: DisplayName,
        /// Who took it for the agent, if that is somebody else.
        by: Option<AgentId>,
        /// When the chat closes by itself.
        close_at: Option<Timestamp>,
    },
    /// The agent left the chat, which waits in its queue again.
    AgentLeft {
        /// The agent.
        agent: AgentId,
        /// Why.
        why: Departure,
        /// The person who took it from the agent, if that is somebody else.
        by: Option<AgentId>,
        /// When the chat closes if no agent is found for it.
        close_at: Option<Timestamp>,
    },
    /// The connection of the agent in the chat has been gone for more than a moment. The customer
    /// is told, and the chat is held for the agent.
    AgentAway {
        /// The agent.
        agent: AgentId,
        /// Since when.
        since: Timestamp,
        /// After this the chat waits in its queue again, unless the agent is back.
        until: Timestamp,
    },
    /// The agent who was away is back.
    AgentBack {
        /// The agent.
        agent: AgentId,
    },
    /// The customer owes an answer and has been reminded.
    CustomerReminded {
        /// When the chat moves to wrap-up unless they answer.
        until: Timestamp,
    },
    /// The chat is over; the agent finishes their notes.
    WrapupStarted {
        /// Why it is over.
        reason: Reason,
        /// Who ended it.
        by: Actor,
        /// Until when the agent's units are held: not at all, until a moment, or until it closes.
        hold: Hold,
        /// When it closes by itself.
        close_at: Option<Timestamp>,
    },
    /// The agent's units were given back while the chat is in wrap-up.
    LeaseReleased {
        /// The agent.
        agent: AgentId,
    },
    /// The chat is closed, for ever.
    ConversationClosed {
        /// Why the chat ended, which may have been earlier.
        reason: Reason,
        /// Who closed it.
        by: Actor,
    },
    /// The server had stopped. Every session is lost, and an absence begins anew.
    ServerRestarted {
        /// The last moment at which a return is in time, where a customer is held.
        until: Timestamp,
        /// The other timers, each with its full length again.
        timers: RestartTimers,
    },
}

impl Event {
    /// What the feed of an agent is told of the event, if the agent had the conversation before,
    /// has it after, or both.
    pub fn for_agent(&self, agent: &AgentId, was_theirs: bool, is_theirs: bool) -> ForAgent {
        match self {
            Self::ChatOffered { lease, .. } if lease.agent == *agent => ForAgent::Offered,
            Self::OfferEnded { agent: offered, end, .. } if offered == agent => {
                ForAgent::Withdrawn(Withdrawal::Ended(*end))
            }
            // An agent who had the chat before they accepted it had it as an offer.
            Self::ChatAccepted { lease, .. } if lease.agent == *agent && was_theirs => {
                ForAgent::Withdrawn(Withdrawal::Accepted)
            }
            // A closed conversation remembers an agent only if they had accepted it.
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

    /// The person who acted in the place of the agent that the event names: a supervisor who acts
    /// for one, or gives them a chat. No customer is told.
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

    /// Whether this audience may see the event. An event that a customer may not see leaves a gap
    /// in the sequence that they see.
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

/// The deadlines of a chat's phase; each absent where the phase or the settings have none.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct RestartTimers {
    /// When the offer lapses.
    pub offer_until: Option<Timestamp>,
    /// When the chat closes, or moves to wrap-up, by itself.
    pub close_at: Option<Timestamp>,
    /// When a customer who owes an answer is reminded.
    pub reminder: Option<Reminder>,
}

/// When a customer who owes an answer is reminded, and then disconnected.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Reminder {
    /// When they are reminded.
    pub at: Timestamp,
    /// When the chat moves to wrap-up unless they answer; later than `at`.
    pub until: Timestamp,
}

/// How a chat began.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Opening {
    /// The widget.
    pub widget: WidgetId,
    /// The workstream.
    pub workstream: WorkstreamId,
    /// The queue.
    pub queue: QueueId,
    /// The visitor.
    pub visitor: VisitorId,
    /// The id that the widget gave the start, so that repeating it starts nothing.
    pub start: MessageId,
    /// A random number that keys the digests of its messages. Nobody outside is told.
    pub salt: u64,
    /// What the customer calls themselves.
    pub name: Option<DisplayName>,
    /// The answers to the pre-chat form, as JSON.
    pub form: Option<JsonText>,
    /// What the page tells about itself, as JSON.
    pub context: Option<JsonText>,
    /// The address of the page.
    pub page: Option<Arc<str>>,
    /// The language of the page.
    pub locale: Option<Arc<str>>,
    /// When the chat closes if no agent is found for it.
    pub close_at: Option<Timestamp>,
}

/// Who says something.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Author {
    /// The customer.
    Customer,
    /// An agent.
    Agent(AgentId),
}

/// Who does something.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Actor {
    /// The customer.
    Customer,
    /// The agent.
    Agent(AgentId),
    /// A supervisor.
    Supervisor(AgentId),
    /// A timer.
    Timer,
}

/// Until when an agent's units are held in wrap-up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Hold {
    /// They are given back at once.
    No,
    /// Until this moment.
    Until(Timestamp),
    /// Until the chat is closed.
    UntilClosed,
}

/// An event in its place.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Recorded {
    /// The place.
    pub seq: Seq,
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub event: Event,
}
