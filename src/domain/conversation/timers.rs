//! When a conversation is due: its timers are its state, so no restart can lose one.

use crate::domain::cause::{Cause, Leaving};
use crate::domain::conversation::attendance::Signs;
use crate::domain::conversation::event::{Event, Timers};
use crate::domain::conversation::{Conversation, Owed, Phase};
use crate::domain::id::SessionId;
use crate::domain::settings::Workstream;
use crate::domain::time::{Span, Timestamp};

/// A session for whose silence a conversation wants to be woken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Watched {
    /// Which.
    pub session: SessionId,
    /// When it wants to be woken, unless there is a sign of life before.
    pub wake_at: Timestamp,
    /// How long after one it wants to be woken.
    pub after: Span,
    /// When it wants to be woken in any case.
    pub otherwise: Option<Timestamp>,
}

/// The last moment counts: whatever happens at a deadline is in time, so a timer is due one tick
/// after it.
const TICK: Span = Span::from_millis(1);

impl Conversation {
    /// The restart of the server that happened last, and when; only as long as nothing has happened
    /// since, because it is read off the state.
    pub fn latest_restart(&self) -> Option<(Timestamp, Event)> {
        let absence = self.absence().filter(|absence| absence.cause == Cause::Restarted)?;
        let timers = match &self.phase {
            Phase::Open { close_at, .. } => Timers { close_at: *close_at, ..Timers::default() },
            Phase::Offered { until, .. } => {
                Timers { offer_until: Some(*until), ..Timers::default() }
            }
            Phase::Talking { close_at, owed, .. } => {
                let reminder = match owed {
                    Owed::Remind(reminder) => Some(*reminder),
                    Owed::Nothing | Owed::Reminded(_) => None,
                };
                Timers { close_at: *close_at, reminder, ..Timers::default() }
            }
            Phase::New | Phase::Wrapup { .. } | Phase::Closed { .. } => Timers::default(),
        };
        Some((absence.since, Event::ServerRestarted { until: absence.until, timers }))
    }

    /// When it wants to be woken; never again once it is closed. Waking early or twice is harmless.
    pub fn wake_at(&self) -> Option<Timestamp> {
        if matches!(self.phase, Phase::New | Phase::Closed { .. }) {
            return None;
        }
        let deadlines = [
            self.absence().map(|absence| absence.until + TICK),
            self.attendance.due_at(),
            self.phase_due_at(),
        ];
        deadlines.into_iter().flatten().min()
    }

    /// The session for whose silence it wants to be woken, if that is what it waits for. Whoever
    /// knows of signs of life that this does not know of yet can tell by it how much later it
    /// would want to be woken if it knew.
    pub fn watched(&self) -> Option<Watched> {
        let (next, other) = self.attendance.next_due()?;
        let absence = self.absence().map(|absence| absence.until + TICK);
        let watched = Watched {
            session: next.session,
            wake_at: next.wake_at(),
            after: Workstream::probe_after(next.heartbeat) + TICK,
            otherwise: [other, absence, self.phase_due_at()].into_iter().flatten().min(),
        };
        Some(watched).filter(|watched| self.wake_at() == Some(watched.wake_at))
    }

    /// Notes signs of life that were counted elsewhere.
    pub fn hear_all(&mut self, session: SessionId, signs: Signs) {
        self.attendance.hear_all(session, signs);
    }

    /// Notes a sign of life of a session: a beat, any frame, a pong. It costs no event, no timer
    /// and no allocation.
    pub fn hear(&mut self, session: SessionId, now: Timestamp) {
        self.attendance.hear(session, now);
    }

    /// Notes what a page announced about being left; nothing means that it is in use again.
    pub fn hear_leaving(&mut self, session: SessionId, leaving: Option<Leaving>) {
        self.attendance.hear_leaving(session, leaving);
    }

    /// Notes whether a session's browser answers while its page says nothing; tells whether by that
    /// the customer's page as a whole has fallen asleep, or woken.
    pub fn hear_asleep(&mut self, session: SessionId, on: bool) -> bool {
        let was_asleep = self.attendance.is_asleep();
        self.attendance.hear_asleep(session, on);
        self.attendance.is_asleep() != was_asleep
    }

    /// The sessions that must now be asked for a sign of life.
    pub fn ask_quiet(&mut self, now: Timestamp) -> Vec<SessionId> {
        self.attendance.ask_quiet(now)
    }

    fn phase_due_at(&self) -> Option<Timestamp> {
        if self.stands_still() {
            return None;
        }
        let (first, second) = match &self.phase {
            Phase::New | Phase::Closed { .. } => (None, None),
            Phase::Open { close_at, .. } => (*close_at, None),
            Phase::Offered { until, .. } => (Some(*until), None),
            Phase::Talking { close_at, owed, .. } => (*close_at, owed.due_at()),
            Phase::Wrapup { hold_until, close_at, .. } => (*hold_until, *close_at),
        };
        first.into_iter().chain(second).min().map(|deadline| deadline + TICK)
    }
}

impl Owed {
    /// When the reminder, or the end, is due.
    pub const fn due_at(self) -> Option<Timestamp> {
        match self {
            Self::Nothing => None,
            Self::Remind(reminder) => Some(reminder.at),
            Self::Reminded(until) => Some(until),
        }
    }
}
