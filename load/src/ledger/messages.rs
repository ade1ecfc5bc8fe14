//! Whether every acknowledged message arrived, once and in order.

use std::collections::HashSet;
use std::time::Duration;

use super::{Customer, Ledger};
use crate::clock::Moment;
use crate::watch::Transcript;

/// A message counts as missed only if it was acknowledged at least this long before the end; a
/// later one may be on its way.
const ON_ITS_WAY: Duration = Duration::from_secs(2);

/// What went wrong with messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wrong {
    /// Acknowledged, but not there.
    pub lost: u64,
    /// There more than once.
    pub twice: u64,
    /// There after a later one.
    pub reordered: u64,
    /// Messages that were looked at.
    pub checked: u64,
}

impl Wrong {
    /// Adds other findings.
    pub fn add(&mut self, other: Self) {
        self.lost += other.lost;
        self.twice += other.twice;
        self.reordered += other.reordered;
        self.checked += other.checked;
    }

    /// Checks the messages that are there, and that those in `must` are among them.
    fn of(there: &[u32], must: impl Iterator<Item = u32>) -> Self {
        let mut wrong = Self { checked: there.len() as u64, ..Self::default() };
        let mut seen = HashSet::with_capacity(there.len());
        let mut last = 0;
        for which in there {
            if !seen.insert(*which) {
                wrong.twice += 1;
            } else if *which < last {
                wrong.reordered += 1;
            }
            last = last.max(*which);
        }
        wrong.lost = must.filter(|which| !seen.contains(which)).count() as u64;
        wrong
    }
}

impl Ledger {
    /// Checks posts as the agents' feeds have told them. Lost posts show only if one agent was in
    /// the chat all the time, which `is_steady` promises of the workload.
    pub fn fed(&self, is_steady: bool) -> Wrong {
        let mut sum = Wrong::default();
        for customer in &self.customers {
            let Some(talk) = &customer.talk else { continue };
            let since = match customer.accepted[..] {
                [since] if is_steady => Some(since),
                _ => None,
            };
            let must = talk.posted.iter().copied().filter(|which| {
                let due = talk.dues.get(*which as usize - 1);
                since.is_some_and(|since| due.is_some_and(|due| *due > since))
            });
            sum.add(Wrong::of(&talk.fed, must));
        }
        sum
    }

    /// Checks replies as the customers have heard them, as of this moment.
    pub fn heard(&self, now: Moment) -> Wrong {
        let mut sum = Wrong::default();
        for customer in &self.customers {
            let Some(talk) = &customer.talk else { continue };
            // A customer who is not there has not heard all, and need not.
            let is_there = customer.ended.is_none() && customer.open_absence().is_none();
            let is_settled = |at: &Moment| is_there && at.after(ON_ITS_WAY) < now;
            let must = talk.replied.iter().filter(|(_, at)| is_settled(at));
            sum.add(Wrong::of(&talk.heard, must.map(|(which, _)| *which)));
        }
        sum
    }

    /// Customers who have said or were told something, to be checked against their transcripts.
    pub fn talkers(&self) -> Vec<u32> {
        let talkers = self.customers.iter().enumerate().filter(|(_, customer)| {
            customer
                .talk
                .as_ref()
                .is_some_and(|talk| !talk.posted.is_empty() || !talk.replied.is_empty())
        });
        talkers.filter_map(|(number, _)| u32::try_from(number).ok()).collect()
    }

    /// Checks a customer's messages against their transcript.
    pub fn check(&self, customer: u32, transcript: &Transcript) -> Wrong {
        let Some(Customer { talk: Some(talk), .. }) = self.customers.get(customer as usize) else {
            return Wrong::default();
        };
        let whiches = |numbers: &[u64]| -> Vec<u32> {
            numbers.iter().map(|number| super::which(*number)).collect()
        };
        let mut wrong = Wrong::of(&whiches(&transcript.posts), talk.posted.iter().copied());
        let replied = talk.replied.iter().map(|(which, _)| *which);
        wrong.add(Wrong::of(&whiches(&transcript.replies), replied));
        wrong
    }
}
