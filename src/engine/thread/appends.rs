//! The appends that a thread's conversations decide in one turn, given to the journal together. One
//! list takes less from the heap than hundreds of appends, and means less work for the journal's
//! one writer.

use std::cell::RefCell;

use crate::journal::Append;
use crate::limits;

/// Appends that have not been given to the journal.
#[derive(Debug, Default)]
pub(super) struct Appends(RefCell<Vec<Append>>);

/// Where an append was put.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Room {
    /// It is the first.
    First,
    /// It is one of several.
    More,
    /// It was the last that there was room for.
    Full,
}

impl Appends {
    pub(super) fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    /// Adds one.
    pub(super) fn gather(&self, append: Append) -> Room {
        let mut appends = self.0.borrow_mut();
        if appends.is_empty() {
            appends.reserve_exact(limits::APPENDS_GATHERED_MAX);
        }
        appends.push(append);
        match appends.len() {
            limits::APPENDS_GATHERED_MAX => Room::Full,
            1 => Room::First,
            _ => Room::More,
        }
    }

    /// All of them, in the order in which they came.
    pub(super) fn take(&self) -> Vec<Append> {
        self.0.take()
    }
}
