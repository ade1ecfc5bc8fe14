//! What the journal costs: many appends that share syncs, one append alone, and a page read back.
//! The bench defends the design's budget for durable messages.
//!
//! `cargo bench --bench journal`; the directory for temporary files decides which disk is measured.
//!
//! `cargo bench --bench journal -- --windows 300000` appends so many ends of windows at once, two
//! events for each of as many chats. It tells what each end costs every thread of the journal.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group};
use holdline::domain::cause::Cause;
use holdline::domain::conversation::event::{
    Actor, Audience, Author, Event, Hold, Opening, Reason,
};
use holdline::domain::id::{ConversationId, Seq, VisitorId};
use holdline::domain::text::MessageText;
use holdline::domain::time::Timestamp;
use holdline::journal::sqlite::SqliteJournal;
use holdline::journal::{
    Append, Chats as _, Confirmed, Fault, Filter, Log as _, Position, Receipts, Ticket,
};

const APPENDS: u64 = 10_000;
const THREADS: u64 = 4;
const CHATS: u64 = 1_000;

/// Counts what has become durable.
#[derive(Debug, Default)]
struct Counter {
    position: Mutex<u64>,
    moved: Condvar,
}

impl Receipts for Counter {
    fn durable(&self, confirmed: Vec<Confirmed>, position: Position) {
        black_box(confirmed);
        *self.position.lock().expect("nobody panics") = position.0;
        self.moved.notify_all();
    }

    fn failed(&self, _: Vec<ConversationId>, fault: Fault) {
        panic!("a benchmark's disk must work: {fault}");
    }
}

impl Counter {
    fn wait(&self, position: u64) {
        let reached = self.position.lock().expect("nobody panics");
        drop(self.moved.wait_while(reached, |reached| *reached < position));
    }
}

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A journal with chats that have begun.
struct Bench {
    journal: SqliteJournal,
    counter: Arc<Counter>,
    seqs: Vec<AtomicU64>,
    appended: AtomicU64,
    _dir: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory for temporary files");
        let counter = Arc::new(Counter::default());
        let (journal, _) = SqliteJournal::open(dir.path(), Arc::<Counter>::clone(&counter))
            .expect("an empty directory is a journal");
        let seqs = (0..CHATS).map(|_| AtomicU64::new(0)).collect();
        let bench = Self { journal, counter, seqs, appended: AtomicU64::new(0), _dir: dir };
        for chat in 0..CHATS {
            bench.append(chat, Event::ConversationStarted(opening()));
        }
        bench.wait();
        bench
    }

    fn append(&self, chat: u64, event: Event) {
        let seq = self.seqs[usize::try_from(chat).expect("few")].fetch_add(1, Ordering::Relaxed);
        self.appended.fetch_add(1, Ordering::Relaxed);
        self.journal.append(Append::Conversation {
            id: id(chat),
            first: Seq::new(u32::try_from(seq + 1).expect("few")),
            at: Timestamp::from_millis(1_790_000_000_000),
            events: [event].into(),
            ticket: Ticket::default(),
        });
    }

    fn wait(&self) {
        self.counter.wait(self.appended.load(Ordering::Relaxed));
    }
}

/// The ids are scattered, as minted ids are.
fn id(chat: u64) -> ConversationId {
    ConversationId::from_bits(
        u128::from(chat + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835),
    )
}

fn opening() -> Opening {
    Opening {
        widget: "shop".parse().expect("an id"),
        workstream: "sales".parse().expect("an id"),
        queue: "sales".parse().expect("an id"),
        visitor: VisitorId::from_bits(1),
        start: "start".parse().expect("an id"),
        salt: 0,
        name: None,
        form: None,
        context: None,
        page: None,
        locale: None,
        close_at: None,
    }
}

/// A message of 160 bytes, like those of the measurements in the design.
fn message(number: u64) -> Event {
    Event::MessagePosted {
        by: None,
        id: format!("{number:0>36}").parse().expect("an id"),
        from: Author::Customer,
        text: MessageText::parse(&"x".repeat(160)).expect("a text"),
        reminder: None,
    }
}

fn append_many(bench: &Bench) {
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || {
                for number in 0..APPENDS / THREADS {
                    // Each thread has its own chats, as in the engine.
                    let chat = (number * THREADS + thread) % CHATS;
                    bench.append(chat, message(number));
                }
            });
        }
    });
    bench.wait();
}

fn journal(criterion: &mut Criterion) {
    let bench = Bench::new();
    let flush = || {
        block(bench.journal.flush()).expect("a disk that works");
    };

    let mut group = criterion.benchmark_group("journal");
    group.sample_size(10).measurement_time(Duration::from_secs(3));
    group.bench_function("one append alone", |bencher| {
        bencher.iter(|| {
            bench.append(0, message(0));
            bench.wait();
        });
    });
    group.bench_function("one append, until it can be read", |bencher| {
        bencher.iter(|| {
            bench.append(0, message(0));
            flush();
        });
    });
    group.throughput(Throughput::Elements(APPENDS));
    group.bench_function("10,000 appends of 4 threads, until durable", |bencher| {
        bencher.iter_custom(|rounds| {
            let mut durable = Duration::ZERO;
            for _ in 0..rounds {
                let start = Instant::now();
                append_many(&bench);
                durable += start.elapsed();
                flush();
            }
            durable
        });
    });
    group.bench_function("10,000 appends of 4 threads, until they can be read", |bencher| {
        bencher.iter(|| {
            append_many(&bench);
            flush();
        });
    });
    group.throughput(Throughput::Elements(50));
    group.bench_function("read 50 entries", |bencher| {
        bencher.iter(|| {
            let after = Seq::new(1);
            let read = bench.journal.read(id(7), after, Audience::Customer, 50, 1 << 20);
            block(read).expect("a disk that works")
        });
    });
    group.bench_function("list 50 conversations", |bencher| {
        bencher.iter(|| {
            block(bench.journal.list(Filter::default(), None, 50, usize::MAX))
                .expect("a disk that works")
        });
    });
    group.finish();
}

fn block<T>(answer: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(answer)
}

/// Ends the windows of this many chats at once.
fn end_windows(chats: u64) {
    let began = Timestamp::from_millis(1_790_000_000_000);
    let dir = tempfile::tempdir().expect("a directory for temporary files");
    let counter = Arc::new(Counter::default());
    let (journal, _) = SqliteJournal::open(dir.path(), Arc::<Counter>::clone(&counter))
        .expect("an empty directory is a journal");
    for chat in 0..chats {
        let events = [Event::ConversationStarted(opening())].into();
        journal.append(Append::Conversation {
            id: id(chat),
            first: Seq::new(1),
            at: began,
            events,
            ticket: Ticket::default(),
        });
        if chat % 1_000 == 0 {
            counter.wait(chat.saturating_sub(100_000));
        }
    }
    block(journal.flush()).expect("a disk that works");
    let before = processor_seconds();
    let start = Instant::now();
    for chat in 0..chats {
        let events = [
            Event::CustomerDisconnected { since: began, cause: Cause::Closed(1006) },
            Event::WrapupStarted {
                reason: Reason::CustomerDisconnectedWhileActive,
                by: Actor::Timer,
                hold: Hold::UntilClosed,
                close_at: Some(began),
            },
        ];
        let (id, first, events) = (id(chat), Seq::new(2), events.into());
        journal.append(Append::Conversation {
            id,
            first,
            at: began,
            events,
            ticket: Ticket::default(),
        });
    }
    let taken = start.elapsed();
    counter.wait(chats * 3);
    let durable = start.elapsed();
    block(journal.flush()).expect("a disk that works");
    println!(
        "{chats} windows ended: appended in {taken:.2?}, durable in {durable:.2?}, readable in \
         {:.2?}",
        start.elapsed()
    );
    for (thread, after) in processor_seconds() {
        let spent = after - before.get(&thread).unwrap_or(&0.0);
        let each = spent * 1e6 / f64::from(u32::try_from(chats).expect("few"));
        println!("{thread:>16} {each:.2} us of processor for each");
    }
}

/// How much processor time each thread of this process has taken so far.
fn processor_seconds() -> BTreeMap<String, f64> {
    let mut seconds = BTreeMap::new();
    for task in std::fs::read_dir("/proc/self/task").expect("Linux tells").flatten() {
        let read = |file| std::fs::read_to_string(task.path().join(file));
        let (Ok(name), Ok(spent)) = (read("comm"), read("schedstat")) else { continue };
        let spent = spent.split_whitespace().next().and_then(|spent| spent.parse::<f64>().ok());
        *seconds.entry(name.trim().to_owned()).or_default() += spent.expect("nanoseconds") / 1e9;
    }
    seconds
}

criterion_group!(benches, journal);

fn main() {
    let arguments: Vec<_> = std::env::args().collect();
    match arguments.iter().position(|argument| argument == "--windows") {
        Some(place) => end_windows(arguments[place + 1].parse().expect("a number")),
        None => {
            benches();
            Criterion::default().configure_from_args().final_summary();
        }
    }
}
