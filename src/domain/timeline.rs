//! A conversation replayed event by event: what each event changed of its state, of what is held of
//! agents and of its timers. It comes from replay, so it shows what the machine did and not what
//! somebody remembers.

use crate::domain::conversation::event::{Event, Recorded};
use crate::domain::conversation::timers::Timer;
use crate::domain::conversation::{Conversation, Phase, State};
use crate::domain::id::ConversationId;
use crate::domain::lease::Lease;
use crate::domain::time::{Deadline, Timestamp};

/// What became of a timer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Turn {
    /// It runs, until this moment.
    Set(Timestamp),
    /// It runs until another moment than before.
    Moved {
        /// Until when it ran before.
        from: Timestamp,
        /// Until when it runs now.
        to: Timestamp,
    },
    /// It is not needed any more.
    Stopped,
    /// Its moment came.
    Fired,
}

/// One thing that an event changed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Change {
    /// The state; the phase of an active chat counts as one.
    State {
        /// What it was; nothing before the start.
        from: Option<&'static str>,
        /// What it is.
        to: &'static str,
    },
    /// What is held of an agent.
    Lease {
        /// What was held.
        from: Option<Lease>,
        /// What is held now.
        to: Option<Lease>,
    },
    /// A timer.
    Timer(Timer, Turn),
}

/// An event with what it changed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Step {
    /// The event in its place.
    pub recorded: Recorded,
    /// What it changed.
    pub changes: Vec<Change>,
}

/// A conversation that is replayed event by event, from the first on.
#[derive(Debug)]
pub struct Replay(Conversation);

impl Replay {
    /// Before its first event.
    pub fn new(id: ConversationId) -> Self {
        Self(Conversation::new(id))
    }

    /// Passes over an event whose changes are not wanted.
    pub fn pass(&mut self, recorded: &Recorded) {
        self.0.apply(&recorded.event, recorded.at);
    }

    /// What an event changed.
    pub fn step(&mut self, recorded: Recorded) -> Step {
        let before = Standing::of(&self.0);
        self.pass(&recorded);
        let changes = before.changes(&recorded.event, &Standing::of(&self.0));
        Step { recorded, changes }
    }

    /// The conversation as it is after all of them.
    pub fn conversation(&self) -> &Conversation {
        &self.0
    }
}

/// The parts of a conversation that are compared.
struct Standing {
    state: Option<&'static str>,
    lease: Option<Lease>,
    timers: Vec<(Timer, Deadline)>,
}

impl Standing {
    fn of(conversation: &Conversation) -> Self {
        let mut timers: Vec<_> = conversation.timers().collect();
        timers.sort_unstable();
        Self {
            state: match conversation.phase() {
                Phase::Offered { .. } => Some("active, offered"),
                _ => conversation.state().map(State::name),
            },
            // Whether the customer is told of an absence changes nothing about what is held.
            lease: conversation.lease().map(|lease| Lease { missed: false, ..lease.clone() }),
            timers,
        }
    }

    fn changes(self, event: &Event, after: &Self) -> Vec<Change> {
        let mut changes = Vec::new();
        if let Some(to) = after.state.filter(|to| self.state != Some(to)) {
            changes.push(Change::State { from: self.state, to });
        }
        if self.lease != after.lease {
            changes.push(Change::Lease { from: self.lease.clone(), to: after.lease.clone() });
        }
        // A timer that appears twice ended with one phase and began with another.
        let was = |timer| self.timers.iter().find(|(known, _)| *known == timer);
        let is = |timer| after.timers.iter().find(|(known, _)| *known == timer);
        let in_wrapup = self.state == Some("wrapup");
        for (timer, from) in &self.timers {
            let turn = match is(*timer) {
                _ if timer.causes(event, in_wrapup) => Turn::Fired,
                None => Turn::Stopped,
                Some((_, to)) if to == from => continue,
                Some((_, to)) => Turn::Moved { from: from.moment(), to: to.moment() },
            };
            changes.push(Change::Timer(*timer, turn));
            if let (Turn::Fired, Some((_, until))) = (turn, is(*timer)) {
                changes.push(Change::Timer(*timer, Turn::Set(until.moment())));
            }
        }
        let set = after.timers.iter().filter(|(timer, _)| was(*timer).is_none());
        changes.extend(set.map(|(timer, until)| Change::Timer(*timer, Turn::Set(until.moment()))));
        changes
    }
}

impl Turn {
    /// The name, for programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Set(_) => "set",
            Self::Moved { .. } => "moved",
            Self::Stopped => "stopped",
            Self::Fired => "fired",
        }
    }

    /// Until when the timer runs now, if it does.
    pub const fn until(self) -> Option<Timestamp> {
        match self {
            Self::Set(until) | Self::Moved { to: until, .. } => Some(until),
            Self::Stopped | Self::Fired => None,
        }
    }
}
