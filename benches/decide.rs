//! What the rules of a conversation cost, with nothing around them: a heartbeat, a message into
//! chats of several lengths, the end of a window, an accepted chat, and the replay of a history.
//! The rest of any figure of the whole server is the cost of what is around the rules.
//!
//! `cargo bench --bench decide`
#![allow(clippy::expect_used, reason = "a bench that cannot go on says why")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use holdline::domain::cause::Cause;
use holdline::domain::conversation::Conversation;
use holdline::domain::conversation::command::{Command, StartRequest};
use holdline::domain::conversation::event::{Author, Event};
use holdline::domain::id::{ConversationId, MessageId, SessionId, VisitorId};
use holdline::domain::settings::Workstream;
use holdline::domain::text::{DisplayName, MessageText};
use holdline::domain::time::{Span, Timestamp};

const SESSION: SessionId = SessionId::from_bits(7);
const START: Timestamp = Timestamp::from_millis(1_790_000_000_000);

/// How many messages a chat already holds.
const LENGTHS: [u32; 3] = [1, 100, 5_000];

fn workstream() -> Workstream {
    let id = "sales".parse().expect("an id");
    Workstream::new(id, "sales".parse().expect("an id"))
}

fn start() -> Command {
    Command::Start(StartRequest {
        widget: "shop".parse().expect("an id"),
        visitor: VisitorId::from_bits(1),
        start: "start".parse().expect("an id"),
        salt: 0,
        name: DisplayName::parse("Ada").ok(),
        form: None,
        context: None,
        page: Some("https://shop.test/cart".into()),
        locale: Some("de-CH".into()),
    })
}

fn join() -> Command {
    Command::Join { session: SESSION, heartbeat: Span::from_secs(25), program: None }
}

/// A message of 160 bytes.
fn post(number: u32) -> Command {
    Command::Post { by: None, from: Author::Customer, id: message_id(number), text: text() }
}

fn message_id(number: u32) -> MessageId {
    format!("{number:0>36}").parse().expect("an id")
}

fn text() -> MessageText {
    MessageText::parse(&"x".repeat(160)).expect("a text")
}

fn perform(conversation: &mut Conversation, command: Command, at: Timestamp, under: &Workstream) {
    let decision = conversation.decide(command, at, under).expect("it is allowed");
    drop(black_box(conversation.commit(decision, at)));
}

/// A chat that waits, with one session and this many messages.
fn chat(messages: u32) -> Conversation {
    let under = workstream();
    let mut conversation = Conversation::new(ConversationId::from_bits(1));
    for command in [start(), join()].into_iter().chain((0..messages).map(post)) {
        perform(&mut conversation, command, START, &under);
    }
    conversation
}

fn heartbeat(criterion: &mut Criterion) {
    let mut conversation = chat(1);
    let mut now = START;
    criterion.bench_function("decide/heartbeat", |bencher| {
        bencher.iter(|| {
            now = now + Span::from_millis(1);
            conversation.hear(black_box(SESSION), now);
            black_box(conversation.wake_at())
        });
    });
}

/// Gives the command to a new copy each time, because it changes the conversation.
fn command(
    criterion: &mut Criterion,
    name: &str,
    conversation: &Conversation,
    at: Timestamp,
    command: &Command,
) {
    let under = workstream();
    criterion.bench_function(name, |bencher| {
        bencher.iter_batched(
            || (conversation.clone(), command.clone()),
            |(mut conversation, command)| {
                perform(&mut conversation, command, at, &under);
                // The copy is dropped after the clock has stopped.
                conversation
            },
            BatchSize::SmallInput,
        );
    });
}

fn messages(criterion: &mut Criterion) {
    for messages in LENGTHS {
        let (under, chat) = (workstream(), chat(messages));
        criterion.bench_function(&format!("decide/message into a chat of {messages}"), |bencher| {
            bencher.iter_batched(
                || {
                    // A copy has room for exactly what it holds; a chat in use has more.
                    let mut copy = chat.clone();
                    perform(&mut copy, post(2_000_000), START, &under);
                    (copy, post(1_000_000))
                },
                |(mut copy, post)| {
                    perform(&mut copy, post, START, &under);
                    copy
                },
                BatchSize::SmallInput,
            );
        });
    }
    let mut long = chat(5_000);
    let under = workstream();
    criterion.bench_function("decide/message said again in a chat of 5000", |bencher| {
        bencher.iter(|| perform(&mut long, post(4_990), START, &under));
    });
}

fn expiry(criterion: &mut Criterion) {
    let mut away = chat(1);
    let lost = Command::Lose { session: SESSION, cause: Cause::Closed(1006) };
    perform(&mut away, lost, START, &workstream());
    let due = away.wake_at().expect("the window runs");
    command(criterion, "decide/the end of a window", &away, due, &Command::Wake);
}

fn accept(criterion: &mut Criterion) {
    let agent = "ada".parse().expect("an id");
    let name = DisplayName::parse("Ada").expect("a name");
    let accept = Command::Accept { by: None, agent, name };
    command(criterion, "decide/accept", &chat(1), START, &accept);
}

fn replay(criterion: &mut Criterion) {
    let under = workstream();
    let mut written = Conversation::new(ConversationId::from_bits(1));
    let mut history: Vec<Event> = Vec::new();
    for command in [start(), join()].into_iter().chain((0..998).map(post)) {
        let decision = written.decide(command, START, &under).expect("it is allowed");
        history.extend(decision.events.iter().cloned());
        drop(black_box(written.commit(decision, START)));
    }
    let mut group = criterion.benchmark_group("decide");
    group.throughput(Throughput::Elements(history.len() as u64));
    group.bench_function("replay of a thousand events", |bencher| {
        bencher.iter(|| {
            let mut conversation = Conversation::new(ConversationId::from_bits(1));
            for event in &history {
                conversation.apply(event, START);
            }
            conversation
        });
    });
    group.finish();
}

fn short() -> Criterion {
    Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
}

criterion_group! {
    name = benches;
    config = short();
    targets = heartbeat, messages, expiry, accept, replay
}
criterion_main!(benches);
