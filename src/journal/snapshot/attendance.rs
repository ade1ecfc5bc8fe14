//! The form of the customer's sessions in a snapshot, and of why they were lost.

use serde::{Deserialize, Serialize};

use crate::domain::cause::{Cause, Leaving, Misuse};
use crate::domain::conversation::attendance::{Absence, Attending};
use crate::domain::id::SessionId;
use crate::domain::liveness::Liveness;
use crate::domain::time::{Span, Timestamp};

#[derive(Deserialize, Serialize)]
pub(super) struct AttendingTwin {
    session: u64,
    heard_at: i64,
    heartbeat_ms: u64,
    asked: bool,
    leaving: Option<LeavingTwin>,
}

#[derive(Deserialize, Serialize)]
pub(super) struct AbsenceTwin {
    since: i64,
    until: i64,
    cause: CauseTwin,
}

#[derive(Deserialize, Serialize)]
enum CauseTwin {
    Left(LeavingTwin),
    Closed(u16),
    Reset,
    Silent,
    Replaced,
    Draining,
    Restarted,
    Refused(MisuseTwin),
}

#[derive(Deserialize, Serialize)]
enum LeavingTwin {
    Hidden,
    Unloaded,
}

#[derive(Deserialize, Serialize)]
enum MisuseTwin {
    Protocol,
    Size,
    Rate,
    Token,
    Slow,
}

impl From<&Attending> for AttendingTwin {
    fn from(attending: &Attending) -> Self {
        Self {
            session: attending.session.as_bits(),
            heard_at: attending.liveness.last_seen().as_millis(),
            heartbeat_ms: attending.liveness.heartbeat().as_millis(),
            asked: attending.liveness.is_probed(),
            leaving: attending.leaving.map(LeavingTwin::from),
        }
    }
}

impl From<AttendingTwin> for Attending {
    fn from(twin: AttendingTwin) -> Self {
        Self {
            session: SessionId::from_bits(twin.session),
            liveness: Liveness::restore(
                Timestamp::from_millis(twin.heard_at),
                Span::from_millis(twin.heartbeat_ms),
                twin.asked,
            ),
            leaving: twin.leaving.map(Leaving::from),
            // Transient: a session that is read from the disk has to be heard of anew.
            asleep: false,
            heard: 0,
            widest_ms: 0,
        }
    }
}

impl From<&Absence> for AbsenceTwin {
    fn from(absence: &Absence) -> Self {
        Self {
            since: absence.since.as_millis(),
            until: absence.until.as_millis(),
            cause: absence.cause.into(),
        }
    }
}

impl From<AbsenceTwin> for Absence {
    fn from(twin: AbsenceTwin) -> Self {
        Self {
            since: Timestamp::from_millis(twin.since),
            until: Timestamp::from_millis(twin.until),
            cause: twin.cause.into(),
        }
    }
}

impl From<Cause> for CauseTwin {
    fn from(cause: Cause) -> Self {
        match cause {
            Cause::Left(leaving) => Self::Left(leaving.into()),
            Cause::Closed(code) => Self::Closed(code),
            Cause::Reset => Self::Reset,
            Cause::Silent => Self::Silent,
            Cause::Replaced => Self::Replaced,
            Cause::Draining => Self::Draining,
            Cause::Restarted => Self::Restarted,
            Cause::Refused(misuse) => Self::Refused(misuse.into()),
        }
    }
}

impl From<CauseTwin> for Cause {
    fn from(twin: CauseTwin) -> Self {
        match twin {
            CauseTwin::Left(leaving) => Self::Left(leaving.into()),
            CauseTwin::Closed(code) => Self::Closed(code),
            CauseTwin::Reset => Self::Reset,
            CauseTwin::Silent => Self::Silent,
            CauseTwin::Replaced => Self::Replaced,
            CauseTwin::Draining => Self::Draining,
            CauseTwin::Restarted => Self::Restarted,
            CauseTwin::Refused(misuse) => Self::Refused(misuse.into()),
        }
    }
}

impl From<Leaving> for LeavingTwin {
    fn from(leaving: Leaving) -> Self {
        match leaving {
            Leaving::Hidden => Self::Hidden,
            Leaving::Unloaded => Self::Unloaded,
        }
    }
}

impl From<LeavingTwin> for Leaving {
    fn from(twin: LeavingTwin) -> Self {
        match twin {
            LeavingTwin::Hidden => Self::Hidden,
            LeavingTwin::Unloaded => Self::Unloaded,
        }
    }
}

impl From<Misuse> for MisuseTwin {
    fn from(misuse: Misuse) -> Self {
        match misuse {
            Misuse::Protocol => Self::Protocol,
            Misuse::Size => Self::Size,
            Misuse::Rate => Self::Rate,
            Misuse::Token => Self::Token,
            Misuse::Slow => Self::Slow,
        }
    }
}

impl From<MisuseTwin> for Misuse {
    fn from(twin: MisuseTwin) -> Self {
        match twin {
            MisuseTwin::Protocol => Self::Protocol,
            MisuseTwin::Size => Self::Size,
            MisuseTwin::Rate => Self::Rate,
            MisuseTwin::Token => Self::Token,
            MisuseTwin::Slow => Self::Slow,
        }
    }
}
