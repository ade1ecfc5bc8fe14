//! The waiting line, and the choice of who gets whom.
//!
//! ```text
//!   join ──> waiting ──ask an agent──> asked ──granted──> asked ──leave──> gone (offered)
//!               ^                        │
//!               └──refused, agent left───┘
//! ```
//!
//! Only a chat itself says that it does not wait any more: an agent's answer may be the answer to
//! an earlier question, from before the chat was with somebody else and came back.
//!
//! The longest waiting chat goes first, to the agent with the most free units, among equals to
//! the one who was given work longest ago. A queue holds no truth of its own: its line is made of
//! what conversations say, its candidates of what agents say.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::domain::agent::Availability;
use crate::domain::few::Few;
use crate::domain::id::{AgentId, ConversationId};
use crate::domain::time::{Span, Timestamp};

/// A waiting line and its agents.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Queue {
    /// Who waits, by the units they take, the longest waiting first: so whoever has too little
    /// room for some is not held up by them. With each, who is not to be asked.
    line: BTreeMap<u32, BTreeMap<(Timestamp, ConversationId), Few<AgentId>>>,
    /// Whom an agent was asked for.
    asked: BTreeMap<ConversationId, (AgentId, Few<AgentId>)>,
    /// From when each waits, and for how many units.
    places: BTreeMap<ConversationId, (Timestamp, u32)>,
    candidates: BTreeMap<AgentId, Availability>,
    /// The ready candidates, the best first.
    ranking: BTreeSet<(Reverse<i64>, Timestamp, AgentId)>,
    /// A moving average of how long those who were served had waited.
    average_wait: Option<Span>,
}

/// A chat in the line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Waiting {
    /// From when the waiting counts.
    pub since: Timestamp,
    /// The units it takes of an agent.
    pub units: u32,
    /// Agents who are not to be asked.
    pub excluded: Vec<AgentId>,
}

/// Something that is told to a queue.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum QueueCommand {
    /// A chat waits, or says anew how.
    Join(ConversationId, Waiting),
    /// A chat does not wait any more.
    Leave(ConversationId),
    /// An agent who serves this queue has changed.
    AgentChanged(Availability),
    /// An agent does not serve this queue any more.
    AgentLeft(AgentId),
    /// The agent who was asked set the units aside.
    Granted(ConversationId, AgentId),
    /// The agent who was asked could not.
    Refused(ConversationId, AgentId),
    /// Find an agent for somebody.
    Match,
}

/// Something that happened in a queue. None is journaled: all of it follows from what
/// conversations and agents say.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum QueueEvent {
    /// A chat joined the line.
    Joined(ConversationId, Waiting),
    /// A chat left the line.
    Left(ConversationId),
    /// A candidate changed.
    CandidateChanged(Availability),
    /// A candidate left.
    CandidateLeft(AgentId),
    /// An agent is asked for a chat.
    Asked(ConversationId, AgentId),
    /// The agent set the units aside; the chat is not asked for again, and will leave the line.
    Served(ConversationId, AgentId),
    /// The agent could not; the chat waits on.
    AskEnded(ConversationId),
}

impl Queue {
    /// What `command` means. A queue refuses nothing: whatever is out of date changes nothing.
    pub fn decide(&self, command: QueueCommand, _now: Timestamp) -> Option<QueueEvent> {
        match command {
            QueueCommand::Join(conversation, waiting) => {
                Some(QueueEvent::Joined(conversation, waiting))
            }
            QueueCommand::Leave(conversation) => {
                self.holds(conversation).then_some(QueueEvent::Left(conversation))
            }
            QueueCommand::AgentChanged(availability) => {
                let before = self.candidates.get(&availability.agent);
                (before != Some(&availability))
                    .then_some(QueueEvent::CandidateChanged(availability))
            }
            QueueCommand::AgentLeft(agent) => {
                let is_asked = self.asked.values().any(|(asked, _)| *asked == agent);
                let is_known = is_asked || self.candidates.contains_key(&agent);
                is_known.then_some(QueueEvent::CandidateLeft(agent))
            }
            QueueCommand::Granted(conversation, agent) => self
                .was_asked(conversation, &agent)
                .then_some(QueueEvent::Served(conversation, agent)),
            QueueCommand::Refused(conversation, agent) => {
                self.was_asked(conversation, &agent).then_some(QueueEvent::AskEnded(conversation))
            }
            QueueCommand::Match => self.best_match(),
        }
    }

    /// Makes the event true. Total.
    pub fn apply(&mut self, event: &QueueEvent, at: Timestamp) {
        match event {
            QueueEvent::Joined(conversation, waiting) => {
                self.remove(*conversation);
                let Waiting { since, units, excluded } = waiting;
                self.places.insert(*conversation, (*since, *units));
                let excluded = excluded.clone().into();
                self.line.entry(*units).or_default().insert((*since, *conversation), excluded);
            }
            QueueEvent::Left(conversation) => self.remove(*conversation),
            QueueEvent::CandidateChanged(availability) => self.rank(availability.clone()),
            QueueEvent::CandidateLeft(agent) => {
                self.unrank(agent);
                // Whoever is not there any more may never answer.
                let asked = self.asked.iter().filter(|(_, (asked, _))| asked == agent);
                let asked: Vec<_> = asked.map(|(conversation, _)| *conversation).collect();
                for conversation in asked {
                    self.wait_on(conversation);
                }
            }
            QueueEvent::Asked(conversation, agent) => {
                let Some(excluded) = self.take_from_line(*conversation) else { return };
                let units = self.units_of(*conversation);
                // Until the agent says otherwise, what they were asked for is not free.
                if let Some(mut availability) = self.candidates.get(agent).cloned() {
                    availability.free -= i64::from(units);
                    availability.assigned_at = at;
                    self.rank(availability);
                }
                self.asked.insert(*conversation, (agent.clone(), excluded));
            }
            QueueEvent::Served(conversation, _) => {
                if let Some((since, _)) = self.places.get(conversation) {
                    let waited = at.since(*since);
                    self.average_wait = Some(match self.average_wait {
                        // Each newly served customer weighs an eighth.
                        Some(average) => (average.times(7) + waited).divided_by(8),
                        None => waited,
                    });
                }
            }
            QueueEvent::AskEnded(conversation) => {
                // What is known of an agent who refused is wrong. They say next how they are, and
                // that must be news, or those who wait would not be looked at again.
                let refused = self.wait_on(*conversation);
                if let Some(agent) = refused {
                    self.unrank(&agent);
                }
            }
        }
    }

    /// A queue has no timer: it acts when it is told something.
    pub const fn wake_at(&self) -> Option<Timestamp> {
        None
    }

    /// The units that a waiting chat takes; one for a chat that does not wait.
    pub fn units_of(&self, conversation: ConversationId) -> u32 {
        self.places.get(&conversation).map_or(1, |(_, units)| *units)
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.places.len()
    }

    /// The first `most` of the line with their positions, from 1. Who is being asked for keeps
    /// their position.
    pub fn positions(&self, most: usize) -> Vec<(ConversationId, usize)> {
        // The first of the whole are among the first of each.
        let waiting = self.line.values().flat_map(|line| line.keys().take(most));
        let asked = self.asked.keys().filter_map(|conversation| {
            let (since, _) = self.places.get(conversation)?;
            Some((*since, *conversation))
        });
        let mut order: Vec<_> = waiting.copied().chain(asked).collect();
        order.sort_unstable();
        let numbered = order.into_iter().take(most).zip(1..);
        numbered.map(|((_, conversation), position)| (conversation, position)).collect()
    }

    /// How long those who were served lately had waited, as a moving average.
    pub const fn average_wait(&self) -> Option<Span> {
        self.average_wait
    }

    /// The agents who serve this queue, as they were last heard of.
    pub fn candidates(&self) -> impl Iterator<Item = &Availability> {
        self.candidates.values()
    }

    fn best_match(&self) -> Option<QueueEvent> {
        let (Reverse(most_free), _, _) = self.ranking.first()?;
        if *most_free < 1 {
            return None;
        }
        let servable = self.line.iter().take_while(|(units, _)| i64::from(**units) <= *most_free);
        // Of each number of units the longest waiting for whom there is somebody.
        let firsts = servable.filter_map(|(units, line)| {
            line.iter().find_map(|(place, excluded)| {
                let agent = self.best_agent_for(*units, excluded)?;
                Some((place, agent))
            })
        });
        let ((_, conversation), agent) = firsts.min_by_key(|(place, _)| **place)?;
        Some(QueueEvent::Asked(*conversation, agent.clone()))
    }

    fn best_agent_for(&self, units: u32, excluded: &[AgentId]) -> Option<&AgentId> {
        self.ranking
            .iter()
            .take_while(|(Reverse(free), _, _)| *free >= i64::from(units))
            .map(|(_, _, agent)| agent)
            .find(|agent| !excluded.contains(agent))
    }

    fn holds(&self, conversation: ConversationId) -> bool {
        self.places.contains_key(&conversation)
    }

    fn was_asked(&self, conversation: ConversationId, agent: &AgentId) -> bool {
        self.asked.get(&conversation).is_some_and(|(asked, _)| asked == agent)
    }

    fn remove(&mut self, conversation: ConversationId) {
        self.take_from_line(conversation);
        self.places.remove(&conversation);
        self.asked.remove(&conversation);
    }

    /// Takes a chat out of the line; gives who was not to be asked for it.
    fn take_from_line(&mut self, conversation: ConversationId) -> Option<Few<AgentId>> {
        let (since, units) = self.places.get(&conversation)?;
        let line = self.line.get_mut(units)?;
        let excluded = line.remove(&(*since, conversation))?;
        if line.is_empty() {
            self.line.remove(units);
        }
        Some(excluded)
    }

    /// A chat that an agent was asked for waits again. Gives the agent.
    fn wait_on(&mut self, conversation: ConversationId) -> Option<AgentId> {
        let (agent, excluded) = self.asked.remove(&conversation)?;
        let (since, units) = self.places.get(&conversation)?;
        self.line.entry(*units).or_default().insert((*since, conversation), excluded);
        Some(agent)
    }

    fn rank(&mut self, availability: Availability) {
        self.unrank(&availability.agent.clone());
        if availability.ready {
            self.ranking.insert(rank_of(&availability));
        }
        self.candidates.insert(availability.agent.clone(), availability);
    }

    fn unrank(&mut self, agent: &AgentId) {
        if let Some(before) = self.candidates.remove(agent) {
            self.ranking.remove(&rank_of(&before));
        }
    }
}

fn rank_of(availability: &Availability) -> (Reverse<i64>, Timestamp, AgentId) {
    (Reverse(availability.free), availability.assigned_at, availability.agent.clone())
}
