//! One seed, run to its end; and if it fails, told with as few happenings as it takes.

use std::fmt::Write as _;

use crate::node::Node;
use crate::plan::{Happening, Plan};
use crate::reached::Reached;
use crate::watch::{Check, Stats, Violation};
use crate::world::World;
use crate::wrong::Rules;

/// What came of a world.
#[derive(Debug)]
pub struct Outcome {
    pub result: Result<String, Violation>,
    pub stats: Stats,
    pub reached: Reached,
    pub steps: u64,
    pub events: u64,
    pub last: Vec<String>,
}

/// Runs a plan under these rules.
pub fn run(plan: &Plan, rules: Rules, is_traced: bool) -> Outcome {
    let node = Node::new(plan.seed, rules);
    let mut world = World::new(plan.clone(), node, is_traced);
    let result = world.run();
    let mut stats = world.watch.stats;
    stats.torn = world.server.disk.torn;
    let last = world.last_events().map(str::to_owned).collect();
    let reached = world.server.reached.clone();
    Outcome { result, stats, reached, steps: world.steps, events: world.events, last }
}

/// Fewer happenings with which the same check still fails: by halves, then one by one.
pub fn shrink(plan: &Plan, rules: Rules, check: Check) -> Plan {
    let fails = |happenings: &[Happening]| {
        let outcome = run(&plan.with(happenings.to_vec()), rules, false);
        outcome.result.is_err_and(|violation| violation.check == check)
    };
    let mut kept = plan.happenings.clone();
    let mut size = kept.len().div_ceil(2);
    while size > 0 {
        let mut start = 0;
        while start < kept.len() {
            let mut fewer = kept.clone();
            fewer.drain(start..(start + size).min(fewer.len()));
            if fails(&fewer) {
                kept = fewer;
            } else {
                start += size;
            }
        }
        size = if size == 1 { 0 } else { size.div_ceil(2) };
    }
    plan.with(kept)
}

/// Everything that helps to understand a failure.
pub fn report(plan: &Plan, outcome: &Outcome, rules: Rules) -> String {
    let Err(violation) = &outcome.result else { return String::new() };
    let mut text = format!("seed {}, step {}: {violation}\n", plan.seed, outcome.steps);
    let least = shrink(plan, rules, violation.check);
    let shrunk = run(&least, rules, false);
    let _ = writeln!(text, "the shortest plan found ({} happenings):", least.happenings.len());
    for happening in &least.happenings {
        let _ = writeln!(text, "  at {:>6}: {:?}", happening.at, happening.what);
    }
    if let Err(violation) = &shrunk.result {
        let _ = writeln!(text, "with it: {violation}\nthe last events before it:");
    }
    for line in &shrunk.last {
        let _ = writeln!(text, "  {line}");
    }
    let seed = plan.seed;
    let _ = writeln!(text, "repeat it with:");
    let _ = writeln!(text, "  SEED={seed} cargo test --test simulation -- one_seed --nocapture");
    text
}
