//! The timers of a simulated node, in the world's time.

use std::collections::BTreeMap;

use holdline::domain::conversation::event::Recorded;
use holdline::domain::id::{ConversationId, Seq, SessionId};
use holdline::domain::time::Timestamp;

use crate::node::mail::Party;
use crate::server::Millis;

/// A timer that is armed, by which it can be disarmed.
pub type Alarm = (Millis, u64);

/// What a timer is for.
#[derive(Clone, Debug)]
pub enum Timer {
    /// An actor wanted to be woken.
    Wake(Party),
    /// The first word of a chat that was entered.
    First(ConversationId, u64),
    /// A thread gives on what its conversations have appended, what they have told, and whose
    /// visitors they have freed.
    Appends(usize),
    Mail(usize),
    Free(usize),
    /// A conversation whose actor has died is opened again.
    Reopen(ConversationId),
    /// What was read for a conversation is there.
    Read(ConversationId, u64, Box<Read>),
}

/// What is read for a conversation.
#[derive(Clone, Debug)]
pub enum Read {
    /// The whole of it.
    Whole,
    /// What a session has missed behind a place; up to another everything was there when it was
    /// asked for. What is read then and there is kept here, else it is read when it is answered.
    Page(SessionId, (Seq, Seq), Option<Vec<Recorded>>),
}

/// An actor with its one timer.
#[derive(Debug)]
pub struct Actor<B> {
    pub behavior: B,
    /// When it is woken.
    pub alarm: Option<(Timestamp, Alarm)>,
}

impl<B> Actor<B> {
    pub const fn new(behavior: B) -> Self {
        Self { behavior, alarm: None }
    }
}

/// All of them, the earliest first, and among equals in the order in which they were armed.
#[derive(Debug, Default)]
pub struct Timers {
    armed: BTreeMap<Alarm, Timer>,
    next: u64,
}

impl Timers {
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

    /// Whether something is being read, or about to be.
    pub fn are_reading(&self) -> bool {
        let mut armed = self.armed.values();
        armed.any(|timer| matches!(timer, Timer::Read(..) | Timer::Reopen(_)))
    }

    pub fn take_due(&mut self, now: Millis) -> Option<Timer> {
        let alarm = *self.armed.keys().next().filter(|(at, _)| *at <= now)?;
        self.armed.remove(&alarm)
    }

    pub fn clear(&mut self) {
        self.armed.clear();
    }
}
