//! What the kernel says of this process.

use std::collections::BTreeMap;

use anyhow::Context as _;

/// Bytes of memory that are resident.
pub(super) fn resident() -> anyhow::Result<u64> {
    let status = procfs::process::Process::myself()?.status()?;
    let kib = status.vmrss.context("the kernel tells the resident memory")?;
    Ok(kib * 1_024)
}

/// Seconds of processor time that the threads of this process have used, by their names.
pub(super) fn processor_seconds() -> anyhow::Result<BTreeMap<String, f64>> {
    let mut seconds = BTreeMap::new();
    for task in procfs::process::Process::myself()?.tasks()? {
        let stat = task?.stat()?;
        let ticks = (stat.utime + stat.stime) as f64;
        // The threads of the engine differ in a number at the end.
        let name = stat.comm.split('|').next().unwrap_or_default().to_owned();
        *seconds.entry(name).or_default() += ticks / procfs::ticks_per_second() as f64;
    }
    Ok(seconds)
}
