//! What is due: silence, the end of the window, and the timers of the phase.
//!
//! One wake does one thing, the earliest in this order; whoever wakes a conversation wakes it
//! again as long as [`Conversation::wake_at`] is not in the future.

use crate::domain::cause::Cause;
use crate::domain::conversation::decide::Moment;
use crate::domain::conversation::decide::customer::Loss;
use crate::domain::conversation::event::{Actor, Event, OfferEnd, Reason};
use crate::domain::conversation::{Conversation, Owed, Phase};
use crate::domain::decision::Decision;
use crate::domain::time::Timestamp;

impl Conversation {
    pub(super) fn wake(&self, moment: Moment<'_>) -> Decision {
        if self.is_closed() {
            return Decision::nothing();
        }
        let silent: Vec<_> = self
            .attendance
            .silent(moment.now)
            .map(|attending| Loss {
                of: *attending,
                cause: self.attendance.explain(attending.session, Cause::Silent),
                code: None,
                there_until: attending.heard_at,
            })
            .collect();
        if !silent.is_empty() {
            return Decision::of(self.losing(&silent, moment));
        }
        if let Some(events) = self.window_ended(moment) {
            return Decision::of(events);
        }
        Decision::of(self.phase_due(moment))
    }

    /// The row of the expiry table for the state it is in.
    fn window_ended(&self, moment: Moment<'_>) -> Option<Vec<Event>> {
        let absence = self.absence().filter(|absence| moment.now > absence.until)?;
        let reason = match self.phase {
            Phase::Talking { .. } => Reason::CustomerDisconnectedWhileActive,
            _ => Reason::CustomerDisconnectedWhileOpen,
        };
        let mut events =
            vec![Event::CustomerDisconnected { since: absence.since, cause: absence.cause }];
        events.extend(self.end(reason, Actor::Timer, moment));
        Some(events)
    }

    fn phase_due(&self, moment: Moment<'_>) -> Vec<Event> {
        if self.stands_still() {
            return Vec::new();
        }
        let past = |deadline: &Option<Timestamp>| deadline.is_some_and(|at| moment.now > at);
        match &self.phase {
            Phase::Open { close_at, .. } if past(close_at) => {
                self.end(Reason::OpenTooLong, Actor::Timer, moment)
            }
            Phase::Offered { lease, until, .. } if moment.now > *until => {
                vec![self.offer_ended(&lease.agent, OfferEnd::Lapsed, None, moment)]
            }
            Phase::Talking { close_at, .. } if past(close_at) => {
                self.end(Reason::ActiveTooLong, Actor::Timer, moment)
            }
            Phase::Talking { owed: Owed::Remind(reminder), .. } if moment.now > reminder.at => {
                vec![Event::CustomerReminded { until: reminder.until.max(moment.now) }]
            }
            Phase::Talking { owed: Owed::Reminded(until), .. } if moment.now > *until => {
                self.end(Reason::CustomerIdle, Actor::Timer, moment)
            }
            Phase::Wrapup { reason, close_at, .. } if past(close_at) => {
                vec![Event::ConversationClosed { reason: *reason, by: Actor::Timer }]
            }
            Phase::Wrapup { agent, hold_until, lease: Some(_), .. } if past(hold_until) => {
                vec![Event::LeaseReleased { agent: agent.clone() }]
            }
            _ => Vec::new(),
        }
    }
}
