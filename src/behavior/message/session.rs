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
    /// It is in the conversation.
    Joined {
        /// Which.
        conversation: ConversationId,
        /// The state that the customer is told.
        state: State,
        /// The last place that the customer may see.
        seq: Seq,
    },
    /// It is not in the conversation.
    NotJoined {
        /// Which.
        conversation: ConversationId,
        /// Why.
        why: NotJoined,
    },
    /// Its message stands.
    Posted {
        /// What it called the request.
        reference: Reference,
        /// The message.
        id: MessageId,
        /// Its place.
        seq: Seq,
        /// When it was posted.
        at: Timestamp,
    },
    /// Its request is done.
    Done {
        /// What it called the request.
        reference: Reference,
        /// The state that the customer is told now.
        state: State,
        /// The last place that the customer may see.
        seq: Seq,
        /// Why the chat ended.
        reason: Option<Reason>,
    },
    /// Its request was refused.
    Refused {
        /// What it called the request.
        reference: Reference,
        /// Why.
        code: RefusalCode,
    },
    /// A frame for the customer, encoded once for all sessions.
    Frame {
        /// The place it tells of; zero when it tells of none.
        seq: Seq,
        /// The frame.
        text: ByteString,
    },
    /// The chat is over, and the session was told all of it; it is not in there any more.
    Over(ConversationId),
    /// It must be asked for a sign of life.
    Probe,
    /// It must be closed.
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
        /// Where the customer is sent, after a loss alone.
        redirect: Option<Arc<str>>,
        /// When it was closed.
        closed_at: Option<Timestamp>,
    },
    /// There is no such conversation.
    Unknown,
    /// It cannot be served now.
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
    /// It was silent.
    Silent,
    /// It read too slowly.
    Slow,
}
