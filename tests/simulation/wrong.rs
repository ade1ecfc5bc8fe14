//! The rules of the simulated node: the real machines', or one of them made wrong on purpose, to
//! prove that the checks can fail.

use bytestring::ByteString;
use holdline::domain::agent::command::{AgentCommand, AgentEvent, AgentRefusal};
use holdline::domain::agent::{Agent, Availability};
use holdline::domain::conversation::Conversation;
use holdline::domain::conversation::claims::Effect;
use holdline::domain::conversation::command::{Command, Refusal};
use holdline::domain::conversation::event::Recorded;
use holdline::domain::decision::{Decision, Released};
use holdline::domain::id::Seq;
use holdline::domain::queue::QueueCommand;
use holdline::domain::settings::Workstream;
use holdline::domain::time::{Span, Timestamp};

/// The rules, right or with one of them wrong.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rules {
    wrong: Option<Wrong>,
}

/// A rule that is wrong on purpose.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Wrong {}

impl Rules {
    pub fn with(wrong: Wrong) -> Self {
        Self { wrong: Some(wrong) }
    }

    pub fn decide(
        &self,
        conversation: &Conversation,
        command: Command,
        now: Timestamp,
        workstream: &Workstream,
        _downtime: Span,
    ) -> Result<Decision, Refusal> {
        conversation.decide(command, now, workstream)
    }

    pub fn decide_agent(
        &self,
        agent: &Agent,
        command: AgentCommand,
        now: Timestamp,
    ) -> Result<Vec<AgentEvent>, AgentRefusal> {
        agent.decide(command, now)
    }

    pub fn wake_at(&self, conversation: &Conversation) -> Option<Timestamp> {
        conversation.wake_at()
    }

    pub fn effects(&self, released: Released) -> Vec<Effect> {
        released.effects
    }

    pub fn availability(&self, availability: Availability) -> Availability {
        availability
    }

    pub fn may_match(&self, command: &QueueCommand) -> bool {
        !matches!(command, QueueCommand::Refused(..) | QueueCommand::Leave(_))
    }

    pub fn releases_early(&self) -> bool {
        false
    }

    pub fn trusts_what_was_lost(&self) -> bool {
        false
    }

    pub fn forgets_visitors(&self) -> bool {
        false
    }

    pub fn resumes_after(&self, after: Seq) -> Seq {
        after
    }

    pub fn page(&self, entries: Vec<Recorded>) -> Vec<Recorded> {
        entries
    }

    pub fn leak(&self, _recorded: &Recorded) -> Vec<ByteString> {
        Vec::new()
    }
}
