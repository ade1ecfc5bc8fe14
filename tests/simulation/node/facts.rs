//! What the actors of a simulated node may read of its present state.

use std::cell::RefCell;
use std::collections::BTreeMap;

use holdline::behavior::facts::Nearby;
use holdline::domain::id::{AgentId, ConversationId, SessionId};
use holdline::domain::liveness::{Signs, silence_ms};
use holdline::domain::time::Timestamp;

/// What a conversation looks up.
#[derive(Debug)]
pub struct Near<'a> {
    pub pulses: &'a Pulses,
    pub is_writable: bool,
    pub must_wait: bool,
    /// Whether no sign of life is found.
    pub is_deaf: bool,
}

impl Nearby for Near<'_> {
    fn take_signs(&self, of: SessionId, to: ConversationId) -> Option<Signs> {
        if self.is_deaf { None } else { self.pulses.take_signs(of, to) }
    }

    fn has_listened(&self, _: &AgentId) -> bool {
        true
    }

    fn must_wait(&self) -> bool {
        self.must_wait
    }
}

/// The signs of life of sessions, each for the conversation that it is in, or about to enter.
#[derive(Debug, Default)]
pub struct Pulses(RefCell<BTreeMap<(SessionId, ConversationId), Pulse>>);

/// The signs of life of one session.
#[derive(Debug)]
struct Pulse {
    last: Timestamp,
    unread: Option<Signs>,
}

impl Pulses {
    /// Notes a sign of life.
    pub fn beat(&self, session: SessionId, conversation: ConversationId, now: Timestamp) {
        let mut pulses = self.0.borrow_mut();
        let fresh = Pulse { last: now, unread: None };
        let pulse = pulses.entry((session, conversation)).or_insert(fresh);
        let silence = silence_ms(pulse.last, now);
        let signs = pulse.unread.get_or_insert(Signs { last: now, count: 0, widest_ms: 0 });
        signs.last = now;
        signs.count += 1;
        signs.widest_ms = signs.widest_ms.max(silence);
        pulse.last = now;
    }

    /// The signs that were noted since the last call.
    pub fn take_signs(&self, of: SessionId, to: ConversationId) -> Option<Signs> {
        self.0.borrow_mut().get_mut(&(of, to))?.unread.take()
    }

    pub fn clear(&self) {
        self.0.borrow_mut().clear();
    }
}
