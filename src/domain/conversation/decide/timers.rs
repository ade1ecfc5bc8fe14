//! What is due: silence, the end of the window, and the timers of the phase.
//!
//! One wake does one thing, the earliest in this order. The caller wakes the conversation again as
//! long as [`Conversation::wake_at`] is not in the future.

use crate::domain::cause::Cause;
use crate::domain::conversation::decide::Moment;
use crate::domain::conversation::decide::customer::Loss;
use crate::domain::conversation::event::{Actor, Event, OfferEnd, Reason};
use crate::domain::conversation::timers::Timer;
use crate::domain::conversation::{Conversation, Owed, Phase};
use crate::domain::decision::Decision;

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
                there_until: attending.liveness.last_seen(),
            })
            .collect();
        if !silent.is_empty() {
            return Decision::of(self.losing(&silent, moment));
        }
        let over = self.timers().find(|(_, deadline)| deadline.is_over(moment.now));
        let Some((timer, _)) = over else { return Decision::nothing() };
        Decision::of(self.serve(timer, moment))
    }

    /// What a timer that is over does.
    fn serve(&self, timer: Timer, moment: Moment<'_>) -> Vec<Event> {
        match (timer, &self.phase) {
            (Timer::Window, _) => self.window_ended(moment),
            (Timer::Offer, Phase::Offered { lease, .. }) => {
                vec![self.offer_ended(&lease.agent, OfferEnd::Lapsed, None, moment)]
            }
            (Timer::AutoClose, Phase::Open { .. }) => {
                self.end(Reason::OpenTooLong, Actor::Timer, moment)
            }
            (Timer::AutoClose, Phase::Talking { .. }) => {
                self.end(Reason::ActiveTooLong, Actor::Timer, moment)
            }
            (Timer::AutoClose, Phase::Wrapup { reason, .. }) => {
                vec![Event::ConversationClosed { reason: *reason, by: Actor::Timer }]
            }
            (Timer::Reminder, Phase::Talking { owed: Owed::Remind(reminder), .. }) => {
                vec![Event::CustomerReminded { until: reminder.until.max(moment.now) }]
            }
            (Timer::Idle, Phase::Talking { .. }) => {
                self.end(Reason::CustomerIdle, Actor::Timer, moment)
            }
            (Timer::WrapupHold, Phase::Wrapup { agent, lease: Some(_), .. }) => {
                vec![Event::LeaseReleased { agent: agent.clone() }]
            }
            _ => Vec::new(),
        }
    }

    /// The row of the expiry table for the conversation's state.
    fn window_ended(&self, moment: Moment<'_>) -> Vec<Event> {
        let Some(absence) = self.absence() else { return Vec::new() };
        let reason = match self.phase {
            Phase::Talking { .. } => Reason::CustomerDisconnectedWhileActive,
            _ => Reason::CustomerDisconnectedWhileOpen,
        };
        let mut events =
            vec![Event::CustomerDisconnected { since: absence.since, cause: absence.cause }];
        events.extend(self.end(reason, Actor::Timer, moment));
        events
    }
}
