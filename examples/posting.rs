//! How long a message takes from its frame to `posted`, which is said once it is on the disk:
//! posts at a fixed rate to the real server, each at its due time whether or not earlier ones were
//! answered, and measures from the due time, so that a slow server cannot hide behind a client
//! that waits for it.
//!
//! `cargo build --release && cargo run --release --example posting -- rate=2000 seconds=20`
//!
//! Also `chats=` and `server=`. The directory for temporary files decides which disk is measured.
//! A run whose own lateness is not small against what it measures says nothing.
#![expect(clippy::print_stdout, reason = "it is what the program is for")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "figures are shown rounded"
)]

mod load;

use std::io;
use std::time::Duration;

use hdrhistogram::Histogram;
use load::chats::{Chats, is, text};
use load::process::{used, used_by_threads};
use load::scrape::{bound, sum};
use load::server::Server;
use load::{broken, given};
use tokio::time::Instant;

/// Seconds that are not measured, in which the first files and caches grow.
const WARM_UP: u64 = 3;

/// The longest time that is told apart from longer ones: a minute.
const MICROS_MAX: u64 = 60_000_000;

/// A message of 160 bytes.
const TEXT: &str = concat!(
    "It says that the parcel has left on Monday, but I have looked at the other page as well ",
    "and there it has not. Could you tell me which of the two is right, please?"
);

struct Plan {
    start: Instant,
    rate: u64,
    chats: u64,
}

/// What came of the posts after the warm-up, in microseconds.
struct Outcome {
    latency: Histogram<u64>,
    lateness: Histogram<u64>,
    answered: u64,
    refused: u64,
}

impl Plan {
    fn due(&self, post: u64) -> Instant {
        self.start + Duration::from_nanos(post * 1_000_000_000 / self.rate)
    }
}

fn main() -> io::Result<()> {
    let (rate, seconds) = (given("rate", 2_000)?, given("seconds", 20_u64)?);
    let chats: u64 = given("chats", 500)?;
    if rate >= chats * 15 {
        return Err(broken("fewer than 15 posts a second on each chat, or they are refused"));
    }
    let server = Server::start()?;
    server.set_up(120, 240)?;
    let count = usize::try_from(chats).map_err(|_| broken("too many chats"))?;
    let mut open = Chats::open(server.address(), count)?;
    std::thread::park_timeout(Duration::from_secs(1));

    let before = (used(server.process())?, used_by_threads(server.process())?);
    let own_before = used(std::process::id())?;
    let plan = Plan { start: Instant::now(), rate, chats };
    let outcome = post(&plan, &mut open, WARM_UP * rate, (WARM_UP + seconds) * rate)?;
    let posts = (WARM_UP + seconds) * rate;
    let spent = used(server.process())?.saturating_sub(before.0);
    let own = used(std::process::id())?.saturating_sub(own_before);

    println!(
        "{posts} posts at {rate} a second on {chats} chats; the first {WARM_UP} s not measured"
    );
    show("from its due time to `posted`", &outcome.latency);
    show("the generator's own lateness", &outcome.lateness);
    println!(
        "answered {}, refused {}, missing {}",
        outcome.answered,
        outcome.refused,
        posts - outcome.answered - outcome.refused
    );
    println!(
        "{:.0} µs of the server's processor time for each post; {:.0} µs of the generator's",
        spent.as_secs_f64() / posts as f64 * 1e6,
        own.as_secs_f64() / posts as f64 * 1e6,
    );
    for ((name, after), (_, before)) in used_by_threads(server.process())?.iter().zip(before.1) {
        let share = after.saturating_sub(before).as_secs_f64() / plan.start.elapsed().as_secs_f64();
        println!("  thread {name}: {:.0} % of a core", share * 100.0);
    }
    let metrics = server.metrics()?;
    let name = "holdline_journal_latency_seconds";
    let mean = sum(&metrics, &format!("{name}_sum")) / sum(&metrics, &format!("{name}_count"));
    let at = |part| bound(&metrics, name, part).unwrap_or(f64::NAN) * 1e3;
    println!(
        "the journal, append to receipt: mean {:.1} ms, p50 below {:.1} ms, p99 below {:.1} ms",
        mean * 1e3,
        at(0.5),
        at(0.99)
    );
    drop(open);
    server.stop().map(drop)
}

/// Sends every post at its time, and waits a little for the last answers.
fn post(plan: &Plan, chats: &mut Chats, first: u64, last: u64) -> io::Result<Outcome> {
    let histogram =
        || Histogram::new_with_max(MICROS_MAX, 3).map_err(|error| broken(error.to_string()));
    let mut outcome =
        Outcome { latency: histogram()?, lateness: histogram()?, answered: 0, refused: 0 };
    let mut sent = 0;
    let patience = plan.due(last) + Duration::from_secs(10);
    loop {
        let now = Instant::now();
        while sent < last && plan.due(sent) <= now {
            let frame =
                format!(r#"{{"type":"post","ref":{sent},"id":"m-{sent}","text":"{TEXT}"}}"#);
            let chat = usize::try_from(sent % plan.chats).map_err(|_| broken("too many chats"))?;
            chats.send(chat, &text(&frame))?;
            if sent >= first {
                outcome.lateness.saturating_record(micros(plan.due(sent).elapsed()));
            }
            sent += 1;
        }
        let done = outcome.answered + outcome.refused == last;
        if done || Instant::now() > patience {
            return Ok(outcome);
        }
        let wait = if sent < last {
            plan.due(sent).saturating_duration_since(Instant::now())
        } else {
            Duration::from_millis(10)
        };
        chats.turn(wait, |_, said| {
            if is(said, "refused") {
                outcome.refused += 1;
            } else if let Some(post) = posted(said) {
                outcome.answered += 1;
                if post >= first {
                    outcome.latency.saturating_record(micros(plan.due(post).elapsed()));
                }
            }
        })?;
    }
}

/// Which post a `posted` answers.
fn posted(said: &[u8]) -> Option<u64> {
    let rest = said.strip_prefix(br#"{"type":"posted","ref":"#)?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit());
    Some(digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn show(what: &str, histogram: &Histogram<u64>) {
    let at = |part| histogram.value_at_quantile(part) as f64 / 1e3;
    println!(
        "{what}: p50 {:.2} ms, p99 {:.2} ms, p99.9 {:.2} ms, most {:.2} ms",
        at(0.5),
        at(0.99),
        at(0.999),
        histogram.max() as f64 / 1e3
    );
}
