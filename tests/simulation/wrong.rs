//! The rules of the simulated node: those of the real machines, or one of them made wrong on
//! purpose to prove that the checks can fail. A wrong rule stands at the doors of the actors, or
//! changes what the node itself says and in which order.

pub mod doors;
pub mod table;

pub use crate::wrong::table::Wrong;

/// The rules, right or with one of them wrong.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rules {
    wrong: Option<Wrong>,
}

impl Rules {
    pub fn with(wrong: Wrong) -> Self {
        Self { wrong: Some(wrong) }
    }

    fn is(self, wrong: Wrong) -> bool {
        self.wrong == Some(wrong)
    }

    pub fn forgets_visitors(self) -> bool {
        self.is(Wrong::ForgetsVisitors)
    }

    pub fn forgets_claims(self) -> bool {
        self.is(Wrong::ForgetsClaims)
    }

    pub fn leaves_late(self) -> bool {
        self.is(Wrong::LeavesLate)
    }

    pub fn hears_too_soon(self) -> bool {
        self.is(Wrong::HearsTooSoon)
    }

    pub fn hears_by_name(self) -> bool {
        self.is(Wrong::HearsByName)
    }

    pub fn overtakes_leases(self) -> bool {
        self.is(Wrong::OvertakesLeases)
    }

    pub fn forgets_the_dead(self) -> bool {
        self.is(Wrong::ForgetsTheDead)
    }

    pub fn loses_kept(self) -> bool {
        self.is(Wrong::LosesKept)
    }

    pub fn misses_last_words(self) -> bool {
        self.is(Wrong::MissesLastWords)
    }

    pub fn trusts_tickets(self) -> bool {
        self.is(Wrong::TrustsTickets)
    }

    pub fn lets_in_early(self) -> bool {
        self.is(Wrong::LetsInEarly)
    }

    pub fn turns_messages_round(self) -> bool {
        self.is(Wrong::TurnsRound)
    }
}
