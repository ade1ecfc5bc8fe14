//! The short chaos trial: the binary is killed with `kill -9` while widgets and agents talk
//! through a proxy that breaks their connections, and strangers use all that they may.
//! `examples/chaos.rs` is the long one.

#[path = "../../examples/chaos/mod.rs"]
mod chaos;

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chaos::addresses::{FIRST_OF_STRANGERS, announced, of_widget};
use chaos::run::{run, run_in};
use chaos::strangers::{StrangersPlan, Told};
use chaos::world::{Plan, Wrong};

/// One trial at a time: each takes the whole machine.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn plan(strangers_from: Ipv4Addr) -> Plan {
    Plan {
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
        strangers: StrangersPlan { per_second: 200.0, addresses: 4, first: strangers_from },
        environment: Vec::new(),
        progress_every: Duration::from_secs(5),
    }
}

#[test]
fn nothing_is_lost_doubled_reordered_early_missed_or_adrift_and_nobody_turned_away() {
    let _alone = alone();
    let (tally, faults) = run(plan(FIRST_OF_STRANGERS)).expect("the trial runs to its end");
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
    let strangers = &tally.strangers;
    assert!(strangers.attempts() > 2_000 && tally.ready > 100, "{tally:?}");
    for refused in ["upgrades", "sockets", "starts", "waiting", "attempts"] {
        let refused = attempts_told(strangers, &format!("too_many_{refused}"));
        assert!(refused > 0, "{strangers:?}");
    }
    assert!(
        attempts_told(strangers, "posts: sent") > 0 && tally.strangers_chats > 0,
        "{strangers:?}"
    );
}

/// The judge sees when strangers are in the way, and when nothing bounds them. Here the strangers
/// come from where the widgets come from, and may begin as many chats as they like.
#[test]
fn who_is_turned_away_because_of_strangers_and_strangers_without_a_bound_are_seen() {
    let _alone = alone();
    let data = tempfile::tempdir().expect("a directory");
    let first = announced(of_widget(0).into());
    let plan = Plan {
        length: Duration::from_secs(10),
        kills: 1,
        widgets: 4,
        agents: 2,
        posts: (10, 20),
        strangers: StrangersPlan { addresses: 2, ..plan(first).strangers },
        environment: vec![
            ("HOLDLINE_STARTS_PER_ADDRESS", "0"),
            ("HOLDLINE_WAITING_CHATS_PER_ADDRESS", "0"),
        ],
        ..plan(first)
    };
    let (tally, _) = run_in(plan, data.path()).expect("the trial runs to its end");
    assert!(tally.wrong(Wrong::Refused) > 0, "{tally:?}");
    assert!(tally.wrong(Wrong::Unbounded) > 0, "{tally:?}");
}

/// How many attempts of strangers were answered with a text that holds these words.
fn attempts_told(strangers: &Told, what: &str) -> u64 {
    strangers.outcomes.iter().filter(|(told, _)| told.contains(what)).map(|(_, count)| count).sum()
}
