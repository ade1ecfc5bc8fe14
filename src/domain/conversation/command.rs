//! What can be asked of a conversation, and what it may answer.

use std::fmt;
use std::sync::Arc;

use crate::domain::cause::Cause;
use crate::domain::conversation::event::Author;
use crate::domain::id::{AgentId, MessageId, Seq, SessionId, VisitorId, WidgetId};
use crate::domain::text::{DisplayName, MessageText};
use crate::domain::time::{Span, Timestamp};

/// Something that is asked of a conversation.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Command {
    /// A customer asks for a chat. The conversation must be new.
    Start(StartRequest),
    /// A session of the customer's joins.
    Join {
        /// The session.
        session: SessionId,
        /// How often it was asked to beat.
        heartbeat: Span,
        /// The program it says it is.
        program: Option<Arc<str>>,
    },
    /// A session of the customer's is gone. One that is not known changes nothing.
    Lose {
        /// The session.
        session: SessionId,
        /// Why.
        cause: Cause,
    },
    /// Somebody posts a message. The same id again gets the first answer.
    Post {
        /// The author.
        from: Author,
        /// Who asks on the agents' side: the author themselves, or somebody in their place.
        by: Option<AgentId>,
        /// The id that they gave it.
        id: MessageId,
        /// The message.
        text: MessageText,
    },
    /// The customer ends the chat.
    EndByCustomer,
    /// The queue has found an agent, who has set the units aside.
    Offer {
        /// The agent.
        agent: AgentId,
    },
    /// An agent takes the chat that they were offered, or picks one that waits.
    Accept {
        /// The agent.
        agent: AgentId,
        /// The name that customers see.
        name: DisplayName,
        /// Who asks: themselves, or somebody in their place.
        by: Option<AgentId>,
    },
    /// An agent does not want the chat that they were offered.
    Decline {
        /// The agent.
        agent: AgentId,
        /// Who asks: themselves, or somebody in their place.
        by: Option<AgentId>,
    },
    /// A chat goes back to its queue.
    Release {
        /// Who asks.
        by: Authority,
    },
    /// The chat is over.
    End {
        /// Who asks.
        by: Authority,
    },
    /// The wrap-up is done.
    Close {
        /// Who asks.
        by: Authority,
    },
    /// A supervisor gives the chat to an agent, whatever their load.
    Assign {
        /// The agent.
        agent: AgentId,
        /// The supervisor.
        by: AgentId,
    },
    /// A supervisor closes the chat, whatever its state.
    ForceClose {
        /// The supervisor.
        by: AgentId,
    },
    /// The agent has been gone for longer than the grace of their lease.
    AgentGone {
        /// The agent.
        agent: AgentId,
    },
    /// The connection of the agent in the chat is gone for so long that the customer is told.
    MissAgent {
        /// The agent.
        agent: AgentId,
        /// Since when.
        since: Timestamp,
    },
    /// The agent is back, after the customer was told that they are away.
    MeetAgent {
        /// The agent.
        agent: AgentId,
    },
    /// A timer may be due. Asking too early, or twice, changes nothing.
    Wake,
    /// The server has started again, and this conversation was read from the journal.
    Recover,
}

/// How a customer asks for a chat.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StartRequest {
    /// The widget.
    pub widget: WidgetId,
    /// The visitor.
    pub visitor: VisitorId,
    /// The id that the widget gave the start.
    pub start: MessageId,
    /// A random number for [`Opening::salt`].
    ///
    /// [`Opening::salt`]: crate::domain::conversation::event::Opening::salt
    pub salt: u64,
    /// What the customer calls themselves.
    pub name: Option<DisplayName>,
    /// The answers to the pre-chat form, as JSON.
    pub form: Option<Arc<str>>,
    /// What the page tells about itself, as JSON.
    pub context: Option<Arc<str>>,
    /// The address of the page.
    pub page: Option<Arc<str>>,
    /// The language of the page.
    pub locale: Option<Arc<str>>,
}

/// On whose authority an agent's side acts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Authority {
    /// An agent, for a chat that is theirs.
    Agent(AgentId),
    /// A supervisor, for any chat.
    Supervisor(AgentId),
}

/// The answer to a command that was not refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Answer {
    /// It is done.
    Done,
    /// The message is in the conversation: the place and the time of its first posting.
    Posted {
        /// The place.
        seq: Seq,
        /// The time.
        at: Timestamp,
    },
}

/// Why a rule says no. Each has a stable code and a sentence for people.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Refusal {
    /// The chat was already accepted.
    AlreadyAccepted,
    /// The conversation is closed.
    AlreadyClosed,
    /// The conversation has begun before.
    AlreadyStarted,
    /// The conversation holds as many messages as it may, or the customer has done as much in it as
    /// they may.
    ConversationFull,
    /// The chat is over and in wrap-up.
    ConversationEnded,
    /// The id was used before for another content.
    IdReused,
    /// The agent has not accepted the chat.
    NotAccepted,
    /// The chat is not in wrap-up.
    NotInWrapup,
    /// The chat is not offered to this agent.
    NotOffered,
    /// The chat is not waiting in its queue.
    NotWaiting,
    /// The chat is another agent's.
    NotYours,
    /// The chat has not begun.
    NotStarted,
    /// There is no such conversation.
    UnknownConversation,
}

impl Refusal {
    /// Every refusal.
    pub const ALL: [Self; 13] = [
        Self::AlreadyAccepted,
        Self::AlreadyClosed,
        Self::AlreadyStarted,
        Self::ConversationFull,
        Self::ConversationEnded,
        Self::IdReused,
        Self::NotAccepted,
        Self::NotInWrapup,
        Self::NotOffered,
        Self::NotWaiting,
        Self::NotYours,
        Self::NotStarted,
        Self::UnknownConversation,
    ];

    /// The code, which never changes.
    pub const fn code(self) -> &'static str {
        match self {
            Self::AlreadyAccepted => "already_accepted",
            Self::AlreadyClosed => "already_closed",
            Self::AlreadyStarted => "already_started",
            Self::ConversationFull => "conversation_full",
            Self::ConversationEnded => "conversation_ended",
            Self::IdReused => "id_reused",
            Self::NotAccepted => "not_accepted",
            Self::NotInWrapup => "not_in_wrapup",
            Self::NotOffered => "not_offered",
            Self::NotWaiting => "not_waiting",
            Self::NotYours => "not_yours",
            Self::NotStarted => "not_started",
            Self::UnknownConversation => "unknown_conversation",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::AlreadyAccepted => "the chat was already accepted",
            Self::AlreadyClosed => "the conversation is closed, and nothing leaves closed",
            Self::AlreadyStarted => "the conversation has already begun",
            Self::ConversationFull => {
                "the conversation takes no more of this: it has as many messages, bytes of them or \
                 connections as it may"
            }
            Self::ConversationEnded => "the chat is over; only its wrap-up is open",
            Self::IdReused => "this id was used before for something else; mint a new one",
            Self::NotAccepted => "the chat must be accepted first",
            Self::NotInWrapup => "the chat is not in wrap-up; end it first",
            Self::NotOffered => "the chat is not offered to you, or no longer",
            Self::NotWaiting => "the chat is not waiting for an agent",
            Self::NotYours => "the chat is another agent's",
            Self::NotStarted => "no chat has begun; start one first",
            Self::UnknownConversation => "there is no such conversation",
        })
    }
}

impl std::error::Error for Refusal {}
