//! What a session is given in one turn, in its order.

use std::collections::VecDeque;

use crate::behavior::session::Input;

/// The inputs that a session is still to be given in this turn. Nearly always there is one, which
/// needs no room of its own.
#[derive(Debug)]
pub(super) struct Inputs {
    first: Option<Input>,
    others: VecDeque<Input>,
}

impl Inputs {
    /// A turn that begins with this input.
    pub(super) const fn of(input: Input) -> Self {
        Self { first: Some(input), others: VecDeque::new() }
    }

    /// Adds an input that is given after all others.
    pub(super) fn add(&mut self, input: Input) {
        if self.first.is_none() && self.others.is_empty() {
            self.first = Some(input);
        } else {
            self.others.push_back(input);
        }
    }

    /// Takes the next input.
    pub(super) fn take(&mut self) -> Option<Input> {
        self.first.take().or_else(|| self.others.pop_front())
    }
}
