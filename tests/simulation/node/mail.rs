//! The recipients in a simulated node, and the mail that waits for them: each gets the inputs of
//! its actor, in the words of the product.

use holdline::behavior::queue;
use holdline::domain::id::{AgentId, ConversationId, QueueId, SessionId};

use crate::node::{chat, desk, session};

/// A recipient, which gets its mail in the order in which it was sent.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Party {
    /// A conversation's actor; the epoch tells it apart from earlier ones.
    Chat(ConversationId, u64),
    /// An agent's actor, and a queue's, in the same way.
    Agent(AgentId, u64),
    Queue(QueueId, u64),
    Session(SessionId),
    /// A session, from its socket.
    Socket(SessionId),
}

/// What waits for a recipient.
#[derive(Debug)]
pub enum Mail {
    Chat(chat::Input),
    Agent(desk::Input),
    Queue(queue::Input),
    Session(session::Input),
}

impl Mail {
    /// Whether it is a post of a customer.
    pub fn is_post(&self) -> bool {
        matches!(self, Self::Chat(input) if chat::is_post(input))
    }
}
