//! What an agent is given, one after the other.

use crate::behavior::message::{RequestId, ToAgent, Trouble};
use crate::domain::agent::{FeedNumber, Presence};
use crate::domain::id::AgentId;
use crate::domain::position::{Located, Position};
use crate::domain::time::Span;

/// What an agent is given.
#[derive(Debug)]
pub enum Input {
    /// The agent begins. It comes once, before everything else.
    Begin,
    /// The agent is told something.
    Told(ToAgent),
    /// A request opens a feed. What the feed is told has somewhere to go from now on.
    OpenFeed(Opening),
    /// A feed had no room for something that happened: it has ended, and takes nothing more.
    FeedSlow(FeedNumber),
    /// No console reads a feed any more.
    FeedClosed(FeedNumber),
    /// A feed has the room that was waited for, or has ended.
    Room(FeedNumber),
    /// What a feed has missed was read: a page of it, or nothing when there is no more.
    Missed(FeedNumber, Result<Vec<Located>, Trouble>),
    /// A choice is on the disk, or could not be written.
    PresenceWritten(Choice, Result<(), Trouble>),
    /// The time has come at which the agent wanted to be woken. Earlier or twice is harmless.
    Wake,
}

const _: () = assert!(size_of::<Input>() <= 64, "an input is passed on by value");

/// How a request opens a feed.
#[derive(Debug)]
pub struct Opening {
    /// The number of the feed; one that no other has had.
    pub feed: FeedNumber,
    /// The id of the last event that the console has seen.
    pub after: Option<String>,
    /// Whether it is somebody else's console, which does not show that the agent is there.
    pub watching: bool,
    /// How often the console will beat, if it does.
    pub heartbeat: Span,
    /// The request, which is answered when the feed is open.
    pub request: RequestId,
}

/// A presence that a request chooses for an agent.
#[derive(Clone, Debug)]
pub struct Choice {
    /// The presence.
    pub presence: Presence,
    /// The caller, where it is not the agent.
    pub by: Option<AgentId>,
    /// The request, which is answered when the choice is in force.
    pub request: RequestId,
}

/// What an agent must know of the moment.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// The position of the journal up to which every feed has surely been told.
    pub told_through: Position,
    /// Whether the server is stopping.
    pub is_draining: bool,
}
