//! Whether very many appends wait for the disk, as each thread last saw it: asked with each word of
//! the journal instead of for each conversation, because every append changes the answer, and what
//! two cores change and read in turn is slow.

use std::cell::Cell;

use crate::engine::shared::Shared;

thread_local! {
    static IS_ON: Cell<bool> = const { Cell::new(false) };
}

/// Asks the journal.
pub(super) fn look(shared: &Shared) {
    IS_ON.set(shared.journal.is_busy());
}

/// Whether what conversations of this thread do is better done together, or later.
pub(super) fn is_on() -> bool {
    IS_ON.get()
}
