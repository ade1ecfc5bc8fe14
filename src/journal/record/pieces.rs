//! The stored forms of the pieces that several records hold: causes, leases, actors, reasons.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::domain::agent::Presence;
use crate::domain::cause::{Cause, Leaving, Misuse};
use crate::domain::conversation::event::{Actor, Departure, Hold, OfferEnd, Reason, Reminder};
use crate::domain::id::VisitorId;
use crate::domain::lease::{Lease, Notice, Purpose};
use crate::domain::settings::Role;
use crate::domain::time::{Span, Timestamp};
use crate::journal::record::unreadable::Unreadable;

/// A text that is borrowed where that is possible.
pub(super) type Text<'a> = Cow<'a, str>;

/// An enum without fields, its stored twin, and the conversions between them.
macro_rules! names {
    ($stored:ident = $domain:ident { $($variant:ident),+ $(,)? }) => {
        #[derive(Clone, Copy, Debug, Deserialize, Serialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $stored { $($variant),+ }

        impl From<$domain> for $stored {
            fn from(value: $domain) -> Self {
                match value { $($domain::$variant => Self::$variant),+ }
            }
        }

        impl From<$stored> for $domain {
            fn from(value: $stored) -> Self {
                match value { $($stored::$variant => Self::$variant),+ }
            }
        }
    };
}

names!(PresenceName = Presence { Available, Busy, DoNotDisturb, Away, Offline });
names!(LeavingName = Leaving { Hidden, Unloaded });
names!(MisuseName = Misuse { Protocol, Size, Rate, Token, Slow });
names!(OfferEndName = OfferEnd { Declined, Lapsed, AgentGone, Reassigned });
names!(DepartureName = Departure { Released, Gone });
names!(PurposeName = Purpose { Offer, Chat, Wrapup });
names!(RoleName = Role { Agent, Supervisor, Administrator });
names!(
    ReasonName = Reason {
        CustomerDisconnectedWhileOpen,
        CustomerDisconnectedWhileActive,
        CustomerEnded,
        CustomerIdle,
        AgentEnded,
        OpenTooLong,
        ActiveTooLong,
        ForceClosed,
    }
);

/// Why a session was lost: `{"kind": "closed", "code": 1006}`.
#[derive(Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum CauseForm {
    Left { page: LeavingName },
    Closed { code: u16 },
    Reset,
    Silent,
    Replaced,
    Draining,
    Restarted,
    Refused { misuse: MisuseName },
}

impl From<Cause> for CauseForm {
    fn from(cause: Cause) -> Self {
        match cause {
            Cause::Left(leaving) => Self::Left { page: leaving.into() },
            Cause::Closed(code) => Self::Closed { code },
            Cause::Reset => Self::Reset,
            Cause::Silent => Self::Silent,
            Cause::Replaced => Self::Replaced,
            Cause::Draining => Self::Draining,
            Cause::Restarted => Self::Restarted,
            Cause::Refused(misuse) => Self::Refused { misuse: misuse.into() },
        }
    }
}

impl From<CauseForm> for Cause {
    fn from(form: CauseForm) -> Self {
        match form {
            CauseForm::Left { page } => Self::Left(page.into()),
            CauseForm::Closed { code } => Self::Closed(code),
            CauseForm::Reset => Self::Reset,
            CauseForm::Silent => Self::Silent,
            CauseForm::Replaced => Self::Replaced,
            CauseForm::Draining => Self::Draining,
            CauseForm::Restarted => Self::Restarted,
            CauseForm::Refused { misuse } => Self::Refused(misuse.into()),
        }
    }
}

/// Who did something: `{"kind": "agent", "agent": "ann"}`.
#[derive(Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum ActorForm<'a> {
    Customer,
    Agent { agent: Text<'a> },
    Supervisor { agent: Text<'a> },
    Timer,
}

impl<'a> From<&'a Actor> for ActorForm<'a> {
    fn from(actor: &'a Actor) -> Self {
        match actor {
            Actor::Customer => Self::Customer,
            Actor::Agent(agent) => Self::Agent { agent: agent.as_str().into() },
            Actor::Supervisor(agent) => Self::Supervisor { agent: agent.as_str().into() },
            Actor::Timer => Self::Timer,
        }
    }
}

impl TryFrom<ActorForm<'_>> for Actor {
    type Error = Unreadable;

    fn try_from(form: ActorForm<'_>) -> Result<Self, Unreadable> {
        Ok(match form {
            ActorForm::Customer => Self::Customer,
            ActorForm::Agent { agent } => Self::Agent(agent.parse()?),
            ActorForm::Supervisor { agent } => Self::Supervisor(agent.parse()?),
            ActorForm::Timer => Self::Timer,
        })
    }
}

/// A claim on an agent's capacity.
#[derive(Deserialize, Serialize)]
pub(super) struct LeaseForm<'a> {
    agent: Text<'a>,
    units: u32,
    #[serde(rename = "for")]
    purpose: PurposeName,
    grace_ms: u64,
    // Absent in records of earlier releases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    notice_ms: Option<u64>,
}

impl<'a> From<&'a Lease> for LeaseForm<'a> {
    fn from(lease: &'a Lease) -> Self {
        Self {
            agent: lease.agent.as_str().into(),
            units: lease.units,
            purpose: lease.purpose.into(),
            grace_ms: lease.grace.as_millis(),
            notice_ms: lease.notice.map(|notice| notice.span().as_millis()),
        }
    }
}

impl TryFrom<LeaseForm<'_>> for Lease {
    type Error = Unreadable;

    fn try_from(form: LeaseForm<'_>) -> Result<Self, Unreadable> {
        let notice = form.notice_ms.map(|millis| Notice::after(Span::from_millis(millis)));
        let grace = Span::from_millis(form.grace_ms);
        Ok(Self {
            notice,
            ..Self::new(form.agent.parse()?, form.units, form.purpose.into(), grace)
        })
    }
}

/// Until when units are held in wrap-up: `{"kind": "until", "until": 1700000000000}`.
#[derive(Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum HoldForm {
    No,
    Until { until: i64 },
    UntilClosed,
}

impl From<Hold> for HoldForm {
    fn from(hold: Hold) -> Self {
        match hold {
            Hold::No => Self::No,
            Hold::Until(until) => Self::Until { until: until.as_millis() },
            Hold::UntilClosed => Self::UntilClosed,
        }
    }
}

impl From<HoldForm> for Hold {
    fn from(form: HoldForm) -> Self {
        match form {
            HoldForm::No => Self::No,
            HoldForm::Until { until } => Self::Until(Timestamp::from_millis(until)),
            HoldForm::UntilClosed => Self::UntilClosed,
        }
    }
}

/// When a customer is reminded, and then disconnected.
#[derive(Deserialize, Serialize)]
pub(super) struct ReminderForm {
    at: i64,
    until: i64,
}

impl From<Reminder> for ReminderForm {
    fn from(reminder: Reminder) -> Self {
        Self { at: reminder.at.as_millis(), until: reminder.until.as_millis() }
    }
}

impl From<ReminderForm> for Reminder {
    fn from(form: ReminderForm) -> Self {
        Self { at: Timestamp::from_millis(form.at), until: Timestamp::from_millis(form.until) }
    }
}

/// A visitor as 32 hexadecimal digits.
pub(super) fn visitor_text(visitor: VisitorId) -> String {
    format!("{:032x}", visitor.as_bits())
}

/// The visitor that is written like this.
pub(super) fn visitor(text: &str) -> Result<VisitorId, Unreadable> {
    u128::from_str_radix(text, 16)
        .map(VisitorId::from_bits)
        .map_err(|_| Unreadable("a visitor is not 32 hexadecimal digits".to_owned()))
}

/// A time in milliseconds, where there is one.
pub(super) fn millis(at: Option<Timestamp>) -> Option<i64> {
    at.map(Timestamp::as_millis)
}

/// The time with these milliseconds, where there are any.
pub(super) fn time(millis: Option<i64>) -> Option<Timestamp> {
    millis.map(Timestamp::from_millis)
}
