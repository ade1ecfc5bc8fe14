//! What a queue is told, and what can happen in one.

use crate::domain::agent::Availability;
use crate::domain::id::{AgentId, ConversationId};
use crate::domain::time::Timestamp;

/// A chat in the line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Waiting {
    /// From when its place in the line counts: the beginning of the chat.
    pub since: Timestamp,
    /// From when its waiting counts: when it came into the line, or back into it.
    pub entered_at: Timestamp,
    /// The units it takes of an agent.
    pub units: u32,
    /// Whether it keeps its place and is not to be served, because its customer is away.
    pub is_held: bool,
    /// Agents who are not to be asked.
    pub excluded: Vec<AgentId>,
    /// Agents who are asked only when nobody else can take it.
    pub not_first: Vec<AgentId>,
}

/// How a chat stands in the line, and why nobody has it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Standing {
    /// Its position, from 1; nothing in the middle of a very long line.
    pub position: Option<usize>,
    /// Whether it is not offered for now, because its customer is away.
    pub is_held: bool,
    /// Whether an agent is being asked to set units aside for it.
    pub is_asked_for: bool,
    /// How the agents who serve the queue stand.
    pub staffing: Staffing,
}

/// How the agents of a queue stand towards one chat, each counted once.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Staffing {
    /// Could be asked.
    pub free: usize,
    /// Ready, with too little room.
    pub full: usize,
    /// Not ready: offline, away, busy or not to be disturbed.
    pub not_ready: usize,
    /// Not asked again, because they let it go too often.
    pub excluded: usize,
}

/// Something that is told to a queue.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum QueueCommand {
    /// A chat waits, or states anew how it waits.
    Join(ConversationId, Waiting),
    /// A chat does not wait any more.
    Leave(ConversationId),
    /// An agent who serves this queue has changed.
    AgentChanged(Availability),
    /// An agent does not serve this queue any more.
    AgentLeft(AgentId),
    /// The agent who was asked set the units aside.
    Granted(ConversationId, AgentId),
    /// The agent who was asked could not set the units aside.
    Refused(ConversationId, AgentId),
    /// Every conversation and every agent has said what concerns this queue since it was made.
    AllHeard,
    /// A chat that waits asks for its position; this changes nothing.
    Locate(ConversationId),
    /// Find an agent for some chat.
    Match,
}

impl QueueCommand {
    /// Whether this may let an agent be found for some chat. A chat that leaves makes no room, and
    /// an agent who has refused says next how they are.
    pub const fn may_match(&self) -> bool {
        !matches!(self, Self::Refused(..) | Self::Leave(_))
    }
}

/// Something that happened in a queue. None is journaled: all of it follows from what
/// conversations and agents say.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum QueueEvent {
    /// A chat joined the line.
    Joined(ConversationId, Waiting),
    /// A chat left the line.
    Left(ConversationId),
    /// A candidate changed.
    CandidateChanged(Availability),
    /// A candidate left.
    CandidateLeft(AgentId),
    /// An agent is asked for a chat.
    Asked(ConversationId, AgentId),
    /// The agent set the units aside; the chat is not asked for again, and will leave the line.
    Served(ConversationId, AgentId),
    /// The agent could not set the units aside; the chat waits on.
    AskEnded(ConversationId),
    /// Everybody was heard: from now on agents are asked.
    AllHeard,
}
