//! What the kernel knows of processes: their memory, their time, and what it keeps for sockets.

use std::collections::BTreeMap;
use std::fs;

use anyhow::Context as _;
use procfs::process::{MMapExtension, MemoryMap, Process};
use serde::{Deserialize, Serialize};

use crate::clock::{self, Moment};

/// The kernel's caches that grow with sockets.
const SLABS: [&str; 7] =
    ["TCP", "sock_inode_cache", "dentry", "filp", "eventpoll_epi", "eventpoll_pwq", "ep_head"];

/// What some processes have cost so far, summed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// When this was read.
    pub at: Moment,
    /// Resident memory, in bytes.
    pub resident: u64,
    /// The same, with shared pages counted in proportion.
    pub proportional: u64,
    /// Memory that no file backs, in bytes.
    pub anonymous: u64,
    /// How much of the memory is in huge pages, in bytes.
    pub huge: u64,
    /// Processor time in user mode, in microseconds, to a hundredth of a second.
    pub user_us: u64,
    /// Processor time in kernel mode, the same.
    pub system_us: u64,
    /// Processor time of both, by the scheduler's account, in microseconds.
    pub processor_us: u64,
    /// Microseconds that threads were ready to run and waited for a core.
    pub waited_us: u64,
    /// How often a thread gave up its core.
    pub voluntary: u64,
    /// How often a thread's core was taken from it.
    pub involuntary: u64,
    /// Threads.
    pub threads: u64,
    /// Bytes of the kernel's caches of the whole machine, by cache; empty if the kernel does not
    /// say.
    pub slab: BTreeMap<String, u64>,
}

impl Cost {
    /// What these processes have cost until now.
    ///
    /// # Errors
    /// When one of them is gone.
    pub fn of(processes: &[u32]) -> anyhow::Result<Self> {
        let mut sum = Self { at: clock::now(), slab: slab(), ..Self::default() };
        for number in processes {
            let process = i32::try_from(*number)?;
            sum.add(process).with_context(|| format!("process {process} cannot be asked"))?;
        }
        Ok(sum)
    }

    fn add(&mut self, process: i32) -> anyhow::Result<()> {
        let process = Process::new(process)?;
        for MemoryMap { extension: MMapExtension { map, .. }, .. } in
            process.smaps_rollup()?.memory_map_rollup
        {
            let bytes = |name: &str| map.get(name).copied().unwrap_or(0);
            self.resident += bytes("Rss");
            self.proportional += bytes("Pss");
            self.anonymous += bytes("Anonymous");
            self.huge += bytes("AnonHugePages");
        }
        let stat = process.stat()?;
        let tick_us = 1_000_000 / procfs::ticks_per_second().max(1);
        self.user_us += stat.utime * tick_us;
        self.system_us += stat.stime * tick_us;
        for task in process.tasks()?.flatten() {
            // A thread may end after it was listed.
            let (Ok(schedule), Ok(status)) = (task.schedstat(), task.status()) else { continue };
            self.threads += 1;
            self.processor_us += schedule.sum_exec_runtime / 1_000;
            self.waited_us += schedule.run_delay / 1_000;
            self.voluntary += status.voluntary_ctxt_switches.unwrap_or(0);
            self.involuntary += status.nonvoluntary_ctxt_switches.unwrap_or(0);
        }
        Ok(())
    }

    /// The bytes of the kernel's caches together; none if the kernel does not say.
    pub fn slab_sum(&self) -> Option<u64> {
        (!self.slab.is_empty()).then(|| self.slab.values().sum())
    }
}

/// Bytes of the caches that grow with sockets, for the whole machine.
fn slab() -> BTreeMap<String, u64> {
    // Only root may read it.
    let text = fs::read_to_string("/proc/slabinfo").unwrap_or_default();
    let rows = text.lines().filter_map(|line| {
        let mut fields = line.split_whitespace();
        let name = fields.next().filter(|name| SLABS.contains(name))?;
        let active: u64 = fields.next()?.parse().ok()?;
        let size: u64 = fields.nth(1)?.parse().ok()?;
        Some((name.to_owned(), active * size))
    });
    rows.collect()
}
