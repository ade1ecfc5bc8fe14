//! Whether notices came when they must, as often as they must, and about the right customers only.

use super::{Customer, Ledger, micros};
use crate::clock::Moment;

/// How much later than its window's end a customer may be let back in before the window counts as
/// one that did not end. The way there and back takes a while on a busy machine.
const RETURN_SLACK_US: u64 = 1_000_000;

/// What was found about notices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Told before the window was over, or about a customer who was there.
    pub early: u64,
    /// Not told, or a customer came back to a chat whose window was long over.
    pub missed: u64,
    /// Told again of the same absence.
    pub twice: u64,
    /// Told although the customer was back in their chat.
    pub after_return: u64,
    /// Told of a customer who had ended the chat themselves.
    pub after_end: u64,
    /// The customer came back within the window, and the chat was over.
    pub places_lost: u64,
    /// Absences of customers whom no agent knew, so that nobody could be told.
    pub unwatched: u64,
    /// Windows that must have ended, including those of customers of whom nobody could be told.
    pub windows_ended: u64,
    /// When each notice came, and how many microseconds after the deadline.
    pub notices: Vec<(Moment, u64)>,
}

/// One absence: from the last sign of life until the customer was back or lost again.
#[derive(Clone, Copy, Debug)]
struct Absence {
    from: Moment,
    is_planned: bool,
    back: Option<(Moment, bool)>,
    /// When the next absence begins.
    next: Moment,
}

impl Ledger {
    /// Compares what was done with what was told, as of this moment. `has_watch` says whether there
    /// was a second party.
    pub fn find(&self, now: Moment, has_watch: bool) -> Findings {
        let mut findings = Findings::default();
        for customer in &self.customers {
            let absences = customer.absences();
            let first = absences.first().map_or(Moment(u64::MAX), |absence| absence.from);
            let unfounded = customer.gone.iter().filter(|at| **at < first).count() as u64;
            match customer.ended {
                Some(_) => findings.after_end += unfounded,
                None => findings.early += unfounded,
            }
            for absence in absences {
                self.judge(customer, absence, now, has_watch, &mut findings);
            }
        }
        findings
    }

    fn judge(
        &self,
        customer: &Customer,
        absence: Absence,
        now: Moment,
        has_watch: bool,
        findings: &mut Findings,
    ) {
        let deadline = absence.from.after(self.window);
        let told = customer.gone.iter().filter(|at| (absence.from..absence.next).contains(at));
        let told: Vec<Moment> = told.copied().collect();
        findings.twice += told.len().saturating_sub(1) as u64;
        if let Some((back, is_resumed)) = absence.back {
            if is_resumed {
                findings.after_return += told.len().min(1) as u64;
                let is_late = back.0 > deadline.0 + RETURN_SLACK_US;
                findings.missed += u64::from(is_late && !self.was_away(absence.from, deadline));
                return;
            }
            findings.places_lost += u64::from(back < deadline);
        }
        // Time in which the server was away does not count, so the deadline is later.
        let is_stretched = self.was_away(absence.from, deadline);
        let is_over = deadline < now && !is_stretched;
        findings.windows_ended += u64::from(is_over);
        match told.first() {
            Some(at) => {
                // If the server closed the socket, it knew of the loss before this program did.
                let is_early = *at < deadline && absence.is_planned;
                findings.early += u64::from(is_early);
                if !is_stretched && absence.is_planned && !is_early {
                    findings.notices.push((*at, micros(at.since(deadline))));
                }
            }
            // If the server closed the socket, this program does not know when the customer was
            // lost.
            None if !is_over || !has_watch || !absence.is_planned => {}
            None if customer.known.is_none_or(|known| known > deadline) => findings.unwatched += 1,
            None => findings.missed += 1,
        }
    }

    /// Whether the server was away at any time between these two.
    fn was_away(&self, from: Moment, to: Moment) -> bool {
        self.restarts.iter().any(|(down, up)| *down < to && *up > from)
    }
}

impl Customer {
    fn absences(&self) -> Vec<Absence> {
        let mut absences = Vec::with_capacity(self.lost.len());
        for (number, (from, is_planned)) in self.lost.iter().enumerate() {
            let next = self.lost.get(number + 1).map_or(Moment(u64::MAX), |(next, _)| *next);
            let back = self.back.iter().find(|(back, _)| back > from && *back <= next);
            absences.push(Absence {
                from: *from,
                is_planned: *is_planned,
                back: back.copied(),
                next,
            });
        }
        absences
    }
}
