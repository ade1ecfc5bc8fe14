//! What actors say to each other: plain owned data that names others by id, so that it could cross
//! from one node to another unchanged. Only what an HTTP request asks carries a way to answer it.

use std::sync::Arc;

use actix::Message;
use bytestring::ByteString;
use tokio::sync::oneshot;

use crate::domain::agent::command::AgentCommand;
use crate::domain::agent::{FeedNumber, Presence};
use crate::domain::cause::{Cause, Leaving};
use crate::domain::conversation::State;
use crate::domain::conversation::attendance::Signs;
use crate::domain::conversation::command::{Answer, Command, StartRequest};
use crate::domain::conversation::event::Reason;
use crate::domain::conversation::view::View;
use crate::domain::id::{AgentId, ConversationId, MessageId, QueueId, Seq, SessionId, VisitorId};
use crate::domain::lease::Lease;
use crate::domain::queue::{QueueCommand, Standing};
use crate::domain::text::MessageText;
use crate::domain::time::{Span, Timestamp};
use crate::engine::census::{Census, Outstanding};
use crate::engine::{AgentSignal, AgentView, Failure, Feed};
use crate::journal::Fault;
use crate::wire::client::Reference;
use crate::wire::refusal::RefusalCode;

/// What a session that goes has shown of its life, and the conversation has not read.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub(super) struct Heard {
    /// Whose.
    pub session: SessionId,
    /// What.
    pub signs: Signs,
}

/// Everything else that a conversation is told.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) enum ToConversation {
    /// A session says something.
    Session(SessionId, FromSession),
    /// An HTTP request asks something.
    Ask(Command, Reply<Answer>),
    /// An HTTP request wants to see it.
    Show(Reply<View>),
    /// An agent passes something on.
    Signal(AgentId, AgentSignal, Reply<()>),
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
    /// State all claims again, for whoever waits until all have, if anybody does.
    StateClaims(Option<Outstanding>),
    /// Be counted, if it is live and goes by a setting that somebody wants to take away; held until
    /// that is done.
    BeCounted(Arc<Census>, Outstanding),
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
    /// The journal may have lost what was not yet durable.
    Lost(Fault),
}

/// What a session says to a conversation.
#[derive(Debug)]
pub(super) enum FromSession {
    /// It comes in, with the first word of a new conversation or into one that is.
    Join(Box<Join>),
    /// It asks again for the chat that it is in.
    Again(Box<Join>),
    /// It wants to be told what comes after a place: of a chat that it is in, or of one that is
    /// over.
    Hear {
        /// The place.
        after: Seq,
        /// The last place that it wants to be told of; nothing when it stays.
        until: Option<Seq>,
    },
    /// It says something.
    Post(Reference, MessageId, MessageText),
    /// It ends the chat.
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
#[derive(Debug)]
pub(super) struct Join {
    /// The chat that is begun, if it is.
    pub start: Option<StartRequest>,
    /// The last place that the widget has seen; nothing when the session says later from where it
    /// wants to be told.
    pub after: Option<Seq>,
    /// How often it was asked to beat.
    pub heartbeat: Span,
    /// The program it says it is.
    pub program: Option<Arc<str>>,
    /// Who it may be of, see [`crate::engine::Entrance::of`].
    pub of: Option<[VisitorId; 2]>,
}

/// What a session is told.
#[derive(Clone, Debug, Message)]
#[rtype(result = "()")]
pub enum ToSession {
    /// It is in the conversation.
    Joined {
        /// Which.
        conversation: ConversationId,
        /// The state that the customer is told.
        state: State,
        /// The last place that the customer may see.
        seq: Seq,
    },
    /// It is not in the conversation.
    NotJoined {
        /// Which.
        conversation: ConversationId,
        /// Why.
        why: NotJoined,
    },
    /// Its message stands.
    Posted {
        /// What it called the request.
        reference: Reference,
        /// The message.
        id: MessageId,
        /// Its place.
        seq: Seq,
        /// When it was posted.
        at: Timestamp,
    },
    /// Its request is done.
    Done {
        /// What it called the request.
        reference: Reference,
        /// The state that the customer is told now.
        state: State,
        /// The last place that the customer may see.
        seq: Seq,
        /// Why the chat ended.
        reason: Option<Reason>,
    },
    /// Its request was refused.
    Refused {
        /// What it called the request.
        reference: Reference,
        /// Why.
        code: RefusalCode,
    },
    /// A frame for the customer, encoded once for all sessions.
    Frame {
        /// The place it tells of; zero when it tells of none.
        seq: Seq,
        /// The frame.
        text: ByteString,
    },
    /// The chat is over, and the session was told all of it; it is not in there any more.
    Over(ConversationId),
    /// It must be asked for a sign of life.
    Probe,
    /// It must be closed.
    Close(Closing),
}

/// Why a session is not in a conversation.
#[derive(Clone, Debug)]
pub enum NotJoined {
    /// The chat is over.
    Ended {
        /// Its state.
        state: State,
        /// Why it is over.
        reason: Option<Reason>,
        /// The last place that the customer may see.
        seq: Seq,
        /// Where the customer is sent, after a loss alone.
        redirect: Option<Arc<str>>,
        /// When it was closed.
        closed_at: Option<Timestamp>,
    },
    /// There is no such conversation.
    Unknown,
    /// It cannot be served now.
    Denied(RefusalCode),
}

/// Why a session is closed by the engine.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Closing {
    /// The server stops.
    Draining,
    /// The conversation was opened anew after a fault.
    Restarted,
    /// Another session took its place.
    Replaced,
    /// It was silent.
    Silent,
    /// It read too slowly.
    Slow,
}

/// What an agent is told.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) enum ToAgent {
    /// Something is asked whose answer nobody awaits.
    Command(AgentCommand),
    /// An HTTP request chooses a presence; who asks, where it is not the agent.
    ChoosePresence(Presence, Option<AgentId>, Reply<AgentView>),
    /// An HTTP request wants to see them.
    Show(Reply<AgentView>),
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
    /// They are not an agent any more; held until that is done.
    Dismiss(Outstanding),
    /// Things for their feeds, in order.
    Tell(Vec<Told>),
    /// A conversation shows itself to one feed.
    Shown(FeedNumber, Vec<Told>),
    /// The server stops: their feeds end.
    EndFeeds,
    /// Something was erased: what is kept for feeds that come back is forgotten.
    ForgetKept,
    /// An HTTP request opens a feed.
    OpenFeed(OpenFeed),
    /// A console beats for the feed of this name.
    Beat(String, Reply<()>),
    /// Somebody else wants to give them a chat from which they may be gone for so long; until when
    /// they must be back, if they are.
    Expect(Span, Reply<Option<Timestamp>>),
}

/// How an HTTP request opens a feed.
#[derive(Debug)]
pub(super) struct OpenFeed {
    /// The id of the last event that the console has seen.
    pub after: Option<String>,
    /// Whether it is somebody else's console, which says nothing of the agent's being there.
    pub watching: bool,
    /// How often the console will beat, if it does.
    pub heartbeat: Span,
    /// Whom to give it.
    pub reply: Reply<Feed>,
}

/// One thing for an agent's feeds.
#[derive(Clone, Debug)]
pub(super) struct Told {
    /// The name of the event.
    pub event: &'static str,
    /// Its JSON.
    pub data: ByteString,
    /// The place at which the journal tells a feed of it, too.
    pub place: Option<(ConversationId, Seq)>,
    /// Whether it is only passing, and not kept for feeds that come back.
    pub passing: bool,
}

/// What a queue is told.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) enum ToQueue {
    /// Something is said whose answer nobody awaits.
    Command(QueueCommand),
    /// Several of these, from conversations of one thread, in their order.
    Several(Vec<QueueCommand>),
    /// An HTTP request wants to know how many wait, and for how long.
    Figures(Reply<(usize, Option<Span>)>),
    /// An HTTP request wants to know how a chat stands in its line.
    Explain(ConversationId, Reply<Option<Standing>>),
    /// It is not a queue any more; held until it has gone.
    Dismiss(Outstanding),
}

/// The way to answer an HTTP request. When it is dropped unanswered, the request learns that.
pub(super) type Reply<T> = oneshot::Sender<Result<T, Failure>>;
