//! A seeded simulation: the real machines in a hard world, and the proof that its checks can fail.
//!
//! Every run draws seeds that nobody has run before, and prints the first; `SEED_BASE=n` repeats
//! them. `SEED=n cargo test --test simulation -- one_seed --nocapture` repeats a seed and prints
//! what happened in it. A seed that fails is told with the shortest plan that still does, and
//! belongs into `seeds.rs` once its cause is mended.

mod directed;
#[path = "rooms.rs"]
mod rooms;
mod seeds;
mod settling;

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use rooms::{node, plan, random, reached, run, server, settings, watch, world, wrong};

use crate::plan::Plan;
use crate::plan::twist::{FIRST_RESTORED, FIRST_TWISTED};
use crate::reached::Reached;
use crate::run::Outcome;
use crate::seeds::{FOUND, REACHING};
use crate::watch::{Check, Stats, Violation};
use crate::wrong::Rules;
use crate::wrong::table::{TABLE, Wrong};

/// Fresh seeds that every run of the tests goes through.
const SEEDS: u64 = 240;

/// Seeds among which a wrong rule must be noticed, beside the kept seeds that once found a fault.
const SEEDS_TO_NOTICE: u64 = 60;

/// With how many other dice the plan of a kept seed must show a wrong rule. A world whose rules
/// have changed goes another way with the same dice, but its plan still leads near the rule.
const DICE_TO_NOTICE: u64 = 60;

/// Seeds of twisted plans among which a wrong rule that seldom shows must be noticed.
const TWISTED_TO_NOTICE: u64 = 300;

/// Seeds among which a wrong rule that shows only after a restore must be noticed.
const RESTORED_TO_NOTICE: u64 = 60;

/// Runs a seed, and panics with everything that helps if a check fails.
fn check(seed: u64) -> Outcome {
    let plan = Plan::draw(seed);
    let outcome = run::run(&plan, Rules::default(), false);
    assert!(outcome.result.is_ok(), "{}", run::report(&plan, &outcome, Rules::default()));
    outcome
}

/// Runs seeds on two threads, and adds up what came of them.
fn check_all(seeds: &[u64]) -> (Stats, Reached) {
    let (next, total) = (AtomicUsize::new(0), Mutex::new((Stats::default(), Reached::default())));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = check(*seed);
                    let mut total = total.lock().expect("no world has failed");
                    total.0.add(&outcome.stats);
                    total.1.add(&outcome.reached);
                }
            });
        }
    });
    total.into_inner().expect("no world has failed")
}

/// `SEED=n` names the seed.
#[test]
fn one_seed() {
    let named = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok());
    let plan = Plan::draw(named.unwrap_or(1));
    let outcome = run::run(&plan, Rules::default(), named.is_some());
    assert!(outcome.result.is_ok(), "{}", run::report(&plan, &outcome, Rules::default()));
}

/// `SEED_BASE=n` names the first seed.
#[test]
fn every_check_holds_for_seeds_that_nobody_has_run() {
    let named = std::env::var("SEED_BASE").ok().and_then(|base| base.parse().ok());
    let base = named.unwrap_or_else(random::fresh_base);
    println!("{SEEDS} seeds from {base}; SEED_BASE={base} repeats them");
    let seeds: Vec<_> = (base..base + SEEDS).collect();
    let (total, reached) = check_all(&seeds);
    let is_thin = |(_, count): &(&str, u64)| *count < SEEDS / 16;
    let thin: Vec<_> = total.named().into_iter().filter(is_thin).collect();
    println!("{:#?}", total.named());
    assert!(thin.is_empty(), "the simulation has gone thin: {thin:?} in {SEEDS} seeds");
    let impossible = reached.impossible();
    assert!(impossible.is_empty(), "what cannot be has been: {impossible:#?}");
}

/// The kept seeds bring every input to a conversation in every state in which it can come. They are
/// chosen by `cargo run --release --example simulate -- --seeds 2000 --threads 2 --choose`.
#[test]
fn stats_of_what_the_kept_seeds_reach() {
    let (_, reached) = check_all(&REACHING);
    println!("{}", reached.table());
    let (gaps, impossible) = (reached.gaps(), reached.impossible());
    assert!(gaps.is_empty(), "nobody has reached this: {gaps:#?}");
    assert!(impossible.is_empty(), "what cannot be has been: {impossible:#?}");
}

#[test]
fn what_was_found_once_is_found_no_more() {
    for (seed, what) in FOUND {
        println!("{seed}: {what}");
        check(seed);
    }
}

#[test]
fn a_seed_can_be_repeated() {
    let digest = |seed| {
        let outcome = run::run(&Plan::draw(seed), Rules::default(), false);
        (outcome.result.ok(), outcome.steps, outcome.events)
    };
    for seed in 1..=6 {
        assert_eq!(digest(seed), digest(seed));
    }
    assert_ne!(digest(1), digest(2));
}

/// Each wrong rule is noticed, and by the check that exists for it: with the seed that is kept for
/// the rule, with the plan of that seed and other dice, or with one of very many seeds.
#[test]
fn every_wrong_rule_is_noticed() {
    let (next, unnoticed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(row) = TABLE.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let (wrong, what, check, kept) = *row;
                    let found = noticed(wrong, kept);
                    let by = found.as_ref().map(|(_, violation)| violation.check);
                    let seed = found.as_ref().map_or(0, |(seed, _)| *seed);
                    let by_name = by.map_or_else(|| "nobody".to_owned(), |by| format!("{by:?}"));
                    println!("{what:<50} {by_name:<22} seed {seed}");
                    if by != Some(check) {
                        unnoticed.lock().expect("no world panics").push((what, check, found));
                    }
                }
            });
        }
    });
    let unnoticed = unnoticed.into_inner().expect("no world panics");
    assert!(unnoticed.is_empty(), "{unnoticed:#?}");
}

/// The first seed by which a wrong rule is noticed, beginning with the one that is kept for it.
fn noticed(wrong: Wrong, kept: u64) -> Option<(u64, Violation)> {
    let found = FOUND.iter().map(|(seed, _)| *seed);
    let twisted = FIRST_TWISTED..FIRST_TWISTED + TWISTED_TO_NOTICE;
    let restored = FIRST_RESTORED..FIRST_RESTORED + RESTORED_TO_NOTICE;
    let others = (1..=SEEDS_TO_NOTICE).chain(found).chain(restored).chain(twisted);
    let again = (1..=DICE_TO_NOTICE).map(|dice| Plan { seed: dice, ..Plan::draw(kept) });
    let plans = std::iter::once(Plan::draw(kept)).chain(again).chain(others.map(Plan::draw));
    let mut plans = plans.map(|plan| (plan.seed, run::run(&plan, Rules::with(wrong), false)));
    plans.find_map(|(seed, outcome)| outcome.result.err().map(|violation| (seed, violation)))
}

/// A check that nothing can fail proves nothing. Two checks have no wrong rule of their own: the
/// clock is the node's, and a world that does not come to rest ends the run of any seed.
#[test]
fn every_check_can_fail() {
    let proven: BTreeSet<_> = TABLE.into_iter().map(|(_, _, check, _)| check).collect();
    let unproven: Vec<_> = Check::ALL.into_iter().filter(|it| !proven.contains(it)).collect();
    assert_eq!(unproven, [Check::ClockRunsOn, Check::ComesToRest]);
}

/// A failure is told with fewer happenings than it took, and with how to repeat it.
#[test]
fn a_failure_is_told_in_short() {
    let rules = Rules::with(TABLE[0].0);
    let plan = Plan::draw(1);
    let outcome = run::run(&plan, rules, false);
    let least = run::shrink(&plan, rules, TABLE[0].2);
    assert!(least.happenings.len() < plan.happenings.len());
    let report = run::report(&plan, &outcome, rules);
    assert!(report.contains("SEED=1 cargo test --test simulation -- one_seed"), "{report}");
    assert!(report.contains("NeverEarly"), "{report}");
}
