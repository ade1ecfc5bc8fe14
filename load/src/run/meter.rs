//! What the servers cost in each part of a run.

use std::time::Duration;

use crate::clock::{self, Moment};
use crate::cost::Cost;
use crate::driver::tally::Counts;

/// Reads the cost of processes at the borders of the parts.
#[derive(Debug)]
pub(super) struct Meter {
    began: Moment,
    /// Before there was any customer.
    pub(super) empty: Cost,
    /// Processor time in a second of the empty servers, in microseconds.
    pub(super) empty_us_per_s: f64,
    /// At the beginning of the part.
    start: Cost,
    /// What servers have cost in this part that are gone.
    carried: Cost,
    pub(super) parts: Vec<Part>,
}

/// A part, as it was measured.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) name: &'static str,
    pub(super) from: Moment,
    pub(super) to: Moment,
    /// Memory at its end, and time in it.
    pub(super) cost: Cost,
    pub(super) counts: Counts,
}

impl Meter {
    /// Looks at servers that have nothing to do, for this long.
    pub(super) fn open(processes: &[u32], time: Duration) -> anyhow::Result<Self> {
        let before = Cost::of(processes)?;
        std::thread::park_timeout(time);
        let empty = Cost::of(processes)?;
        let spent = (empty.processor_us - before.processor_us) as f64;
        let empty_us_per_s = spent / empty.at.since(before.at).as_secs_f64();
        let (start, carried) = (empty.clone(), Cost::default());
        let began = clock::now();
        Ok(Self { began, empty, empty_us_per_s, start, carried, parts: Vec::new() })
    }

    pub(super) const fn began(&self) -> Moment {
        self.began
    }

    /// Ends a part; the next begins.
    pub(super) fn phase(
        &mut self,
        name: &'static str,
        processes: &[u32],
        counts: &Counts,
    ) -> anyhow::Result<()> {
        let now = Cost::of(processes)?;
        let cost = added(&spent(&self.start, &now), &self.carried);
        let from = self.parts.last().map_or(self.began, |part| part.to);
        let from = if self.carried == Cost::default() { self.start.at } else { from };
        self.parts.push(Part { name, from, to: now.at, cost, counts: counts.clone() });
        self.start = now;
        self.carried = Cost::default();
        Ok(())
    }

    /// What was until now belongs to no part.
    pub(super) fn skip(&mut self, processes: &[u32]) -> anyhow::Result<()> {
        self.start = Cost::of(processes)?;
        Ok(())
    }

    /// A server is about to be stopped.
    pub(super) fn pause(&mut self, processes: &[u32]) -> anyhow::Result<()> {
        let now = Cost::of(processes)?;
        self.carried = added(&spent(&self.start, &now), &self.carried);
        Ok(())
    }

    /// It was started again, as other processes.
    pub(super) fn resume(&mut self, processes: &[u32]) -> anyhow::Result<()> {
        self.start = Cost::of(processes)?;
        Ok(())
    }
}

/// The memory of the later, and the time between.
fn spent(from: &Cost, to: &Cost) -> Cost {
    Cost {
        user_us: to.user_us.saturating_sub(from.user_us),
        system_us: to.system_us.saturating_sub(from.system_us),
        processor_us: to.processor_us.saturating_sub(from.processor_us),
        waited_us: to.waited_us.saturating_sub(from.waited_us),
        voluntary: to.voluntary.saturating_sub(from.voluntary),
        involuntary: to.involuntary.saturating_sub(from.involuntary),
        ..to.clone()
    }
}

/// The memory of the first, and the time of both.
fn added(cost: &Cost, other: &Cost) -> Cost {
    Cost {
        user_us: cost.user_us + other.user_us,
        system_us: cost.system_us + other.system_us,
        processor_us: cost.processor_us + other.processor_us,
        waited_us: cost.waited_us + other.waited_us,
        voluntary: cost.voluntary + other.voluntary,
        involuntary: cost.involuntary + other.involuntary,
        ..cost.clone()
    }
}
