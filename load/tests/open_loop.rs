//! A server that stands still now and then must look slow. A generator that waits for the server
//! hides this; ours does not, unless it is told to.

mod site;

use holdline_load::floor::Tampering;
use holdline_load::report::figures::Judgement;
use site::{floor, latency, put};

/// How long the server stands still, once a second.
const STALL_MS: u64 = 200;

fn workload(shape: &str, lateness_ms: f64) -> String {
    format!(
        r#"
        name = "stalls"
        loop = "{shape}"
        sessions = 20
        duration_s = 4
        settle_s = 0.1
        window_s = 10
        patience_s = 1
        lateness_p99_ms = {lateness_ms}
        ramp = {{ per_s = 200 }}
        heartbeat = {{ every_s = 0.005 }}
        "#
    )
}

#[test]
fn the_open_loop_shows_a_stall_that_the_closed_loop_hides() {
    let target = floor(STALL_MS, 1_000, Tampering::None);
    let open = put(&target, &workload("open", 1_000.0));
    let closed = put(&target, &workload("closed", 1_000.0));
    let p99 = |run| latency(run, "heartbeat").p99_us;
    // A fifth of the heartbeats are due while the server stands still, spread evenly over this
    // time.
    let stall = STALL_MS * 1_000;
    assert!(p99(&open) > stall * 3 / 4, "the open loop shows {} µs", p99(&open));
    assert!(p99(&closed) < p99(&open) / 4, "{} µs and {} µs", p99(&closed), p99(&open));
    // The closed loop did see the stalls, once a second for each customer; they are only too few to
    // count.
    assert!(latency(&closed, "heartbeat").most_us > stall / 2);
}

#[test]
fn a_generator_that_is_late_makes_its_run_void() {
    // No generator is on time to the microsecond.
    let run = put(&floor(0, 1_000, Tampering::None), &workload("open", 0.001));
    assert_eq!(run.verdict.judgement(), Judgement::Void);
    let why = run.verdict.void.join(" ");
    assert!(why.contains("the generator was late"), "{why}");
}
