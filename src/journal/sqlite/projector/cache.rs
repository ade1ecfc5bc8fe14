//! The conversations that the projection keeps decoded: those that were projected last, within a
//! bound of bytes.

use lru::LruCache;

use crate::domain::conversation::Conversation;
use crate::domain::id::ConversationId;
use crate::limits;

/// About what a conversation costs, apart from what it remembers of its events.
const BYTES_OF_ANY: usize = 1_024;

/// About what it remembers of an event: of a post, its id and its place.
const BYTES_OF_EVENT: usize = 96;

/// Some conversations, each as of its last projected event.
#[derive(Debug)]
pub(super) struct Decoded {
    conversations: LruCache<ConversationId, Conversation>,
    bytes: usize,
}

impl Decoded {
    pub(super) fn new() -> Self {
        Self { conversations: LruCache::unbounded(), bytes: 0 }
    }

    /// Takes a conversation out, if it is there.
    pub(super) fn take(&mut self, id: ConversationId) -> Option<Conversation> {
        let conversation = self.conversations.pop(&id)?;
        self.bytes -= weight(&conversation);
        Some(conversation)
    }

    /// Keeps a conversation, and makes room by forgetting those that were projected the longest
    /// ago. A closed one is not kept, because it will hardly go on.
    pub(super) fn keep(&mut self, conversation: Conversation) {
        self.take(conversation.id());
        if conversation.is_closed() {
            return;
        }
        self.bytes += weight(&conversation);
        self.conversations.put(conversation.id(), conversation);
        while self.bytes > limits::PROJECTION_CACHE_BYTES_MAX {
            let Some((_, forgotten)) = self.conversations.pop_lru() else { return };
            self.bytes -= weight(&forgotten);
        }
    }
}

fn weight(conversation: &Conversation) -> usize {
    BYTES_OF_ANY + BYTES_OF_EVENT * conversation.seq().number() as usize
}

#[cfg(test)]
mod tests {
    use crate::domain::conversation::Conversation;
    use crate::domain::id::ConversationId;
    use crate::journal::sqlite::projector::cache::{BYTES_OF_ANY, Decoded, weight};
    use crate::limits;

    #[test]
    fn what_was_projected_last_is_kept_within_the_bound() {
        let mut decoded = Decoded::new();
        let count = 2 * (limits::PROJECTION_CACHE_BYTES_MAX / BYTES_OF_ANY) as u128;
        let id = ConversationId::from_bits;
        for number in 0..count {
            decoded.keep(Conversation::new(id(number)));
            decoded.keep(Conversation::new(id(number)));
        }
        assert!(decoded.bytes <= limits::PROJECTION_CACHE_BYTES_MAX);
        assert!(decoded.take(id(0)).is_none());
        assert!(decoded.take(id(count - 1)).is_some());
        assert!(decoded.take(id(count - 1)).is_none(), "it was taken");
        let left: usize = decoded.conversations.iter().map(|(_, one)| weight(one)).sum();
        assert_eq!(decoded.bytes, left);
    }
}
