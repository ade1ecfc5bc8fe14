//! What the tests share: a run of a workload that is given as text.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use holdline_load::floor::target::FloorTarget;
use holdline_load::floor::{FloorOptions, Tampering};
use holdline_load::holdline::target::HoldlineTarget;
use holdline_load::report::figures::{Latency, Run};
use holdline_load::run::{RunOptions, run};
use holdline_load::target::Target;
use holdline_load::workload::Workload;

/// The program under test.
pub fn program() -> PathBuf {
    env!("CARGO_BIN_EXE_holdline-load").into()
}

/// A floor that stands still for so long, so often, and does this wrong.
pub fn floor(stall_ms: u64, every_ms: u64, tampering: Tampering) -> FloorTarget {
    let options = FloorOptions {
        stall: Duration::from_millis(stall_ms),
        stall_every: Duration::from_millis(every_ms),
        tampering,
    };
    FloorTarget { program: program(), options }
}

/// The real server: the one that is named, or was built, or is built now.
pub fn holdline() -> HoldlineTarget {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let named = std::env::var_os("HOLDLINE_SERVER").map(PathBuf::from);
    let built = ["release", "debug"].map(|kind| root.join("target").join(kind).join("holdline"));
    let found = named.into_iter().chain(built.clone()).find(|program| program.exists());
    let program = found.unwrap_or_else(|| {
        let built_now = Command::new(env!("CARGO"))
            .args(["build", "--bin", "holdline", "--package", "holdline"])
            .current_dir(&root)
            .status();
        assert!(built_now.is_ok_and(|status| status.success()), "the server can be built");
        built[1].clone()
    });
    HoldlineTarget { program, data: None, arguments: Vec::new() }
}

/// Puts a workload on a target.
pub fn put(target: &dyn Target, workload: &str) -> Run {
    let workload = Workload::parse(workload, &[]).expect("the workload is right");
    let options = RunOptions {
        program: program(),
        shows_progress: false,
        repeat: "a test".to_owned(),
        pinning: None,
    };
    run(target, &workload, &options).expect("the run can be made")
}

/// How often something happened.
pub fn count(run: &Run, name: &str) -> u64 {
    let mut counts = run.counts.iter().chain(&run.zeros);
    let found = counts.find(|count| count.name == name);
    found.unwrap_or_else(|| panic!("there is no count of {name}")).count
}

/// A latency by its name.
pub fn latency<'a>(run: &'a Run, name: &str) -> &'a Latency {
    let found = run.latencies.iter().find(|latency| latency.name == name);
    found.unwrap_or_else(|| panic!("there is no latency {name}"))
}
