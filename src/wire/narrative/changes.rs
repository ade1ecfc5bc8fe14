//! What an event changed: the state, the lease, and each timer that was set, moved, stopped or
//! fired. Told by replay, so it is what the machine did and not what somebody remembers.

use crate::domain::conversation::event::{Actor, Event, OfferEnd, Reason, Recorded};
use crate::domain::conversation::{Conversation, Owed, Phase, State};
use crate::domain::id::ConversationId;
use crate::domain::lease::{Lease, Purpose};
use crate::domain::time::Timestamp;
use crate::wire::time::rfc3339;

/// A timer of a conversation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Timer {
    /// How long an away customer is held.
    Window,
    /// How long an offer stands.
    Offer,
    /// When the chat closes, or moves to wrap-up, by itself.
    AutoClose,
    /// When a customer who owes an answer is reminded.
    Reminder,
    /// When a customer who was reminded is disconnected.
    Idle,
    /// How long an agent's units are held in wrap-up.
    WrapupBlock,
}

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

/// A conversation that is gone through again, event by event, from the first on.
#[derive(Debug)]
pub struct Replay(Conversation);

impl Replay {
    /// Before its first event.
    pub fn new(id: ConversationId) -> Self {
        Self(Conversation::new(id))
    }

    /// Passes over an event, whose changes nobody wants to know.
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

/// What of a conversation is compared.
struct Standing {
    state: Option<&'static str>,
    lease: Option<Lease>,
    timers: Vec<(Timer, Timestamp)>,
}

impl Standing {
    fn of(conversation: &Conversation) -> Self {
        Self {
            state: match conversation.phase() {
                Phase::Offered { .. } => Some("active, offered"),
                _ => conversation.state().map(State::name),
            },
            // Whether the customer is told of an absence changes nothing of what is held.
            lease: conversation.lease().map(|lease| Lease { missed: false, ..lease.clone() }),
            timers: running(conversation),
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
        // The same timer twice is one that ended with one phase and began with another.
        let was = |timer| self.timers.iter().find(|(known, _)| *known == timer);
        let is = |timer| after.timers.iter().find(|(known, _)| *known == timer);
        let in_wrapup = self.state == Some("wrapup");
        for (timer, from) in &self.timers {
            let turn = match is(*timer) {
                _ if has_fired(*timer, event, in_wrapup) => Turn::Fired,
                None => Turn::Stopped,
                Some((_, to)) if to == from => continue,
                Some((_, to)) => Turn::Moved { from: *from, to: *to },
            };
            changes.push(Change::Timer(*timer, turn));
            if let (Turn::Fired, Some((_, until))) = (turn, is(*timer)) {
                changes.push(Change::Timer(*timer, Turn::Set(*until)));
            }
        }
        let set = after.timers.iter().filter(|(timer, _)| was(*timer).is_none());
        changes.extend(set.map(|(timer, until)| Change::Timer(*timer, Turn::Set(*until))));
        changes
    }
}

/// The timers that run.
fn running(conversation: &Conversation) -> Vec<(Timer, Timestamp)> {
    let (close_at, other) = match conversation.phase() {
        Phase::New | Phase::Closed { .. } => (None, None),
        _ if conversation.stands_still() => (None, None),
        Phase::Open { close_at, .. } => (*close_at, None),
        Phase::Offered { until, .. } => (None, Some((Timer::Offer, *until))),
        Phase::Talking { close_at, owed, .. } => {
            let owed = match owed {
                Owed::Nothing => None,
                Owed::Remind(reminder) => Some((Timer::Reminder, reminder.at)),
                Owed::Reminded(until) => Some((Timer::Idle, *until)),
            };
            (*close_at, owed)
        }
        Phase::Wrapup { hold_until, close_at, .. } => {
            (*close_at, hold_until.map(|until| (Timer::WrapupBlock, until)))
        }
    };
    let window = conversation.absence().map(|absence| (Timer::Window, absence.until));
    let close = close_at.map(|at| (Timer::AutoClose, at));
    [window, other, close].into_iter().flatten().collect()
}

/// Whether it is this timer that made the event happen.
const fn has_fired(timer: Timer, event: &Event, in_wrapup: bool) -> bool {
    match (timer, event) {
        (Timer::Window, Event::CustomerDisconnected { .. })
        | (Timer::Offer, Event::OfferEnded { end: OfferEnd::Lapsed, .. })
        | (Timer::Reminder, Event::CustomerReminded { .. })
        | (Timer::WrapupBlock, Event::LeaseReleased { .. }) => true,
        (Timer::AutoClose, Event::ConversationClosed { by: Actor::Timer, .. }) if in_wrapup => true,
        (
            Timer::AutoClose,
            Event::ConversationClosed { reason, .. } | Event::WrapupStarted { reason, .. },
        ) => matches!(reason, Reason::OpenTooLong | Reason::ActiveTooLong) && !in_wrapup,
        (
            Timer::Idle,
            Event::ConversationClosed { reason, .. } | Event::WrapupStarted { reason, .. },
        ) => matches!(reason, Reason::CustomerIdle),
        _ => false,
    }
}

impl Timer {
    /// The name, for people and for programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Window => "window",
            Self::Offer => "offer",
            Self::AutoClose => "auto-close",
            Self::Reminder => "reminder",
            Self::Idle => "idle",
            Self::WrapupBlock => "wrap-up block",
        }
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

impl Change {
    /// The change, in a few words.
    pub fn told(&self) -> String {
        match self {
            Self::State { from: Some(from), to } => format!("state: {from} -> {to}"),
            Self::State { from: None, to } => format!("state: {to}"),
            Self::Lease { from, to } => match (from, to) {
                (_, Some(lease)) => format!("lease: {}", held(lease)),
                (Some(lease), None) => format!("lease: given back ({})", held(lease)),
                (None, None) => "lease: none".to_owned(),
            },
            Self::Timer(timer, turn) => {
                let name = timer.name();
                match turn {
                    Turn::Set(until) => format!("timer {name}: set for {}", rfc3339(*until)),
                    Turn::Moved { from, to } => {
                        format!("timer {name}: moved from {} to {}", rfc3339(*from), rfc3339(*to))
                    }
                    Turn::Stopped => format!("timer {name}: stopped"),
                    Turn::Fired => format!("timer {name}: fired"),
                }
            }
        }
    }
}

fn held(lease: &Lease) -> String {
    let purpose = match lease.purpose {
        Purpose::Offer => "offer",
        Purpose::Chat => "chat",
        Purpose::Wrapup => "wrap-up",
    };
    let units = if lease.units == 1 { "unit" } else { "units" };
    format!("{} {units} of {} for {purpose}", lease.units, lease.agent)
}
