//! An agent, and how their decisions take effect and are told to those whom they concern.

use std::collections::VecDeque;

use crate::behavior::agent::feeds::Feeds;
use crate::behavior::agent::output::{Note, Turn};
use crate::behavior::message::ToConversation;
use crate::domain::agent::command::{AgentCommand, AgentEvent, AgentRefusal};
use crate::domain::agent::{Agent, Availability, Presence};
use crate::domain::id::{AgentId, ConversationId, History, QueueId};
use crate::domain::time::{Span, Timestamp};

/// An agent, as their actor has them.
#[derive(Debug)]
pub struct Behavior {
    pub(super) agent: Agent,
    /// The queues they serve.
    pub(super) queues: Vec<QueueId>,
    /// What queues and feeds were told last.
    pub(super) told: Report,
    pub(super) feeds: Feeds,
    /// When the agent, or what feeds are told of the leases, is looked at next.
    pub(super) due: Option<Due>,
    /// When feeds are told of the changed leases; nothing while none has changed.
    pub(super) capacity_at: Option<Timestamp>,
    /// When feeds were last told of the leases.
    pub(super) capacity_told_at: Timestamp,
    /// The queues that are told the agent's availability once a disputed chat has had time to say
    /// who has it, the soonest first.
    pub(super) sorted_out: VecDeque<(Timestamp, QueueId)>,
    /// How often some conversations are audited.
    pub(super) audit_every: Span,
    /// When the next audit is; nothing before the agent has begun.
    pub(super) audit_at: Option<Timestamp>,
    /// The last conversation that was audited.
    pub(super) audited: Option<ConversationId>,
}

impl Behavior {
    /// An agent who serves these queues, in a run of the server whose journal has this history.
    pub fn new(
        agent: Agent,
        queues: Vec<QueueId>,
        run: u64,
        history: History,
        audit_every: Span,
    ) -> Self {
        Self {
            told: Report::of(&agent),
            agent,
            queues,
            feeds: Feeds::new(run, history),
            due: None,
            capacity_at: None,
            capacity_told_at: Timestamp::default(),
            sorted_out: VecDeque::new(),
            // Never zero, or the actor would do nothing but audit.
            audit_every: audit_every.max(Span::from_millis(1)),
            audit_at: None,
            audited: None,
        }
    }

    /// The agent's present state.
    pub const fn agent(&self) -> &Agent {
        &self.agent
    }

    /// Whether nothing is still to be sorted out.
    pub fn is_settled(&self) -> bool {
        self.sorted_out.is_empty()
    }

    pub(super) fn id(&self) -> &AgentId {
        &self.agent.settings().id
    }

    pub(super) fn perform(
        &mut self,
        command: AgentCommand,
        turn: &mut Turn<'_>,
    ) -> Result<(), AgentRefusal> {
        self.decide(command, turn)?;
        self.tell_changes(turn);
        Ok(())
    }

    /// Does what is never refused.
    pub(super) fn must_perform(&mut self, command: AgentCommand, turn: &mut Turn<'_>) {
        let _never = self.perform(command, turn);
    }

    /// Decides and applies; what queues and feeds must hear of the agent is not told yet.
    pub(super) fn decide(
        &mut self,
        command: AgentCommand,
        turn: &mut Turn<'_>,
    ) -> Result<(), AgentRefusal> {
        let events = self.agent.decide(command, turn.now)?;
        self.act_upon(&events, turn);
        self.agent.commit(events, turn.now);
        Ok(())
    }

    /// Tells conversations of the agent's absence and return, and ends the feeds that hang.
    fn act_upon(&mut self, events: &[AgentEvent], turn: &mut Turn<'_>) {
        for event in events {
            let agent = || self.id().clone();
            let (conversation, message) = match event {
                AgentEvent::LeaseForfeited { conversation } => {
                    (conversation, ToConversation::AgentGone(agent()))
                }
                AgentEvent::AbsenceNoticed { conversation, since } => {
                    (conversation, ToConversation::MissAgent(agent(), *since))
                }
                AgentEvent::ReturnNoticed { conversation } => {
                    (conversation, ToConversation::MeetAgent(agent()))
                }
                AgentEvent::FeedHung(feed) => {
                    turn.note(Note::FeedHung);
                    self.feeds.end(*feed, turn);
                    continue;
                }
                _ => continue,
            };
            turn.tell_conversation(*conversation, message);
        }
    }
}

/// If something is looked at more than this too late, the server itself was held up. What consoles
/// said meanwhile is then still to be read, and gets as long again.
const HELD_UP: Span = Span::from_secs(1);

/// A moment at which something must be looked at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Due {
    /// From when on there is something to see.
    pub(super) at: Timestamp,
    /// When it is looked at.
    pub(super) served_at: Timestamp,
}

impl Due {
    /// It is looked at as soon as there is something to see, and not before `now`.
    pub(super) fn at(at: Timestamp, now: Timestamp) -> Self {
        Self { at, served_at: at.max(now) }
    }

    /// The same, postponed, if it should have been looked at long before `now`.
    pub(super) fn put_off(self, now: Timestamp) -> Option<Self> {
        let is_late = now.since(self.served_at) > HELD_UP;
        is_late.then(|| Self { served_at: now + HELD_UP, ..self })
    }
}

/// What others were told of an agent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Report {
    pub(super) availability: Availability,
    pub(super) presence: Presence,
    pub(super) chosen: Presence,
    pub(super) used: u32,
    pub(super) units: u32,
    pub(super) leases: usize,
    /// How often the leases have changed.
    pub(super) revision: u64,
}

impl Report {
    pub(super) fn of(agent: &Agent) -> Self {
        Self {
            availability: agent.availability(),
            presence: agent.presence(),
            chosen: agent.chosen(),
            used: agent.used(),
            units: agent.settings().units,
            leases: agent.leases().len(),
            revision: agent.revision(),
        }
    }
}
