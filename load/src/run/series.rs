//! What happens second by second.

use std::time::Duration;

use procfs::process::Process;

use crate::clock::{self, Moment};
use crate::driver::processor_time;
use crate::driver::tally::{Counts, histogram};
use crate::ledger::Ledger;
use crate::report::figures::Second;

const SECOND: Duration = Duration::from_secs(1);

/// Seconds that are kept. A longer run keeps every second one, every fourth, and so on.
const SECONDS_MAX: usize = 7_200;

/// The seconds so far.
#[derive(Debug)]
pub(super) struct Series {
    began: Moment,
    due: Moment,
    every: Duration,
    seconds: Vec<Second>,
    before: Before,
}

/// What the last second ended with.
#[derive(Clone, Copy, Debug, Default)]
struct Before {
    at: Moment,
    beats: u64,
    posted: u64,
    notices: u64,
    server_us: u64,
    generator_us: u64,
}

impl Series {
    pub(super) fn new(began: Moment) -> Self {
        let before = Before { at: began, ..Before::default() };
        Self { began, due: began.after(SECOND), every: SECOND, seconds: Vec::new(), before }
    }

    /// The most memory that the servers had at the end of a second.
    pub(super) fn most_resident(&self) -> u64 {
        self.seconds.iter().map(|second| second.resident).max().unwrap_or(0)
    }

    pub(super) fn is_due(&self) -> bool {
        clock::now() >= self.due
    }

    /// Adds the second that is over.
    pub(super) fn add(&mut self, counts: &Counts, ledger: &Ledger, processes: &[u32]) {
        let at = clock::now();
        let (resident, server_us) = quick(processes);
        let own = u64::try_from(processor_time().as_micros()).unwrap_or(0);
        let now = Before {
            at,
            beats: counts.beats,
            posted: counts.posted,
            notices: ledger.notices,
            server_us,
            generator_us: own + counts.processor_us,
        };
        let before = std::mem::replace(&mut self.before, now);
        let passed = at.since(before.at).as_micros().max(1) as f64;
        let cores = |now: u64, before: u64| now.saturating_sub(before) as f64 / passed;
        self.seconds.push(Second {
            at_s: before.at.since(self.began).as_secs_f64(),
            connections: counts.ready,
            beats: now.beats - before.beats,
            posts: now.posted - before.posted,
            notices: now.notices - before.notices,
            lateness_p99_us: None,
            resident,
            cores: cores(now.server_us, before.server_us),
            generator_cores: cores(now.generator_us, before.generator_us),
        });
        if self.seconds.len() >= SECONDS_MAX {
            let mut number = 0;
            self.seconds.retain(|_| {
                number += 1;
                number % 2 == 1
            });
            self.every *= 2;
        }
        self.due = at.after(self.every);
    }

    /// The seconds, each with the lateness of its notices.
    pub(super) fn told(&self, notices: &[(Moment, u64)]) -> Vec<Second> {
        let mut seconds = self.seconds.clone();
        for number in 0..seconds.len() {
            let from = seconds[number].at_s;
            let to = seconds.get(number + 1).map_or(f64::MAX, |next| next.at_s);
            let mut lateness = histogram();
            for (at, late) in notices {
                if (from..to).contains(&at.since(self.began).as_secs_f64()) {
                    lateness.saturating_record(*late);
                }
            }
            let is_any = !lateness.is_empty();
            seconds[number].lateness_p99_us = is_any.then(|| lateness.value_at_quantile(0.99));
        }
        seconds
    }
}

/// Resident bytes and processor time, without walking through the memory.
fn quick(processes: &[u32]) -> (u64, u64) {
    let (mut resident, mut time) = (0, 0);
    for number in processes {
        let process = i32::try_from(*number).ok().and_then(|number| Process::new(number).ok());
        let Some(process) = process else { continue };
        resident += process.statm().map_or(0, |memory| memory.resident * procfs::page_size());
        let Ok(tasks) = process.tasks() else { continue };
        for task in tasks.flatten() {
            time += task.schedstat().map_or(0, |schedule| schedule.sum_exec_runtime / 1_000);
        }
    }
    (resident, time)
}
