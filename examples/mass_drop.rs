//! How late windows end when everybody is lost at once: opens many chats to the real server, drops
//! every socket at once, and waits until each customer was disconnected. The journal then tells of
//! each how late that was decided, and whether any was early, missing or decided twice.
//!
//! `cargo build --release && cargo run --release --example mass_drop -- chats=15000 window=5`
//!
//! Also `server=`. The budget of the design: all within a second, none early, missed or twice.
#![expect(clippy::print_stdout, reason = "it is what the program is for")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "figures are shown rounded"
)]

mod load;

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hdrhistogram::Histogram;
use load::chats::Chats;
use load::scrape::{bound, sum};
use load::server::Server;
use load::{broken, given};
use rusqlite::Connection;
use serde_json::Value;
use tokio::time::Instant;

/// What the journal says of one customer.
#[derive(Default)]
struct Loss {
    until: Option<i64>,
    disconnected: Vec<i64>,
}

fn main() -> io::Result<()> {
    let (count, window) = (given("chats", 15_000)?, given("window", 5)?);
    let server = Server::start()?;
    server.set_up(120, 240)?;
    let chats = Chats::open(server.address(), count)?;
    // The window in force when an absence begins is the one that counts.
    server.set_times(1, window)?;
    std::thread::park_timeout(Duration::from_secs(3));

    let start = Instant::now();
    drop(chats);
    println!(
        "{count} sockets dropped within {} ms; window {window} s",
        start.elapsed().as_millis()
    );
    let patience = Duration::from_secs(u64::from(window) + 60);
    let mut told_at = 0;
    loop {
        let asked = Instant::now();
        let metrics = server.metrics()?;
        let told = sum(&metrics, "holdline_expiries_total");
        if told >= count as f64 {
            println!("an answer about it took {} ms", asked.elapsed().as_millis());
            told_at = now_ms();
        }
        if told >= count as f64 || start.elapsed() > patience {
            by_the_metrics(&metrics);
            break;
        }
        std::thread::park_timeout(Duration::from_millis(10));
    }
    let data = server.stop()?;
    by_the_journal(data.path(), count, told_at)
}

fn by_the_metrics(metrics: &str) {
    let name = "holdline_expiry_lateness_seconds";
    let at = |part| bound(metrics, name, part).unwrap_or(f64::NAN) * 1e3;
    let mean = sum(metrics, &format!("{name}_sum")) / sum(metrics, &format!("{name}_count"));
    println!(
        "by the metrics: {} ends, mean {:.0} ms late, p50 below {:.0} ms, p99 below {:.0} ms",
        sum(metrics, &format!("{name}_count")),
        mean * 1e3,
        at(0.5),
        at(0.99)
    );
}

fn by_the_journal(data: &Path, count: usize, told_at: i64) -> io::Result<()> {
    let losses = losses(data)?;
    let mut lateness =
        Histogram::<u64>::new_with_max(600_000, 3).map_err(|error| broken(error.to_string()))?;
    let (mut early, mut twice, mut missed) = (0, 0, count.saturating_sub(losses.len()));
    let (mut first, mut last) = (i64::MAX, i64::MIN);
    for loss in losses.values() {
        let Some(until) = loss.until else { continue };
        (first, last) = (first.min(until), last.max(until));
        match loss.disconnected[..] {
            [] => missed += 1,
            [at, ref more @ ..] => {
                twice += usize::from(!more.is_empty());
                early += usize::from(at <= until);
                lateness.saturating_record(u64::try_from(at - until).unwrap_or(0));
            }
        }
    }
    println!(
        "by the journal: {} ends: p50 {} ms, p99 {} ms, p99.9 {} ms, most {} ms late; {early} \
         early, {missed} missed, {twice} twice; the windows ended within {} ms of each other",
        lateness.len(),
        lateness.value_at_quantile(0.5),
        lateness.value_at_quantile(0.99),
        lateness.value_at_quantile(0.999),
        lateness.max(),
        last - first,
    );
    println!("all were on the disk and told {} ms after the last window's end", told_at - last);
    if early + missed + twice > 0 {
        return Err(broken("a window must end once, and not before its time"));
    }
    Ok(())
}

fn losses(data: &Path) -> io::Result<HashMap<String, Loss>> {
    let read = || -> rusqlite::Result<Vec<(String, i64, String, String)>> {
        let journal = Connection::open(data.join("journal.db"))?;
        // What happened together stands in one row.
        let mut rows = journal.prepare(
            "WITH each_event AS (
                 SELECT position, stream, at, kind, body FROM events
                 WHERE kind <> 'happened_together'
                 UNION ALL SELECT position + one.key, stream, at,
                     one.value ->> '$.kind', one.value -> '$.body'
                 FROM events, json_each(body) AS one WHERE kind = 'happened_together')
             SELECT stream, at, kind, body FROM each_event
             WHERE kind IN ('customer_away', 'customer_disconnected') ORDER BY position",
        )?;
        rows.query_map((), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?
            .collect()
    };
    let mut losses: HashMap<String, Loss> = HashMap::new();
    for (stream, at, kind, body) in read().map_err(io::Error::other)? {
        let loss = losses.entry(stream).or_default();
        if kind == "customer_away" {
            let body: Value = serde_json::from_str(&body)?;
            loss.until = body["until"].as_i64();
        } else {
            loss.disconnected.push(at);
        }
    }
    Ok(losses)
}

#[expect(clippy::disallowed_methods, reason = "the server's clock starts at the wall clock's time")]
fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
