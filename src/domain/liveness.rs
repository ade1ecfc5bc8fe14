//! Whether a session lives: how long it may be silent, when it is asked for a sign of life, and
//! when it is lost.
//!
//! ```text
//!   heard ──1⅛ heartbeats──> probed ──to 2 heartbeats──> silent
//!     ^                        │
//!     └──beat, frame or pong───┘
//! ```
//!
//! A session in a chat is watched by its conversation, any other session by itself. Both use these
//! rules.

use crate::domain::time::{Deadline, Span, Timestamp};

/// What is known of one session's life.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Liveness {
    last_seen: Timestamp,
    heartbeat_ms: u32,
    is_probed: bool,
}

/// Signs of life of one session that came one after another.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Signs {
    /// When the last sign came.
    pub last: Timestamp,
    /// How many signs there were.
    pub count: u32,
    /// The longest silence before any of them, in milliseconds.
    pub widest_ms: u32,
}

/// What must be done about a session's silence.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Look {
    /// Nothing yet.
    Wait,
    /// The session is asked for a sign of life.
    Probe,
    /// The session was asked and gave none: it is lost.
    Silent,
}

impl Signs {
    /// The first sign of life after a silence since `before`.
    pub fn first(before: Timestamp, now: Timestamp) -> Self {
        Self { last: now, count: 1, widest_ms: silence_ms(before, now) }
    }
}

/// How long a session was silent, in milliseconds.
pub fn silence_ms(before: Timestamp, now: Timestamp) -> u32 {
    u32::try_from(now.since(before).as_millis()).unwrap_or(u32::MAX)
}

impl Liveness {
    /// A session that was seen now, and was asked to beat so often.
    pub fn new(now: Timestamp, heartbeat: Span) -> Self {
        Self::restore(now, heartbeat, false)
    }

    /// As it was stored.
    pub fn restore(last_seen: Timestamp, heartbeat: Span, is_probed: bool) -> Self {
        // Settings bound a heartbeat far below the longest that there is room for.
        let heartbeat_ms = u32::try_from(heartbeat.as_millis()).unwrap_or(u32::MAX);
        Self { last_seen, heartbeat_ms, is_probed }
    }

    /// After how long without a sign of life a session is asked for one. A little more than one
    /// heartbeat, so that a beat which is on time but travels slowly costs no question.
    pub fn probe_after(heartbeat: Span) -> Span {
        heartbeat + heartbeat.divided_by(8)
    }

    /// After how long without a sign of life a session is lost.
    pub fn silent_after(heartbeat: Span) -> Span {
        heartbeat.times(2)
    }

    /// When it was last seen.
    pub const fn last_seen(&self) -> Timestamp {
        self.last_seen
    }

    /// How often it was asked to beat.
    pub fn heartbeat(&self) -> Span {
        Span::from_millis(self.heartbeat_ms.into())
    }

    /// Whether it was asked for a sign of life since it was last seen.
    pub const fn is_probed(&self) -> bool {
        self.is_probed
    }

    /// Notes a sign of life.
    pub fn note(&mut self, at: Timestamp) {
        self.last_seen = self.last_seen.max(at);
        self.is_probed = false;
    }

    /// Until when it may be silent. After that it is asked for a sign of life, or is lost if it was
    /// asked.
    pub fn next(&self) -> Deadline {
        let patience = if self.is_probed { Self::silent_after } else { Self::probe_after };
        Deadline::at(self.last_seen + patience(self.heartbeat()))
    }

    /// What must be done about its silence now.
    pub fn look(&self, now: Timestamp) -> Look {
        match self.next().is_over(now) {
            false => Look::Wait,
            true if self.is_probed => Look::Silent,
            true => Look::Probe,
        }
    }

    /// Notes that it was asked for a sign of life.
    ///
    /// A watcher that asks late, because it was busy or stood still, could not hear either. By so
    /// much the silence counts less; otherwise a session would be lost before it could answer.
    pub fn probe(&mut self, now: Timestamp) {
        let late = now.since(self.next().moment());
        if !self.is_probed && late > self.heartbeat().divided_by(2) {
            self.last_seen = self.last_seen + late;
        }
        self.is_probed = true;
    }
}
