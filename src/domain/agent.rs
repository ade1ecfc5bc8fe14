//! The truth about one agent: presence, capacity, the leases they hold.
//!
//! ```text
//!   presence that others see = the chosen one in Feeds and in Requests, offline otherwise
//!
//!   Started, Gone, ... ──feed opened──────────> Feeds(n)
//!   Started, Gone, ... ──presence chosen──────> Requests
//!   Started ────────────request───────────────> Requests   (if a presence was ever chosen)
//!   Gone ───────────────request───────────────> Looking
//!   Feeds ──────────────last feed closed, hung─> Gone
//!   Requests, Looking, Started ─silent too long─> Gone
//! ```
//!
//! Only the chosen presence is journaled, not what links an agent. So after a start everybody has
//! the time for which a request links: an agent who had chosen a presence and makes a request
//! within it is there again. While the server runs it knows who has gone, and a request brings
//! nobody back to work who has not chosen to be.
//!
//! The leases belong to their conversations, which state them again after a restart. An agent who
//! is gone for longer than a lease's grace forfeits it. The customer of a chat is told when the
//! agent is gone for longer than its notice, and when the agent is back.

pub mod command;

mod apply;
mod decide;
mod feed;
mod presence;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::agent::command::{AgentEvent, AgentRefusal};
use crate::domain::agent::feed::Console;
use crate::domain::id::{AgentId, ConversationId, Seq};
use crate::domain::lease::{Lease, Purpose};
use crate::domain::settings::AgentSettings;
use crate::domain::time::{Span, Timestamp};

pub use crate::domain::agent::feed::FeedNumber;
pub use crate::domain::agent::presence::Presence;

/// How long a request links an agent who has no feed open.
pub const REQUEST_LINKS_FOR: Span = Span::from_secs(150);

/// One agent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Agent {
    settings: Arc<AgentSettings>,
    chosen: Presence,
    /// Whether they ever chose a presence.
    has_chosen: bool,
    link: Link,
    /// Their open feeds.
    feeds: BTreeMap<FeedNumber, Console>,
    leases: BTreeMap<ConversationId, Held>,
    /// How many leases would be forfeited after each grace. This is kept beside the leases because
    /// the soonest is needed at every change.
    graces: Lengths,
    /// How many customers would be told after each notice that the agent is gone.
    notices: Lengths,
    /// The sum of the leases' units, kept beside them because it is needed at every change.
    used: u32,
    /// How often the leases have changed.
    revision: u64,
    /// When they were last given work.
    assigned_at: Timestamp,
    /// Whether the agent's actor was made anew and has not yet heard from every conversation what
    /// it holds of the agent.
    is_hearing: bool,
}

/// Lengths of time, each with the number of times it occurs.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Lengths(BTreeMap<Span, u32>);

impl Lengths {
    fn add(&mut self, length: Option<Span>) {
        if let Some(length) = length {
            *self.0.entry(length).or_default() += 1;
        }
    }

    fn remove(&mut self, length: Option<Span>) {
        let Some(length) = length else { return };
        if let Some(count) = self.0.get_mut(&length) {
            *count -= 1;
            if *count == 0 {
                self.0.remove(&length);
            }
        }
    }

    fn shortest(&self) -> Option<Span> {
        self.0.keys().next().copied()
    }
}

/// A lease, as the agent knows it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Held {
    /// The lease.
    pub lease: Lease,
    /// The place in the conversation at which this became so; zero while it is only set aside.
    pub seq: Seq,
    /// The number under which it was set aside, until the conversation has made the offer. Only the
    /// answer to this very offer takes it back: if the conversation otherwise says that it has no
    /// lease, it said so before it heard of the offer.
    pub reservation: Option<u64>,
    /// Whether the agent could no longer take the offer when they were asked about it. The offer
    /// may have been made before, so the units stay set aside until the conversation answers.
    pub withdrawn: bool,
    /// Whether the conversation was told that the agent is gone for good.
    pub forfeited: bool,
    /// Whether the conversation was told to tell the customer that the agent is away.
    pub noticed: bool,
}

impl Held {
    /// Whether the lease is lost if the agent stays gone. Wrap-up needs no agent's presence.
    fn is_forfeitable(&self) -> bool {
        !self.forfeited && self.lease.purpose != Purpose::Wrapup
    }

    /// How long the agent may be gone until the lease is lost.
    fn grace(&self) -> Option<Span> {
        self.is_forfeitable().then_some(self.lease.grace)
    }

    /// How long the agent may be gone until the customer must be told.
    fn notice(&self) -> Option<Span> {
        self.lease.untold().filter(|_| !self.noticed && !self.forfeited)
    }

    /// Whether the customer was told, or is about to be.
    const fn is_missed(&self) -> bool {
        self.lease.missed || self.noticed
    }
}

/// What connects an agent to the server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Link {
    /// This many open feeds.
    Feeds(u32),
    /// No feed, but a presence was chosen and requests keep coming; the time of the last request.
    Requests(Timestamp),
    /// An agent who had gone, and has not chosen a presence since, makes requests; the time of the
    /// last. They are there for the chats they have, and are given no others.
    Looking(Timestamp),
    /// Nothing yet since the server started, at this time. It is not known whether the agent was
    /// there before.
    Started(Timestamp),
    /// Nothing, since this time.
    Gone(Timestamp),
}

impl Link {
    /// Since when nothing was heard of an agent who has no feed and is offline.
    const fn silent_since(self) -> Option<Timestamp> {
        match self {
            Self::Feeds(_) | Self::Requests(_) => None,
            Self::Looking(since) | Self::Started(since) | Self::Gone(since) => Some(since),
        }
    }

    /// Until when a request, or the start of the server, keeps the link as it is.
    fn lasts_until(self) -> Option<Timestamp> {
        match self {
            Self::Requests(last) | Self::Looking(last) | Self::Started(last) => {
                Some(last + REQUEST_LINKS_FOR)
            }
            Self::Feeds(_) | Self::Gone(_) => None,
        }
    }

    /// Whether nothing is heard of them.
    const fn is_silent(self) -> bool {
        matches!(self, Self::Started(_) | Self::Gone(_))
    }
}

/// What queues must know of an agent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Availability {
    /// The agent.
    pub agent: AgentId,
    /// Units that are not held; negative after a manual pick beyond the limit. Zero unless `ready`,
    /// so that changes that do not matter are told to nobody.
    pub free: i64,
    /// Whether they may be given work at all.
    pub ready: bool,
    /// When they were last given work.
    pub assigned_at: Timestamp,
}

impl Agent {
    /// An agent of whom only the settings and the last chosen presence, if any, are known, as after
    /// a start at this time.
    pub fn new(settings: Arc<AgentSettings>, chosen: Option<Presence>, now: Timestamp) -> Self {
        Self {
            settings,
            chosen: chosen.unwrap_or(Presence::Available),
            has_chosen: chosen.is_some(),
            link: Link::Started(now),
            feeds: BTreeMap::new(),
            leases: BTreeMap::new(),
            graces: Lengths::default(),
            notices: Lengths::default(),
            used: 0,
            revision: 0,
            assigned_at: Timestamp::default(),
            is_hearing: false,
        }
    }

    /// The same for an agent who may have had leases before. They are given nothing until they are
    /// told that every conversation was heard; otherwise they would get more than they have room
    /// for.
    pub fn hearing(settings: Arc<AgentSettings>, chosen: Option<Presence>, now: Timestamp) -> Self {
        Self { is_hearing: true, ..Self::new(settings, chosen, now) }
    }

    /// Makes a whole decision true.
    pub fn commit(&mut self, events: Vec<AgentEvent>, now: Timestamp) {
        for event in events {
            self.apply(event, now);
        }
    }

    /// Who they are and what they may do.
    pub const fn settings(&self) -> &Arc<AgentSettings> {
        &self.settings
    }

    /// The presence they chose.
    pub const fn chosen(&self) -> Presence {
        self.chosen
    }

    /// What connects them to the server.
    pub const fn link(&self) -> Link {
        self.link
    }

    /// The presence that others see.
    pub const fn presence(&self) -> Presence {
        match self.link {
            Link::Feeds(_) | Link::Requests(_) => self.chosen,
            Link::Looking(_) | Link::Started(_) | Link::Gone(_) => Presence::Offline,
        }
    }

    /// Whether they have this feed open.
    pub fn has_feed(&self, feed: FeedNumber) -> bool {
        self.feeds.contains_key(&feed)
    }

    /// Whether somebody else may give them a chat at `now` from which they may be gone for `grace`.
    /// If they are away within the grace, returns until when they must be back.
    pub fn expected_by(
        &self,
        grace: Span,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, AgentRefusal> {
        match self.link.silent_since().map(|since| since + grace) {
            Some(by) if now > by => Err(AgentRefusal::Gone),
            by => Ok(by),
        }
    }

    /// The leases they hold, by conversation.
    pub const fn leases(&self) -> &BTreeMap<ConversationId, Held> {
        &self.leases
    }

    /// The sum of the leases' units.
    pub const fn used(&self) -> u32 {
        self.used
    }

    /// How often the leases have changed.
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// What queues must know.
    pub fn availability(&self) -> Availability {
        let ready = self.is_ready();
        let free = i64::from(self.settings.units) - i64::from(self.used);
        Availability {
            agent: self.settings.id.clone(),
            free: if ready { free } else { 0 },
            ready,
            assigned_at: self.assigned_at,
        }
    }

    /// Whether they may be given work.
    fn is_ready(&self) -> bool {
        self.presence() == Presence::Available && !self.is_hearing
    }

    /// Whether the units they set aside may still be offered to them. Since then the units, or the
    /// agent, may have gone.
    pub fn keeps_reservations(&self) -> bool {
        self.presence() == Presence::Available && self.used <= self.settings.units
    }

    /// When they want to be woken. Waking early or twice is harmless.
    pub fn wake_at(&self) -> Option<Timestamp> {
        let tick = Span::from_millis(1);
        let silent_since = self.link.silent_since();
        let after = |length: Option<Span>| Some(silent_since? + length?);
        let notice = self.notices.shortest().filter(|_| self.link.is_silent());
        let due = [self.link.lasts_until(), after(self.graces.shortest()), after(notice)];
        let beat = self.feeds.values().filter_map(Console::beats_by).min();
        due.into_iter().flatten().chain(beat).min().map(|at| at + tick)
    }

    /// The conversations whose customers were told that the agent is away.
    fn missed(&self) -> impl Iterator<Item = &ConversationId> {
        self.leases
            .iter()
            .filter(|(_, held)| held.is_missed())
            .map(|(conversation, _)| conversation)
    }
}
