//! What a state machine decided, and the gate that holds it back until it is durable.
//!
//! ```text
//!   decide ──> Decision ──commit──> Pending ──release(&Receipt)──> Released
//!                             │                     ^
//!                             └──> journal ─────────┘
//! ```

use std::sync::Arc;

use crate::domain::conversation::command::Answer;
use crate::domain::conversation::effect::Effects;
use crate::domain::conversation::event::Event;
use crate::domain::id::Seq;
use crate::domain::time::Timestamp;

/// What follows from a command: nothing has changed yet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Decision {
    /// What happens, in order.
    pub events: Vec<Event>,
    /// What the caller is told.
    pub answer: Answer,
}

impl Decision {
    /// Nothing happens, and that is fine.
    pub const fn nothing() -> Self {
        Self { events: Vec::new(), answer: Answer::Done }
    }

    /// These events happen.
    pub const fn of(events: Vec<Event>) -> Self {
        Self { events, answer: Answer::Done }
    }
}

/// A decision that was applied and is not known to be durable: nobody may be told of it.
#[derive(Debug)]
#[must_use = "what is pending must be released when the journal has it"]
pub struct Pending {
    through: Seq,
    released: Released,
}

/// A decision that is durable: it may be told and acted upon.
#[derive(Debug)]
pub struct Released {
    /// The place of the first of the events.
    pub first: Seq,
    /// When they happened.
    pub at: Timestamp,
    /// What happened, in order; the journal has the same, uncopied.
    pub events: Arc<[Event]>,
    /// What the caller is told.
    pub answer: Answer,
    /// What must now be done.
    pub effects: Effects,
}

/// The journal's confirmation that a conversation is durable up to and including a place.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Receipt {
    through: Seq,
}

impl Receipt {
    /// Only a journal may issue a receipt, and only after its disk has confirmed the write.
    pub const fn issue(through: Seq) -> Self {
        Self { through }
    }

    /// The last durable place.
    pub const fn through(self) -> Seq {
        self.through
    }
}

impl Pending {
    pub(in crate::domain) fn new(
        through: Seq,
        first: Seq,
        at: Timestamp,
        decision: Decision,
        effects: Effects,
    ) -> Self {
        let Decision { events, answer } = decision;
        let events = events.into();
        Self { through, released: Released { first, at, events, answer, effects } }
    }

    /// The events, for the journal.
    pub fn events(&self) -> &[Event] {
        &self.released.events
    }

    /// The same, to keep.
    pub fn shared_events(&self) -> Arc<[Event]> {
        self.released.events.clone()
    }

    /// The place of the first of the events.
    pub const fn first(&self) -> Seq {
        self.released.first
    }

    /// When the events happened.
    pub const fn at(&self) -> Timestamp {
        self.released.at
    }

    /// Whether this receipt covers everything here.
    pub fn is_covered_by(&self, receipt: &Receipt) -> bool {
        self.through <= receipt.through
    }

    /// Opens the gate. Gives the decision back unopened if the receipt does not cover it.
    #[expect(clippy::result_large_err, reason = "it is given back as it was, and goes no further")]
    pub fn release(self, receipt: &Receipt) -> Result<Released, Self> {
        if self.is_covered_by(receipt) { Ok(self.released) } else { Err(self) }
    }
}
