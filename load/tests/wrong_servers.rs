//! Counts that must be zero are not zero when a server does wrong: when it loses, repeats or
//! reorders what it has acknowledged.

mod site;

use holdline_load::floor::Tampering;
use holdline_load::report::figures::{Judgement, Run};
use site::{count, floor, put};

const WORKLOAD: &str = r#"
    name = "messages"
    sessions = 10
    duration_s = 2
    settle_s = 0.1
    window_s = 10
    patience_s = 1
    lateness_p99_ms = 1000
    ramp = { per_s = 200 }
    heartbeat = { every_s = 1 }
    posts = { per_s = 200 }
    agents = { count = 1 }
"#;

fn run(tampering: Tampering) -> Run {
    let run = put(&floor(0, 1_000, tampering), WORKLOAD);
    assert!(count(&run, "posts acknowledged") > 300, "{:?}", run.counts);
    run
}

#[test]
fn an_honest_server_passes() {
    let run = run(Tampering::None);
    assert_eq!(run.verdict.judgement(), Judgement::Passed, "{:?}", run.verdict);
}

#[test]
fn a_lost_message_is_missed() {
    let run = run(Tampering::Lose);
    assert!(count(&run, "posts at the agents lost") > 20, "{:?}", run.zeros);
    assert_eq!(run.verdict.judgement(), Judgement::Failed);
}

#[test]
fn a_repeated_message_is_seen() {
    let run = run(Tampering::Duplicate);
    assert!(count(&run, "posts at the agents twice") > 20, "{:?}", run.zeros);
    assert_eq!(count(&run, "posts at the agents lost"), 0);
    assert_eq!(run.verdict.judgement(), Judgement::Failed);
}

#[test]
fn a_message_out_of_order_is_seen() {
    let run = run(Tampering::Reorder);
    assert!(count(&run, "posts at the agents out of order") > 5, "{:?}", run.zeros);
    assert_eq!(count(&run, "posts at the agents twice"), 0);
    assert_eq!(run.verdict.judgement(), Judgement::Failed);
}
