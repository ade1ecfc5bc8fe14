//! The thing under test, as the world around it sees it: what may be done to a server, and what
//! is seen of it. The simulated node is one; the engine under a paused clock can be another.

use holdline::domain::agent::Presence;
use holdline::domain::conversation::command::{Answer, Authority, Command};
use holdline::domain::conversation::event::{Author, Event};
use holdline::domain::conversation::view::View;
use holdline::domain::id::{AgentId, ConversationId, Seq, SessionId, WidgetId};
use holdline::domain::settings::registry::SettingChange;
use holdline::domain::time::Timestamp;

/// The world's own time: milliseconds since it began. It never steps, unlike a wall clock.
pub type Millis = u64;

/// The number of a call of an agent's, a supervisor's or an administrator's.
pub type Ticket = u64;

/// A server, with its disk.
pub trait Server {
    /// Starts it, with what is on its disk, under a wall clock that says this.
    fn start(&mut self, wall: Timestamp);

    /// Kills it. What was not synced may be lost, in whole or in part.
    fn crash(&mut self);

    /// Copies what is on its disk, while it runs.
    fn back_up(&mut self);

    /// Puts the last copy in the place of what is on its disk, while it is down.
    fn restore(&mut self);

    /// Whether it runs.
    fn is_up(&self) -> bool;

    /// What its clock says, while it runs.
    fn clock(&self) -> Timestamp;

    /// A widget opens a socket; none if the server does not let it in.
    fn connect(&mut self, widget: &WidgetId) -> Option<SessionId>;

    /// A frame of a widget's arrives.
    fn say(&mut self, session: SessionId, frame: &str);

    /// A pong of a widget's arrives.
    fn pong(&mut self, session: SessionId);

    /// A socket ends, and the server learns of it.
    fn cut(&mut self, session: SessionId, cut: Cut);

    /// A socket takes nothing more from the server, or does again.
    fn stall(&mut self, session: SessionId, stalled: bool);

    /// A person calls. The answer is seen later, or never if the server is killed.
    fn call(&mut self, ticket: Ticket, call: Call);

    /// An agent opens a console, or closes one. False when there is no such agent.
    fn feed(&mut self, agent: &AgentId, open: bool) -> bool;

    /// The actor of a conversation is to die.
    fn doom(&mut self, doom: Doom);

    /// What the disk does from now on.
    fn weather(&mut self, weather: Weather);

    /// When the server next has something to do by itself; not before the present.
    fn due(&self) -> Option<Millis>;

    /// Moves the time to `now`, and does at most this many of the things that are then due. True if
    /// more are due.
    fn advance(&mut self, now: Millis, most: usize) -> bool;

    /// What was seen since this was last asked, in order.
    fn seen(&mut self) -> Vec<Seen>;

    /// The account of all agents and live conversations, when nothing is on its way and nothing
    /// waits for the disk.
    fn account(&self) -> Option<Account>;
}

/// How a socket ends.
#[derive(Clone, Copy, Debug)]
pub enum Cut {
    /// With this close code.
    Closed(u16),
    /// By a reset.
    Reset,
}

/// A conversation's actor that is to die.
#[derive(Clone, Copy, Debug)]
pub struct Doom {
    /// The number of turns of conversations before it dies.
    pub turns: u64,
    /// Whether it has already dealt with its input, though no other actor has heard of that.
    pub is_late: bool,
}

/// What a person asks through HTTP.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Call {
    /// A command to a conversation.
    Chat(ConversationId, Command),
    /// A presence for an agent.
    Presence(AgentId, Presence),
    /// A change of the settings.
    Change(Box<SettingChange>),
}

impl Call {
    /// The agent who makes the call, if an agent does.
    pub fn caller(&self) -> Option<&AgentId> {
        match self {
            Self::Presence(agent, _) => Some(agent),
            Self::Chat(_, Command::Accept { agent, .. } | Command::Decline { agent, .. }) => {
                Some(agent)
            }
            Self::Chat(_, Command::Post { from: Author::Agent(agent), .. }) => Some(agent),
            Self::Chat(
                _,
                Command::Release { by: Authority::Agent(agent) }
                | Command::End { by: Authority::Agent(agent) }
                | Command::Close { by: Authority::Agent(agent) },
            ) => Some(agent),
            Self::Chat(..) | Self::Change(_) => None,
        }
    }
}

/// What a disk does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Weather {
    /// The disk syncs within this time.
    Fine(Millis),
    /// The disk refuses the next write, and keeps nothing of it.
    FailNext,
    /// The disk fails in the middle of the next write, and keeps some of it.
    TearNext,
    /// The disk is full: it refuses every write until it is fine again.
    Full,
    /// The disk's next sync fails, as does every later one until the next start.
    SyncFails,
}

/// Something that is seen of a server.
#[derive(Clone, Debug)]
pub enum Seen {
    /// An event is on the disk, synced.
    Durable(Row),
    /// A widget is sent a frame.
    Frame(SessionId, String),
    /// The same for a widget that reads nothing: it gets the frame when it reads again.
    Unread(SessionId, String),
    /// A widget is sent a ping.
    Ping(SessionId),
    /// The server closes a socket.
    Closed(SessionId, u16),
    /// A call is answered.
    Answered(Ticket, Result<Answer, String>),
    /// An agent's console is told something.
    Feed(AgentId, &'static str, String),
    /// The disk lost, or may have lost, what was given to it.
    Fault,
    /// A conversation's actor has died.
    Died,
    /// Whether the disk can be written.
    Writable(bool),
}

/// An event on the disk.
#[derive(Clone, Debug)]
pub struct Row {
    /// Of which conversation.
    pub conversation: ConversationId,
    /// Its place.
    pub seq: Seq,
    /// Its time, by the server's clock.
    pub at: Timestamp,
    /// When it was given to the disk, by the world's time.
    pub appended: Millis,
    /// What happened.
    pub event: Event,
}

/// The account of all agents and live conversations at one moment.
#[derive(Clone, Debug)]
pub struct Account {
    /// Every agent.
    pub agents: Vec<AgentAccount>,
    /// Every conversation that is live in memory.
    pub live: Vec<View>,
}

/// An agent's account.
#[derive(Clone, Debug)]
pub struct AgentAccount {
    /// Who.
    pub agent: AgentId,
    /// Whether they may be given work.
    pub is_ready: bool,
    /// What they may be given.
    pub units: u32,
    /// What is in use.
    pub used: u32,
    /// The leases of chats that use the units.
    pub leases: Vec<(ConversationId, u32)>,
}
