//! What the customer has used of what they may do in one chat.

use crate::domain::conversation::event::{Author, Event};
use crate::domain::settings::CustomerLimits;
use crate::domain::text::MessageText;

/// How much the customer has done in a chat, over its whole life.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct CustomerUsage {
    /// Messages that they have posted.
    pub messages: u32,
    /// Bytes of these.
    pub bytes: u32,
    /// How often a session of theirs has joined.
    pub connections: u32,
}

impl CustomerUsage {
    /// Whether there is room for one more message.
    pub(super) fn admits_message(&self, text: &MessageText, limits: &CustomerLimits) -> bool {
        let bytes = self.bytes.saturating_add(bytes_of(text));
        self.messages < limits.messages && bytes <= limits.bytes
    }

    /// Whether one more session may join.
    pub(super) const fn admits_connection(&self, limits: &CustomerLimits) -> bool {
        self.connections < limits.connections
    }

    /// Counts what the customer does by this event.
    pub(super) fn follow(&mut self, event: &Event) {
        match event {
            Event::SessionJoined { .. } => self.connections = self.connections.saturating_add(1),
            Event::MessagePosted { from: Author::Customer, text, .. } => {
                self.messages = self.messages.saturating_add(1);
                self.bytes = self.bytes.saturating_add(bytes_of(text));
            }
            _ => {}
        }
    }
}

fn bytes_of(text: &MessageText) -> u32 {
    u32::try_from(text.as_str().len()).unwrap_or(u32::MAX)
}
