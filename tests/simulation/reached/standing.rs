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

/// How the journal stands to a conversation.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Journal {
    /// Everything that was decided is durable.
    Settled,
    /// Something is being written.
    Writing,
    /// It takes nothing.
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

/// What becomes of what a conversation decides.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Fate {
    Written,
    /// The write failed, and it is lost.
    Failed,
    /// The write failed, and yet it is there.
    FailedButKept,
    /// The node was killed before it was written.
    Killed,
    /// The node was killed after it was written, and before anybody heard of it.
    KilledButKept,
    /// The actor died in the turn in which it came, and nothing of that was done.
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

/// A column of the table: what is looked at when something comes to a conversation.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Column {
    /// It stood there.
    Stood(Standing),
    /// The journal stood to it like this.
    Journal(Journal),
    /// This became of what was decided by it.
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
