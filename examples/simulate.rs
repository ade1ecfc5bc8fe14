//! Runs the simulation of `tests/simulation` over many seeds.
//!
//! `cargo run --release --example simulate -- --seeds 20000` runs 20,000 seeds that nobody has run
//! before, and prints what happened. It draws the first seed and prints it. `--from n` begins at
//! `n` instead. `--seed n` runs one seed and prints its trace. `--choose` prints a few of the seeds
//! that together reach everything that any of them reaches. A failure is told with its seed, the
//! shortest plan that shows it and the command that repeats it, and ends the program with 1.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "it shares the rooms of a test")]
#![allow(clippy::print_stdout, reason = "it prints its figures")]
#![allow(missing_docs, reason = "it shares the rooms of a test")]
#![allow(dead_code, reason = "it uses less of the shared rooms than the test does")]

#[path = "../tests/simulation/choice.rs"]
mod choice;
#[path = "../tests/simulation/rooms.rs"]
mod rooms;

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use clap::Parser;
use tokio::time::Instant;

use rooms::{node, plan, random, reached, run, server, settings, watch, world, wrong};

use crate::choice::Choice;
use crate::plan::Plan;
use crate::reached::Reached;
use crate::watch::Stats;
use crate::wrong::Rules;

/// How many failures are told before the program stops.
const FAILURES_MAX: usize = 20;

/// What to run.
#[derive(Debug, Parser)]
struct Options {
    /// How many seeds.
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// The first seed; it is drawn if it is not given.
    #[arg(long)]
    from: Option<u64>,
    /// One seed alone, with its trace.
    #[arg(long)]
    seed: Option<u64>,
    /// How many threads to use; each world has one to itself.
    #[arg(long, default_value_t = 1)]
    threads: u64,
    /// Say which few seeds together reach everything that any seed reaches.
    #[arg(long)]
    choose: bool,
}

/// What came of all worlds together.
#[derive(Default)]
struct Total {
    stats: Stats,
    reached: Reached,
    choice: Choice,
    worlds: u64,
    steps: u64,
    events: u64,
    failures: Vec<String>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    if let Some(seed) = options.seed {
        return one(seed);
    }
    let started = Instant::now();
    let total = Mutex::new(Total::default());
    let from = options.from.unwrap_or_else(random::fresh_base);
    println!("{} seeds from {from}; --from {from} repeats them", options.seeds);
    let next = AtomicU64::new(from);
    let end = from + options.seeds;
    std::thread::scope(|scope| {
        for _ in 0..options.threads.max(1) {
            scope.spawn(|| work(&next, end, &total, started, options.choose));
        }
    });
    let total = total.into_inner().expect("no world has panicked");
    tell(&total, started.elapsed());
    if options.choose {
        let chosen = total.choice.choose();
        println!("{} seeds reach whatever any has: {chosen:?}", chosen.len());
    }
    if total.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn one(seed: u64) -> ExitCode {
    let plan = Plan::draw(seed);
    let outcome = run::run(&plan, Rules::default(), true);
    match &outcome.result {
        Ok(digest) => println!("seed {seed} holds; its digest is {digest}"),
        Err(_) => println!("{}", run::report(&plan, &outcome, Rules::default())),
    }
    if outcome.result.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn work(next: &AtomicU64, end: u64, total: &Mutex<Total>, started: Instant, is_choosing: bool) {
    loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= end {
            return;
        }
        let plan = Plan::draw(seed);
        let outcome = run::run(&plan, Rules::default(), false);
        let failure = outcome.result.is_err();
        let failure = failure.then(|| run::report(&plan, &outcome, Rules::default()));
        let mut total = total.lock().expect("no world has panicked");
        total.stats.add(&outcome.stats);
        total.reached.add(&outcome.reached);
        if is_choosing {
            total.choice.note(seed, &outcome.reached);
        }
        total.worlds += 1;
        total.steps += outcome.steps;
        total.events += outcome.events;
        if let Some(failure) = failure {
            println!("{failure}");
            total.failures.push(failure);
        }
        if total.worlds.is_multiple_of(1_000) {
            let seconds = started.elapsed().as_secs();
            println!("{} seeds in {seconds} s, {} failures", total.worlds, total.failures.len());
        }
        if total.failures.len() >= FAILURES_MAX {
            return;
        }
    }
}

fn tell(total: &Total, elapsed: Duration) {
    println!("{}", total.reached.table());
    for gap in total.reached.gaps() {
        println!("nobody has reached: {gap}");
    }
    for impossible in total.reached.impossible() {
        println!("what cannot be has been: {impossible}");
    }
    let rows = [("seeds", total.worlds), ("steps", total.steps), ("events", total.events)];
    for (name, count) in rows.into_iter().chain(total.stats.named()) {
        println!("{name:>14} {count:>12}");
    }
    println!("{:>14} {:>12.1}", "seconds", elapsed.as_secs_f64());
    println!("{:>14} {:>12}", "failures", total.failures.len());
}
