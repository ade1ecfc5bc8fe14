//! A moment at which something must be looked at.

use crate::domain::time::{Span, Timestamp};

/// What is looked at later than this was held up by ourselves. What consoles have said meanwhile is
/// then still to be read, and is given as long.
const HELD_UP: Span = Span::from_secs(1);

/// A moment at which something must be looked at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Due {
    /// From when on there is something to see.
    pub(super) at: Timestamp,
    /// When it is looked at.
    pub(super) served_at: Timestamp,
}

impl Due {
    /// It is looked at as soon as there is something to see, and not before `now`.
    pub(super) fn at(at: Timestamp, now: Timestamp) -> Self {
        Self { at, served_at: at.max(now) }
    }

    /// The same, later, if it should have been looked at long before `now`.
    pub(super) fn put_off(self, now: Timestamp) -> Option<Self> {
        let is_late = now.since(self.served_at) > HELD_UP;
        is_late.then(|| Self { served_at: now + HELD_UP, ..self })
    }
}
