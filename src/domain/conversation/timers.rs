//! When a conversation is due: its timers are its state, so no restart can lose one.

use crate::domain::cause::{Cause, Leaving};
use crate::domain::conversation::event::{Actor, Event, OfferEnd, Reason, Reminder, RestartTimers};
use crate::domain::conversation::{Conversation, Owed, Phase};
use crate::domain::id::SessionId;
use crate::domain::liveness::{Liveness, Signs};
use crate::domain::time::{Deadline, Span, Timestamp};

/// A session for whose silence a conversation wants to be woken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Watched {
    /// The session.
    pub session: SessionId,
    /// When the conversation wants to be woken, unless there is a sign of life before.
    pub wake_at: Timestamp,
    /// How long after a sign of life it wants to be woken.
    pub after: Span,
    /// When it wants to be woken in any case.
    pub otherwise: Option<Timestamp>,
}

/// A timer of a conversation.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Timer {
    /// How long an away customer is held.
    Window,
    /// How long an offer stands.
    Offer,
    /// When a customer who owes an answer is reminded.
    Reminder,
    /// When a customer who was reminded is disconnected.
    Idle,
    /// How long an agent's units are held in wrap-up.
    WrapupHold,
    /// When the chat closes, or moves to wrap-up, by itself.
    AutoClose,
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
            Self::WrapupHold => "wrap-up block",
        }
    }

    /// Whether this timer made the event happen, in wrap-up or before.
    pub const fn causes(self, event: &Event, in_wrapup: bool) -> bool {
        match (self, event) {
            (Self::Window, Event::CustomerDisconnected { .. })
            | (Self::Offer, Event::OfferEnded { end: OfferEnd::Lapsed, .. })
            | (Self::Reminder, Event::CustomerReminded { .. })
            | (Self::WrapupHold, Event::LeaseReleased { .. }) => true,
            (Self::AutoClose, Event::ConversationClosed { by: Actor::Timer, .. }) if in_wrapup => {
                true
            }
            (
                Self::AutoClose,
                Event::ConversationClosed { reason, .. } | Event::WrapupStarted { reason, .. },
            ) => matches!(reason, Reason::OpenTooLong | Reason::ActiveTooLong) && !in_wrapup,
            (
                Self::Idle,
                Event::ConversationClosed { reason, .. } | Event::WrapupStarted { reason, .. },
            ) => matches!(reason, Reason::CustomerIdle),
            _ => false,
        }
    }
}

impl Phase {
    /// The timers that this phase sets, in the order in which expired ones are served.
    fn timers(&self) -> impl Iterator<Item = (Timer, Deadline)> + use<> {
        let timer = |timer, at: Timestamp| (timer, Deadline::at(at));
        let auto_close = |at: &Option<Timestamp>| at.map(|at| timer(Timer::AutoClose, at));
        let timers = match self {
            Self::New | Self::Closed { .. } => [None, None],
            Self::Open { close_at, .. } => [auto_close(close_at), None],
            Self::Offered { until, .. } => [Some(timer(Timer::Offer, *until)), None],
            Self::Talking { close_at, owed, .. } => {
                let owed = match owed {
                    Owed::Nothing => None,
                    Owed::Remind(reminder) => Some(timer(Timer::Reminder, reminder.at)),
                    Owed::Reminded(until) => Some(timer(Timer::Idle, *until)),
                };
                [auto_close(close_at), owed]
            }
            Self::Wrapup { close_at, hold_until, .. } => {
                [auto_close(close_at), hold_until.map(|at| timer(Timer::WrapupHold, at))]
            }
        };
        timers.into_iter().flatten()
    }
}

impl Conversation {
    /// The timers that run, in the order in which expired ones are served. While the customer is
    /// away, the phase's timers that concern them stand still and are not among these.
    pub fn timers(&self) -> impl Iterator<Item = (Timer, Deadline)> + use<> {
        let window = self.absence().map(|held| (Timer::Window, Deadline::at(held.until)));
        let stands_still = self.stands_still();
        window.into_iter().chain(self.phase.timers().filter(move |_| !stands_still))
    }

    /// Until when a timer runs, if it does.
    pub fn timer(&self, timer: Timer) -> Option<Timestamp> {
        let found = self.timers().find(|(running, _)| *running == timer);
        found.map(|(_, deadline)| deadline.moment())
    }

    /// The latest restart of the server, and when it was; only as long as nothing has happened
    /// since, because it is read off the state.
    pub fn latest_restart(&self) -> Option<(Timestamp, Event)> {
        let absence = self.absence().filter(|absence| absence.cause == Cause::Restarted)?;
        let mut timers = RestartTimers::default();
        for (timer, deadline) in self.phase.timers() {
            match timer {
                Timer::Offer => timers.offer_until = Some(deadline.moment()),
                Timer::AutoClose => timers.close_at = Some(deadline.moment()),
                Timer::Reminder => timers.reminder = self.reminder(),
                Timer::Window | Timer::Idle | Timer::WrapupHold => {}
            }
        }
        Some((absence.since, Event::ServerRestarted { until: absence.until, timers }))
    }

    /// When the customer is reminded, if they owe an answer and were not.
    const fn reminder(&self) -> Option<Reminder> {
        match &self.phase {
            Phase::Talking { owed: Owed::Remind(reminder), .. } => Some(*reminder),
            _ => None,
        }
    }

    /// When the conversation wants to be woken; never again once it is closed. Waking early or
    /// twice is harmless.
    pub fn wake_at(&self) -> Option<Timestamp> {
        if matches!(self.phase, Phase::New | Phase::Closed { .. }) {
            return None;
        }
        self.timer_due_at().into_iter().chain(self.attendance.due_at()).min()
    }

    /// The session for whose silence the conversation wants to be woken, if it waits for that. A
    /// caller that knows of later signs of life can tell by it how much later the conversation
    /// would want to be woken if it knew them.
    pub fn watched(&self) -> Option<Watched> {
        let (next, other) = self.attendance.next_due()?;
        let wake_at = next.liveness.next().wake_at();
        let unheard = Liveness::new(Timestamp::default(), next.liveness.heartbeat());
        let watched = Watched {
            session: next.session,
            wake_at,
            after: unheard.next().wake_at().since(unheard.last_seen()),
            otherwise: other.into_iter().chain(self.timer_due_at()).min(),
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

    /// Notes whether a session's browser answers while its page says nothing. Returns whether the
    /// customer as a whole has thereby fallen asleep, or woken.
    pub fn hear_asleep(&mut self, session: SessionId, on: bool) -> bool {
        let was_asleep = self.attendance.is_asleep();
        self.attendance.hear_asleep(session, on);
        self.attendance.is_asleep() != was_asleep
    }

    /// The sessions that must now be asked for a sign of life.
    pub fn ask_quiet(&mut self, now: Timestamp) -> Vec<SessionId> {
        self.attendance.ask_quiet(now)
    }

    fn timer_due_at(&self) -> Option<Timestamp> {
        self.timers().map(|(_, deadline)| deadline.wake_at()).min()
    }
}
