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
        /// Until when it counts as having been there: a silent one until it was last heard of.
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
        /// How long they were away. The timers that stood still meanwhile end later by as much.
        after: Span,
        /// When they are reminded unless they answer, where they owe an answer: anew and whole.
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
        /// Who posted it, where that is somebody else than its author.
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
        /// Who gave it to them; the queue when nobody did.
        by: Option<AgentId>,
    },
    /// The offer ended without an acceptance; the chat waits in its queue again.
    OfferEnded {
        /// Who had it.
        agent: AgentId,
        /// How it ended.
        end: OfferEnd,
        /// Who ended it, where that is a person and somebody else.
        by: Option<AgentId>,
        /// Whether they have let it go too often and are not offered it again.
        excluded: bool,
        /// When the chat closes if nobody is found for it.
        close_at: Option<Timestamp>,
    },
    /// An agent took the chat: the one it was offered to, or one who picked it from the queue.
    ChatAccepted {
        /// The agent, and the units that are held from now on.
        lease: Lease,
        /// What customers see them called.
        name: DisplayName,
        /// Who took it for them, where that is somebody else.
        by: Option<AgentId>,
        /// When the chat closes by itself.
        close_at: Option<Timestamp>,
    },
    /// The agent left the chat, which waits in its queue again.
    AgentLeft {
        /// Who.
        agent: AgentId,
        /// Why.
        why: Departure,
        /// Who took it from them, where that is a person and somebody else.
        by: Option<AgentId>,
        /// When the chat closes if nobody is found for it.
        close_at: Option<Timestamp>,
    },
    /// The connection of the agent in the chat is gone for longer than a moment; the customer is
    /// told, and the chat is held for the agent.
    AgentAway {
        /// Who.
        agent: AgentId,
        /// Since when.
        since: Timestamp,
        /// After when the chat waits in its queue again, unless the agent is back.
        until: Timestamp,
    },
    /// The agent who was away is back.
    AgentBack {
        /// Who.
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
        /// Whose.
        agent: AgentId,
    },
    /// The chat is closed, for ever.
    ConversationClosed {
        /// Why the chat ended, which may have been earlier.
        reason: Reason,
        /// Who closed it.
        by: Actor,
    },
    /// The server had stopped. Every session is lost, and an absence starts anew.
    ServerRestarted {
        /// The last moment at which a return is in time, where a customer is held.
        until: Timestamp,
        /// The other timers, each with its full length again.
        timers: RestartTimers,
    },
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
    /// Through which widget.
    pub widget: WidgetId,
    /// Under which workstream.
    pub workstream: WorkstreamId,
    /// In which queue.
    pub queue: QueueId,
    /// By which visitor.
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
    /// When the chat closes if nobody is found for it.
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
