//! The waiting line, and the choice of which agent gets which chat.
//!
//! ```text
//!   join ──> waiting ──ask an agent──> asked ──granted──> asked ──leave──> gone (offered)
//!               ^                        │
//!               └──refused, agent left───┘
//! ```
//!
//! Only a chat itself says that it no longer waits. An agent's answer may belong to an earlier
//! question, from before the chat was with somebody else and came back.
//!
//! The longest waiting chat whose customer is there goes first, to the agent with the most free
//! units; among equals, to the one who was given work longest ago. An agent who declined a chat,
//! let its offer lapse or gave it back is asked for it only when nobody else can take it. A
//! customer who is away keeps their place, and is served when they are back.
//!
//! A queue holds no truth of its own: its line is made of what conversations say, its candidates of
//! what agents say. A queue that is made anew asks nobody until it has heard everybody.

mod command;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use crate::domain::agent::{Availability, REQUEST_LINKS_FOR};
use crate::domain::few::Few;
use crate::domain::id::{AgentId, ConversationId};
use crate::domain::lease::{Lease, Purpose};
use crate::domain::time::{Span, Timestamp};

pub use command::{QueueCommand, QueueEvent, Staffing, Standing, Waiting};

/// A waiting line and its agents.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Queue {
    /// Chats that can be served, by the units they take, the longest waiting first. An agent with
    /// too little room for some chats can so be given others.
    line: BTreeMap<u32, Line>,
    /// Chats that keep a place and are not served for now.
    held: Line,
    /// Chats for which an agent was asked.
    asked: BTreeMap<ConversationId, (AgentId, Reluctant)>,
    /// Every chat that waits.
    places: BTreeMap<ConversationId, Place>,
    candidates: BTreeMap<AgentId, Availability>,
    /// The ready candidates, the best first.
    ranking: BTreeSet<(Reverse<i64>, Timestamp, AgentId)>,
    /// A moving average of how long the served chats had waited.
    average_wait: Option<Span>,
    /// Whether the queue was made anew and has not heard everybody yet.
    is_hearing: bool,
}

/// Chats by their places, the longest waiting first.
type Line = BTreeMap<(Timestamp, ConversationId), Reluctant>;

/// Agents who should not be asked for a chat.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Reluctant {
    /// Never.
    excluded: Few<AgentId>,
    /// Only when nobody else can take it.
    not_first: Few<AgentId>,
}

/// What is known of a chat that waits, wherever it stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Place {
    since: Timestamp,
    entered_at: Timestamp,
    units: u32,
    is_held: bool,
}

impl Queue {
    /// An empty queue that replaces one that had a line. It asks nobody until it is told that
    /// everybody was heard; otherwise a chat that came later could be served first.
    pub fn hearing() -> Self {
        Self { is_hearing: true, ..Self::default() }
    }

    /// The lease that an agent who is asked is to set aside, until the conversation makes the offer
    /// and states the real lease.
    pub fn provisional_lease(&self, conversation: ConversationId, agent: AgentId) -> Lease {
        Lease::new(agent, self.units_of(conversation), Purpose::Offer, REQUEST_LINKS_FOR)
    }

    /// What `command` means. A queue refuses nothing: a command that is out of date changes
    /// nothing.
    pub fn decide(&self, command: QueueCommand) -> Option<QueueEvent> {
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
            QueueCommand::AllHeard => self.is_hearing.then_some(QueueEvent::AllHeard),
            QueueCommand::Locate(_) => None,
            QueueCommand::Match => self.best_match(),
        }
    }

    /// Makes the event true. Total.
    pub fn apply(&mut self, event: &QueueEvent, at: Timestamp) {
        match event {
            QueueEvent::Joined(conversation, waiting) => {
                self.remove(*conversation);
                let Waiting { since, entered_at, units, is_held, excluded, not_first } =
                    waiting.clone();
                let place = Place { since, entered_at, units, is_held };
                self.places.insert(*conversation, place);
                let (excluded, not_first) = (excluded.into(), not_first.into());
                self.enter_line(*conversation, place, Reluctant { excluded, not_first });
            }
            QueueEvent::Left(conversation) => self.remove(*conversation),
            QueueEvent::CandidateChanged(availability) => self.rank(availability.clone()),
            QueueEvent::CandidateLeft(agent) => {
                self.unrank(agent);
                // An agent who is no longer there may never answer.
                let asked = self.asked.iter().filter(|(_, (asked, _))| asked == agent);
                let asked: Vec<_> = asked.map(|(conversation, _)| *conversation).collect();
                for conversation in asked {
                    self.wait_on(conversation);
                }
            }
            QueueEvent::Asked(conversation, agent) => {
                let Some(reluctant) = self.take_from_line(*conversation) else { return };
                let units = self.units_of(*conversation);
                // Until the agent says otherwise, what they were asked for is not free.
                if let Some(mut availability) = self.candidates.get(agent).cloned() {
                    availability.free -= i64::from(units);
                    availability.assigned_at = at;
                    self.rank(availability);
                }
                self.asked.insert(*conversation, (agent.clone(), reluctant));
            }
            QueueEvent::Served(conversation, _) => {
                if let Some(place) = self.places.get(conversation) {
                    let waited = at.since(place.entered_at);
                    self.average_wait = Some(match self.average_wait {
                        // Each newly served customer weighs an eighth.
                        Some(average) => (average.times(7) + waited).divided_by(8),
                        None => waited,
                    });
                }
            }
            QueueEvent::AskEnded(conversation) => {
                // What is known of an agent who refused is wrong. They say next how they are. That
                // must count as a change, or the waiting chats would not be looked at again.
                let refused = self.wait_on(*conversation);
                if let Some(agent) = refused {
                    self.unrank(&agent);
                }
            }
            QueueEvent::AllHeard => self.is_hearing = false,
        }
    }

    /// A queue has no timer: it acts when it is told something.
    pub const fn wake_at(&self) -> Option<Timestamp> {
        None
    }

    /// The units that a waiting chat takes; one for a chat that does not wait.
    pub fn units_of(&self, conversation: ConversationId) -> u32 {
        self.places.get(&conversation).map_or(1, |place| place.units)
    }

    /// How many chats wait.
    pub fn waiting(&self) -> usize {
        self.places.len()
    }

    /// The first `most` of all waiting chats with their positions, from 1. Chats that are asked
    /// for, and chats whose customer is away, keep their positions.
    pub fn positions(&self, most: usize) -> Vec<(ConversationId, usize)> {
        // The first of the whole are among the first of each.
        let waiting = self.lines().flat_map(|line| line.keys().take(most)).copied();
        let mut order: Vec<_> = waiting.chain(self.asked_places()).collect();
        order.sort_unstable();
        let numbered = order.into_iter().take(most).zip(1..);
        numbered.map(|((_, conversation), position)| (conversation, position)).collect()
    }

    /// The position of a waiting chat, from 1, if it is among the first `most` or the last `most`:
    /// further from both ends, counting would cost more than the position says.
    pub fn position_of(&self, conversation: ConversationId, most: usize) -> Option<usize> {
        let key = (self.places.get(&conversation)?.since, conversation);
        let asked_before = self.asked_places().filter(|other| *other < key).count();
        let before = self.lines().map(|line| line.range(..key).take(most).count()).sum::<usize>();
        if before + asked_before < most {
            return Some(before + asked_before + 1);
        }
        let behind_it = (Bound::Excluded(key), Bound::Unbounded);
        let behind = self.lines().map(|line| line.range(behind_it).take(most).count());
        let behind =
            behind.sum::<usize>() + self.asked_places().filter(|other| *other > key).count();
        (behind < most).then(|| self.places.len() - behind)
    }

    /// How long the chats that were served lately had waited, as a moving average.
    pub const fn average_wait(&self) -> Option<Span> {
        self.average_wait
    }

    /// The agents who serve this queue, as they were last heard of.
    pub fn candidates(&self) -> impl Iterator<Item = &Availability> {
        self.candidates.values()
    }

    /// How a chat stands in the line, if it waits. Its position is that of [`Queue::position_of`].
    pub fn standing(&self, conversation: ConversationId, most: usize) -> Option<Standing> {
        let place = *self.places.get(&conversation)?;
        let asked = self.asked.get(&conversation).map(|(_, reluctant)| reluctant);
        let excluded = &asked.or_else(|| self.in_line(conversation, place))?.excluded;
        let mut staffing = Staffing::default();
        for candidate in self.candidates.values() {
            let count = match candidate {
                one if excluded.contains(&one.agent) => &mut staffing.excluded,
                one if !one.ready => &mut staffing.not_ready,
                one if one.free < i64::from(place.units) => &mut staffing.full,
                _ => &mut staffing.free,
            };
            *count += 1;
        }
        Some(Standing {
            position: self.position_of(conversation, most),
            is_held: place.is_held,
            is_asked_for: asked.is_some(),
            staffing,
        })
    }

    fn best_match(&self) -> Option<QueueEvent> {
        let (Reverse(most_free), _, _) = self.ranking.first()?;
        if *most_free < 1 || self.is_hearing {
            return None;
        }
        let servable = self.line.iter().take_while(|(units, _)| i64::from(**units) <= *most_free);
        // For each number of units, the longest waiting chat for which there is an agent.
        let firsts = servable.filter_map(|(units, line)| {
            line.iter().find_map(|(place, reluctant)| {
                let agent = self.best_agent_for(*units, reluctant)?;
                Some((place, agent))
            })
        });
        let ((_, conversation), agent) = firsts.min_by_key(|(place, _)| **place)?;
        Some(QueueEvent::Asked(*conversation, agent.clone()))
    }

    fn best_agent_for(&self, units: u32, reluctant: &Reluctant) -> Option<&AgentId> {
        let willing = || {
            self.ranking
                .iter()
                .take_while(|(Reverse(free), _, _)| *free >= i64::from(units))
                .map(|(_, _, agent)| agent)
                .filter(|agent| !reluctant.excluded.contains(agent))
        };
        willing().find(|agent| !reluctant.not_first.contains(agent)).or_else(|| willing().next())
    }

    fn lines(&self) -> impl Iterator<Item = &Line> {
        self.line.values().chain([&self.held])
    }

    fn asked_places(&self) -> impl Iterator<Item = (Timestamp, ConversationId)> {
        self.asked
            .keys()
            .filter_map(|conversation| Some((self.places.get(conversation)?.since, *conversation)))
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

    fn enter_line(&mut self, conversation: ConversationId, place: Place, reluctant: Reluctant) {
        let line =
            if place.is_held { &mut self.held } else { self.line.entry(place.units).or_default() };
        line.insert((place.since, conversation), reluctant);
    }

    fn in_line(&self, conversation: ConversationId, place: Place) -> Option<&Reluctant> {
        let line = if place.is_held { &self.held } else { self.line.get(&place.units)? };
        line.get(&(place.since, conversation))
    }

    /// Takes a chat out of the line; returns the agents who should not be asked for it.
    fn take_from_line(&mut self, conversation: ConversationId) -> Option<Reluctant> {
        let Place { since, units, is_held, .. } = self.places.get(&conversation)?;
        if *is_held {
            return self.held.remove(&(*since, conversation));
        }
        let line = self.line.get_mut(units)?;
        let reluctant = line.remove(&(*since, conversation))?;
        if line.is_empty() {
            self.line.remove(units);
        }
        Some(reluctant)
    }

    /// A chat that an agent was asked for waits again. Returns the agent.
    fn wait_on(&mut self, conversation: ConversationId) -> Option<AgentId> {
        let (agent, reluctant) = self.asked.remove(&conversation)?;
        let place = *self.places.get(&conversation)?;
        self.enter_line(conversation, place, reluctant);
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
