//! One run: a workload is put on a target, and what comes of it is told.

use std::path::PathBuf;

use crate::target::Target;
use crate::workload::Workload;

/// How a run is to be done, whatever the workload.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// This program, which is started again as the drivers.
    pub program: PathBuf,
    /// Whether progress is shown while it runs.
    pub shows_progress: bool,
}

/// Puts a workload on a target, and says what came of it.
///
/// # Errors
/// When the plan is impossible on this machine, the target does not start, or a driver dies. A run
/// that is void because the generator was late, or whose counts are not zero, is not an error: its
/// outcome says so.
pub fn run(
    _target: &dyn Target,
    _workload: &Workload,
    _options: &RunOptions,
) -> anyhow::Result<Outcome> {
    anyhow::bail!("not yet")
}

/// What came of a run.
#[derive(Clone, Debug, Default)]
pub struct Outcome {}
