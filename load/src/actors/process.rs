//! What the kernel says of this process.

use anyhow::Context as _;

/// Bytes of memory that are resident.
pub(super) fn resident() -> anyhow::Result<u64> {
    let status = procfs::process::Process::myself()?.status()?;
    let kib = status.vmrss.context("the kernel tells the resident memory")?;
    Ok(kib * 1_024)
}

/// Seconds of processor time that this process has used.
pub(super) fn processor_seconds() -> anyhow::Result<f64> {
    let stat = procfs::process::Process::myself()?.stat()?;
    let ticks = stat.utime + stat.stime;
    Ok(ticks as f64 / procfs::ticks_per_second() as f64)
}
