//! What actors say to each other: plain owned data that names others by id, so that it could cross
//! from one node to another unchanged. Who asks is named by the number of the request; the way to
//! answer stays with who asked.

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

/// What a session that goes has shown of its life, and the conversation has not read.
#[derive(Clone, Copy, Debug)]
pub struct Heard {
    /// Whose.
    pub session: SessionId,
    /// What.
    pub signs: Signs,
}

/// Everything else that a conversation is told.
#[derive(Debug, Eq, PartialEq)]
pub enum ToConversation {
    /// A session says something.
    Session(SessionId, FromSession),
    /// A request asks something.
    Ask(Box<Command>, RequestId),
    /// A request wants to see it.
    Show(RequestId),
    /// An agent passes something on.
    Signal(AgentId, AgentSignal, RequestId),
    /// An agent has set units aside for it: under this number, and so many.
    Offer(AgentId, u64, u32),
    /// An agent could not take the offer any more for which they have set units aside under this
    /// number.
    Withdraw(AgentId, u64),
    /// An agent was gone for too long.
    AgentGone(AgentId),
    /// The customer must be told that the agent's connection is gone, since this time.
    MissAgent(AgentId, Timestamp),
    /// The agent is back, whom the customer was told to be away.
    MeetAgent(AgentId),
    /// An agent opened a feed and wants to see it; or nobody had listened, and now all feeds do.
    ShowTo(AgentId, Option<FeedNumber>),
    /// An agent asks what it holds of them.
    ConfirmLease(AgentId),
    /// State all claims again, and answer the request that waits until all have, if one does.
    StateClaims(Option<RequestId>),
    /// Be counted, if it is live and goes by a setting that somebody wants to take away.
    BeCounted(Setting, RequestId),
    /// It was entered as new, and another chat was found in its place.
    NeverBegins,
    /// Where it stands in the line.
    Position {
        /// From 1.
        position: usize,
        /// How long it may take.
        wait: Option<Span>,
    },
    /// It was erased: nobody is told of it any more.
    Erased,
}

/// What a session says to a conversation.
#[derive(Debug, Eq, PartialEq)]
pub enum FromSession {
    /// It comes in, with the first word of a new conversation or into one that is. The answer is
    /// [`ToSession::Joined`], followed by all that was missed, or [`ToSession::NotJoined`].
    Join(Box<Join>),
    /// It asks again for the chat that it is in. The answer is the same; a session that was given
    /// up meanwhile is closed.
    Again(Box<Join>),
    /// It wants to be told what comes after a place: of a chat that it is in, or of one that is
    /// over, where the last answer is [`ToSession::Over`].
    Hear {
        /// The place.
        after: Seq,
        /// The last place that it wants to be told of; nothing when it stays.
        until: Option<Seq>,
    },
    /// It says something. The answer is [`ToSession::Posted`] or [`ToSession::Refused`].
    Post(Reference, MessageId, MessageText),
    /// It ends the chat. The answer is [`ToSession::Done`] or [`ToSession::Refused`].
    End(Reference),
    /// The customer types, or stopped.
    Typing(bool),
    /// The customer has read up to here.
    Read(Seq),
    /// The page announced that it is being left, or, with nothing, that it is in front again.
    Leaving(Option<Leaving>),
    /// The browser answers and the page has said nothing for long, or it has again.
    Asleep(bool),
    /// It is gone.
    Lost(Cause),
}

/// How a session comes in.
#[derive(Debug, Eq, PartialEq)]
pub struct Join {
    /// The chat that is begun, if it is.
    pub start: Option<StartRequest>,
    /// The last place that the widget has seen; nothing when the session says later from where it
    /// wants to be told.
    pub after: Option<Seq>,
    /// How often it was asked to beat.
    pub heartbeat: Span,
    /// The program it says it is.
    pub program: Option<Arc<str>>,
    /// The visitors one of whom must have begun the conversation, which is not known to be there
    /// otherwise; anybody when absent.
    pub of: Option<[VisitorId; 2]>,
}

/// What an agent is told.
#[derive(Debug, Eq, PartialEq)]
pub enum ToAgent {
    /// Something is asked whose answer nobody awaits.
    Command(AgentCommand),
    /// A request chooses a presence; who asks, where it is not the agent.
    ChoosePresence(Presence, Option<AgentId>, RequestId),
    /// A request wants to see them.
    Show(RequestId),
    /// A queue wants to give them a chat.
    Reserve(QueueId, ConversationId, Lease),
    /// A conversation says what it holds of them; whether to check a claim that should be known.
    Adjust {
        /// Which.
        conversation: ConversationId,
        /// From this place on.
        seq: Seq,
        /// What it holds.
        lease: Option<Lease>,
        /// Whether this only repeats what was said before, so that a difference is drift.
        repeated: bool,
    },
    /// Several of these, from conversations of one thread, in their order.
    Several(Vec<Self>),
    /// A conversation was opened again after a fault: ask it what it holds of them, or for the
    /// offer for which they set units aside.
    AskAbout(ConversationId),
    /// The queues they serve have changed.
    Serve(Vec<QueueId>),
    /// They are not an agent any more; answered when they have gone.
    Dismiss(RequestId),
    /// Things for their feeds, in order.
    Tell(Vec<FeedItem>),
    /// A conversation shows itself to one feed.
    Shown(FeedNumber, Vec<FeedItem>),
    /// The server stops: their feeds end.
    EndFeeds,
    /// Something was erased: what is kept for feeds that come back is forgotten.
    ForgetKept,
    /// A conversation of theirs was read from the journal again: feeds may not have been told what
    /// happened in it before.
    LosePlace,
    /// A console beats for the feed of this name.
    Beat(String, RequestId),
    /// Somebody else wants to give them a chat from which they may be gone for so long; until when
    /// they must be back, if they are.
    Expect(Span, RequestId),
}

/// One thing for an agent's feeds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FeedItem {
    /// What it is.
    pub kind: FeedKind,
    /// Its JSON.
    pub data: ByteString,
    /// The place at which the journal tells a feed of it, too.
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
    /// Something that is only passing: it has no id, and whoever was not there missed it.
    pub const fn passing(kind: FeedKind, data: ByteString) -> Self {
        Self { kind, data, place: None, passing: true }
    }

    /// Something of which the journal tells at this place, too.
    pub fn at(rendered: feed::Rendered, conversation: ConversationId, seq: Seq) -> Self {
        Self { place: Some((conversation, seq)), ..Self::from(rendered) }
    }
}

/// What a queue is told.
#[derive(Debug, Eq, PartialEq)]
pub enum ToQueue {
    /// Something is said whose answer nobody awaits.
    Command(QueueCommand),
    /// Several of these, from conversations of one thread, in their order.
    Several(Vec<QueueCommand>),
    /// A request wants to know how many wait, and for how long.
    Figures(RequestId),
    /// A request wants to know how a chat stands in its line.
    Explain(ConversationId, RequestId),
    /// It is not a queue any more; answered when it has gone.
    Dismiss(RequestId),
}

/// What an agent passes on to a customer without its being journaled.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AgentSignal {
    /// They type, or stopped.
    Typing(bool),
    /// They have read up to this place.
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
