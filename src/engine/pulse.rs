//! The signs of life of one session in one conversation, where the conversation finds them.
//!
//! A heartbeat is the most frequent thing there is, and nobody has to act on it: it is worth
//! neither a message nor a turn of the conversation's actor. So the session notes it here, it puts
//! off the alarm of the conversation (`alarms.rs`), and the conversation reads it before it decides
//! anything.

use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use crate::domain::id::ConversationId;
use crate::domain::liveness::{Signs, silence_ms};
use crate::domain::time::Timestamp;

/// Written by one session, read by one conversation, perhaps on another thread.
#[derive(Debug)]
pub(super) struct Pulse {
    conversation: ConversationId,
    heard_at: AtomicI64,
    /// Signs of life since the conversation has read them.
    heard: AtomicU32,
    /// The longest time between two of them, in milliseconds.
    widest_ms: AtomicU32,
}

impl Pulse {
    /// The pulse of a session that enters a conversation now.
    pub(super) const fn new(conversation: ConversationId, now: Timestamp) -> Self {
        Self {
            conversation,
            heard_at: AtomicI64::new(now.as_millis()),
            heard: AtomicU32::new(0),
            widest_ms: AtomicU32::new(0),
        }
    }

    /// The conversation that it is for.
    pub(super) const fn conversation(&self) -> ConversationId {
        self.conversation
    }

    /// When the session was last heard of.
    pub(super) fn heard_at(&self) -> Timestamp {
        Timestamp::from_millis(self.heard_at.load(Ordering::Acquire))
    }

    /// Notes a sign of life.
    pub(super) fn beat(&self, now: Timestamp) {
        // Only the session writes, so nothing is lost between reading and writing.
        self.heard.fetch_add(1, Ordering::Relaxed);
        self.speak(now);
    }

    /// Notes a sign of life that also comes to the conversation as a message, and is counted there.
    pub(super) fn speak(&self, now: Timestamp) {
        let silence = silence_ms(self.heard_at(), now);
        if silence > self.widest_ms.load(Ordering::Relaxed) {
            self.widest_ms.fetch_max(silence, Ordering::Relaxed);
        }
        // A reader that sees this time sees the rest, too.
        self.heard_at.store(now.as_millis(), Ordering::Release);
    }

    /// What was noted since this was last asked.
    pub(super) fn take(&self) -> Signs {
        Signs {
            last: self.heard_at(),
            count: self.heard.swap(0, Ordering::Relaxed),
            widest_ms: self.widest_ms.swap(0, Ordering::Relaxed),
        }
    }
}
