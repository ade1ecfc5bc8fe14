//! What a session is told by the conversation that it is in.

use std::sync::Arc;

use bytestring::ByteString;

use crate::domain::conversation::State;
use crate::domain::conversation::event::Reason;
use crate::domain::id::{ConversationId, MessageId, Seq};
use crate::domain::time::Timestamp;
use crate::wire::client::Reference;
use crate::wire::refusal::RefusalCode;

/// What a session is told.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ToSession {
    /// The session is in the conversation.
    Joined {
        /// The conversation.
        conversation: ConversationId,
        /// The state that the customer is told.
        state: State,
        /// The last place that the customer may see.
        seq: Seq,
    },
    /// The session is not in the conversation.
    NotJoined {
        /// The conversation.
        conversation: ConversationId,
        /// Why.
        why: NotJoined,
    },
    /// The session's message is posted.
    Posted {
        /// The session's name for the request.
        reference: Reference,
        /// The message.
        id: MessageId,
        /// Its place.
        seq: Seq,
        /// When it was posted.
        at: Timestamp,
    },
    /// The session's request is done.
    Done {
        /// The session's name for the request.
        reference: Reference,
        /// The state that the customer is told now.
        state: State,
        /// The last place that the customer may see.
        seq: Seq,
        /// Why the chat ended.
        reason: Option<Reason>,
    },
    /// The session's request was refused.
    Refused {
        /// The session's name for the request.
        reference: Reference,
        /// Why.
        code: RefusalCode,
    },
    /// A frame for the customer, encoded once for all sessions.
    Frame {
        /// The place that the frame tells of; zero when it tells of none.
        seq: Seq,
        /// The frame.
        text: ByteString,
    },
    /// The chat is over, and the session was told all of it and is no longer in it.
    Over(ConversationId),
    /// The session's browser must be asked for a sign of life.
    Probe,
    /// The session must be closed.
    Close(Closing),
}

/// Why a session is not in a conversation.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum NotJoined {
    /// The chat is over.
    Ended {
        /// Its state.
        state: State,
        /// Why it is over.
        reason: Option<Reason>,
        /// The last place that the customer may see.
        seq: Seq,
        /// Where the customer is sent; only after a loss.
        redirect: Option<Arc<str>>,
        /// When it was closed.
        closed_at: Option<Timestamp>,
    },
    /// There is no such conversation.
    Unknown,
    /// The session cannot be served now.
    Denied(RefusalCode),
}

/// Why a session is closed by the engine.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Closing {
    /// The server stops.
    Draining,
    /// The conversation was opened anew after a fault.
    Restarted,
    /// Another session took its place.
    Replaced,
    /// The session was silent.
    Silent,
    /// The session read too slowly.
    Slow,
}
