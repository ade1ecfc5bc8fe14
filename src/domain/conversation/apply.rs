//! What is true after an event. Total: history cannot be refused, and replay runs nothing else.

use crate::domain::conversation::attendance::Absence;
use crate::domain::conversation::event::{Author, Departure, Event, Hold, Reminder, RestartTimers};
use crate::domain::conversation::usage::CustomerUsage;
use crate::domain::conversation::{Begun, Conversation, Owed, Phase};
use crate::domain::id::AgentId;
use crate::domain::lease::{Lease, Purpose};
use crate::domain::time::{Span, Timestamp};

impl Conversation {
    /// Makes the event true. Its place is the next one.
    pub fn apply(&mut self, event: &Event, at: Timestamp) {
        self.event_follows(event);
        match event {
            Event::ConversationStarted(opening) => {
                self.started_at = at;
                self.phase = Phase::Open { waiting_since: at, close_at: opening.close_at };
                let (opening, usage) = (opening.clone(), CustomerUsage::default());
                self.begun = Some(Box::new(Begun { opening, usage }));
            }
            Event::SessionJoined { session, heartbeat, .. } => {
                self.attendance.join(*session, *heartbeat, at);
            }
            Event::SessionLost { session, there_until, .. } => {
                self.attendance.lose(*session, *there_until);
            }
            Event::CustomerAway { since, until, cause } => {
                self.attendance.begin_absence(Absence {
                    since: *since,
                    until: *until,
                    cause: *cause,
                });
            }
            Event::CustomerReturned { after, reminder } => {
                self.attendance.end_absence();
                self.go_on(*after, *reminder);
            }
            Event::CustomerDisconnected { .. } => self.attendance.end_absence(),
            Event::MessagePosted { id, from, text, reminder, .. } => {
                self.posts.note(self.salt(), from, id, text, (self.seq, at));
                self.owe_answer(from, *reminder);
            }
            Event::ChatOffered { lease, until, .. } => {
                let waiting_since = self.waiting_since().unwrap_or(at);
                self.phase = Phase::Offered { lease: lease.clone(), until: *until, waiting_since };
            }
            Event::OfferEnded { agent, end, excluded, close_at, .. } => {
                if end.is_decline() {
                    self.count_decline(agent, *excluded);
                }
                let waiting_since = self.waiting_since().unwrap_or(at);
                self.phase = Phase::Open { waiting_since, close_at: *close_at };
            }
            Event::ChatAccepted { lease, name, close_at, .. } => {
                self.phase = Phase::Talking {
                    lease: lease.clone(),
                    name: name.clone(),
                    close_at: *close_at,
                    owed: Owed::Nothing,
                };
            }
            Event::AgentAway { .. } => self.note_missed(true),
            Event::AgentBack { .. } => self.note_missed(false),
            Event::AgentLeft { agent, why, close_at, .. } => {
                if *why == Departure::Released {
                    self.note_reluctance(agent);
                }
                self.phase = Phase::Open { waiting_since: at, close_at: *close_at };
            }
            Event::CustomerReminded { until } => {
                if let Phase::Talking { owed, .. } = &mut self.phase {
                    *owed = Owed::Reminded(*until);
                }
            }
            Event::WrapupStarted { .. }
            | Event::LeaseReleased { .. }
            | Event::ConversationClosed { .. } => {
                self.apply_end(event, at);
            }
            Event::ServerRestarted { until, timers } => self.apply_restart(*until, timers, at),
        }
    }

    fn apply_end(&mut self, event: &Event, at: Timestamp) {
        match event {
            Event::WrapupStarted { reason, hold, close_at, .. } => {
                let Some(lease) = self.give_up_lease() else { return };
                let agent = lease.agent.clone();
                let held = Lease { purpose: Purpose::Wrapup, missed: false, ..lease };
                let (lease, hold_until) = match hold {
                    Hold::No => (None, None),
                    Hold::Until(until) => (Some(held), Some(*until)),
                    Hold::UntilClosed => (Some(held), None),
                };
                self.phase = Phase::Wrapup {
                    agent,
                    lease,
                    hold_until,
                    reason: *reason,
                    close_at: *close_at,
                };
                self.attendance.dismiss();
            }
            Event::LeaseReleased { .. } => {
                if let Phase::Wrapup { lease, hold_until, .. } = &mut self.phase {
                    *lease = None;
                    *hold_until = None;
                }
            }
            Event::ConversationClosed { reason, by } => {
                // An agent who never accepted it has no part in it.
                let offered = matches!(self.phase, Phase::Offered { .. });
                let agent = self.agent().filter(|_| !offered).cloned();
                self.phase = Phase::Closed { agent, reason: *reason, by: by.clone(), at };
                self.attendance.dismiss();
            }
            _ => {}
        }
    }

    /// Takes the lease out of the phase, for a caller that then sets another phase. The phase stays
    /// as it is when there is no lease.
    fn give_up_lease(&mut self) -> Option<Lease> {
        self.lease()?;
        match std::mem::replace(&mut self.phase, Phase::New) {
            Phase::Offered { lease, .. } | Phase::Talking { lease, .. } => Some(lease),
            Phase::Wrapup { lease, .. } => lease,
            Phase::New | Phase::Open { .. } | Phase::Closed { .. } => None,
        }
    }

    fn apply_restart(&mut self, until: Timestamp, timers: &RestartTimers, at: Timestamp) {
        self.attendance.restart(until, at);
        match &mut self.phase {
            Phase::Open { close_at, .. } => *close_at = timers.close_at,
            Phase::Offered { until, .. } => *until = timers.offer_until.unwrap_or(*until),
            Phase::Talking { close_at, owed, .. } => {
                *close_at = timers.close_at;
                *owed = timers.reminder.map_or(Owed::Nothing, Owed::Remind);
            }
            Phase::New | Phase::Wrapup { .. } | Phase::Closed { .. } => {
                self.attendance.end_absence();
            }
        }
    }

    fn note_missed(&mut self, missed: bool) {
        if let Phase::Talking { lease, .. } = &mut self.phase {
            lease.missed = missed;
        }
    }

    fn owe_answer(&mut self, from: &Author, reminder: Option<Reminder>) {
        if let Phase::Talking { owed, .. } = &mut self.phase {
            *owed = match from {
                Author::Customer => Owed::Nothing,
                Author::Agent(_) => reminder.map_or(Owed::Nothing, Owed::Remind),
            };
        }
    }

    /// The customer is back: timers that stood still go on.
    fn go_on(&mut self, after: Span, reminder: Option<Reminder>) {
        match &mut self.phase {
            Phase::Open { close_at: Some(close_at), .. } => *close_at = *close_at + after,
            Phase::Talking { close_at, owed, .. } => {
                *close_at = close_at.map(|at| at + after);
                *owed = match (reminder, *owed) {
                    (Some(reminder), _) => Owed::Remind(reminder),
                    (None, Owed::Nothing) => Owed::Nothing,
                    (None, Owed::Remind(Reminder { at, until })) => {
                        Owed::Remind(Reminder { at: at + after, until: until + after })
                    }
                    (None, Owed::Reminded(until)) => Owed::Reminded(until + after),
                };
            }
            _ => {}
        }
    }

    const fn waiting_since(&self) -> Option<Timestamp> {
        match self.phase {
            Phase::Open { waiting_since, .. } | Phase::Offered { waiting_since, .. } => {
                Some(waiting_since)
            }
            _ => None,
        }
    }

    /// An agent who gives a chat back is not the first to be asked for it again.
    fn note_reluctance(&mut self, agent: &AgentId) -> &mut u8 {
        let place = self.declines.iter().position(|(declined, _)| declined == agent);
        let place = place.unwrap_or_else(|| {
            self.declines.push((agent.clone(), 0));
            self.declines.len() - 1
        });
        &mut self.declines[place].1
    }

    fn count_decline(&mut self, agent: &AgentId, excluded: bool) {
        let count = self.note_reluctance(agent);
        *count = count.saturating_add(1);
        if excluded && !self.excluded.contains(agent) {
            self.excluded.push(agent.clone());
        }
    }
}
