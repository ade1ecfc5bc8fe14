//! The rules of the simulated node: the real machines', or one of them made wrong on purpose, to
//! prove that the checks can fail.

pub mod table;

use bytestring::ByteString;
use holdline::domain::agent::command::{AgentCommand, AgentEvent, AgentRefusal};
use holdline::domain::agent::{Agent, Availability};
use holdline::domain::conversation::claims::{Effect, Effects};
use holdline::domain::conversation::command::{Answer, Command, Refusal};
use holdline::domain::conversation::event::{Event, OfferEnd, Reason, Recorded};
use holdline::domain::conversation::{Conversation, Phase};
use holdline::domain::decision::{Decision, Released};
use holdline::domain::id::{Seq, SessionId};
use holdline::domain::queue::{QueueCommand, Waiting};
use holdline::domain::settings::Workstream;
use holdline::domain::time::{Span, Timestamp};
use holdline::wire::server::{ServerFrame, Speaker};

pub use crate::wrong::table::Wrong;

const TICK: Span = Span::from_millis(1);

/// The rules, right or with one of them wrong.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rules {
    wrong: Option<Wrong>,
}

impl Rules {
    pub fn with(wrong: Wrong) -> Self {
        Self { wrong: Some(wrong) }
    }

    fn is(self, wrong: Wrong) -> bool {
        self.wrong == Some(wrong)
    }

    pub fn decide(
        self,
        conversation: &Conversation,
        command: Command,
        now: Timestamp,
        workstream: &Workstream,
    ) -> Result<Decision, Refusal> {
        let right = |command, at| conversation.decide(command, at, workstream);
        let Some(wrong) = self.wrong else { return right(command, now) };
        if wrong == Wrong::OffersAbsent && matches!(command, Command::Offer { .. }) {
            let workstream = Workstream { offers_absent: true, ..workstream.clone() };
            return conversation.decide(command, now, &workstream);
        }
        if wrong == Wrong::RunsWhileAway && matches!(command, Command::Wake) {
            let due = right(command.clone(), now)?;
            let as_if_there = as_if_there(conversation);
            return if due.events.is_empty() {
                as_if_there.decide(command, now, workstream)
            } else {
                Ok(due)
            };
        }
        let until = conversation.absence().map(|absence| absence.until);
        match (wrong, &command) {
            (Wrong::EndsEarly, Command::Wake) if until == Some(now) => right(command, now + TICK),
            (Wrong::EndsLate, Command::Wake)
                if until.is_some_and(|it| it < now && now <= it + Span::from_secs(1)) =>
            {
                Ok(Decision::nothing())
            }
            (Wrong::LosesAtDeadline, Command::Join { .. }) if until == Some(now) => {
                Err(Refusal::AlreadyClosed)
            }
            (Wrong::HoldsWrapup, Command::Wake) if is_wrapup(conversation) => {
                Ok(Decision::nothing())
            }
            (Wrong::DropsSecondTab, Command::Lose { session, cause }) => {
                let (session, cause) = (*session, *cause);
                let is_one_of_two = is_one_of_two(conversation, session);
                let mut decision = right(command, now)?;
                if is_one_of_two && conversation.is_live() {
                    let until = now + workstream.window;
                    decision.events.push(Event::CustomerAway { since: now, until, cause });
                }
                Ok(decision)
            }
            (Wrong::PostsAgain, Command::Post { from, id, text, .. }) => {
                let (from, id, text) = (from.clone(), id.clone(), text.clone());
                let decision = right(command, now)?;
                if !decision.events.is_empty() {
                    return Ok(decision);
                }
                let answer = Answer::Posted { seq: conversation.seq().next(), at: now };
                let posted = Event::MessagePosted { by: None, id, from, text, reminder: None };
                Ok(Decision { events: vec![posted], answer })
            }
            _ => right(command, now).map(|decision| self.spoil(decision, until)),
        }
    }

    fn spoil(self, mut decision: Decision, until: Option<Timestamp>) -> Decision {
        let events = &mut decision.events;
        let ends = |event: &Event| matches!(event, Event::CustomerDisconnected { .. });
        if self.is(Wrong::EndsTwice)
            && let Some(first) = events.first().filter(|event| ends(event)).cloned()
        {
            events.insert(0, first);
        }
        if self.is(Wrong::ReturnsInVain) {
            events.retain(|event| !matches!(event, Event::CustomerReturned { .. }));
        }
        for event in events {
            match event {
                Event::ServerRestarted { until: held, .. } if self.is(Wrong::CountsDowntime) => {
                    *held = until.unwrap_or(*held);
                }
                Event::ChatOffered { lease, .. } if self.is(Wrong::KeepsOffers) => {
                    lease.grace = Span::from_secs(3_600);
                }
                Event::AgentBack { agent } if self.is(Wrong::TellsAwayTwice) => {
                    let agent = agent.clone();
                    let (since, until) = (Timestamp::default(), Timestamp::default());
                    *event = Event::AgentAway { agent, since, until };
                }
                Event::WrapupStarted { reason, .. }
                    if self.is(Wrong::NamesTheWrongReason)
                        && *reason == Reason::CustomerDisconnectedWhileActive =>
                {
                    *reason = Reason::CustomerEnded;
                }
                _ => {}
            }
        }
        decision
    }

    pub fn decide_agent(
        self,
        agent: &Agent,
        command: AgentCommand,
        now: Timestamp,
    ) -> Result<Vec<AgentEvent>, AgentRefusal> {
        match (agent.decide(command.clone(), now), command) {
            (Err(AgentRefusal::NoCapacity), AgentCommand::Reserve { conversation, lease })
                if self.is(Wrong::OffersBeyond) =>
            {
                Ok(vec![AgentEvent::LeaseReserved { conversation, lease }])
            }
            (decided, _) => decided,
        }
    }

    pub fn wake_at(self, conversation: &Conversation) -> Option<Timestamp> {
        let right = conversation.wake_at();
        let until = conversation.absence().map(|absence| absence.until);
        match self.wrong {
            Some(Wrong::EndsEarly) => right.map(|at| until.map_or(at, |until| until.min(at))),
            Some(Wrong::EndsLate) => right.map(|at| match until {
                Some(until) if at == until + TICK => at + Span::from_secs(1),
                _ => at,
            }),
            Some(Wrong::HoldsWrapup) if is_wrapup(conversation) => None,
            Some(Wrong::RunsWhileAway) => {
                right.into_iter().chain(as_if_there(conversation).wake_at()).min()
            }
            _ => right,
        }
    }

    pub fn effects(self, released: Released) -> Effects {
        let declined =
            |event: &Event| matches!(event, Event::OfferEnded { end: OfferEnd::Declined, .. });
        let mut effects = released.effects;
        if self.is(Wrong::KeepsDeclined) && released.events.iter().any(declined) {
            effects.retain(|effect| !matches!(effect, Effect::ReturnLease(_)));
        }
        effects
    }

    /// What is written of a decision.
    pub fn written(self, events: &[Event]) -> Vec<Event> {
        let mut written = events.to_vec();
        for event in &mut written {
            if let Event::CustomerAway { until, .. } = event
                && self.is(Wrong::WritesOther)
            {
                *until = *until + Span::from_secs(1);
            }
        }
        written
    }

    /// How a chat waits in the line.
    pub fn place(self, mut waiting: Waiting) -> Waiting {
        if self.is(Wrong::OffersAbsent) {
            waiting.is_held = false;
        }
        if self.is(Wrong::AsksAgain) {
            waiting.not_first.clear();
        }
        waiting
    }

    pub fn availability(self, mut availability: Availability) -> Availability {
        if self.is(Wrong::OffersBeyond) {
            availability.free += 2;
        }
        availability
    }

    /// Whether nobody is asked for those who wait, now that an agent may have room.
    pub fn forgets_those_who_wait(self, command: &QueueCommand) -> bool {
        self.is(Wrong::ForgetsWaiting) && matches!(command, QueueCommand::AgentChanged(_))
    }

    pub fn releases_early(self) -> bool {
        self.is(Wrong::TellsEarly)
    }

    pub fn trusts_lost(self) -> bool {
        self.is(Wrong::TrustsLost)
    }

    pub fn forgets_visitors(self) -> bool {
        self.is(Wrong::ForgetsVisitors)
    }

    pub fn is_deaf(self) -> bool {
        self.is(Wrong::HearsNothing)
    }

    pub fn is_deaf_while_settling(self) -> bool {
        self.is(Wrong::DeafWhileSettling)
    }

    pub fn ignores_units(self) -> bool {
        self.is(Wrong::IgnoresUnits)
    }

    pub fn forgets_returns(self) -> bool {
        self.is(Wrong::ForgetsReturns)
    }

    pub fn swallows_offers(self) -> bool {
        self.is(Wrong::SwallowsOffers)
    }

    pub fn answers_unbegun(self) -> bool {
        self.is(Wrong::AnswersUnbegun)
    }

    pub fn offers_late(self) -> bool {
        self.is(Wrong::OffersLate) || self.is(Wrong::OffersBeyond)
    }

    pub fn forgets_claims(self) -> bool {
        self.is(Wrong::ForgetsClaims)
    }

    pub fn leaves_late(self) -> bool {
        self.is(Wrong::LeavesLate)
    }

    pub fn hears_too_soon(self) -> bool {
        self.is(Wrong::HearsTooSoon)
    }

    pub fn turns_down_early(self) -> bool {
        self.is(Wrong::TurnsDownEarly)
    }

    pub fn hears_by_name(self) -> bool {
        self.is(Wrong::HearsByName)
    }

    pub fn swallows_late_mail(self) -> bool {
        self.is(Wrong::SwallowsLateMail)
    }

    pub fn trusts_the_session(self) -> bool {
        self.is(Wrong::TrustsTheSession)
    }

    pub fn trusts_other_histories(self) -> bool {
        self.is(Wrong::TrustsOtherHistories)
    }

    pub fn forgets_what_ended(self) -> bool {
        self.is(Wrong::ForgetsWhatEnded)
    }

    pub fn turns_messages_round(self) -> bool {
        self.is(Wrong::TurnsRound)
    }

    pub fn resumes_after(self, after: Seq) -> Seq {
        let back = u32::from(self.is(Wrong::TellsAgain));
        Seq::new(after.number().saturating_sub(back))
    }

    pub fn page(self, mut entries: Vec<Recorded>) -> Vec<Recorded> {
        if self.is(Wrong::SkipsOne) && entries.len() > 1 {
            entries.remove(0);
        }
        entries
    }

    /// What a customer is told of an event that is not theirs to see.
    pub fn leak(self, recorded: &Recorded) -> Vec<ByteString> {
        let Event::ChatOffered { lease, .. } = &recorded.event else { return Vec::new() };
        if !self.is(Wrong::ShowsAgentLine) {
            return Vec::new();
        }
        let frame = ServerFrame::Message {
            seq: recorded.seq,
            id: "leaked",
            from: Speaker::System,
            name: None,
            text: lease.agent.as_str(),
            at: recorded.at,
        };
        vec![frame.render()]
    }
}

fn is_wrapup(conversation: &Conversation) -> bool {
    matches!(conversation.phase(), Phase::Wrapup { .. })
}

/// The same chat, if its customer were not away.
fn as_if_there(conversation: &Conversation) -> Conversation {
    let mut there = conversation.clone();
    if there.stands_still() {
        let back = Event::CustomerReturned { after: Span::ZERO, reminder: None };
        there.apply(&back, Timestamp::default());
    }
    there
}

fn is_one_of_two(conversation: &Conversation, session: SessionId) -> bool {
    let attendance = conversation.attendance();
    attendance.sessions().len() > 1 && attendance.find(session).is_some()
}
