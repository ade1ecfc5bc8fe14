//! The timers of a simulated node, in the world's time.

use std::collections::BTreeMap;

use holdline::domain::conversation::event::Recorded;
use holdline::domain::id::{ConversationId, Seq, SessionId};
use holdline::domain::time::Timestamp;

use crate::node::mail::Party;
use crate::server::Millis;

/// An armed timer, as a handle to disarm it.
pub type Alarm = (Millis, u64);

/// What a timer is for.
#[derive(Clone, Debug)]
pub enum Timer {
    /// An actor wanted to be woken.
    Wake(Party),
    /// The first word of a chat that a session has entered.
    First(ConversationId, u64),
    /// A thread passes on what its conversations have appended, and their mail, and frees the
    /// visitors that it has put off.
    Appends(usize),
    Mail(usize),
    Free(usize),
    /// A conversation whose actor died is opened again.
    Reopen(ConversationId),
    /// The result of a read for a conversation is there.
    Read(ConversationId, u64, Box<Read>),
}

/// What a conversation reads.
#[derive(Clone, Debug)]
pub enum Read {
    /// The whole conversation.
    Whole,
    /// What a session has missed after the first place; up to the second everything was there when
    /// the session asked. The entries are kept here if they were read then; else they are read when
    /// it is answered.
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

/// All timers, the earliest first; equal ones in the order in which they were armed.
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

    /// Whether a read is under way, or about to begin.
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
