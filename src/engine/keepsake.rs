//! What is kept for a chat as long as it waits for its first agent: what somebody counts, whom the
//! engine need not know.

use std::any::Any;
use std::fmt;

use crate::domain::id::ConversationId;
use crate::engine::shared::Shared;

/// Something that is dropped when a chat waits no more.
pub struct Keepsake(#[expect(dead_code, reason = "it is dropped")] Box<dyn Any + Send + Sync>);

impl Keepsake {
    /// This, whatever it is.
    pub fn new(kept: impl Any + Send + Sync) -> Self {
        Self(Box::new(kept))
    }
}

impl fmt::Debug for Keepsake {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Keepsake(..)")
    }
}

impl Shared {
    /// Keeps something for a chat that is about to begin.
    pub(super) fn keep_while_waiting(&self, chat: ConversationId, keepsake: Keepsake) {
        self.keepsakes.insert(chat, keepsake);
    }

    /// Lets go of what was kept for a chat that waits no more, or did not begin.
    pub(super) fn let_go(&self, chat: ConversationId) {
        if !self.keepsakes.is_empty() {
            self.keepsakes.remove(&chat);
        }
    }
}
