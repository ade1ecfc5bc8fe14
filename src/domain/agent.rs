//! The truth about one person who answers: presence, capacity, the leases they hold.
//!
//! ```text
//!   presence that others see = the chosen one while linked, offline otherwise
//!
//!            feed opened                    request
//!   Gone ───────────────> Feeds(n)   Gone ───────────> Requests   (only choosing a presence
//!     ^                      │         ^                   │       links without a feed)
//!     └──last feed closed────┘         └──silent too long──┘
//! ```
//!
//! Only the chosen presence is journaled. The leases belong to their conversations, which state
//! them again after a restart; an agent who is gone for longer than a lease's grace forfeits it.

pub mod command;

mod apply;
mod decide;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::agent::command::AgentEvent;
use crate::domain::id::{AgentId, ConversationId, Seq};
use crate::domain::lease::{Lease, Purpose};
use crate::domain::settings::AgentSettings;
use crate::domain::time::{Span, Timestamp};

/// How long a request links an agent who has no feed open.
pub const REQUEST_LINKS_FOR: Span = Span::from_secs(150);

/// One person who answers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Agent {
    settings: Arc<AgentSettings>,
    chosen: Presence,
    link: Link,
    leases: BTreeMap<ConversationId, Held>,
    /// How many leases would be forfeited after each grace, kept beside them because the soonest is
    /// asked for at every change.
    graces: BTreeMap<Span, u32>,
    /// The sum of the leases' units, kept beside them because it is asked for at every change.
    used: u32,
    /// How often the leases have changed.
    revision: u64,
    /// When they were last given work.
    assigned_at: Timestamp,
}

/// A lease, as the agent knows it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Held {
    /// The lease.
    pub lease: Lease,
    /// The place in the conversation at which it became so; zero while it is only set aside.
    pub seq: Seq,
    /// The number under which it was set aside, until the conversation has made the offer. Only
    /// the answer to this very offer takes it back: whatever else the conversation says of having
    /// no lease was said before it heard of the offer.
    pub reservation: Option<u64>,
    /// Whether the conversation was told that the agent is gone.
    pub forfeited: bool,
}

impl Held {
    /// Whether it is lost if the agent stays gone. Wrap-up needs no agent's presence.
    fn is_forfeitable(&self) -> bool {
        !self.forfeited && self.lease.purpose != Purpose::Wrapup
    }
}

/// Whether an agent can be worked with.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Presence {
    /// Ready for work. Only now is an agent given any.
    Available,
    /// At work.
    Busy,
    /// Not to be disturbed.
    DoNotDisturb,
    /// Not at the desk.
    Away,
    /// Not there.
    Offline,
}

impl Presence {
    /// Every presence.
    pub const ALL: [Self; 5] =
        [Self::Available, Self::Busy, Self::DoNotDisturb, Self::Away, Self::Offline];

    /// The name that HTTP and the journal use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Busy => "busy",
            Self::DoNotDisturb => "do_not_disturb",
            Self::Away => "away",
            Self::Offline => "offline",
        }
    }
}

/// What connects an agent to us.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Link {
    /// This many open feeds.
    Feeds(u32),
    /// No feed, but a presence was chosen and requests keep coming; the time of the last.
    Requests(Timestamp),
    /// Nothing, since this time.
    Gone(Timestamp),
}

/// What queues must know of an agent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Availability {
    /// Who.
    pub agent: AgentId,
    /// Units that are not held; negative after a manual pick beyond the limit, and zero unless
    /// `ready`, so that nobody is told of what does not matter.
    pub free: i64,
    /// Whether they may be given work at all.
    pub ready: bool,
    /// When they were last given work.
    pub assigned_at: Timestamp,
}

impl Agent {
    /// An agent of whom only the settings and the chosen presence are known, as after a restart:
    /// gone since now.
    pub fn new(settings: Arc<AgentSettings>, chosen: Presence, now: Timestamp) -> Self {
        Self {
            settings,
            chosen,
            link: Link::Gone(now),
            leases: BTreeMap::new(),
            graces: BTreeMap::new(),
            used: 0,
            revision: 0,
            assigned_at: Timestamp::default(),
        }
    }

    /// Makes a whole decision true.
    pub fn commit(&mut self, events: &[AgentEvent], now: Timestamp) {
        for event in events {
            self.apply(event, now);
        }
    }

    /// The same, for whoever needs the events no more.
    pub fn commit_all(&mut self, events: Vec<AgentEvent>, now: Timestamp) {
        for event in events {
            self.apply_owned(event, now);
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

    /// What connects them to us.
    pub const fn link(&self) -> Link {
        self.link
    }

    /// The presence that others see.
    pub const fn presence(&self) -> Presence {
        match self.link {
            Link::Feeds(_) | Link::Requests(_) => self.chosen,
            Link::Gone(_) => Presence::Offline,
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
        let ready = self.presence() == Presence::Available;
        let free = i64::from(self.settings.units) - i64::from(self.used);
        Availability {
            agent: self.settings.id.clone(),
            free: if ready { free } else { 0 },
            ready,
            assigned_at: self.assigned_at,
        }
    }

    /// Whether what they set aside may still be offered to them. Between the two their units, or
    /// they themselves, may have gone.
    pub fn keeps_reservations(&self) -> bool {
        self.presence() == Presence::Available && self.used <= self.settings.units
    }

    /// When they want to be woken. Waking early or twice is harmless.
    pub fn wake_at(&self) -> Option<Timestamp> {
        let tick = Span::from_millis(1);
        match self.link {
            Link::Feeds(_) => None,
            Link::Requests(last) => Some(last + REQUEST_LINKS_FOR + tick),
            Link::Gone(since) => self.graces.keys().next().map(|grace| since + *grace + tick),
        }
    }

    /// The leases that are lost if the agent stays gone.
    fn forfeitable(&self) -> impl Iterator<Item = (&ConversationId, &Held)> {
        self.leases.iter().filter(|(_, held)| held.is_forfeitable())
    }
}
