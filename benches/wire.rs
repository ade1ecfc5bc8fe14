//! What it costs to read and write frames: the frames that widgets send most often, one that is
//! refused, and the frames that widgets are told.
//!
//! `cargo bench --bench wire`
#![allow(clippy::expect_used, reason = "a bench that cannot go on says why")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use holdline::domain::id::{MessageId, Seq};
use holdline::domain::time::Timestamp;
use holdline::wire::client::{ClientFrame, Reference, parse};
use holdline::wire::server::{ServerFrame, Speaker};

/// Each frame is as a widget would say it.
const SAID: [(&str, &str); 5] = [
    ("beat", r#"{"type":"beat","seq":6}"#),
    ("typing", r#"{"type":"typing","on":true}"#),
    (
        "hello",
        concat!(
            r#"{"type":"hello","visitor":"6f1d1c0e5a7b4d0c9b8e2f3a4b5c6d7e","#,
            r#""token":"AQGiA9bGPXO4nShV6MAlx2vFQ14-ujfzK3oZ8Pl2X_mC","after":12,"#,
            r#""page":"https://shop.test/cart","locale":"de-CH"}"#
        ),
    ),
    (
        "post",
        concat!(
            r#"{"type":"post","ref":2,"id":"0190a6e4-7c1b-7d2e-8f3a-4b5c6d7e8f90","#,
            r#""text":"It says that the parcel has left on Monday, but I have looked at the "#,
            r#"other page as well and there it has not. Could you tell me which of the two "#,
            r#"is right, please?"}"#
        ),
    ),
    ("refused", r#"{"type":"post","ref":2,"id":"m-0001"}"#),
];

fn read(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("wire/parse");
    for (name, said) in SAID {
        group.throughput(Throughput::Bytes(said.len() as u64));
        group.bench_function(name, |bencher| bencher.iter(|| parse(black_box(said.as_bytes()))));
    }
    let longest = format!(r#"{{"type":"post","ref":2,"id":"m","text":"{}"}}"#, "x".repeat(6_000));
    group.throughput(Throughput::Bytes(longest.len() as u64));
    group.bench_function("post of 6,000 characters", |bencher| {
        bencher.iter(|| parse(black_box(longest.as_bytes())));
    });
    group.finish();
}

fn reference() -> Reference {
    match parse(SAID[3].1.as_bytes()).expect("it is a post") {
        ClientFrame::Post { reference, .. } => reference,
        other => panic!("not a post: {other:?}"),
    }
}

fn write(criterion: &mut Criterion) {
    let (reference, seq, at) =
        (reference(), Seq::new(6), Timestamp::from_millis(1_790_000_000_000));
    let id: MessageId = "0190a6e4-7c1b-7d2e-8f3a-4b5c6d7e8f90".parse().expect("an id");
    let text = "x".repeat(160);
    let message = ServerFrame::Message {
        seq,
        id: id.as_str(),
        from: Speaker::Agent,
        name: Some("Grace"),
        text: &text,
        at,
    };
    let posted = ServerFrame::Posted { reference: &reference, id: &id, seq, at };
    let mut group = criterion.benchmark_group("wire/render");
    for (name, frame) in
        [("beat", ServerFrame::Beat { seq }), ("posted", posted), ("message", message)]
    {
        group.throughput(Throughput::Bytes(frame.render().len() as u64));
        group.bench_function(name, |bencher| bencher.iter(|| black_box(&frame).render()));
    }
    group.finish();
}

fn short() -> Criterion {
    Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
}

criterion_group! { name = benches; config = short(); targets = read, write }
criterion_main!(benches);
