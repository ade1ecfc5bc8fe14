//! What it costs to tell many sessions a message, from the request until the last session has the
//! message in its actor. A chat has at most 16 sessions, so a thousand sessions are told in a
//! hundred chats with ten each: a hundred messages, a hundred renderings. No socket is written to.
//!
//! A message is rendered once, however many sessions hear it. The bench measures this (compare
//! `render` with the cost of one more recipient) and also checks it: all sessions hold the same
//! bytes in memory.
//!
//! `cargo bench --bench fanout`
#![allow(clippy::excessive_nesting, reason = "a bencher in a case in a place")]
#![allow(clippy::expect_used, reason = "a bench that cannot go on says why")]

mod rig;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use holdline::domain::conversation::event::{Author, Event, Recorded};
use holdline::domain::id::Seq;
use holdline::domain::text::MessageText;
use holdline::domain::time::Timestamp;
use holdline::engine::{Engine, ToSession};
use holdline::wire::view::for_customer;

use rig::{Chat, Place, Rig, post};

/// How many groups of chats take turns, so that no chat grows long; how many chats each group has,
/// which are posted into together; and how many sessions each chat has.
const CASES: [(usize, usize, usize); 4] = [(256, 1, 1), (256, 1, 10), (256, 1, 16), (1, 100, 10)];

fn render(criterion: &mut Criterion) {
    let recorded = Recorded {
        seq: Seq::new(6),
        at: Timestamp::from_millis(1_790_000_000_000),
        event: Event::MessagePosted {
            by: None,
            id: format!("{:0>36}", 1).parse().expect("an id"),
            from: Author::Customer,
            text: MessageText::parse(&"x".repeat(160)).expect("a text"),
            reminder: None,
        },
    };
    criterion.bench_function("fanout/render", |bencher| {
        bencher.iter(|| for_customer(black_box(&recorded), |_| None));
    });
}

fn deliver(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("fanout");
    for (groups, together, sessions) in CASES {
        let mut rig = Rig::new(Place::SameThread);
        let mut chats = rig.chats((groups * together) as u128, sessions);
        let recipients = together * sessions;
        let mut numbers = 0_u64..;
        group.throughput(Throughput::Elements(recipients as u64));
        group.bench_function(format!("tell {recipients} sessions"), |bencher| {
            bencher.iter_custom(|rounds| {
                rig.system.block_on(async {
                    let started = tokio::time::Instant::now();
                    for number in numbers.by_ref().take(usize::try_from(rounds).expect("few")) {
                        let turn = usize::try_from(number).expect("few") % groups;
                        tell(&rig.engine, &mut chats[turn * together..][..together], number).await;
                    }
                    started.elapsed()
                })
            });
        });
    }
    group.finish();
}

/// Posts into each of these chats, and waits until all of their sessions were told.
async fn tell(engine: &Engine, chats: &mut [Chat], number: u64) {
    for chat in &*chats {
        let posted = engine.command(chat.id, post(number)).await;
        black_box(posted.expect("it is taken"));
    }
    for chat in chats {
        take(chat).await;
    }
}

/// Waits until every session of a chat was told.
async fn take(chat: &mut Chat) {
    let mut rendered = None;
    for (_, hears) in &mut chat.sessions {
        let place = loop {
            if let ToSession::Frame { seq, text } = hears.recv().await.expect("the session lives")
                && seq > Seq::ZERO
            {
                break text.as_ptr();
            }
        };
        assert_eq!(*rendered.get_or_insert(place), place, "a message is rendered once");
    }
}

criterion_group! { name = benches; config = rig::short(); targets = render, deliver }
criterion_main!(benches);
