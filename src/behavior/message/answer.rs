//! How requests are named, and how they are answered.

use std::fmt;
use std::sync::Arc;

use crate::domain::agent::{Link, Presence};
use crate::domain::conversation::command::{Answer, Refusal};
use crate::domain::conversation::view::View;
use crate::domain::id::ConversationId;
use crate::domain::lease::Lease;
use crate::domain::queue::Standing;
use crate::domain::settings::AgentSettings;
use crate::domain::time::{Span, Timestamp};

/// The number of a request that waits for an answer: unique on its node for as long as it waits.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RequestId(u64);

impl RequestId {
    /// The request with this number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Its number.
    pub const fn number(self) -> u64 {
        self.0
    }
}

/// The answer to a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Answered {
    /// A conversation has done what was asked, and it is durable.
    Command(Answer),
    /// A conversation as it is.
    Conversation(Box<View>),
    /// An agent as they are.
    Agent(Box<AgentView>),
    /// Until when an agent must be back, if they are away.
    Expected(Option<Timestamp>),
    /// How many chats wait in a queue, and how long those served lately had waited.
    Figures(usize, Option<Span>),
    /// A chat's standing in the line of a queue, if it waits there.
    Standing(Option<Standing>),
    /// Whether the conversation is one of those that are counted.
    Counted(bool),
    /// What was asked is done.
    Done,
}

/// Why a request was not done.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Denial {
    /// A rule of the conversation said no.
    Refused(Refusal),
    /// Somebody else wanted to give a chat to an agent who has been gone for longer than its grace.
    AgentGone,
    /// The feed is not open any more.
    FeedEnded,
    /// There is more to do than can be done; ask again later.
    Overloaded,
    /// The actor that was asked died before it answered, or cannot be opened at the moment.
    Unavailable,
    /// Something in the system broke.
    Trouble(Trouble),
}

/// What broke, as far as a caller can be told.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Trouble {
    /// Whether the journal could not be written, which may be over in a moment.
    pub is_of_writing: bool,
    /// What happened, for people.
    pub text: Arc<str>,
}

impl fmt::Display for Trouble {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// An agent as they are shown.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AgentView {
    /// Their settings.
    pub settings: Arc<AgentSettings>,
    /// The presence that others see.
    pub presence: Presence,
    /// The presence they chose.
    pub chosen: Presence,
    /// What connects them.
    pub link: Link,
    /// The sum of the leases' units.
    pub used: u32,
    /// What they hold.
    pub leases: Vec<(ConversationId, Lease)>,
}
