//! What a conversation's actor is doing, and what it has while it does not serve.
//!
//! ```text
//!   entered ──first word, or nobody comes──> serving ──over, nobody needs it──> retired ──> stops
//!   opening ──read from the journal────────>    │                                   ^
//!   recovering ──begins────────────────────>    ├──erased──────────────────────────┘
//!                                               └──the journal failed──> leaving ──> stops
//! ```

use crate::behavior::message::ToConversation;
use crate::domain::id::AgentId;
use crate::domain::time::{Span, Timestamp};

/// What the actor is doing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Stage {
    /// It was entered for a chat that is about to begin, and keeps what it is told until then.
    Entered,
    /// It reads its conversation, and keeps what it is told meanwhile.
    Opening,
    /// It was read, and has not yet begun to serve.
    Recovering,
    /// It serves.
    Serving,
    /// Its conversation is over, and it is about to stop.
    Retired,
    /// It is about to stop, and answers nothing: what it is still told is passed on to the actor
    /// that takes its place.
    Leaving,
}

/// What an actor has while it does not serve.
#[derive(Debug, Default)]
pub(super) struct Beginning {
    /// What it was told before its conversation had begun or was read, or when it was about to
    /// stop.
    pub(super) kept: Vec<ToConversation>,
    /// The agents who may have set units aside for an offer that was lost or had to wait.
    pub(super) agents: Vec<AgentId>,
    /// How soon its restart is written.
    pub(super) write_within: Span,
    /// From when its timers count again.
    pub(super) counts_from: Timestamp,
}
