//! What the kernel knows about a process: its memory and the time it has used.

use std::fs;
use std::io;
use std::time::Duration;

use crate::load::broken;

/// The resident memory of a process, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    /// All of it.
    pub(crate) resident: u64,
    /// The same, with what is shared counted in proportion.
    pub(crate) proportional: u64,
    /// What is backed by no file.
    pub(crate) anonymous: u64,
    /// What of it is in huge pages.
    pub(crate) huge: u64,
    /// What was allocated from the C library, which here is `SQLite` alone: its heap and arenas.
    pub(crate) sqlite: u64,
}

impl Memory {
    /// What a process uses now.
    pub(crate) fn of(process: u32) -> io::Result<Self> {
        let rollup = fs::read_to_string(format!("/proc/{process}/smaps_rollup"))?;
        let bytes = |name: &str| {
            let line = rollup.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(kibibytes).ok_or_else(|| broken(format!("no {name} in smaps_rollup")))
        };
        Ok(Self {
            resident: bytes("Rss:")?,
            proportional: bytes("Pss:")?,
            anonymous: bytes("Anonymous:")?,
            huge: bytes("AnonHugePages:")?,
            sqlite: of_c_library(&fs::read_to_string(format!("/proc/{process}/smaps"))?),
        })
    }
}

/// An arena of the GNU C library lies at the start of an aligned 64 MiB; our own allocator takes
/// whole gibibytes.
fn of_c_library(smaps: &str) -> u64 {
    const ARENA: u64 = 64 << 20;
    let mut counts = false;
    let mut sum = 0;
    for line in smaps.lines() {
        if let Some((from, rest)) = line.split_once('-')
            && let Ok(from) = u64::from_str_radix(from, 16)
        {
            let end = rest.split(' ').next().and_then(|end| u64::from_str_radix(end, 16).ok());
            let length = end.unwrap_or(from) - from;
            let is_anonymous = rest.split_whitespace().count() == 5;
            let is_arena = is_anonymous && from % ARENA == 0 && length <= ARENA;
            counts = rest.ends_with("[heap]") || is_arena;
        } else if counts && let Some(resident) = line.strip_prefix("Rss:") {
            sum += kibibytes(resident).unwrap_or(0);
        }
    }
    sum
}

fn kibibytes(text: &str) -> Option<u64> {
    text.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}

/// The processor time that a process has used, in user and in kernel mode together.
pub(crate) fn used(process: u32) -> io::Result<Duration> {
    // Of all threads, to the nanosecond; the sum in `stat` counts in hundredths of a second.
    let mut sum = 0;
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        let path = thread?.path().join("schedstat");
        let text = fs::read_to_string(path)?;
        let first = text.split(' ').next().and_then(|first| first.parse::<u64>().ok());
        sum += first.ok_or_else(|| broken("no time in schedstat"))?;
    }
    Ok(Duration::from_nanos(sum))
}

/// The processor time that each thread has used, by the thread's number.
pub(crate) fn used_by_threads(process: u32) -> io::Result<Vec<(String, Duration)>> {
    let mut threads = Vec::new();
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        let path = thread?.path();
        let name = fs::read_to_string(path.join("comm"))?.trim().to_owned();
        let text = fs::read_to_string(path.join("schedstat"))?;
        let first = text.split(' ').next().and_then(|first| first.parse::<u64>().ok());
        threads.push((name, Duration::from_nanos(first.unwrap_or(0))));
    }
    Ok(threads)
}
