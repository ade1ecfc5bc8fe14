//! A seeded simulation: the real machines in a world that is hard on them, and the proof that its
//! checks can fail.

#[path = "rooms.rs"]
mod rooms;

use rooms::{node, plan, random, run, server, settings, watch, world, wrong};

use crate::plan::Plan;
use crate::watch::Stats;
use crate::wrong::{Rules, TABLE};

/// Seeds that every run of the tests goes through.
const SEEDS: u64 = 200;

fn check(seed: u64, stats: &mut Stats) {
    let plan = Plan::draw(seed);
    let outcome = run::run(&plan, Rules::default(), false);
    stats.add(&outcome.stats);
    if outcome.result.is_err() {
        panic!("{}", run::report(&plan, &outcome, Rules::default()));
    }
}

/// `SEED=n` names the seed; its trace is printed.
#[test]
fn one_seed() {
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let plan = Plan::draw(seed);
    let is_traced = std::env::var("SEED").is_ok();
    let outcome = run::run(&plan, Rules::default(), is_traced);
    if outcome.result.is_err() {
        panic!("{}", run::report(&plan, &outcome, Rules::default()));
    }
}

#[test]
fn every_check_holds_for_many_seeds() {
    let mut stats = Stats::default();
    for seed in 1..=SEEDS {
        check(seed, &mut stats);
    }
    println!("{stats:#?}");
}

#[test]
fn a_seed_can_be_repeated() {
    let digest = |seed| run::run(&Plan::draw(seed), Rules::default(), false).result.ok();
    for seed in 1..=5 {
        assert_eq!(digest(seed), digest(seed));
    }
    assert_ne!(digest(1), digest(2));
}

/// Each wrong rule is noticed, and by the check that is there for it.
#[test]
fn every_wrong_rule_is_noticed() {
    let mut unnoticed = Vec::new();
    for (wrong, what, check) in TABLE {
        let found = (1..=SEEDS).find_map(|seed| {
            let outcome = run::run(&Plan::draw(seed), Rules::with(wrong), false);
            outcome.result.err().map(|violation| (seed, violation))
        });
        let by = found.as_ref().map(|(_, violation)| violation.check);
        let seed = found.as_ref().map_or(0, |(seed, _)| *seed);
        println!("{what:<45} {by:?} (seed {seed})");
        if by != Some(check) {
            unnoticed.push((what, check, found));
        }
    }
    assert!(unnoticed.is_empty(), "{unnoticed:#?}");
}
