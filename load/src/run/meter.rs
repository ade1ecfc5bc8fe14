//! What the servers cost in each part of a run.

use std::time::Duration;

use crate::clock::{self, Moment};
use crate::cost::Cost;
use crate::driver::tally::Counts;
use crate::pin::Pinning;

/// Reads the cost of processes at the borders of the parts.
#[derive(Debug)]
pub(super) struct Meter {
    began: Moment,
    /// The cost before there was any customer.
    pub(super) empty: Cost,
    /// Processor time in a second of the empty servers, in microseconds.
    pub(super) empty_us_per_s: f64,
    /// The cost at the beginning of the part.
    start: Cost,
    /// What servers that are gone have cost in this part.
    carried: Cost,
    /// The cores, if the servers run alone there, and their busy time when the part began.
    alone: Option<(Pinning, u64)>,
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
    /// The share of the servers' cores that other processes had, if the servers were to run alone.
    pub(super) foreign: Option<f64>,
}

impl Meter {
    /// Looks at servers that have nothing to do, for this long.
    pub(super) fn open(
        processes: &[u32],
        time: Duration,
        pinning: Option<&Pinning>,
    ) -> anyhow::Result<Self> {
        let before = Cost::of(processes)?;
        std::thread::park_timeout(time);
        let empty = Cost::of(processes)?;
        let spent = (empty.processor_us - before.processor_us) as f64;
        let empty_us_per_s = spent / empty.at.since(before.at).as_secs_f64();
        let (start, carried) = (empty.clone(), Cost::default());
        let began = clock::now();
        let busy = |pinning: &Pinning| anyhow::Ok((pinning.clone(), pinning.busy_us()?));
        let alone = pinning.map(busy).transpose()?;
        Ok(Self { began, empty, empty_us_per_s, start, carried, alone, parts: Vec::new() })
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
        let took_s = now.at.since(from).as_secs_f64();
        let foreign = self.foreign(cost.processor_us, took_s)?;
        self.parts.push(Part { name, from, to: now.at, cost, counts: counts.clone(), foreign });
        self.start = now;
        self.carried = Cost::default();
        Ok(())
    }

    /// The share of the servers' cores that other processes had since the last call. The servers
    /// themselves have used `own_us` of it.
    fn foreign(&mut self, own_us: u64, took_s: f64) -> anyhow::Result<Option<f64>> {
        let Some((pinning, before)) = &mut self.alone else { return Ok(None) };
        let now = pinning.busy_us()?;
        let busy = now.saturating_sub(std::mem::replace(before, now));
        let whole = pinning.time_us(took_s).max(1.0);
        Ok(Some(busy.saturating_sub(own_us) as f64 / whole))
    }

    /// The time until now belongs to no part.
    pub(super) fn skip(&mut self, processes: &[u32]) -> anyhow::Result<()> {
        self.start = Cost::of(processes)?;
        self.foreign(0, 0.0)?;
        Ok(())
    }

    /// A server is about to be stopped.
    pub(super) fn pause(&mut self, processes: &[u32]) -> anyhow::Result<()> {
        let now = Cost::of(processes)?;
        self.carried = added(&spent(&self.start, &now), &self.carried);
        Ok(())
    }

    /// The server was started again, as other processes.
    pub(super) fn resume(&mut self, processes: &[u32]) -> anyhow::Result<()> {
        self.start = Cost::of(processes)?;
        Ok(())
    }
}

/// The memory of the later cost, and the time between the two.
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

/// The memory of the first cost, and the time of both.
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
