//! What the tests share: the run of a workload that is given as text.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

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

/// A floor that stands still for this long, this often, and does this wrong.
pub fn floor(stall_ms: u64, every_ms: u64, tampering: Tampering) -> FloorTarget {
    let options = FloorOptions {
        stall: Duration::from_millis(stall_ms),
        stall_every: Duration::from_millis(every_ms),
        tampering,
    };
    FloorTarget { program: program(), options }
}

/// The real server: the one that the environment names, or the one beside the program under test.
/// The latter is built first if it is missing or older than its source, so that no test tries an
/// old build.
pub fn holdline() -> HoldlineTarget {
    let named = std::env::var_os("HOLDLINE_SERVER").map(PathBuf::from);
    let program = named.unwrap_or_else(|| {
        let beside = program().with_file_name("holdline");
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let built = modified(&beside);
        if built.is_none()
            || built < newest(&root.join("src")).max(modified(&root.join("Cargo.toml")))
        {
            let building = Command::new(env!("CARGO"))
                .args(["build", "--bin", "holdline", "--package", "holdline"])
                .current_dir(&root)
                .status();
            assert!(building.is_ok_and(|status| status.success()), "the server can be built");
        }
        beside
    });
    HoldlineTarget { program, data: None, arguments: Vec::new(), tls: false }
}

fn modified(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}

/// When the newest file below this folder was written.
fn newest(folder: &Path) -> Option<SystemTime> {
    let entries = std::fs::read_dir(folder).expect("the source can be read").flatten();
    let times = entries
        .map(|entry| entry.path())
        .map(|path| if path.is_dir() { newest(&path) } else { modified(&path) });
    times.max().flatten()
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
