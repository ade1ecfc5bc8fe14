//! What the actors of a simulated node say to each other, and who they are.

use holdline::domain::agent::Presence;
use holdline::domain::agent::command::AgentCommand;
use holdline::domain::cause::{Cause, Leaving};
use holdline::domain::conversation::Conversation;
use holdline::domain::conversation::command::{Command, StartRequest};
use holdline::domain::conversation::event::Recorded;
use holdline::domain::decision::Receipt;
use holdline::domain::id::{AgentId, ConversationId, MessageId, QueueId, Seq, SessionId};
use holdline::domain::lease::Lease;
use holdline::domain::queue::QueueCommand;
use holdline::domain::settings::AgentSettings;
use holdline::domain::text::MessageText;
use holdline::domain::time::{Span, Timestamp};
use holdline::engine::ToSession;
use holdline::wire::client::Reference;
use std::sync::Arc;

use crate::node::change::{Census, Outstanding};
use crate::node::gate::Told;
use crate::server::Ticket;

/// Somebody who is told things, in the order in which they were sent.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Party {
    /// A conversation's actor, told apart from an earlier one by its epoch.
    Chat(ConversationId, u64),
    /// An agent's actor, and a queue's, in the same way.
    Agent(AgentId, u64),
    Queue(QueueId, u64),
    Session(SessionId),
    /// A session, from its socket.
    Socket(SessionId),
}

/// What they are told.
#[derive(Debug)]
pub enum Mail {
    // To conversations.
    Said(SessionId, FromSession),
    Heard(SessionId),
    Ask(Ticket, Command),
    Offer(AgentId, u64, u32),
    Withdraw(AgentId, u64),
    AgentGone(AgentId),
    MissAgent(AgentId, Timestamp),
    MeetAgent(AgentId),
    ShowTo(AgentId),
    ConfirmLease(AgentId),
    StateClaims(Option<Outstanding>),
    BeCounted(Arc<Census>),
    Durable(Receipt),
    Lost,
    Opened(Option<Box<Conversation>>),
    Page { session: SessionId, through: Seq, entries: Vec<Recorded> },
    // To agents.
    Agent(AgentCommand),
    Configure(Arc<AgentSettings>),
    Reserve(QueueId, ConversationId, Lease),
    Repeat(ConversationId, Seq, Lease),
    AskAbout(ConversationId),
    Serve(Vec<QueueId>),
    Tell(Vec<Told>),
    Feed(bool),
    Presence(Presence),
    // To queues.
    Queue(QueueCommand),
    // To agents and queues.
    Dismiss(Outstanding),
    // To sessions.
    Session(ToSession),
    Text(String),
    Pong,
    Ended(Cause),
}

impl Mail {
    /// Whether it is what a customer says.
    pub fn is_post(&self) -> bool {
        matches!(self, Self::Said(_, FromSession::Post(..)))
    }
}

/// What a session says to a conversation.
#[derive(Debug)]
pub enum FromSession {
    Join(Box<Join>),
    Again(Box<Join>),
    Hear { after: Seq, until: Option<Seq> },
    Post(Reference, MessageId, MessageText),
    End(Reference),
    Typing,
    Leaving(Option<Leaving>),
    Lost(Cause),
}

/// How a session comes in.
#[derive(Debug)]
pub struct Join {
    pub start: Option<StartRequest>,
    pub after: Option<Seq>,
    pub heartbeat: Span,
}
