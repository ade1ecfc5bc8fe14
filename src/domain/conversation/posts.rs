//! Which messages were posted, so that each is posted once: 24 bytes per message.
//!
//! They are recognised by digests that are keyed with a salt of the chat's own (SipHash-2-4), which
//! nobody outside is told. Otherwise a customer could look for an id with the same digest as a
//! message that their agent is about to post, and that message would then be lost.

use std::hash::Hasher;

use siphasher::sip::SipHasher24;

use crate::domain::conversation::event::Author;
use crate::domain::few::Few;
use crate::domain::id::{MessageId, Seq};
use crate::domain::text::MessageText;
use crate::domain::time::Timestamp;

/// The messages of a conversation, recognised by a digest of author and id.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Posts(Few<Posted>);

/// One posted message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Posted {
    pub(super) key: u64,
    pub(super) at: Timestamp,
    pub(super) content: u32,
    pub(super) seq: Seq,
}

impl Posts {
    /// The message of this author with this id, and whether its text was this one.
    pub(super) fn find(
        &self,
        salt: u64,
        from: &Author,
        id: &MessageId,
        text: &MessageText,
    ) -> Option<(Posted, bool)> {
        let key = key(salt, from, id);
        // A repeated message is nearly always a recent one.
        let posted = self.0.iter().rev().find(|posted| posted.key == key)?;
        Some((*posted, posted.content == content(salt, text)))
    }

    pub(super) fn note(
        &mut self,
        salt: u64,
        from: &Author,
        id: &MessageId,
        text: &MessageText,
        (seq, at): (Seq, Timestamp),
    ) {
        self.0.push(Posted { key: key(salt, from, id), at, content: content(salt, text), seq });
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Posted> {
        self.0.iter()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

impl FromIterator<Posted> for Posts {
    fn from_iter<I: IntoIterator<Item = Posted>>(posts: I) -> Self {
        Self(posts.into_iter().collect::<Vec<_>>().into())
    }
}

fn key(salt: u64, from: &Author, id: &MessageId) -> u64 {
    let author: &[u8] = match from {
        Author::Customer => b"",
        Author::Agent(agent) => agent.as_str().as_bytes(),
    };
    // Neither an agent's id nor a message id holds a zero byte, so no two pairs read the same.
    let mut hasher = SipHasher24::new_with_keys(salt, 0);
    for part in [author, &[0], id.as_str().as_bytes()] {
        hasher.write(part);
    }
    hasher.finish()
}

fn content(salt: u64, text: &MessageText) -> u32 {
    let mut hasher = SipHasher24::new_with_keys(salt, 1);
    hasher.write(text.as_str().as_bytes());
    let digest = hasher.finish();
    u32::try_from((digest ^ (digest >> 32)) & u64::from(u32::MAX)).unwrap_or(u32::MAX)
}
