//! What is to be done for a conversation.

use std::sync::Arc;

use crate::behavior::message::{
    Answered, Denial, RequestId, ToAgent, ToConversation, ToSession, Trouble,
};
use crate::domain::cause::Cause;
use crate::domain::conversation::event::{Event, Reason};
use crate::domain::conversation::{Conversation, State};
use crate::domain::id::{AgentId, QueueId, Seq, SessionId, VisitorId, WidgetId};
use crate::domain::lease::Lease;
use crate::domain::queue::QueueCommand;
use crate::domain::time::{Span, Timestamp};

/// What is to be done for a conversation, in this order.
#[derive(Debug)]
pub enum Output {
    /// Events are given to the journal.
    Append {
        /// The place of the first of them.
        first: Seq,
        /// When they happened.
        at: Timestamp,
        /// What happened, in order.
        events: Arc<[Event]>,
    },
    /// A session is told something. If its socket has no room for a frame that must not be missed,
    /// the session is told nothing more but to close, and the conversation is given
    /// [`Input::Slow`](super::Input::Slow).
    Session(SessionId, ToSession),
    /// An agent is told something.
    Agent(AgentId, ToAgent),
    /// An agent is told what is held of them from a place on. If there is no such agent, the
    /// conversation is told that they are gone.
    Lease(Seq, Lease),
    /// A queue is told something.
    Queue(QueueId, QueueCommand),
    /// A request is answered.
    Answer(RequestId, Result<Answered, Denial>),
    /// A visitor's chat is this one from now on, unless they have another.
    ClaimVisitor(WidgetId, VisitorId),
    /// A visitor's chat is no longer this one.
    FreeVisitor(WidgetId, VisitorId),
    /// The conversation is read from the journal, after everything that was appended.
    Load,
    /// A page of what a session has missed is read, if its socket has room for it.
    ReadMissed {
        /// Which session.
        session: SessionId,
        /// The place after which the page begins.
        after: Seq,
        /// Everything up to this place that a customer may see is durable.
        through: Seq,
    },
    /// The conversation leaves the directory: for a caller that asks from now on, another actor is
    /// opened.
    LeaveDirectory,
    /// Another actor takes its place in the directory, and reads the conversation from the journal.
    MakeWay,
    /// The actor that has this conversation from now on is told something.
    PassOn(ToConversation),
    /// Its actor ends.
    Stop,
    /// Something to be counted, or written into the log.
    Note(Note),
}

// A turn keeps them in one list.
const _: () = assert!(size_of::<Output>() <= 96);

/// Something that is counted, or written into the log.
#[derive(Debug)]
pub enum Note {
    /// A chat has begun.
    Started,
    /// A message is durable.
    Posted,
    /// The loss of a session is durable.
    SessionLost(Cause),
    /// The end of a window is durable.
    Disconnected(Cause),
    /// The end of the conversation is durable.
    Closed(Reason),
    /// The end of a window was decided this long after it was due.
    Late(Span),
    /// A session is asked for a sign of life.
    Probed,
    /// A session read too slowly.
    SlowReader,
    /// An agent's lease was repeated.
    LeaseRepeated,
    /// A message was dropped, because too many waited already.
    NotKept,
    /// What the conversation counts as in the gauges has changed.
    Counted {
        /// From this.
        before: Tally,
        /// To this.
        after: Tally,
    },
    /// What a session has missed cannot be read.
    MissedUnread(Trouble),
    /// The conversation cannot go on and is read again, because the journal failed.
    GaveUp(Trouble),
}

/// What a conversation counts as in the gauges.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    /// Its state, unless it is closed or new.
    pub state: Option<State>,
    /// Whether its customer is away.
    pub away: bool,
    /// Whether it waits for its first agent, as its customer sees it.
    pub waits: bool,
}

impl Tally {
    /// What this conversation counts as now.
    pub(super) fn of(conversation: &Conversation) -> Self {
        Self {
            state: conversation.state().filter(|state| *state != State::Closed),
            away: conversation.absence().is_some(),
            waits: conversation.state_for_customer() == Some(State::Open),
        }
    }
}
