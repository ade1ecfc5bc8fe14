//! The columns of the table: where a conversation stands when something comes to it, how the
//! journal stands to it, and what becomes of what it decides.

use holdline::domain::conversation::{Conversation, Phase};

use crate::node::chat::Chat;

/// Where a conversation stands.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Standing {
    New,
    Open,
    OpenAway,
    Offered,
    OfferedAway,
    Talking,
    TalkingAway,
    Wrapup,
    Closed,
}

impl Standing {
    /// Each of them.
    pub const ALL: [Self; 9] = [
        Self::New,
        Self::Open,
        Self::OpenAway,
        Self::Offered,
        Self::OfferedAway,
        Self::Talking,
        Self::TalkingAway,
        Self::Wrapup,
        Self::Closed,
    ];

    pub fn of(conversation: &Conversation) -> Self {
        let is_away = conversation.absence().is_some();
        match conversation.phase() {
            Phase::New => Self::New,
            Phase::Open { .. } if is_away => Self::OpenAway,
            Phase::Open { .. } => Self::Open,
            Phase::Offered { .. } if is_away => Self::OfferedAway,
            Phase::Offered { .. } => Self::Offered,
            Phase::Talking { .. } if is_away => Self::TalkingAway,
            Phase::Talking { .. } => Self::Talking,
            Phase::Wrapup { .. } => Self::Wrapup,
            Phase::Closed { .. } => Self::Closed,
        }
    }

    /// Whether the customer is away.
    pub const fn is_away(self) -> bool {
        matches!(self, Self::OpenAway | Self::OfferedAway | Self::TalkingAway)
    }

    /// Whether it is over.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Wrapup | Self::Closed)
    }

    /// The name, for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Open => "open",
            Self::OpenAway => "open, away",
            Self::Offered => "offered",
            Self::OfferedAway => "offered, away",
            Self::Talking => "talking",
            Self::TalkingAway => "talking, away",
            Self::Wrapup => "wrap-up",
            Self::Closed => "closed",
        }
    }
}

/// The state of the journal for a conversation.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Journal {
    /// Everything that was decided is durable.
    Settled,
    /// Something is being written.
    Writing,
    /// The journal takes nothing.
    Refusing,
}

impl Journal {
    /// Each of them.
    pub const ALL: [Self; 3] = [Self::Settled, Self::Writing, Self::Refusing];

    pub const fn of(chat: &Chat, is_writable: bool) -> Self {
        match (is_writable, chat.is_in_flight()) {
            (false, _) => Self::Refusing,
            (true, true) => Self::Writing,
            (true, false) => Self::Settled,
        }
    }

    /// The name, for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Settled => "all written",
            Self::Writing => "being written",
            Self::Refusing => "disk refuses",
        }
    }
}

/// The fate of what a conversation decides.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Fate {
    Written,
    /// The write failed, and the decision is lost.
    Failed,
    /// The write failed, and yet the decision is on the disk.
    FailedButKept,
    /// The node was killed before the decision was written.
    Killed,
    /// The node was killed after the decision was written, and before any actor heard of it.
    KilledButKept,
    /// The actor died in the turn in which the input came, and nothing of that turn was done.
    Died,
}

impl Fate {
    /// Each of them.
    pub const ALL: [Self; 6] = [
        Self::Written,
        Self::Failed,
        Self::FailedButKept,
        Self::Killed,
        Self::KilledButKept,
        Self::Died,
    ];

    /// The name, for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Written => "written",
            Self::Failed => "write failed",
            Self::FailedButKept => "failed, kept",
            Self::Killed => "killed",
            Self::KilledButKept => "killed, kept",
            Self::Died => "its actor died",
        }
    }
}

/// A column of the table: one fact about an input to a conversation.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Column {
    /// The conversation stood there.
    Stood(Standing),
    /// The journal stood like this.
    Journal(Journal),
    /// The decision that followed had this fate.
    Became(Fate),
}

impl Column {
    /// How many there are.
    pub const COUNT: usize = Standing::ALL.len() + Journal::ALL.len() + Fate::ALL.len();

    /// Each of them.
    pub fn all() -> impl Iterator<Item = Self> {
        let stood = Standing::ALL.into_iter().map(Self::Stood);
        let journal = Journal::ALL.into_iter().map(Self::Journal);
        stood.chain(journal).chain(Fate::ALL.into_iter().map(Self::Became))
    }

    pub const fn place(self) -> usize {
        match self {
            Self::Stood(standing) => standing as usize,
            Self::Journal(journal) => Standing::ALL.len() + journal as usize,
            Self::Became(fate) => Standing::ALL.len() + Journal::ALL.len() + fate as usize,
        }
    }

    /// The name, for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stood(standing) => standing.name(),
            Self::Journal(journal) => journal.name(),
            Self::Became(fate) => fate.name(),
        }
    }
}
