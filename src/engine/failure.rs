//! Why the engine did not do what it was asked.

use crate::behavior::message::{Denial, Trouble};
use crate::domain::conversation::command::Refusal;
use crate::domain::id::ConversationId;
use crate::domain::settings::registry::SettingRefusal;
use crate::journal::Fault;

/// Why the engine did not do what it was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Failure {
    /// A rule of the conversation said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A rule of the settings said no.
    #[error(transparent)]
    Setting(#[from] SettingRefusal),
    /// There is no such agent.
    #[error("there is no such agent")]
    UnknownAgent,
    /// Some chats are not closed, and so cannot be erased; at most the first few are named.
    #[error("nothing was erased, because these are not closed: {}", named(.0))]
    StillOpen(Vec<ConversationId>),
    /// A caller wanted to give another agent a chat, who has been gone for longer than the grace.
    #[error("the agent has been gone for longer than the grace, and cannot be given a chat")]
    AgentGone,
    /// The feed is not open any more.
    #[error("the feed has ended; open it again")]
    FeedEnded,
    /// There is more to do than can be done; ask again later.
    #[error("the server has more to do than it can; try again in a moment")]
    Overloaded,
    /// What was asked for has failed too often lately; ask again later.
    #[error("this cannot be served at the moment; try again in a minute")]
    Unavailable,
    /// The world broke.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The world broke for the actor that was asked.
    #[error("{0}")]
    Trouble(Trouble),
}

impl From<Denial> for Failure {
    fn from(denial: Denial) -> Self {
        match denial {
            Denial::Refused(refusal) => Self::Refused(refusal),
            Denial::AgentGone => Self::AgentGone,
            Denial::FeedEnded => Self::FeedEnded,
            Denial::Overloaded => Self::Overloaded,
            Denial::Unavailable => Self::Unavailable,
            Denial::Trouble(trouble) => Self::Trouble(trouble),
        }
    }
}

fn named(ids: &[ConversationId]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
