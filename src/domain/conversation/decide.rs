//! Every rule of a conversation: what a command means, or why it is refused. Nothing changes here.

mod agents;
mod customer;
mod timers;

use crate::domain::conversation::command::{Answer, Authority, Command, Refusal};
use crate::domain::conversation::event::{
    Actor, Author, Event, Hold, Reason, Reminder, RestartTimers,
};
use crate::domain::conversation::{Conversation, Phase};
use crate::domain::decision::Decision;
use crate::domain::id::{AgentId, MessageId};
use crate::domain::settings::{Workstream, WrapupBlock};
use crate::domain::text::MessageText;
use crate::domain::time::Timestamp;
use crate::limits;

/// What a decision is taken under: the settings in force, and the time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment<'a> {
    pub(super) workstream: &'a Workstream,
    pub(super) now: Timestamp,
}

impl Conversation {
    /// What `command` means at `now`, under the settings in force now.
    pub fn decide(
        &self,
        command: Command,
        now: Timestamp,
        workstream: &Workstream,
    ) -> Result<Decision, Refusal> {
        let moment = Moment { workstream, now };
        if let Command::Start(request) = command {
            return self.start(request, moment);
        }
        match (&self.phase, &command) {
            (Phase::New, Command::Wake | Command::Recover) => return Ok(Decision::nothing()),
            (Phase::New, _) => return Err(Refusal::NotStarted),
            _ => {}
        }
        match command {
            Command::Start(_) => Err(Refusal::AlreadyStarted),
            Command::Join { session, heartbeat, program } => {
                self.join(session, heartbeat, program, moment)
            }
            Command::Lose { session, cause } => Ok(self.lose(session, cause, moment)),
            Command::Post { from, by, id, text } => self.post(from, by, id, text, moment),
            Command::EndByCustomer => self.end_by_customer(moment),
            Command::Offer { agent } => self.offer(&agent, moment),
            Command::Accept { agent, name, by } => self.accept(agent, name, by, moment),
            Command::Decline { agent, by } => self.decline(&agent, by, moment),
            Command::Release { by } => self.release(&by, moment),
            Command::End { by } => self.end_by_agent(&by, moment),
            Command::Close { by } => self.close(&by),
            Command::Assign { agent, by } => self.assign(&agent, by, moment),
            Command::ForceClose { by } => self.force_close(by),
            Command::AgentGone { agent } => Ok(self.agent_gone(&agent, moment)),
            Command::MissAgent { agent, since } => Ok(self.miss_agent(&agent, since)),
            Command::MeetAgent { agent } => Ok(self.meet_agent(&agent)),
            Command::Wake => Ok(self.wake(moment)),
            Command::Recover => Ok(self.recover(moment)),
        }
    }

    fn post(
        &self,
        from: Author,
        by: Option<AgentId>,
        id: MessageId,
        text: MessageText,
        moment: Moment<'_>,
    ) -> Result<Decision, Refusal> {
        // A repeated message gets its first answer even after the end: its author only lost the
        // answer.
        if let Some((posted, same)) = self.posts.find(self.salt(), &from, &id, &text) {
            return if same {
                let answer = Answer::Posted { seq: posted.seq, at: posted.at };
                Ok(Decision { events: Vec::new(), answer })
            } else {
                Err(Refusal::IdReused)
            };
        }
        self.expect_not_over()?;
        if let Author::Agent(agent) = &from {
            self.may_signal(agent)?;
        }
        let has_room = match &from {
            Author::Customer => {
                self.usage().admits_message(&text, &moment.workstream.customer_limits)
            }
            Author::Agent(_) => true,
        };
        if !has_room || self.posts.len() >= limits::ENTRIES_MAX as usize {
            return Err(Refusal::ConversationFull);
        }
        let (reminder, by) = match &from {
            Author::Customer => (None, None),
            Author::Agent(agent) => (moment.reminder(), in_place_of(agent, by)),
        };
        let answer = Answer::Posted { seq: self.seq.next(), at: moment.now };
        Ok(Decision { events: vec![Event::MessagePosted { id, from, by, text, reminder }], answer })
    }

    fn recover(&self, moment: Moment<'_>) -> Decision {
        let concerned = self.is_live() || self.attendance.is_connected();
        if !concerned {
            return Decision::nothing();
        }
        let Moment { workstream, now } = moment;
        let timers = match &self.phase {
            Phase::Open { .. } => {
                RestartTimers { close_at: moment.open_until(), ..RestartTimers::default() }
            }
            Phase::Offered { .. } => RestartTimers {
                offer_until: Some(now + workstream.offer),
                ..RestartTimers::default()
            },
            Phase::Talking { .. } => RestartTimers {
                close_at: moment.active_until(),
                reminder: self.reminder_anew(moment),
                ..RestartTimers::default()
            },
            Phase::New | Phase::Wrapup { .. } | Phase::Closed { .. } => RestartTimers::default(),
        };
        Decision::of(vec![Event::ServerRestarted { until: now + workstream.window, timers }])
    }

    fn expect_not_over(&self) -> Result<(), Refusal> {
        match self.phase {
            Phase::Closed { .. } => Err(Refusal::AlreadyClosed),
            Phase::Wrapup { .. } => Err(Refusal::ConversationEnded),
            Phase::New | Phase::Open { .. } | Phase::Offered { .. } | Phase::Talking { .. } => {
                Ok(())
            }
        }
    }

    /// Whether an agent may say something in it: only the agent who is in it may.
    pub fn may_signal(&self, agent: &AgentId) -> Result<(), Refusal> {
        match &self.phase {
            Phase::Talking { lease, .. } if lease.agent == *agent => Ok(()),
            Phase::Offered { lease, .. } if lease.agent == *agent => Err(Refusal::NotAccepted),
            Phase::Open { .. } => Err(Refusal::NotAccepted),
            Phase::New => Err(Refusal::NotStarted),
            Phase::Offered { .. } | Phase::Talking { .. } => Err(Refusal::NotYours),
            Phase::Wrapup { .. } | Phase::Closed { .. } => self.expect_not_over(),
        }
    }

    /// The chat ends: an agent who is in it wraps up, otherwise it is closed.
    fn end(&self, reason: Reason, by: Actor, moment: Moment<'_>) -> Vec<Event> {
        if !matches!(self.phase, Phase::Talking { .. }) {
            return vec![Event::ConversationClosed { reason, by }];
        }
        let Moment { workstream, now } = moment;
        let hold = match workstream.wrapup_block {
            WrapupBlock::Always => Hold::UntilClosed,
            WrapupBlock::Never => Hold::No,
            WrapupBlock::For(span) => Hold::Until(now + span),
        };
        let close_at = workstream.wrapup_lasts().map(|span| now + span);
        vec![Event::WrapupStarted { reason, by, hold, close_at }]
    }
}

impl Moment<'_> {
    fn open_until(&self) -> Option<Timestamp> {
        self.workstream.autoclose.open.map(|span| self.now + span)
    }

    fn active_until(&self) -> Option<Timestamp> {
        self.workstream.autoclose.active.map(|span| self.now + span)
    }

    fn reminder(&self) -> Option<Reminder> {
        let idle = self.workstream.idle?;
        Some(Reminder { at: self.now + idle.warn, until: self.now + idle.close })
    }
}

/// The person who acts in an agent's place; nobody if it is the agent.
fn in_place_of(agent: &AgentId, by: Option<AgentId>) -> Option<AgentId> {
    by.filter(|by| by != agent)
}

impl Authority {
    fn covers(&self, holder: &AgentId) -> bool {
        match self {
            Self::Agent(agent) => agent == holder,
            Self::Supervisor(_) => true,
        }
    }

    /// The person who acts, if that is not the agent themselves.
    fn supervisor(&self) -> Option<AgentId> {
        match self {
            Self::Agent(_) => None,
            Self::Supervisor(supervisor) => Some(supervisor.clone()),
        }
    }

    fn actor(&self) -> Actor {
        match self {
            Self::Agent(agent) => Actor::Agent(agent.clone()),
            Self::Supervisor(supervisor) => Actor::Supervisor(supervisor.clone()),
        }
    }
}
