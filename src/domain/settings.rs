//! What an administrator decides: workstreams, queues, widgets, agents, and the rules that each
//! must keep. A document that breaks a rule is refused as a whole, and every violation is named.

mod admission;
mod audit;
mod customer_limits;
pub mod registry;
mod token;
mod violation;
mod widget;

use std::sync::Arc;

use crate::domain::id::{AgentId, QueueId, WorkstreamId};
use crate::domain::lease::Purpose;
use crate::domain::settings::violation::{outside, span_outside, unreachable_id};
use crate::domain::text::DisplayName;
use crate::domain::time::Span;
use crate::limits;

pub use admission::{AdmissionRule, NotVouched, Vouching};
pub use audit::AuditRetention;
pub use customer_limits::CustomerLimits;
pub use violation::Violation;
pub use widget::{ANY_ORIGIN, WidgetSettings};

/// How many seconds a window may have.
pub const WINDOW_SECONDS: std::ops::RangeInclusive<u64> = 2..=86_400;

/// The settings a chat is handled under. The setting in force when a timer starts decides its
/// length; a timer that runs keeps its deadline.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Workstream {
    /// Its id.
    pub id: WorkstreamId,
    /// The queue where its chats wait.
    pub queue: QueueId,
    /// Units of an agent's capacity that one chat takes: 1 to 1,000.
    pub units: u32,
    /// How long an away customer is held: 2 s to 24 h.
    pub window: Span,
    /// How often a widget says that it is there: 1 to 120 s. It is silent after two of these.
    pub heartbeat: Span,
    /// How long an offer stands: 2 to 600 s.
    pub offer: Span,
    /// Whether a chat is offered while its customer is away, instead of keeping its place in the
    /// line until they are back. Off by default: customers who are there are served first.
    pub offers_absent: bool,
    /// After how many declined or lapsed offers an agent is not offered the same chat again: 1 to
    /// 5.
    pub decline_limit: u8,
    /// How long an agent may be gone before their chats go back to the queue: 2 s to 1 h.
    pub agent_grace: Span,
    /// How long an agent may be gone before an offer to them is withdrawn: 1 s to 1 h.
    pub offer_grace: Span,
    /// After how long a customer is told that their agent's connection is gone: 1 s to 1 h; never
    /// when absent.
    pub agent_notice: Option<Span>,
    /// How long a chat in wrap-up keeps the agent's units.
    pub wrapup_block: WrapupBlock,
    /// When a chat closes by itself.
    pub autoclose: Autoclose,
    /// When a customer who does not answer is warned, and then disconnected; off when absent.
    pub idle: Option<IdleRule>,
    /// How much a customer may do in one chat.
    pub customer_limits: CustomerLimits,
    /// Where a customer who returns too late is sent; a new chat when absent.
    pub redirect: Option<Arc<str>>,
    /// What becomes of chats long after they were closed; they are kept for ever when absent.
    pub retention: Option<Retention>,
}

impl Workstream {
    /// How long an agent may be gone before an offer to them is withdrawn, by default.
    pub const OFFER_GRACE: Span = Span::from_secs(10);

    /// After how long a customer is told that their agent's connection is gone, by default.
    pub const AGENT_NOTICE: Span = Span::from_secs(10);

    /// A workstream with every default.
    pub fn new(id: WorkstreamId, queue: QueueId) -> Self {
        Self {
            id,
            queue,
            units: 1,
            window: Span::from_secs(180),
            heartbeat: Span::from_secs(25),
            offer: Span::from_secs(120),
            offers_absent: false,
            decline_limit: 3,
            agent_grace: Span::from_secs(150),
            offer_grace: Self::OFFER_GRACE,
            agent_notice: Some(Self::AGENT_NOTICE),
            wrapup_block: WrapupBlock::Always,
            autoclose: Autoclose::default(),
            idle: None,
            customer_limits: CustomerLimits::default(),
            redirect: None,
            retention: Some(Retention::DEFAULT),
        }
    }

    /// Every rule that this document breaks; none when it may be used.
    pub fn violations(&self) -> Vec<Violation> {
        let mut found = Vec::new();
        found.extend(unreachable_id(self.id.as_str()));
        found.extend(outside("units", u64::from(self.units), 1, 1_000, ""));
        found.extend(span_outside(
            "window_s",
            self.window,
            *WINDOW_SECONDS.start(),
            *WINDOW_SECONDS.end(),
        ));
        found.extend(span_outside("heartbeat_s", self.heartbeat, 1, 120));
        found.extend(span_outside("offer_s", self.offer, 2, 600));
        found.extend(outside("decline_limit", u64::from(self.decline_limit), 1, 5, ""));
        found.extend(span_outside("agent_grace_s", self.agent_grace, 2, 3_600));
        found.extend(span_outside("offer_grace_s", self.offer_grace, 1, 3_600));
        let notice = self.agent_notice;
        found.extend(notice.and_then(|notice| span_outside("agent_notice_s", notice, 1, 3_600)));
        if self.window < self.heartbeat.times(2) {
            found.push(Violation::new(
                "window_s",
                "must be at least two heartbeats (2 × heartbeat_s), or a silent customer would be \
                 disconnected before the silence is noticed",
            ));
        }
        if let WrapupBlock::For(span) = self.wrapup_block {
            found.extend(span_outside("wrapup_block.for_s", span, 30, 3_600));
        }
        found.extend(self.autoclose.violations());
        found.extend(self.customer_limits.violations());
        if let Some(idle) = &self.idle {
            found.extend(span_outside("idle_s.warn", idle.warn, 5, 86_400));
            found.extend(span_outside("idle_s.close", idle.close, 5, 86_400));
            if idle.close <= idle.warn {
                found.push(Violation::new("idle_s.close", "must be longer than idle_s.warn"));
            }
        }
        if let Some(redirect) = &self.redirect {
            let web = redirect.starts_with("https://") || redirect.starts_with("http://");
            if !web || redirect.len() > 2_048 || redirect.contains(char::is_whitespace) {
                found.push(Violation::new(
                    "redirect",
                    "must be an http or https address of at most 2048 bytes",
                ));
            }
        }
        if let Some(retention) = self.retention {
            let days = u64::from(retention.after_days);
            found.extend(outside("retention.after_days", days, 1, 36_500, " days"));
        }
        found
    }

    /// How long an agent may be gone before what is held of them for this purpose is given up.
    pub const fn grace_for(&self, purpose: Purpose) -> Span {
        match purpose {
            Purpose::Offer => self.offer_grace,
            Purpose::Chat | Purpose::Wrapup => self.agent_grace,
        }
    }

    /// Whether a chat still takes this many units, which were set aside: the settings may have
    /// changed since.
    pub const fn takes(&self, units: u32) -> bool {
        self.units == units
    }

    /// How long wrap-up lasts: the longer of its auto-close and of the block.
    pub fn wrapup_lasts(&self) -> Option<Span> {
        let block = match self.wrapup_block {
            WrapupBlock::For(span) => span,
            WrapupBlock::Always | WrapupBlock::Never => Span::ZERO,
        };
        self.autoclose.wrapup.map(|autoclose| autoclose.max(block))
    }
}

/// How long a chat in wrap-up keeps the agent's units.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum WrapupBlock {
    /// Until the chat is closed.
    Always,
    /// Not at all.
    Never,
    /// For 30 s to 60 min, or until the chat is closed if that is sooner.
    For(Span),
}

/// How long a chat may stay in a state before it closes by itself; for ever when absent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Autoclose {
    /// In the queue.
    pub open: Option<Span>,
    /// With an agent.
    pub active: Option<Span>,
    /// In wrap-up.
    pub wrapup: Option<Span>,
}

impl Default for Autoclose {
    fn default() -> Self {
        Self {
            open: Some(Span::from_secs(1_200)),
            active: None,
            wrapup: Some(Span::from_secs(900)),
        }
    }
}

impl Autoclose {
    fn violations(&self) -> Vec<Violation> {
        let mut found = Vec::new();
        let states = [
            ("autoclose_s.open", self.open),
            ("autoclose_s.active", self.active),
            ("autoclose_s.wrapup", self.wrapup),
        ];
        for (field, span) in states {
            found.extend(span.and_then(|span| span_outside(field, span, 1, 2_592_000)));
        }
        if self.wrapup.is_none() {
            found.push(Violation::new("autoclose_s.wrapup", "must be set: wrap-up always ends"));
        }
        found
    }
}

/// When a customer who owes an answer is warned, and then disconnected. Both are counted from the
/// agent's last message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct IdleRule {
    /// When they are warned.
    pub warn: Span,
    /// When the chat moves to wrap-up; longer than `warn`.
    pub close: Span,
}

/// What becomes of a chat long after it was closed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Retention {
    /// How many days of 24 hours after its close: 1 to 36,500.
    pub after_days: u32,
    /// What becomes of it then.
    pub then: Disposal,
}

impl Retention {
    /// What becomes of chats by default: what customers say is not kept for ever unless somebody
    /// decides so. A year is long enough for complaints and for comparing figures with the same
    /// month of last year. The default is not the archive, because that is kept for ever.
    pub const DEFAULT: Self = Self { after_days: 365, then: Disposal::Delete };

    /// How long after its close.
    pub fn after(&self) -> Span {
        Span::from_secs(86_400).times(u64::from(self.after_days))
    }
}

/// What becomes of a chat whose retention is over.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Disposal {
    /// It moves to the archive, which only people read.
    Archive,
    /// It is deleted.
    Delete,
}

/// A waiting line and the agents who serve it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct QueueSettings {
    /// Its id.
    pub id: QueueId,
    /// What people call it.
    pub name: DisplayName,
    /// The agents who serve it, each once.
    pub agents: Vec<AgentId>,
}

impl QueueSettings {
    /// Every rule that this document breaks; none when it may be used.
    pub fn violations(&self) -> Vec<Violation> {
        let mut found: Vec<_> = unreachable_id(self.id.as_str()).into_iter().collect();
        if self.agents.len() > limits::QUEUE_AGENTS_MAX {
            found.push(Violation::new("agents", "must name at most 10000 agents"));
        }
        let mut sorted: Vec<_> = self.agents.iter().collect();
        sorted.sort();
        if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
            found.push(Violation::new("agents", "must name each agent once"));
        }
        found
    }
}

/// What a person may do.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Role {
    /// Their own work.
    Agent,
    /// Everybody's work.
    Supervisor,
    /// Everybody's work, and the settings.
    Administrator,
}

/// The settings of an agent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AgentSettings {
    /// Their id.
    pub id: AgentId,
    /// The name that customers see.
    pub name: DisplayName,
    /// What they may do.
    pub role: Role,
    /// How much work they may be given at once: 0 to 100,000 units.
    pub units: u32,
}

impl AgentSettings {
    /// Every rule that this document breaks; none when it may be used.
    pub fn violations(&self) -> Vec<Violation> {
        let units = outside("units", u64::from(self.units), 0, 100_000, "");
        unreachable_id(self.id.as_str()).into_iter().chain(units).collect()
    }
}
