//! The checks, each with what it states, and how one is told to have failed.

use std::fmt;

use crate::server::Millis;

/// A law that is checked.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Check {
    AcknowledgedOnce,
    AcknowledgedInOrder,
    NeverEarly,
    NeverMissed,
    ExpiresOnce,
    ReturnOrDeadline,
    PresentIsNotAway,
    SilenceIsFair,
    DowntimeIsFree,
    CapacityAddsUp,
    WithinCapacity,
    NobodyWaitsInVain,
    NobodyIsLeftAlone,
    AbsentAreHeld,
    WillingComeFirst,
    TimersAreServed,
    OffersNeedAgents,
    AbsenceIsTold,
    AwayInPairs,
    FeedsAreWhole,
    CallsAreAnswered,
    RestartsAreTold,
    CustomerSeesTheirs,
    NothingBeforeDurable,
    ResumedWhole,
    ResumedOnce,
    ReplayIsLive,
    OneChatAVisitor,
    LawfulHistory,
    ClockRunsOn,
    ComesToRest,
}

impl Check {
    /// Every check.
    pub const ALL: [Self; 31] = [
        Self::AcknowledgedOnce,
        Self::AcknowledgedInOrder,
        Self::NeverEarly,
        Self::NeverMissed,
        Self::ExpiresOnce,
        Self::ReturnOrDeadline,
        Self::PresentIsNotAway,
        Self::SilenceIsFair,
        Self::DowntimeIsFree,
        Self::CapacityAddsUp,
        Self::WithinCapacity,
        Self::NobodyWaitsInVain,
        Self::NobodyIsLeftAlone,
        Self::AbsentAreHeld,
        Self::WillingComeFirst,
        Self::TimersAreServed,
        Self::OffersNeedAgents,
        Self::AbsenceIsTold,
        Self::AwayInPairs,
        Self::FeedsAreWhole,
        Self::CallsAreAnswered,
        Self::RestartsAreTold,
        Self::CustomerSeesTheirs,
        Self::NothingBeforeDurable,
        Self::ResumedWhole,
        Self::ResumedOnce,
        Self::ReplayIsLive,
        Self::OneChatAVisitor,
        Self::LawfulHistory,
        Self::ClockRunsOn,
        Self::ComesToRest,
    ];

    /// What it states.
    pub const fn statement(self) -> &'static str {
        match self {
            Self::AcknowledgedOnce => "an acknowledged message is in the transcript exactly once",
            Self::AcknowledgedInOrder => "messages stand in the order in which they were said",
            Self::NeverEarly => "no window ends before its deadline has passed",
            Self::NeverMissed => "every window ends within 250 ms of its deadline",
            Self::ExpiresOnce => "a window ends once for each absence",
            Self::ReturnOrDeadline => "a return in time wins, or else the deadline; never both",
            Self::PresentIsNotAway => "a customer is not away while one of their tabs is there",
            Self::SilenceIsFair => "nobody who was heard of in two heartbeats counts as silent",
            Self::DowntimeIsFree => "time while the server was down counts against no customer",
            Self::CapacityAddsUp => "used units are the leases, and the leases are the work",
            Self::WithinCapacity => "no agent is offered more by a queue than they may have",
            Self::NobodyWaitsInVain => "nobody waits while an agent who suits them is free",
            Self::NobodyIsLeftAlone => "no chat stays with an agent who was deleted",
            Self::AbsentAreHeld => {
                "who is away is offered to nobody, and ended by their window alone"
            }
            Self::WillingComeFirst => "who let a chat go is asked when nobody else can take it",
            Self::TimersAreServed => "offers lapse and wrap-ups end when they should, not before",
            Self::OffersNeedAgents => "no offer outlives its agent's console for long",
            Self::AbsenceIsTold => "a customer is told that their agent is away, and back",
            Self::AwayInPairs => "a customer is told away and back in turn",
            Self::FeedsAreWhole => "a console is told what is said, whole, once and in order",
            Self::CallsAreAnswered => "whoever asks is answered",
            Self::RestartsAreTold => "a chat tells of a start before it goes on",
            Self::CustomerSeesTheirs => "a customer sees what is theirs to see, and nothing else",
            Self::NothingBeforeDurable => "nobody is told of anything before it is durable",
            Self::ResumedWhole => "who comes back is told everything that they missed",
            Self::ResumedOnce => "who comes back is told nothing twice",
            Self::ReplayIsLive => "a conversation is what its journal says",
            Self::OneChatAVisitor => "a visitor has at most one live chat in a widget",
            Self::LawfulHistory => "a history has no gaps, and no chat leaves Closed",
            Self::ClockRunsOn => "the server's clock never steps while it runs",
            Self::ComesToRest => "a world comes to rest",
        }
    }
}

/// A check that has failed.
#[derive(Clone, Debug)]
pub struct Violation {
    pub check: Check,
    pub at: Millis,
    pub what: String,
}

impl Violation {
    pub fn new(check: Check, at: Millis, what: impl Into<String>) -> Self {
        Self { check, at, what: what.into() }
    }

    /// The world did not come to an end.
    pub fn endless() -> Self {
        Self::new(Check::ComesToRest, 0, "it went on and on")
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { check, at, what } = self;
        write!(formatter, "{check:?} ({}) at {at}: {what}", check.statement())
    }
}
