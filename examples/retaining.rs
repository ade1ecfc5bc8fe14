//! What the retention costs the appends. Appends come at a fixed rate, each measured from its due
//! time until it is durable: first alone, and then while closed chats are taken out.
//!
//! `cargo run --profile dist --example retaining -- rate=1000 seconds=15` (build the server first,
//! with the same profile)
//!
//! It also takes `closed=` and `then=archive`. The directory for temporary files decides which disk
//! is measured.
#![expect(clippy::print_stdout, reason = "it is what the program is for")]
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "a measuring program, with the chats of a test"
)]

#[path = "../tests/journal/support.rs"]
mod support;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use holdline::domain::conversation::event::Author;
use holdline::domain::id::ConversationId;
use holdline::domain::settings::{Disposal, Retention};
use holdline::domain::time::Timestamp;
use holdline::journal::sqlite::SqliteJournal;
use holdline::journal::{
    Confirmed, Fault, Log as _, Position, Receipts, Removal as _, RetentionRule,
};
use holdline::limits::RETENTION_PAUSE_MS;
use support::{Chat, block};

/// When each append was due, and how long it took.
#[derive(Debug, Default)]
struct Watch {
    due: Mutex<HashMap<(ConversationId, u32), Instant>>,
    took: Mutex<Option<Histogram<u64>>>,
}

impl Receipts for Watch {
    fn durable(&self, confirmed: Vec<Confirmed>, _: Position) {
        let now = Instant::now();
        let mut due = self.due.lock().unwrap();
        let mut took = self.took.lock().unwrap();
        for Confirmed { id, receipt, .. } in confirmed {
            let Some(since) = due.remove(&(id, receipt.through().number())) else { continue };
            let micros = u64::try_from((now - since).as_micros()).unwrap_or(u64::MAX);
            took.get_or_insert_with(|| Histogram::new(3).unwrap()).record(micros).unwrap();
        }
    }

    fn failed(&self, _: Vec<ConversationId>, fault: Fault) {
        panic!("the disk must work: {fault}");
    }
}

fn given(name: &str, default: u64) -> u64 {
    let prefix = format!("{name}=");
    let found = std::env::args().find_map(|given| given.strip_prefix(&prefix)?.parse().ok());
    found.unwrap_or(default)
}

/// Appends at the rate, and tells how long this took.
fn load(what: &str, journal: &SqliteJournal, watch: &Watch, chats: &mut [Chat]) {
    let (rate, seconds) = (given("rate", 1_000), given("seconds", 15));
    let start = Instant::now();
    for number in 0..rate * seconds {
        let due = start + Duration::from_micros(number * 1_000_000 / rate);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let chat = &mut chats[usize::try_from(number).unwrap() % 1_000];
        let batch = chat.post(Author::Customer, "It says that the parcel has left on Monday.");
        watch.due.lock().unwrap().insert((chat.id(), chat.whole.seq().number()), due);
        journal.append(batch.append());
    }
    block(journal.flush()).unwrap();
    let took = watch.took.lock().unwrap().take().unwrap();
    let quantile = |quantile| Duration::from_micros(took.value_at_quantile(quantile));
    println!(
        "{what}: {} appends, p50 {:?}, p99 {:?}, p99.9 {:?}, most {:?}",
        took.len(),
        quantile(0.5),
        quantile(0.99),
        quantile(0.999),
        Duration::from_micros(took.max()),
    );
}

fn main() {
    let dir = tempfile::tempdir().unwrap();
    let watch = Arc::new(Watch::default());
    let (journal, _) = SqliteJournal::open(dir.path(), watch.clone()).unwrap();
    let closed = given("closed", 20_000);
    let mut live: Vec<_> = (0..1_000).map(|number| Chat::new(number, "q", 1_000)).collect();
    live.iter_mut().for_each(|chat| journal.append(chat.start().append()));
    let started = Instant::now();
    for round in 0..closed / 1_000 {
        // The chats come as they do in life, with their events mixed.
        let mut stories: Vec<_> = (0..1_000)
            .map(|number| Chat::new(u128::from(10_000 + round * 1_000 + number), "q", 1_000))
            .map(|mut chat| chat.whole_story().into_iter())
            .collect();
        let mut is_more = true;
        while is_more {
            is_more = false;
            for batch in stories.iter_mut().filter_map(Iterator::next) {
                journal.append(batch.append());
                is_more = true;
            }
        }
        block(journal.flush()).unwrap();
    }
    println!("{closed} closed chats, {} events, in {:?}", journal.head().0, started.elapsed());
    watch.took.lock().unwrap().take();
    load("alone", &journal, &watch, &mut live);

    let is_archive = std::env::args().any(|given| given == "then=archive");
    let then = if is_archive { Disposal::Archive } else { Disposal::Delete };
    let retention = Retention { after_days: 30, then };
    let rule = RetentionRule { workstream: "default".parse().unwrap(), retention };
    let now = Timestamp::from_millis(40 * 86_400_000);
    std::thread::scope(|scope| {
        let retained = scope.spawn(|| {
            let (start, mut steps, mut gone, mut busy) = (Instant::now(), 0, 0, Duration::ZERO);
            while start.elapsed() < Duration::from_secs(given("seconds", 15)) {
                let step = Instant::now();
                let retained = block(journal.retain(vec![rule.clone()], now)).unwrap();
                (steps, busy) = (steps + 1, busy + step.elapsed());
                gone += retained.archived + retained.deleted;
                std::thread::sleep(Duration::from_millis(RETENTION_PAUSE_MS));
            }
            (steps, gone, busy)
        });
        load("with the retention", &journal, &watch, &mut live);
        let (steps, gone, busy) = retained.join().unwrap();
        println!("{then:?}: {gone} chats in {steps} steps, each {:?}", busy / steps.max(1));
    });
}
