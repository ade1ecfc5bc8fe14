//! The timers of a simulated node, in the world's time.

use std::collections::BTreeMap;

use holdline::domain::id::{AgentId, ConversationId, QueueId, SessionId};

use crate::server::Millis;

/// A timer that is armed, by which it can be disarmed.
pub type Alarm = (Millis, u64);

/// What a timer is for.
#[derive(Clone, Debug)]
pub enum Timer {
    Chat(ConversationId, u64),
    First(ConversationId, u64),
    Linger(ConversationId, u64),
    Farewell(ConversationId, u64),
    Reopen(ConversationId, u64, Vec<AgentId>),
    Page(ConversationId, u64, SessionId),
    Agent(AgentId, u64),
    Audit(AgentId, u64),
    Availability(AgentId, u64, QueueId),
    Session(SessionId),
}

/// All of them, the earliest first, and among equals in the order in which they were armed.
#[derive(Debug, Default)]
pub struct RestartTimers {
    armed: BTreeMap<Alarm, Timer>,
    next: u64,
}

impl RestartTimers {
    pub fn arm(&mut self, at: Millis, timer: Timer) -> Alarm {
        self.next += 1;
        let alarm = (at, self.next);
        self.armed.insert(alarm, timer);
        alarm
    }

    pub fn disarm(&mut self, alarm: Alarm) {
        self.armed.remove(&alarm);
    }

    pub fn first(&self) -> Option<Millis> {
        self.armed.keys().next().map(|(at, _)| *at)
    }

    pub fn take_due(&mut self, now: Millis) -> Option<Timer> {
        let alarm = *self.armed.keys().next().filter(|(at, _)| *at <= now)?;
        self.armed.remove(&alarm)
    }

    pub fn any(&self, is_it: impl Fn(&Timer) -> bool) -> bool {
        self.armed.values().any(is_it)
    }

    pub fn clear(&mut self) {
        self.armed.clear();
    }
}
