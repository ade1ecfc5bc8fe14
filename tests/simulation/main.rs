//! A seeded simulation: the real machines in a world that is hard on them, and the proof that its
//! checks can fail.

mod node;
mod plan;
mod random;
mod run;
mod server;
mod settings;
mod watch;
mod world;
mod wrong;

use plan::Plan;
use watch::Stats;
use wrong::Rules;

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
