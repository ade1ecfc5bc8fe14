//! What a conversation stands for in the gauges of the engine.

use crate::domain::conversation::{Conversation, State};

/// What this conversation stands for in the gauges.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Tally {
    pub(super) state: Option<State>,
    pub(super) away: bool,
    /// Whether it waits for its first agent, as its customer sees it.
    pub(super) waits: bool,
}

impl Tally {
    /// What this one stands for now.
    pub(super) fn of(conversation: &Conversation) -> Self {
        Self {
            state: conversation.state().filter(|state| *state != State::Closed),
            away: conversation.absence().is_some(),
            waits: conversation.state_for_customer() == Some(State::Open),
        }
    }
}
