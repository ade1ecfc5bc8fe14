//! What a conversation stands for in the gauges of the engine.

use crate::domain::conversation::{Conversation, State};

/// What a conversation stands for in the gauges.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    /// Its state, unless it is closed or new.
    pub state: Option<State>,
    /// Whether its customer is away.
    pub away: bool,
    /// Whether it waits for its first agent, as its customer sees it.
    pub waits: bool,
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
