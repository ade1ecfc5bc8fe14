//! Whether an append continues what is in the journal. After a fault a conversation's later
//! appends, which were decided on top of lost ones, must not be written: only one that continues
//! exactly the durable place is taken again.

use std::collections::HashMap;
use std::num::NonZeroUsize;

use lru::LruCache;

use crate::domain::id::{ConversationId, Seq};
use crate::limits;

/// Where each conversation's next append must begin, as far as that is remembered.
#[derive(Debug)]
pub(super) struct Continuity {
    /// The last place taken, of the conversations that appended lately: a second writer of one
    /// conversation is nearly always a simultaneous one.
    recent: LruCache<ConversationId, Seq>,
    /// The place at which a failed conversation must continue.
    failed: HashMap<ConversationId, Seq>,
}

/// An append does not continue what is in the journal.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("conversation {conversation} must continue at {expected}, not at {first}")]
pub(super) struct Discontinuous {
    conversation: ConversationId,
    expected: Seq,
    first: Seq,
}

impl Continuity {
    pub(super) fn new() -> Self {
        let most = NonZeroUsize::new(limits::CONTINUITY_CONVERSATIONS_MAX);
        Self { recent: LruCache::new(most.unwrap_or(NonZeroUsize::MIN)), failed: HashMap::new() }
    }

    /// Takes an append that reaches from `first` through `through`, if it continues.
    pub(super) fn admit(
        &mut self,
        conversation: ConversationId,
        first: Seq,
        through: Seq,
    ) -> Result<(), Discontinuous> {
        let expected = match self.failed.get(&conversation) {
            Some(expected) => Some(*expected),
            None => self.recent.get(&conversation).map(|last| last.next()),
        };
        if let Some(expected) = expected.filter(|expected| *expected != first) {
            return Err(Discontinuous { conversation, expected, first });
        }
        self.failed.remove(&conversation);
        self.recent.put(conversation, through);
        Ok(())
    }

    /// A conversation is in the journal no more. Whatever does not begin it anew is refused.
    pub(super) fn forget(&mut self, conversation: ConversationId) {
        self.failed.remove(&conversation);
        self.recent.put(conversation, Seq::ZERO);
    }

    /// An append that was taken, beginning at `first`, was not written. Told of several, in their
    /// order, the first of them counts.
    pub(super) fn fail(&mut self, conversation: ConversationId, first: Seq) {
        self.recent.pop(&conversation);
        self.failed.entry(conversation).or_insert(first);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: ConversationId = ConversationId::from_bits(7);

    #[test]
    fn after_a_fault_only_the_durable_place_continues() {
        let mut continuity = Continuity::new();
        let seq = Seq::new;
        continuity.admit(ID, seq(1), seq(2)).unwrap();
        continuity.admit(ID, seq(3), seq(3)).unwrap();
        continuity.admit(ID, seq(4), seq(4)).unwrap();
        continuity.fail(ID, seq(3));
        continuity.fail(ID, seq(4));
        assert!(continuity.admit(ID, seq(5), seq(5)).is_err());
        assert!(continuity.admit(ID, seq(4), seq(4)).is_err());
        continuity.admit(ID, seq(3), seq(3)).unwrap();
        assert!(continuity.admit(ID, seq(3), seq(3)).is_err(), "a second writer is noticed");
    }
}
