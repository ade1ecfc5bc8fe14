//! What will happen to a world. The seed determines all of it before anything happens, so that a
//! failure can be repeated and then told with as few happenings as it takes.

mod draw;
pub mod twist;

use holdline::domain::agent::Presence;

use crate::server::{Millis, Weather};

/// Everything that will happen in one world.
#[derive(Clone, Debug)]
pub struct Plan {
    pub seed: u64,
    /// How many times longer than usual everything takes.
    pub stretched: u64,
    pub streams: Vec<StreamPlan>,
    pub agents: Vec<AgentPlan>,
    pub tabs: Vec<TabPlan>,
    pub happenings: Vec<Happening>,
}

/// A workstream, with a queue and a widget of the same number. Times are in seconds.
#[derive(Clone, Copy, Debug)]
pub struct StreamPlan {
    pub units: u32,
    pub window: u64,
    pub heartbeat: u64,
    pub offer: u64,
    pub decline_limit: u8,
    pub grace: u64,
    /// How long wrap-up holds the units: not at all, until it closes, or for this long.
    pub block: Block,
    pub close_open: Option<u64>,
    pub close_active: Option<u64>,
    pub close_wrapup: u64,
    pub idle: Option<(u64, u64)>,
}

/// How long wrap-up holds an agent's units.
#[derive(Clone, Copy, Debug)]
pub enum Block {
    Never,
    Always,
    For(u64),
}

/// An agent, and how they handle one chat after the other.
#[derive(Clone, Debug)]
pub struct AgentPlan {
    pub units: u32,
    pub queues: Vec<usize>,
    pub delay: Millis,
    pub handlings: Vec<Handling>,
}

/// How an agent handles a chat.
#[derive(Clone, Copy, Debug)]
pub struct Handling {
    pub reply: Reply,
    pub after: Millis,
    pub messages: u32,
    pub every: Millis,
    pub finish: Finish,
    /// After how long the agent closes the wrap-up, if at all.
    pub close: Option<Millis>,
    /// What an administrator does during the offer, and how soon.
    pub meddled: Option<(Millis, What)>,
}

/// What an agent does with an offer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reply {
    Accept,
    Decline,
    Ignore,
    /// They go away in the middle of the offer, for this long.
    Vanish(Millis),
}

/// How an agent leaves a chat.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Finish {
    End,
    Release,
    Stay,
}

/// A browser's tab.
#[derive(Clone, Copy, Debug)]
pub struct TabPlan {
    pub visitor: u64,
    pub widget: usize,
    pub up: Millis,
    pub down: Millis,
    /// Whether it begins a new chat when its chat is over.
    pub persists: bool,
    /// Whether it asks for a chat in one breath with hello.
    pub is_hasty: bool,
}

/// Something that happens.
#[derive(Clone, Copy, Debug)]
pub struct Happening {
    pub at: Millis,
    pub what: What,
}

/// What happens.
#[derive(Clone, Copy, Debug)]
pub enum What {
    /// A page is opened, and asks for a chat.
    Open(usize),
    /// A page is opened from another, with all that it knows.
    Copy { from: usize, to: usize },
    /// A message, sent this many times; the next message goes before it if it is out of order.
    Post { tab: usize, copies: u32, reorder: bool },
    /// The connection is reset, and the page comes back after this long.
    Cut { tab: usize, away: Millis },
    /// Nothing gets through for a while, in one direction or both.
    Block { tab: usize, up: bool, down: bool, lasts: Millis },
    /// The phone is locked: it says so, and then nothing more until it is unlocked.
    Lock { tab: usize, lasts: Millis },
    /// The page is in the background, and its timers are slow; or not any more.
    Throttle { tab: usize, on: bool },
    /// The page reads nothing for a while.
    Stall { tab: usize, lasts: Millis },
    /// The customer presses End.
    End(usize),
    /// The page is closed for good, after it said so.
    Leave(usize),
    /// Every socket drops; each page comes back after its own time, up to this.
    Storm { within: Millis },
    /// An agent opens a console and is there, or closes it.
    Console { agent: usize, open: bool },
    /// An agent chooses a presence.
    Choose { agent: usize, presence: Presence },
    /// An agent picks a chat that waits.
    Pick { agent: usize, chat: usize },
    /// A supervisor gives a chat to an agent.
    Assign { agent: usize, chat: usize },
    /// A supervisor closes a chat.
    ForceClose(usize),
    /// A supervisor takes a chat from its agent.
    TakeBack(usize),
    /// An administrator changes a workstream.
    Stream(usize, StreamPlan),
    /// An administrator changes an agent's units.
    Units { agent: usize, units: u32 },
    /// An administrator changes which queues an agent serves.
    Serve { agent: usize, queue: usize, on: bool },
    /// An administrator deletes an agent, and after this long puts the agent again with these
    /// units.
    Dismiss { agent: usize, units: u32, away: Millis },
    /// An administrator puts an agent again, in the queues that they served.
    PutAgain { agent: usize, units: u32 },
    /// An administrator points a workstream at another queue, and deletes its own once that is
    /// empty. After this long the queue is made again, and the workstream points back.
    Requeue { which: usize, away: Millis },
    /// An administrator points a workstream at a queue, which is made if it is not there.
    Redirect { which: usize, queue: usize },
    /// An administrator deletes a queue.
    DropQueue(usize),
    /// The actor of a conversation dies, after this many more turns of any conversation.
    Die { turns: u64, is_late: bool },
    /// The disk behaves like this from now on.
    Disk(Weather),
    /// What is on the disk is copied.
    BackUp,
    /// The node is stopped, the last copy replaces what is on its disk, and the node is started
    /// again after this long.
    Restore { down: Millis },
    /// The node is killed in the middle of its work, after this many more steps, and started again
    /// later. Meanwhile the wall clock has stepped.
    Crash { steps: u64, down: Millis, step: i64 },
}

impl StreamPlan {
    /// How long an agent may be gone from an offer, in seconds. It is not drawn, so that seeds that
    /// once found something still have the same plan.
    pub fn offer_grace(&self) -> u64 {
        1 + self.grace % 10
    }

    /// After how many seconds a customer is told that the agent is away, if ever.
    pub fn notice(&self) -> Option<u64> {
        (!self.grace.is_multiple_of(5)).then_some(1 + self.grace % 7)
    }
}

impl Plan {
    /// The plan of a seed.
    pub fn draw(seed: u64) -> Self {
        draw::plan(seed)
    }

    /// The same plan with fewer happenings.
    pub fn with(&self, happenings: Vec<Happening>) -> Self {
        Self { happenings, ..self.clone() }
    }
}
