//! The form of a phase in a snapshot.

use serde::{Deserialize, Serialize};

use crate::domain::conversation::event::{Actor, Reason, Reminder};
use crate::domain::conversation::{Owed, Phase};
use crate::domain::id::AgentId;
use crate::domain::lease::{Lease, Notice, Purpose};
use crate::domain::time::{Span, Timestamp};
use crate::journal::record::Unreadable;
use crate::journal::snapshot::names::{Names, Text};

#[derive(Deserialize, Serialize)]
pub(super) enum PhaseTwin<'a> {
    New,
    Open {
        waiting_since: i64,
        close_at: Option<i64>,
    },
    Offered {
        #[serde(borrow)]
        lease: LeaseTwin<'a>,
        until: i64,
        waiting_since: i64,
    },
    Talking {
        #[serde(borrow)]
        lease: LeaseTwin<'a>,
        #[serde(borrow)]
        name: Text<'a>,
        close_at: Option<i64>,
        owed: OwedTwin,
    },
    Wrapup {
        agent: Text<'a>,
        #[serde(borrow)]
        lease: Option<LeaseTwin<'a>>,
        hold_until: Option<i64>,
        #[serde(borrow)]
        reason: ReasonTwin<'a>,
        close_at: Option<i64>,
    },
    Closed {
        #[serde(borrow)]
        agent: Option<Text<'a>>,
        #[serde(borrow)]
        reason: ReasonTwin<'a>,
        #[serde(borrow)]
        by: ActorTwin<'a>,
        at: i64,
    },
}

#[derive(Deserialize, Serialize)]
pub(super) struct LeaseTwin<'a> {
    #[serde(borrow)]
    agent: Text<'a>,
    units: u32,
    purpose: PurposeTwin,
    grace_ms: u64,
    notice_ms: Option<u64>,
    missed: bool,
}

#[derive(Deserialize, Serialize)]
enum PurposeTwin {
    Offer,
    Chat,
    Wrapup,
}

#[derive(Deserialize, Serialize)]
pub(super) enum OwedTwin {
    Nothing,
    Remind { at: i64, until: i64 },
    Reminded(i64),
}

#[derive(Deserialize, Serialize)]
pub(super) enum ActorTwin<'a> {
    Customer,
    Agent(#[serde(borrow)] Text<'a>),
    Supervisor(#[serde(borrow)] Text<'a>),
    Timer,
}

/// A reason by its name, because the journal's names never change.
#[derive(Deserialize, Serialize)]
pub(super) struct ReasonTwin<'a>(#[serde(borrow)] Text<'a>);

impl<'a> From<&'a Phase> for PhaseTwin<'a> {
    fn from(phase: &'a Phase) -> Self {
        let millis = |at: &Option<Timestamp>| at.map(Timestamp::as_millis);
        match phase {
            Phase::New => Self::New,
            Phase::Open { waiting_since, close_at } => {
                Self::Open { waiting_since: waiting_since.as_millis(), close_at: millis(close_at) }
            }
            Phase::Offered { lease, until, waiting_since } => Self::Offered {
                lease: lease.into(),
                until: until.as_millis(),
                waiting_since: waiting_since.as_millis(),
            },
            Phase::Talking { lease, name, close_at, owed } => Self::Talking {
                lease: lease.into(),
                name: name.as_str(),
                close_at: millis(close_at),
                owed: (*owed).into(),
            },
            Phase::Wrapup { agent, lease, hold_until, reason, close_at } => Self::Wrapup {
                agent: agent.as_str(),
                lease: lease.as_ref().map(LeaseTwin::from),
                hold_until: millis(hold_until),
                reason: (*reason).into(),
                close_at: millis(close_at),
            },
            Phase::Closed { agent, reason, by, at } => Self::Closed {
                agent: agent.as_ref().map(AgentId::as_str),
                reason: (*reason).into(),
                by: by.into(),
                at: at.as_millis(),
            },
        }
    }
}

impl PhaseTwin<'_> {
    /// What it stands for.
    pub(super) fn read(self, names: &mut Names) -> Result<Phase, Unreadable> {
        let time = |millis: Option<i64>| millis.map(Timestamp::from_millis);
        Ok(match self {
            PhaseTwin::New => Phase::New,
            PhaseTwin::Open { waiting_since, close_at } => Phase::Open {
                waiting_since: Timestamp::from_millis(waiting_since),
                close_at: time(close_at),
            },
            PhaseTwin::Offered { lease, until, waiting_since } => Phase::Offered {
                lease: lease.read(names)?,
                until: Timestamp::from_millis(until),
                waiting_since: Timestamp::from_millis(waiting_since),
            },
            PhaseTwin::Talking { lease, name, close_at, owed } => Phase::Talking {
                lease: lease.read(names)?,
                name: names.name(name)?,
                close_at: time(close_at),
                owed: owed.into(),
            },
            PhaseTwin::Wrapup { agent, lease, hold_until, reason, close_at } => Phase::Wrapup {
                agent: names.agent(agent)?,
                lease: lease.map(|lease| lease.read(names)).transpose()?,
                hold_until: time(hold_until),
                reason: reason.try_into()?,
                close_at: time(close_at),
            },
            PhaseTwin::Closed { agent, reason, by, at } => Phase::Closed {
                agent: agent.map(|agent| names.agent(agent)).transpose()?,
                reason: reason.try_into()?,
                by: by.read(names)?,
                at: Timestamp::from_millis(at),
            },
        })
    }
}

impl<'a> From<&'a Lease> for LeaseTwin<'a> {
    fn from(lease: &'a Lease) -> Self {
        Self {
            agent: lease.agent.as_str(),
            units: lease.units,
            purpose: match lease.purpose {
                Purpose::Offer => PurposeTwin::Offer,
                Purpose::Chat => PurposeTwin::Chat,
                Purpose::Wrapup => PurposeTwin::Wrapup,
            },
            grace_ms: lease.grace.as_millis(),
            notice_ms: lease.notice.map(|notice| notice.span().as_millis()),
            missed: lease.missed,
        }
    }
}

impl LeaseTwin<'_> {
    /// What it stands for.
    pub(super) fn read(self, names: &mut Names) -> Result<Lease, Unreadable> {
        Ok(Lease {
            agent: names.agent(self.agent)?,
            units: self.units,
            purpose: match self.purpose {
                PurposeTwin::Offer => Purpose::Offer,
                PurposeTwin::Chat => Purpose::Chat,
                PurposeTwin::Wrapup => Purpose::Wrapup,
            },
            grace: Span::from_millis(self.grace_ms),
            notice: self.notice_ms.map(|millis| Notice::after(Span::from_millis(millis))),
            missed: self.missed,
        })
    }
}

impl From<Owed> for OwedTwin {
    fn from(owed: Owed) -> Self {
        match owed {
            Owed::Nothing => Self::Nothing,
            Owed::Remind(reminder) => {
                Self::Remind { at: reminder.at.as_millis(), until: reminder.until.as_millis() }
            }
            Owed::Reminded(until) => Self::Reminded(until.as_millis()),
        }
    }
}

impl From<OwedTwin> for Owed {
    fn from(twin: OwedTwin) -> Self {
        match twin {
            OwedTwin::Nothing => Self::Nothing,
            OwedTwin::Remind { at, until } => Self::Remind(Reminder {
                at: Timestamp::from_millis(at),
                until: Timestamp::from_millis(until),
            }),
            OwedTwin::Reminded(until) => Self::Reminded(Timestamp::from_millis(until)),
        }
    }
}

impl<'a> From<&'a Actor> for ActorTwin<'a> {
    fn from(actor: &'a Actor) -> Self {
        match actor {
            Actor::Customer => Self::Customer,
            Actor::Agent(agent) => Self::Agent(agent.as_str()),
            Actor::Supervisor(agent) => Self::Supervisor(agent.as_str()),
            Actor::Timer => Self::Timer,
        }
    }
}

impl ActorTwin<'_> {
    /// What it stands for.
    pub(super) fn read(self, names: &mut Names) -> Result<Actor, Unreadable> {
        Ok(match self {
            ActorTwin::Customer => Actor::Customer,
            ActorTwin::Agent(agent) => Actor::Agent(names.agent(agent)?),
            ActorTwin::Supervisor(agent) => Actor::Supervisor(names.agent(agent)?),
            ActorTwin::Timer => Actor::Timer,
        })
    }
}

impl From<Reason> for ReasonTwin<'_> {
    fn from(reason: Reason) -> Self {
        Self(reason.name())
    }
}

impl TryFrom<ReasonTwin<'_>> for Reason {
    type Error = Unreadable;

    fn try_from(twin: ReasonTwin<'_>) -> Result<Self, Unreadable> {
        let named = Self::ALL.into_iter().find(|reason| reason.name() == twin.0);
        named.ok_or_else(|| Unreadable(format!("{:?} is no reason", twin.0)))
    }
}
