//! How much memory a connected, idle chat costs, and how much processor time a heartbeat: opens
//! many chats to the real server, which is a process of its own, has each receive more than 4 KiB,
//! and asks the kernel. The heartbeats are then sent to the floor as well.
//!
//! `cargo build --release && cargo run --release --example idle_chats -- chats=15000`
//!
//! Also `beats=` (a second), `seconds=`, `server=` (the program). The budgets of the design: 4 KiB
//! for each chat, and 1.5 times the floor for each heartbeat.
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

use load::chats::{Chats, is, text};
use load::floor::{self, Floor};
use load::process::{Memory, used};
use load::server::Server;
use load::{broken, given};
use tokio::time::Instant;

/// Texts that pad a chat's traffic to more than 4 KiB, in fields that the server ignores.
const PADDED: usize = 10;
const PADDING: usize = 450;

fn main() -> io::Result<()> {
    if given("floor", String::new())? == "yes" {
        return floor::serve();
    }
    let chats = given("chats", 15_000)?;
    memory_and_beats(chats)?;
    beats_of_the_floor(chats)
}

fn memory_and_beats(count: usize) -> io::Result<()> {
    let server = Server::start()?;
    server.set_up(120, 240)?;
    settle();
    let empty = Memory::of(server.process())?;
    println!("the empty server: {} KiB resident", empty.resident / 1024);
    let started = Instant::now();
    let mut chats = Chats::open(server.address(), count)?;
    let took = started.elapsed().as_secs_f64();
    println!("{count} chats started in {took:.1} s, {:.0} a second", count as f64 / took);
    settle();
    report("started", empty, Memory::of(server.process())?, count);
    receive(&mut chats, count)?;
    settle();
    let after = Memory::of(server.process())?;
    report("after 4 KiB received on each", empty, after, count);
    beats("holdline", server.process(), &mut chats, count)?;
    // The sockets go first, so that the server has nothing to wait for.
    drop(chats);
    server.stop().map(drop)
}

fn beats_of_the_floor(count: usize) -> io::Result<()> {
    let floor = Floor::start()?;
    let mut chats = Chats::open(floor.address(), count)?;
    settle();
    beats("the floor", floor.process(), &mut chats, count)?;
    drop(floor);
    Ok(())
}

/// Has every chat receive more than 4 KiB, and waits until the server has dealt with all of it.
fn receive(chats: &mut Chats, count: usize) -> io::Result<()> {
    let padded =
        text(&format!(r#"{{"type":"beat","seq":4000000000,"padding":"{}"}}"#, "x".repeat(PADDING)));
    // It is answered because it names a place that is behind.
    let last = text(r#"{"type":"beat","seq":0}"#);
    let mut answered = 0;
    for number in 0..count {
        for _ in 0..PADDED {
            chats.send(number, &padded)?;
        }
        chats.send(number, &last)?;
        if number % 64 == 0 {
            chats.turn(Duration::ZERO, |_, text| answered += usize::from(is(text, "beat")))?;
        }
    }
    let patience = Instant::now() + Duration::from_secs(60);
    while answered < count {
        chats.turn(Duration::from_millis(100), |_, text| {
            answered += usize::from(is(text, "beat"))
        })?;
        if Instant::now() > patience {
            return Err(broken(format!("only {answered} of {count} chats answered")));
        }
    }
    Ok(())
}

/// What a heartbeat costs the server: without an answer, as nearly all are, and with one.
fn beats(whom: &str, process: u32, chats: &mut Chats, count: usize) -> io::Result<()> {
    let rate: usize = given("beats", 5_000)?;
    let seconds: usize = given("seconds", 10)?;
    let unanswered = text(r#"{"type":"beat","seq":4000000001}"#);
    let answered = text(r#"{"type":"beat","seq":0}"#);
    let idle = cost(process, chats, Duration::from_secs(3), &[], 0, count)?.as_secs_f64() / 3.0;
    println!("{whom}: {:.2} % of a core when nothing happens", idle * 100.0);
    for (kind, frame) in [("without an answer", unanswered), ("with an answer", answered)] {
        let time = Duration::from_secs(seconds as u64);
        let spent = cost(process, chats, time, &frame, rate, count)?;
        let each = (spent.as_secs_f64() - idle * time.as_secs_f64()) / (rate * seconds) as f64;
        println!("{whom}: {:.1} µs for each beat {kind}, at {rate} a second", each * 1e6);
    }
    Ok(())
}

/// The processor time that the server spends while this frame is sent at this rate, spread evenly
/// over time and over the chats.
fn cost(
    process: u32,
    chats: &mut Chats,
    time: Duration,
    frame: &[u8],
    rate: usize,
    count: usize,
) -> io::Result<Duration> {
    let before = used(process)?;
    let start = Instant::now();
    let mut sent = 0;
    while start.elapsed() < time {
        let due = (start.elapsed().as_secs_f64() * rate as f64) as usize;
        for number in sent..due {
            // A step that shares no divisor with the count reaches all, and not in order.
            chats.send((number * 7_919) % count, frame)?;
        }
        sent = due;
        chats.turn(Duration::from_millis(1), |_, _| {})?;
    }
    Ok(used(process)?.saturating_sub(before))
}

fn report(when: &str, empty: Memory, now: Memory, count: usize) {
    let each = |now: u64, empty: u64| now.saturating_sub(empty) / count as u64;
    println!(
        "{when}: {} bytes resident for each chat (proportional {}, anonymous {}); of them {} are \
         SQLite's, so {} without its caches; {} KiB in huge pages; {} KiB resident in all",
        each(now.resident, empty.resident),
        each(now.proportional, empty.proportional),
        each(now.anonymous, empty.anonymous),
        each(now.sqlite, empty.sqlite),
        each(now.resident - now.sqlite, empty.resident - empty.sqlite),
        now.huge / 1024,
        now.resident / 1024,
    );
}

/// Time for the server to finish what it does behind the sockets.
fn settle() {
    std::thread::park_timeout(Duration::from_secs(3));
}
