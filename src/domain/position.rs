//! Places in the whole journal, and what happened at them.

use crate::domain::conversation::event::Recorded;
use crate::domain::id::ConversationId;

/// A place in the whole journal. It grows with every row and is never used again. Zero is before
/// the first.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Position(pub u64);

/// An event of some conversation, with its place in the whole journal.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Located {
    /// The place in the journal.
    pub position: Position,
    /// The conversation.
    pub conversation: ConversationId,
    /// The event.
    pub recorded: Recorded,
}
