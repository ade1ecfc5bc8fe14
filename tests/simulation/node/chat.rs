//! The conversations of a simulated node: the product's own behavior, and how each begins here.

use holdline::behavior::message::{FromSession, RequestId, ToConversation};
use holdline::domain::conversation::Conversation;
use holdline::domain::time::{Span, Timestamp};

pub use holdline::behavior::conversation::{Behavior as Chat, Input, Note, Output};

/// How a conversation begins.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Beginning {
    /// It was entered for a chat that is about to begin.
    Fresh,
    /// It is as it was when the server stopped; its restart must be written within this time.
    Recovered(Span),
    /// It is still to be read.
    Unread,
}

/// A conversation that begins now.
pub fn begin(conversation: Conversation, beginning: Beginning, now: Timestamp) -> Chat {
    match beginning {
        Beginning::Fresh => Chat::entered(conversation.id(), now),
        Beginning::Recovered(write_within) => Chat::recovered(conversation, now, write_within, now),
        Beginning::Unread => Chat::opening(conversation.id(), now),
    }
}

/// Whether the input is a post of a customer.
pub fn is_post(input: &Input) -> bool {
    matches!(input, Input::Told(ToConversation::Session(_, FromSession::Post(..))))
}

/// The request that waits for an answer to this input.
pub fn request(input: &Input) -> Option<RequestId> {
    match input {
        Input::Told(told) => told.request(),
        _ => None,
    }
}
