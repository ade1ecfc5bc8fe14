//! What is to be done for an agent, in order, and the turn that collects it.

use std::sync::Arc;

use bytestring::ByteString;

use crate::behavior::agent::input::{Choice, Facts};
use crate::behavior::message::{Answered, Denial, RequestId, ToConversation, Trouble};
use crate::domain::agent::FeedNumber;
use crate::domain::agent::command::AgentCommand;
use crate::domain::id::{ConversationId, QueueId};
use crate::domain::position::Position;
use crate::domain::queue::QueueCommand;
use crate::domain::time::Timestamp;
use crate::wire::feed::FeedKind;

/// What is to be done for an agent.
#[derive(Debug)]
pub enum Output {
    /// A conversation is told something.
    ToConversation(ConversationId, Box<ToConversation>),
    /// A queue is told something.
    ToQueue(QueueId, Box<QueueCommand>),
    /// A console listens to the agent: from now on conversations tell what the console shows.
    Listened,
    /// A feed is told an event. If there is no room for it the feed ends, and the agent is given
    /// [`Input::FeedSlow`](crate::behavior::agent::Input::FeedSlow). A feed that has ended
    /// is told nothing.
    Feed {
        /// The feed.
        feed: FeedNumber,
        /// Whether it is a part of something that waited for room; no bound holds for it.
        is_part: bool,
        /// The event's id.
        id: Option<Arc<str>>,
        /// What it is.
        kind: FeedKind,
        /// Its JSON.
        data: ByteString,
    },
    /// A feed ends once its console has taken what waits for it; the console comes back.
    EndFeed(FeedNumber),
    /// A feed ends, and what waits for it is forgotten: its console is in all likelihood gone.
    AbandonFeed(FeedNumber),
    /// When a feed has room for another part the agent is given
    /// [`Input::Room`](crate::behavior::agent::Input::Room).
    AwaitRoom(FeedNumber),
    /// A page of what happened to the agent after this position is read for a feed, and given back
    /// as [`Input::Missed`](crate::behavior::agent::Input::Missed).
    ReadMissed(FeedNumber, Position),
    /// A presence that was chosen at this time is written, and given back as
    /// [`Input::PresenceWritten`](crate::behavior::agent::Input::PresenceWritten).
    WritePresence(Choice, Timestamp),
    /// A request is answered.
    Answer(RequestId, Box<Result<Answered, Denial>>),
    /// Something is to be counted, or told to the operator of the server.
    Note(Note),
    /// The agent's actor ends. This request is answered once the agent is gone.
    Stop(RequestId),
}

const _: () = assert!(size_of::<Output>() <= 64, "a turn's outputs stand side by side");

/// What is to be counted, or told to the operator of the server.
#[derive(Debug)]
pub enum Note {
    /// By how many the number of leases has grown; negative when it has shrunk.
    Leases(i64),
    /// A conversation repeated a lease that the agent should have known and did not: it is
    /// corrected.
    Drift(Box<AgentCommand>),
    /// A console that used to beat has stopped: its feed ends.
    FeedHung,
    /// What a feed has missed cannot be read: it ends.
    Unread(Trouble),
}

/// The moment at which an input is dealt with, and what is to be done for it.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    pub(super) now: Timestamp,
    pub(super) facts: Facts,
    pub(super) out: &'a mut Vec<Output>,
}

impl Turn<'_> {
    pub(super) fn tell_conversation(&mut self, id: ConversationId, message: ToConversation) {
        self.out.push(Output::ToConversation(id, Box::new(message)));
    }

    pub(super) fn tell_queue(&mut self, id: &QueueId, command: QueueCommand) {
        self.out.push(Output::ToQueue(id.clone(), Box::new(command)));
    }

    pub(super) fn answer(&mut self, request: RequestId, answer: Result<Answered, Denial>) {
        self.out.push(Output::Answer(request, Box::new(answer)));
    }

    pub(super) fn note(&mut self, note: Note) {
        self.out.push(Output::Note(note));
    }
}
