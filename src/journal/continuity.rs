//! Whether an append continues what is in the journal. After a fault a conversation's later
//! appends, which were decided on top of lost ones, must not be written: only one that continues
//! exactly the durable place is taken again.

use std::collections::HashMap;

use crate::domain::id::{ConversationId, Seq};
use crate::limits;

/// Where each conversation's next append must begin, as far as that is remembered.
#[derive(Debug)]
pub(super) struct Continuity {
    /// The last places taken. Each conversation has one slot, which it shares with few others, and
    /// which holds the last that appended. That is enough, since a second writer of one
    /// conversation is nearly always a simultaneous one; and it is quick, since every append comes
    /// by here.
    recent: Box<[Option<(ConversationId, Seq)>]>,
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
        let recent = vec![None; limits::CONTINUITY_CONVERSATIONS_MAX].into_boxed_slice();
        Self { recent, failed: HashMap::new() }
    }

    /// Takes an append that reaches from `first` through `through`, if it continues.
    pub(super) fn admit(
        &mut self,
        conversation: ConversationId,
        first: Seq,
        through: Seq,
    ) -> Result<(), Discontinuous> {
        let failed = if self.failed.is_empty() { None } else { self.failed.get(&conversation) };
        let slot = slot(&mut self.recent, conversation);
        let recent = slot.filter(|(of, _)| *of == conversation).map(|(_, last)| last.next());
        let expected = failed.copied().or(recent);
        if let Some(expected) = expected.filter(|expected| *expected != first) {
            return Err(Discontinuous { conversation, expected, first });
        }
        *slot = Some((conversation, through));
        if failed.is_some() {
            self.failed.remove(&conversation);
        }
        Ok(())
    }

    /// Notes that a conversation is no longer in the journal. Only an append that begins it anew is
    /// taken.
    pub(super) fn forget(&mut self, conversation: ConversationId) {
        self.failed.remove(&conversation);
        *slot(&mut self.recent, conversation) = Some((conversation, Seq::ZERO));
    }

    /// Notes that an append that was taken, beginning at `first`, was not written. If several are
    /// told of, in their order, the first of them counts.
    pub(super) fn fail(&mut self, conversation: ConversationId, first: Seq) {
        let slot = slot(&mut self.recent, conversation);
        if slot.is_some_and(|(of, _)| of == conversation) {
            *slot = None;
        }
        self.failed.entry(conversation).or_insert(first);
    }
}

/// The slot that a conversation shares. Ids need not be random.
fn slot(
    recent: &mut [Option<(ConversationId, Seq)>],
    conversation: ConversationId,
) -> &mut Option<(ConversationId, Seq)> {
    const ODD: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;
    let mixed = conversation.as_bits().wrapping_mul(ODD) >> 96;
    let index = usize::try_from(mixed).unwrap_or(0) % limits::CONTINUITY_CONVERSATIONS_MAX;
    &mut recent[index]
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

    #[test]
    fn a_second_writer_is_noticed_behind_many_others() {
        let mut continuity = Continuity::new();
        let seq = Seq::new;
        continuity.admit(ID, seq(1), seq(2)).unwrap();
        for other in 0..64 {
            let other = ConversationId::from_bits(1_000 + other);
            continuity.admit(other, seq(1), seq(1)).unwrap();
            assert!(continuity.admit(other, seq(1), seq(1)).is_err());
        }
        assert!(continuity.admit(ID, seq(1), seq(2)).is_err());
        continuity.admit(ID, seq(3), seq(3)).unwrap();
        continuity.forget(ID);
        assert!(continuity.admit(ID, seq(4), seq(4)).is_err(), "it is there no more");
        continuity.admit(ID, seq(1), seq(1)).unwrap();
    }
}
