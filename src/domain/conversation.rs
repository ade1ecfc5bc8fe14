//! The truth about one chat.
//!
//! ```text
//!   New ──start──> Open ──offer──> Offered ──accept──> Talking ──end──> Wrap-up ──close──> Closed
//!                  ^ │  <──ended──    │                 │  │ (customer away too long,        ^
//!                  │ └──accept (a pick)────────────────>│  │  idle, ended; agent ended)      │
//!                  └──────────agent left, gone──────────┘  └─────────force-close────────────┤
//!                    Open, Offered: customer away too long, customer ends, open too long ───┘
//! ```
//!
//! Three functions are the whole state machine: [`Conversation::decide`] holds every rule and
//! changes nothing, [`Conversation::apply`] is total and is all that replay runs, and
//! [`Conversation::wake_at`] says when a timer is due. Passing facts, which no journal holds, stand
//! beside them: [`Conversation::hear`] notes a sign of life without an allocation.

pub mod attendance;
pub mod claims;
pub mod command;
pub mod event;
pub mod parts;
pub mod timers;
pub mod usage;
pub mod view;

mod apply;
mod decide;
pub(super) mod effect;
mod posts;

use crate::domain::conversation::attendance::{Absence, Attendance};
use crate::domain::conversation::event::{Actor, Event, Opening, Reason, Reminder};
use crate::domain::conversation::posts::Posts;
use crate::domain::conversation::usage::CustomerUsage;
use crate::domain::decision::{Decision, Pending};
use crate::domain::few::Few;
use crate::domain::id::{AgentId, ConversationId, MessageId, Seq};
use crate::domain::lease::Lease;
use crate::domain::text::DisplayName;
use crate::domain::time::Timestamp;

/// One chat: its state, its participants, its deadlines.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Conversation {
    id: ConversationId,
    begun: Option<Box<Begun>>,
    started_at: Timestamp,
    seq: Seq,
    /// The last event that the customer may see.
    seen_by_customer: Seq,
    phase: Phase,
    attendance: Attendance,
    posts: Posts,
    /// How often each agent let an offer of this chat go; zero for an agent who only gave it back.
    declines: Few<(AgentId, u8)>,
    /// Agents who let it go too often, by the limit in force then, and are not offered it again.
    excluded: Few<AgentId>,
}

/// What a conversation has since its beginning. Both fields share one allocation: sizes of
/// allocations are rounded up everywhere, so the second costs nothing.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Begun {
    opening: Opening,
    usage: CustomerUsage,
}

/// The phase of a conversation, with the facts that only this phase has.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Phase {
    /// Nothing has happened yet.
    New,
    /// The chat waits in its queue.
    Open {
        /// Since when it waits: since its beginning, or since an agent left it.
        waiting_since: Timestamp,
        /// When it closes by itself.
        close_at: Option<Timestamp>,
    },
    /// The chat was offered to an agent.
    Offered {
        /// The units they hold for it.
        lease: Lease,
        /// When the offer lapses.
        until: Timestamp,
        /// Since when it waits, should the offer end without an acceptance.
        waiting_since: Timestamp,
    },
    /// The chat is with an agent.
    Talking {
        /// The units they hold for it.
        lease: Lease,
        /// The name that customers see.
        name: DisplayName,
        /// When it moves to wrap-up by itself.
        close_at: Option<Timestamp>,
        /// The answer that the customer owes.
        owed: Owed,
    },
    /// The chat is over; the agent finishes their notes.
    Wrapup {
        /// The agent who writes the notes.
        agent: AgentId,
        /// The units that they still hold for it.
        lease: Option<Lease>,
        /// When the units are given back, if before the close.
        hold_until: Option<Timestamp>,
        /// Why it is over.
        reason: Reason,
        /// When it closes by itself.
        close_at: Option<Timestamp>,
    },
    /// The chat is over for ever.
    Closed {
        /// The agent who had it last, unless it was closed before anybody accepted it.
        agent: Option<AgentId>,
        /// Why it ended.
        reason: Reason,
        /// Who closed it.
        by: Actor,
        /// When.
        at: Timestamp,
    },
}

/// Whether the customer owes the agent an answer, where the workstream minds.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Owed {
    /// They do not.
    #[default]
    Nothing,
    /// They do, and will be reminded.
    Remind(Reminder),
    /// They were reminded, and are disconnected at this time.
    Reminded(Timestamp),
}

/// The states that clients are told of.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum State {
    /// Waiting in its queue.
    Open,
    /// With an agent, or offered to one.
    Active,
    /// Between two talks; only persistent conversations wait.
    Waiting,
    /// Over, but for the agent's notes.
    Wrapup,
    /// Over.
    Closed,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 5] =
        [Self::Open, Self::Active, Self::Waiting, Self::Wrapup, Self::Closed];

    /// The name on the wire, in HTTP and in the journal.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Active => "active",
            Self::Waiting => "waiting",
            Self::Wrapup => "wrapup",
            Self::Closed => "closed",
        }
    }
}

impl Conversation {
    /// A conversation in which nothing has happened.
    pub fn new(id: ConversationId) -> Self {
        Self {
            id,
            begun: None,
            started_at: Timestamp::default(),
            seq: Seq::ZERO,
            seen_by_customer: Seq::ZERO,
            phase: Phase::New,
            attendance: Attendance::default(),
            posts: Posts::default(),
            declines: Few::default(),
            excluded: Few::default(),
        }
    }

    /// Applies what was decided, and holds back what follows from it until the journal has it.
    pub fn commit(&mut self, decision: Decision, now: Timestamp) -> Pending {
        let before = self.claims_before();
        let first = self.seq.next();
        for event in &decision.events {
            self.apply(event, now);
        }
        Pending::new(self.seq, first, now, decision, self.effects_since(&before))
    }

    /// Its id.
    pub const fn id(&self) -> ConversationId {
        self.id
    }

    /// How it began; nothing while it is new.
    pub fn opening(&self) -> Option<&Opening> {
        self.begun.as_ref().map(|begun| &begun.opening)
    }

    /// What the customer has used of what they may do.
    pub fn usage(&self) -> CustomerUsage {
        self.begun.as_ref().map(|begun| begun.usage).unwrap_or_default()
    }

    /// When it began.
    pub const fn started_at(&self) -> Timestamp {
        self.started_at
    }

    /// The place of the last event.
    pub const fn seq(&self) -> Seq {
        self.seq
    }

    /// The place of the last event that the customer may see.
    pub const fn seen_by_customer(&self) -> Seq {
        self.seen_by_customer
    }

    /// Its phase.
    pub const fn phase(&self) -> &Phase {
        &self.phase
    }

    /// The customer's sessions.
    pub const fn attendance(&self) -> &Attendance {
        &self.attendance
    }

    /// The state that agents are told; nothing while it is new.
    pub const fn state(&self) -> Option<State> {
        match self.phase {
            Phase::New => None,
            Phase::Open { .. } => Some(State::Open),
            Phase::Offered { .. } | Phase::Talking { .. } => Some(State::Active),
            Phase::Wrapup { .. } => Some(State::Wrapup),
            Phase::Closed { .. } => Some(State::Closed),
        }
    }

    /// The state that the customer is told. A chat that is only offered still waits for them,
    /// because the customer must not see who declines it.
    pub const fn state_for_customer(&self) -> Option<State> {
        match self.phase {
            Phase::Offered { .. } => Some(State::Open),
            _ => self.state(),
        }
    }

    /// Why it ended; nothing while it has not.
    pub const fn reason(&self) -> Option<Reason> {
        match self.phase {
            Phase::Wrapup { reason, .. } | Phase::Closed { reason, .. } => Some(reason),
            Phase::New | Phase::Open { .. } | Phase::Offered { .. } | Phase::Talking { .. } => None,
        }
    }

    /// The agent to whom it is offered, who has it, or who had it at the end.
    pub const fn agent(&self) -> Option<&AgentId> {
        match &self.phase {
            Phase::Offered { lease, .. } | Phase::Talking { lease, .. } => Some(&lease.agent),
            Phase::Wrapup { agent, .. } => Some(agent),
            Phase::Closed { agent, .. } => agent.as_ref(),
            Phase::New | Phase::Open { .. } => None,
        }
    }

    /// The units that an agent holds for it.
    pub const fn lease(&self) -> Option<&Lease> {
        match &self.phase {
            Phase::Offered { lease, .. } | Phase::Talking { lease, .. } => Some(lease),
            Phase::Wrapup { lease, .. } => lease.as_ref(),
            Phase::New | Phase::Open { .. } | Phase::Closed { .. } => None,
        }
    }

    /// When it was closed; nothing while it is not.
    pub const fn closed_at(&self) -> Option<Timestamp> {
        match self.phase {
            Phase::Closed { at, .. } => Some(at),
            _ => None,
        }
    }

    /// Whether the customer can still take part: it waits, is offered, or is with an agent.
    pub const fn is_live(&self) -> bool {
        matches!(self.phase, Phase::Open { .. } | Phase::Offered { .. } | Phase::Talking { .. })
    }

    /// Whether it is over for ever.
    pub const fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed { .. })
    }

    /// The absence that is running, if the chat is live and its customer is away.
    pub fn absence(&self) -> Option<&Absence> {
        self.attendance.absence().filter(|_| self.is_live())
    }

    /// The key of the digests by which its messages are recognised; zero while it is new, and for a
    /// chat that began under a release without keys.
    fn salt(&self) -> u64 {
        self.opening().map_or(0, |opening| opening.salt)
    }

    /// Whether the phase's timers that concern the customer stand still because the customer is
    /// away: only the window ends a chat that is held. The timer of an offer concerns the agent.
    pub fn stands_still(&self) -> bool {
        let concerns_customer = matches!(self.phase, Phase::Open { .. } | Phase::Talking { .. });
        concerns_customer && self.absence().is_some()
    }

    /// Frees what no later event needs: the id that the widget gave its start, which is in the
    /// journal. This is for an owner of millions of chats.
    pub fn let_go(&mut self) {
        if let Some(begun) = &mut self.begun {
            begun.opening.start = MessageId::none();
        }
    }

    fn event_follows(&mut self, event: &Event) {
        self.seq = self.seq.next();
        if let Some(begun) = &mut self.begun {
            begun.usage.follow(event);
        }
        if event.is_seen_by(event::Audience::Customer) {
            self.seen_by_customer = self.seq;
        }
    }
}
