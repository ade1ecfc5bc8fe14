//! The short chaos trial: the binary is killed with `kill -9` while widgets and agents talk
//! through a proxy that breaks their connections. `examples/chaos.rs` is the long one.

#[path = "../../examples/chaos/mod.rs"]
mod chaos;

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chaos::run::run;
use chaos::world::Plan;

#[test]
fn nothing_is_lost_doubled_reordered_early_missed_or_adrift() {
    let plan = Plan {
        program: PathBuf::from(env!("CARGO_BIN_EXE_holdline")),
        length: Duration::from_secs(42),
        kills: 6,
        widgets: 60,
        agents: 6,
        rate: 8.0,
        agent_rate: 4.0,
        posts: (10, 90),
        window: Duration::from_secs(4),
        heartbeat: Duration::from_secs(1),
        fault_every: Duration::from_secs(8),
        tolerance: Duration::from_secs(3),
        seed: 83,
        progress_every: Duration::from_secs(5),
    };
    let (tally, faults) = run(plan).expect("the trial runs to its end");
    assert!(tally.wrongs.is_empty(), "{:#?}", tally.wrongs);
    assert!(tally.kills >= 6, "{tally:?}");
    assert!(tally.acknowledged() > 3_000, "{tally:?}");
    assert!(tally.read_over_http >= tally.acknowledged(), "{tally:?}");
    assert!(tally.read_on_disk >= tally.acknowledged(), "{tally:?}");
    assert!(tally.told_in_feeds > 3_000 && tally.leases > 50, "{tally:?}");
    let enough = [tally.gone, tally.returns, tally.late, tally.expiries];
    assert!(enough.iter().all(|count| *count >= 10), "{tally:?}");
    assert!(tally.audits >= 3 && tally.resumes > 100 && tally.released >= 3, "{tally:?}");
    let broken = [&faults.cut, &faults.reset, &faults.stalled, &faults.deaf, &faults.mute];
    assert!(broken.iter().all(|count| count.load(Ordering::Relaxed) >= 5), "{faults:?}");
}
