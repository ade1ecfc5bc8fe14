//! What a simulated conversation is given, and what it wants done.

use holdline::behavior::message::{
    Answered, Denial, FromSession, RequestId, ToAgent, ToConversation, ToSession,
};
use holdline::domain::conversation::Conversation;
use holdline::domain::conversation::event::{Event, Recorded};
use holdline::domain::decision::Receipt;
use holdline::domain::id::{AgentId, QueueId, Seq, SessionId, VisitorId, WidgetId};
use holdline::domain::queue::QueueCommand;
use holdline::domain::time::Timestamp;

use crate::node::facts::Facts;

/// What it is given, one after the other.
#[derive(Debug)]
pub enum Input {
    /// It begins to be served.
    Begin(Beginning),
    /// Somebody tells it something.
    Told(ToConversation),
    /// What it wrote is durable, up to a place.
    Durable(Receipt),
    /// What it wrote may be lost.
    Lost,
    /// It was read; nothing when there is no such conversation.
    Loaded(Option<Box<Conversation>>),
    /// What a session has missed, as far as it was read.
    Page { session: SessionId, through: Seq, entries: Vec<Recorded> },
    /// Instead of a page: the session has no room for one.
    NoRoom(SessionId),
    /// A frame found no room.
    Slow(SessionId),
    /// Nobody took a lease.
    Missing(AgentId),
    /// The time has come that it wanted to be woken at.
    Wake,
}

/// How it begins.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Beginning {
    /// It was entered for a chat that is about to begin.
    Fresh,
    /// It is as it was when the server stopped.
    Recovered,
    /// It is still to be read.
    Unread,
}

/// What is to be done for it, in this order.
#[derive(Debug)]
pub enum Output {
    Append {
        first: Seq,
        at: Timestamp,
        events: Vec<Event>,
    },
    ToSession(SessionId, ToSession),
    ToAgent(AgentId, ToAgent),
    ToQueue(QueueId, QueueCommand),
    /// Whoever has its name by then is told.
    PassOn(ToConversation),
    Answer(RequestId, Result<Answered, Denial>),
    ClaimVisitor(WidgetId, VisitorId),
    FreeVisitor(WidgetId, VisitorId),
    /// It is read: [`Input::Loaded`] follows.
    Load,
    /// What a session has missed is read: [`Input::Page`] follows, or [`Input::NoRoom`].
    ReadMissed {
        session: SessionId,
        after: Seq,
        through: Seq,
    },
    LeaveDirectory,
    Stop,
    /// The journal failed it.
    Fault,
}

/// What one input is dealt with by.
#[derive(Debug)]
pub struct Turn<'a> {
    pub now: Timestamp,
    pub facts: &'a Facts<'a>,
    pub out: &'a mut Vec<Output>,
}

impl Turn<'_> {
    pub fn tell_session(&mut self, session: SessionId, told: ToSession) {
        self.out.push(Output::ToSession(session, told));
    }

    pub fn tell_agent(&mut self, agent: AgentId, told: ToAgent) {
        self.out.push(Output::ToAgent(agent, told));
    }

    pub fn answer(&mut self, request: RequestId, answer: Result<Answered, Denial>) {
        self.out.push(Output::Answer(request, answer));
    }
}

impl Input {
    /// Whether it is what a customer says.
    pub fn is_post(&self) -> bool {
        matches!(self, Self::Told(ToConversation::Session(_, FromSession::Post(..))))
    }

    /// The request that waits for an answer to it.
    pub fn request(&self) -> Option<RequestId> {
        match self {
            Self::Told(told) => told.request(),
            _ => None,
        }
    }
}
