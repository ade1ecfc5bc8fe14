//! Who is told things in a simulated node, and what waits for them: each is given what its actor
//! is given, in the words of the product.

use holdline::behavior::queue;
use holdline::domain::id::{AgentId, ConversationId, QueueId, SessionId};

use crate::node::{chat, desk, session};

/// Somebody who is told things, in the order in which they were sent.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Party {
    /// A conversation's actor, told apart from an earlier one by its epoch.
    Chat(ConversationId, u64),
    /// An agent's actor, and a queue's, in the same way.
    Agent(AgentId, u64),
    Queue(QueueId, u64),
    Session(SessionId),
    /// A session, from its socket.
    Socket(SessionId),
}

/// What waits for one of them.
#[derive(Debug)]
pub enum Mail {
    Chat(chat::Input),
    Agent(desk::Input),
    Queue(queue::Input),
    Session(session::Input),
}

impl Mail {
    /// Whether it is what a customer says.
    pub fn is_post(&self) -> bool {
        matches!(self, Self::Chat(input) if chat::is_post(input))
    }
}
