//! Every wrong rule, with the check that must notice it.

use crate::watch::Check;

/// A rule that is wrong on purpose.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Wrong {
    EndsEarly,
    EndsLate,
    EndsTwice,
    LosesAtDeadline,
    ReturnsInVain,
    DropsSecondTab,
    HearsNothing,
    CountsDowntime,
    KeepsDeclined,
    OffersBeyond,
    ForgetsWaiting,
    HoldsWrapup,
    ForgetsVisitors,
    TellsEarly,
    TrustsLost,
    WritesOther,
    TellsAgain,
    SkipsOne,
    ShowsAgentLine,
    PostsAgain,
    TurnsRound,
    NamesTheWrongReason,
    SwallowsOffers,
    DeafWhileSettling,
    IgnoresUnits,
}

/// Each with what is wrong about it, and who notices.
pub const TABLE: [(Wrong, &str, Check); 25] = [
    (Wrong::EndsEarly, "a window ends one tick early", Check::NeverEarly),
    (Wrong::EndsLate, "a window ends one tick after a second", Check::NeverMissed),
    (Wrong::EndsTwice, "a window ends twice", Check::ExpiresOnce),
    (Wrong::LosesAtDeadline, "a return at the deadline loses", Check::ReturnOrDeadline),
    (Wrong::ReturnsInVain, "a return does not cancel the deadline", Check::ReturnOrDeadline),
    (Wrong::DropsSecondTab, "a lost tab makes away, though one is there", Check::PresentIsNotAway),
    (Wrong::HearsNothing, "a beat or a pong is no sign of life", Check::SilenceIsFair),
    (Wrong::CountsDowntime, "downtime counts", Check::DowntimeIsFree),
    (Wrong::KeepsDeclined, "a decline gives nothing back", Check::CapacityAddsUp),
    (Wrong::OffersBeyond, "offers go beyond the capacity", Check::WithinCapacity),
    (Wrong::ForgetsWaiting, "nobody is looked for when an agent is free", Check::NobodyWaitsInVain),
    (Wrong::HoldsWrapup, "wrap-up holds its units for ever", Check::TimersAreServed),
    (Wrong::ForgetsVisitors, "each start begins a chat", Check::OneChatAVisitor),
    (Wrong::TellsEarly, "it is told before the receipt", Check::NothingBeforeDurable),
    (Wrong::TrustsLost, "a message that the journal lost is kept", Check::NothingBeforeDurable),
    (Wrong::WritesOther, "another deadline is written than decided", Check::ReplayIsLive),
    (Wrong::TellsAgain, "a resume repeats a line", Check::ResumedOnce),
    (Wrong::SkipsOne, "a resume skips a line", Check::ResumedWhole),
    (Wrong::ShowsAgentLine, "a customer sees an offer", Check::CustomerSeesTheirs),
    (Wrong::PostsAgain, "a repeated message is a new one", Check::AcknowledgedOnce),
    (Wrong::TurnsRound, "of two messages the last is served first", Check::AcknowledgedInOrder),
    (Wrong::NamesTheWrongReason, "a lost customer counts as one who ended", Check::LawfulHistory),
    (
        Wrong::SwallowsOffers,
        "an offer that a fault swallowed is not asked for",
        Check::CapacityAddsUp,
    ),
    (Wrong::DeafWhileSettling, "a pong before the answer to start is lost", Check::SilenceIsFair),
    (Wrong::IgnoresUnits, "who waits is matched under old units", Check::NobodyWaitsInVain),
];
