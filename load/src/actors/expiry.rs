//! The moment at which all windows end: when each end became durable, and when it was told.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::ensure;
use holdline::domain::id::ConversationId;
use holdline::domain::time::Timestamp;
use holdline::engine::Engine;
use holdline::journal::{Confirmed, Fault, Position, Receipts};
use serde::Serialize;
use tokio::time::Instant;

use crate::actors::{prepare, process};

/// How often the engine is asked how many expiries it has told.
const ASKED_EVERY: Duration = Duration::from_millis(20);

/// How long the run waits for all to expire before it fails.
const PATIENCE: Duration = Duration::from_secs(300);

/// What came of the deadline. Milliseconds after it.
#[derive(Debug, Serialize)]
pub(super) struct Expiry {
    pub(super) durable_ms: Lateness,
    pub(super) told_ms: Lateness,
    pub(super) durable_per_second: f64,
    /// Microseconds of processor time for each expiry, by the names of threads; until all were
    /// told.
    pub(super) processor_us_each: BTreeMap<String, f64>,
}

/// How late.
#[derive(Debug, Serialize)]
pub(super) struct Lateness {
    pub(super) p50: f64,
    pub(super) p99: f64,
    pub(super) latest: f64,
}

/// Sees the receipts go by.
pub(super) struct Watch {
    receipts: Arc<dyn Receipts>,
    /// How many expiring chats became durable, and when.
    seen: Mutex<Vec<(Instant, u64)>>,
}

impl Watch {
    pub(super) fn over(receipts: Arc<dyn Receipts>) -> Self {
        Self { receipts, seen: Mutex::default() }
    }

    fn since(&self, deadline: Instant) -> Vec<(Duration, u64)> {
        let Ok(seen) = self.seen.lock() else { return Vec::new() };
        let after = seen.iter().filter(|(at, _)| *at > deadline);
        after.map(|(at, count)| (*at - deadline, *count)).collect()
    }
}

impl Receipts for Watch {
    fn durable(&self, confirmed: Vec<Confirmed>, position: Position) {
        let at = Instant::now();
        let count = confirmed.iter().filter(|one| prepare::expires(one.id)).count() as u64;
        if let Ok(mut seen) = self.seen.lock() {
            seen.push((at, count));
        }
        self.receipts.durable(confirmed, position);
    }

    fn failed(&self, conversations: Vec<ConversationId>, fault: Fault) {
        self.receipts.failed(conversations, fault);
    }
}

/// Waits for the deadline, and for all that follows from it.
pub(super) async fn expire(
    engine: &Engine,
    watch: &Watch,
    deadline: Timestamp,
    expected: u64,
) -> anyhow::Result<Expiry> {
    let left = Duration::from_millis(deadline.since(engine.now()).as_millis());
    let ends_at = Instant::now() + left;
    // Whether any chat expired before is for the journal to say.
    tokio::time::sleep(left.saturating_sub(Duration::from_millis(50))).await;
    let used = process::processor_seconds()?;
    let mut curve = Vec::new();
    let mut known = 0;
    while known < expected {
        tokio::time::sleep(ASKED_EVERY).await;
        let now = told(engine);
        if now > known {
            let after = Instant::now().saturating_duration_since(ends_at);
            curve.push((after, now - known));
            known = now;
        }
        ensure!(ends_at.elapsed() < PATIENCE, "{known} of {expected} expired, and no more");
    }
    let mut spent = process::processor_seconds()?;
    for (name, seconds) in &mut spent {
        *seconds = (*seconds - used.get(name).unwrap_or(&0.0)) * 1e6 / expected as f64;
    }
    let durable = watch.since(ends_at);
    let after = durable.iter().map(|(_, count)| count).sum::<u64>();
    ensure!(
        expected - after.min(expected) <= expected / 1_000,
        "void: {} of {expected} windows ended before the last deadline, so they have several",
        expected - after.min(expected),
    );
    let lasted = durable.last().map_or(0.0, |(after, _)| after.as_secs_f64());
    Ok(Expiry {
        durable_ms: Lateness::of(&durable, expected),
        told_ms: Lateness::of(&curve, expected),
        durable_per_second: expected as f64 / lasted,
        processor_us_each: spent,
    })
}

/// How many ends of windows have been told.
fn told(engine: &Engine) -> u64 {
    metric(&engine.metrics(), "holdline_expiries_total")
}

/// The sum of a metric over its labels.
pub(super) fn metric(text: &str, name: &str) -> u64 {
    let of_it =
        |line: &&str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '{']));
    let values = text.lines().filter(of_it).filter_map(|line| line.rsplit(' ').next());
    values.filter_map(|value| value.parse::<u64>().ok()).sum()
}

impl Lateness {
    fn of(curve: &[(Duration, u64)], expected: u64) -> Self {
        let at = |share: f64| {
            let mut left = expected as f64 * share;
            let reached = curve.iter().find(|(_, count)| {
                left -= *count as f64;
                left <= 0.0
            });
            let reached = reached.or(curve.last());
            reached.map_or(0.0, |(after, _)| after.as_secs_f64() * 1e3)
        };
        Self { p50: at(0.5), p99: at(0.99), latest: at(1.0) }
    }
}
