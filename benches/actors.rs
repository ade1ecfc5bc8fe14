//! What the actors add to the rules: a round trip to a conversation, a message until it is durable,
//! a heartbeat, and the start of a chat. Each is measured twice: with the conversation on the
//! caller's thread, where it lives in the server, and on another thread. The journal is in memory,
//! so no disk is measured; the bench `journal` does that.
//!
//! `cargo bench --bench actors`
#![allow(clippy::excessive_nesting, reason = "a bencher in a case in a place")]
#![allow(clippy::expect_used, reason = "a bench that cannot go on says why")]

mod rig;

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

use rig::{Place, Rig, entrance, joined, post, start};

/// How many heartbeats come between two round trips: enough that a round trip hardly counts.
const BEATS: u64 = 1_000;

/// How many chats the messages are spread over, so that no chat grows long or full.
const CHATS: u128 = 512;

fn view(criterion: &mut Criterion) {
    for place in Place::BOTH {
        let mut rig = Rig::new(place);
        let chats = rig.chats(1, 1);
        criterion.bench_function(&format!("actors/view, {}", place.name()), |bencher| {
            bencher.iter_custom(|rounds| {
                rig.system.block_on(async {
                    let started = tokio::time::Instant::now();
                    for _ in 0..rounds {
                        black_box(rig.engine.view(chats[0].id).await.expect("it is there"));
                    }
                    started.elapsed()
                })
            });
        });
    }
}

fn message(criterion: &mut Criterion) {
    for place in Place::BOTH {
        let mut rig = Rig::new(place);
        let chats = rig.chats(CHATS, 1);
        let mut numbers = 0_u64..;
        criterion.bench_function(&format!("actors/message, {}", place.name()), |bencher| {
            bencher.iter_custom(|rounds| {
                rig.system.block_on(async {
                    let started = tokio::time::Instant::now();
                    for _ in 0..rounds {
                        let number = numbers.next().expect("they do not end");
                        let chat = &chats[usize::try_from(number).expect("few") % chats.len()];
                        let posted = rig.engine.command(chat.id, post(number)).await;
                        black_box(posted.expect("it is taken"));
                    }
                    started.elapsed()
                })
            });
        });
    }
}

fn heartbeat(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("actors");
    group.throughput(Throughput::Elements(BEATS));
    for place in Place::BOTH {
        let mut rig = Rig::new(place);
        let chats = rig.chats(1, 1);
        let (visit, _) = &chats[0].sessions[0];
        group.bench_function(format!("{BEATS} heartbeats, {}", place.name()), |bencher| {
            bencher.iter_custom(|rounds| {
                rig.system.block_on(async {
                    let started = tokio::time::Instant::now();
                    for _ in 0..rounds {
                        for _ in 0..BEATS {
                            visit.hear(chats[0].id, rig.engine.now());
                        }
                        // An actor that has answered this has taken everything before it.
                        black_box(rig.engine.view(chats[0].id).await.expect("it is there"));
                    }
                    started.elapsed()
                })
            });
        });
    }
    group.finish();
}

/// This bench ends no chats, and a queue holds 200,000, so its run is shorter still.
fn starting(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("actors");
    group
        .sample_size(10)
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(500));
    for place in Place::BOTH {
        let mut rig = Rig::new(place);
        let (visit, mut hears) = rig.session();
        let mut visitors = 1_u128..;
        group.bench_function(format!("start, {}", place.name()), |bencher| {
            bencher.iter_custom(|rounds| {
                rig.system.block_on(async {
                    let began = tokio::time::Instant::now();
                    for _ in 0..rounds {
                        let visitor = visitors.next().expect("they do not end");
                        visit.start(start(visitor), entrance(), None).expect("it may begin");
                        joined(&mut hears).await;
                    }
                    began.elapsed()
                })
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = rig::short();
    targets = view, message, heartbeat, starting
}
criterion_main!(benches);
