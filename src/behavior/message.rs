//! What actors say to each other: plain owned data that names others by id, so that it could cross
//! from one node to another unchanged. A caller is named by the number of its request; the way to
//! answer it stays on the caller's side.

mod answer;
mod session;

use std::sync::Arc;

use bytestring::ByteString;

pub use crate::behavior::message::answer::{AgentView, Answered, Denial, RequestId, Trouble};
pub use crate::behavior::message::session::{Closing, NotJoined, ToSession};

use crate::domain::agent::command::AgentCommand;
use crate::domain::agent::{FeedNumber, Presence};
use crate::domain::cause::{Cause, Leaving};
use crate::domain::conversation::command::{Command, StartRequest};
use crate::domain::id::{AgentId, ConversationId, MessageId, QueueId, Seq, SessionId, VisitorId};
use crate::domain::lease::Lease;
use crate::domain::liveness::Signs;
use crate::domain::queue::QueueCommand;
use crate::domain::settings::registry::Setting;
use crate::domain::text::MessageText;
use crate::domain::time::{Span, Timestamp};
use crate::wire::client::Reference;
use crate::wire::feed::{self, FeedKind};

/// The signs of life of a departing session that its conversation has not read yet.
#[derive(Clone, Copy, Debug)]
pub struct Heard {
    /// The session.
    pub session: SessionId,
    /// The signs.
    pub signs: Signs,
}

/// Everything else that a conversation is told.
#[derive(Debug, Eq, PartialEq)]
pub enum ToConversation {
    /// A session says something.
    Session(SessionId, FromSession),
    /// A request asks something.
    Ask(Box<Command>, RequestId),
    /// A request asks for a view of the conversation.
    Show(RequestId),
    /// An agent passes a signal on to the customer.
    Signal(AgentId, AgentSignal, RequestId),
    /// An agent has set units aside for it: the number of the reservation, and how many units.
    Offer(AgentId, u64, u32),
    /// An agent can no longer take the offer for which they set units aside under this number.
    Withdraw(AgentId, u64),
    /// An agent was gone for too long.
    AgentGone(AgentId),
    /// The customer must be told that the agent's connection is gone, since this time.
    MissAgent(AgentId, Timestamp),
    /// The agent is back, after the customer was told that they are away.
    MeetAgent(AgentId),
    /// An agent wants to see it: on this feed, which they opened, or, with none, on all feeds,
    /// because there was no listener before.
    ShowTo(AgentId, Option<FeedNumber>),
    /// An agent asks what the conversation holds of them.
    ConfirmLease(AgentId),
    /// State all claims again, and answer the request, if there is one, that waits for all
    /// conversations to do so.
    StateClaims(Option<RequestId>),
    /// Say whether it is live and goes by a setting that a request wants to remove.
    BeCounted(Setting, RequestId),
    /// The conversation was entered as new, but another chat was found in its place.
    NeverBegins,
    /// Its position in the line of its queue.
    Position {
        /// From 1.
        position: usize,
        /// How long it may take.
        wait: Option<Span>,
    },
    /// The conversation was erased: nobody is told of it any more.
    Erased,
}

/// What a session says to a conversation.
#[derive(Debug, Eq, PartialEq)]
pub enum FromSession {
    /// The session joins an existing conversation, or begins a new one with its first word. The
    /// answer is [`ToSession::Joined`], followed by all that was missed, or
    /// [`ToSession::NotJoined`].
    Join(Box<Join>),
    /// The session asks again for the chat that it is in. The answer is the same; a session that
    /// was given up meanwhile is closed.
    Again(Box<Join>),
    /// The session wants to be told what comes after a place. It is in the chat, or the chat is
    /// over; then the last answer is [`ToSession::Over`].
    Hear {
        /// The place.
        after: Seq,
        /// The last place that the session wants to be told of; nothing when it stays.
        until: Option<Seq>,
    },
    /// The session posts a message. The answer is [`ToSession::Posted`] or [`ToSession::Refused`].
    Post(Reference, MessageId, MessageText),
    /// The session ends the chat. The answer is [`ToSession::Done`] or [`ToSession::Refused`].
    End(Reference),
    /// The customer types, or stopped.
    Typing(bool),
    /// The customer has read up to here.
    Read(Seq),
    /// The page announced that it is being left, or, with nothing, that it is in front again.
    Leaving(Option<Leaving>),
    /// The browser answers and the page has said nothing for long, or it has again.
    Asleep(bool),
    /// The session is gone.
    Lost(Cause),
}

/// How a session joins.
#[derive(Debug, Eq, PartialEq)]
pub struct Join {
    /// The chat that the session begins, if it begins one.
    pub start: Option<StartRequest>,
    /// The last place that the widget has seen; nothing when the session says later from where it
    /// wants to be told.
    pub after: Option<Seq>,
    /// How often the session was asked to beat.
    pub heartbeat: Span,
    /// The program it says it is.
    pub program: Option<Arc<str>>,
    /// If present, one of these visitors must have begun the conversation. Anybody else is told
    /// that there is no such conversation.
    pub of: Option<[VisitorId; 2]>,
}

/// What an agent is told.
#[derive(Debug, Eq, PartialEq)]
pub enum ToAgent {
    /// A command whose answer nobody awaits.
    Command(AgentCommand),
    /// A request chooses a presence; the caller is named where it is not the agent.
    ChoosePresence(Presence, Option<AgentId>, RequestId),
    /// A request asks for a view of the agent.
    Show(RequestId),
    /// A queue wants to give them a chat.
    Reserve(QueueId, ConversationId, Lease),
    /// A conversation says what it holds of the agent, for the first time or again.
    Adjust {
        /// The conversation.
        conversation: ConversationId,
        /// The place from which on it holds this.
        seq: Seq,
        /// What the conversation holds.
        lease: Option<Lease>,
        /// Whether this only repeats what was said before, so that a difference is drift.
        repeated: bool,
    },
    /// Several of these, from conversations of one thread, in their order.
    Several(Vec<Self>),
    /// A conversation was opened again after a fault. Ask it what it holds of the agent, or for the
    /// offer if the agent has set units aside for one.
    AskAbout(ConversationId),
    /// The queues they serve have changed.
    Serve(Vec<QueueId>),
    /// They are no longer an agent; the request is answered when they have gone.
    Dismiss(RequestId),
    /// Items for the agent's feeds, in order.
    Tell(Vec<FeedItem>),
    /// A conversation shows itself to one feed.
    Shown(FeedNumber, Vec<FeedItem>),
    /// The server stops: their feeds end.
    EndFeeds,
    /// Something was erased: what is kept for feeds that come back is forgotten.
    ForgetKept,
    /// A conversation of the agent's was read from the journal again: feeds may not have been told
    /// what happened in it before.
    LosePlace,
    /// A console beats for the feed of this name.
    Beat(String, RequestId),
    /// Somebody else wants to give the agent a chat with this grace. The answer is until when the
    /// agent must be back, if they are away.
    Expect(Span, RequestId),
}

/// One item for an agent's feeds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FeedItem {
    /// What it is.
    pub kind: FeedKind,
    /// Its JSON.
    pub data: ByteString,
    /// The place at which the journal tells a feed of it, too, if it does.
    pub place: Option<(ConversationId, Seq)>,
    /// Whether it is only passing, and not kept for feeds that come back.
    pub passing: bool,
}

impl From<feed::Rendered> for FeedItem {
    fn from(rendered: feed::Rendered) -> Self {
        Self { kind: rendered.kind, data: rendered.data, place: None, passing: false }
    }
}

impl FeedItem {
    /// An item that is only passing: it has no id, and a feed that is not open misses it.
    pub const fn passing(kind: FeedKind, data: ByteString) -> Self {
        Self { kind, data, place: None, passing: true }
    }

    /// An item of which the journal also tells, at this place.
    pub fn at(rendered: feed::Rendered, conversation: ConversationId, seq: Seq) -> Self {
        Self { place: Some((conversation, seq)), ..Self::from(rendered) }
    }
}

/// What a queue is told.
#[derive(Debug, Eq, PartialEq)]
pub enum ToQueue {
    /// A command whose answer nobody awaits.
    Command(QueueCommand),
    /// Several of these, from conversations of one thread, in their order.
    Several(Vec<QueueCommand>),
    /// A request wants to know how many wait, and for how long.
    Figures(RequestId),
    /// A request wants to know how a chat stands in its line.
    Explain(ConversationId, RequestId),
    /// It is no longer a queue; the request is answered when it has gone.
    Dismiss(RequestId),
}

/// What an agent passes on to a customer without an entry in the journal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AgentSignal {
    /// The agent types, or has stopped.
    Typing(bool),
    /// The agent has read up to this place.
    Read(Seq),
}

impl ToConversation {
    /// The request that waits for an answer to this.
    pub const fn request(&self) -> Option<RequestId> {
        match self {
            Self::Ask(_, request)
            | Self::Show(request)
            | Self::Signal(_, _, request)
            | Self::BeCounted(_, request)
            | Self::StateClaims(Some(request)) => Some(*request),
            _ => None,
        }
    }
}

impl ToAgent {
    /// The request that waits for an answer to this.
    pub const fn request(&self) -> Option<RequestId> {
        match self {
            Self::ChoosePresence(_, _, request)
            | Self::Show(request)
            | Self::Dismiss(request)
            | Self::Beat(_, request)
            | Self::Expect(_, request) => Some(*request),
            _ => None,
        }
    }
}

impl ToQueue {
    /// The request that waits for an answer to this.
    pub const fn request(&self) -> Option<RequestId> {
        match self {
            Self::Figures(request) | Self::Explain(_, request) | Self::Dismiss(request) => {
                Some(*request)
            }
            Self::Command(_) | Self::Several(_) => None,
        }
    }
}
