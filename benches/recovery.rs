//! How long a starting server takes until the chats that it holds are live again, and how much
//! memory each chat costs. The bench defends the design's budget for a restart.
//!
//! `cargo bench --bench recovery -- --held 1000000` builds a journal with so many held chats. It
//! appends them to a real journal, which takes some minutes. Then it starts on the journal three
//! times, each time in a process of its own. `--dir DIR` keeps the journal there and uses it again.
//!
//! Nine of ten chats are with an agent, one waits in a queue, and every customer is away. The chats
//! are "live" when the engine has said so: every chat has its actor, its claims and its timer.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Instant;

use holdline::domain::cause::{Cause, Evidence};
use holdline::domain::conversation::event::{Event, Opening};
use holdline::domain::id::{AgentId, ConversationId, Seq, SessionId, VisitorId};
use holdline::domain::lease::{Lease, Purpose};
use holdline::domain::settings::registry::SettingChange;
use holdline::domain::settings::{AgentSettings, QueueSettings, Role, WidgetSettings, Workstream};
use holdline::domain::text::DisplayName;
use holdline::domain::time::{Span, Timestamp};
use holdline::engine::{Options, Starting, Threads};
use holdline::journal::sqlite::SqliteJournal;
use holdline::journal::{Append, Confirmed, Fault, Journal, Log as _, Position, Receipts, Ticket};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How many chats each agent has.
const CHATS_EACH: u64 = 1_000;

/// When the chats began. It is long before any test runs out of years.
const BEGAN: Timestamp = Timestamp::from_millis(1_790_000_000_000);

fn main() {
    let mut held = 1_000_000;
    let mut kept: Option<PathBuf> = None;
    let mut measured: Option<PathBuf> = None;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().expect("a value follows");
        match argument.as_str() {
            "--held" => held = value().parse().expect("a number"),
            "--dir" => kept = Some(value().into()),
            "--measure" => measured = Some(value().into()),
            "--bench" => {}
            unknown => panic!("unknown argument {unknown}"),
        }
    }
    if let Some(dir) = measured {
        return measure(&dir, held);
    }
    let temporary = tempfile::tempdir().expect("a directory for temporary files");
    let dir = kept.unwrap_or_else(|| temporary.path().join("data"));
    if dir.join("journal.db").exists() {
        println!("using the journal in {}", dir.display());
    } else {
        build(&dir, held);
    }
    let program = std::env::current_exe().expect("this program has a path");
    for _ in 0..3 {
        let arguments = ["--held", &held.to_string(), "--measure"];
        let status = Command::new(&program).args(arguments).arg(&dir).status();
        assert!(status.expect("it starts").success(), "a start failed");
    }
}

/// Counts what has become durable.
#[derive(Debug, Default)]
struct Counter {
    position: Mutex<u64>,
    moved: Condvar,
}

impl Receipts for Counter {
    fn durable(&self, _: Vec<Confirmed>, position: Position) {
        *self.position.lock().expect("nobody panics") = position.0;
        self.moved.notify_all();
    }

    fn failed(&self, _: Vec<ConversationId>, fault: Fault) {
        panic!("a benchmark's disk must work: {fault}");
    }
}

impl Counter {
    /// Waits until at most this many events are under way.
    fn wait(&self, appended: u64, under_way: u64) {
        let reached = self.position.lock().expect("nobody panics");
        drop(self.moved.wait_while(reached, |reached| *reached + under_way < appended));
    }
}

fn build(dir: &Path, held: u64) {
    let started = Instant::now();
    let counter = Arc::new(Counter::default());
    let (journal, _) = SqliteJournal::open(dir, Arc::<Counter>::clone(&counter)).expect("it opens");
    let mut appended = 0;
    for change in settings(held) {
        let (done, _) = tokio::sync::oneshot::channel();
        journal.append(Append::Setting { by: None, change: Box::new(change), at: BEGAN, done });
        appended += 1;
    }
    for chat in 0..held {
        for (seq, event) in (1..).zip(history(chat)) {
            let (id, first) = (id(chat), Seq::new(seq));
            journal.append(Append::Conversation {
                id,
                first,
                at: BEGAN,
                events: [event].into(),
                ticket: Ticket::default(),
            });
            appended += 1;
        }
        if chat % 1_000 == 0 {
            counter.wait(appended, 50_000);
        }
    }
    counter.wait(appended, 0);
    println!("{appended} events of {held} chats appended in {:.1?}", started.elapsed());
    journal.close();
    println!("and projected in {:.1?}", started.elapsed());
}

/// Starts an engine on the journal as the server does, and tells what this took.
fn measure(dir: &Path, held: u64) {
    // The server does this, too: huge pages would count the unused halves of small allocations.
    rustix::thread::disable_transparent_huge_pages(true).expect("Linux can");
    let empty = resident();
    let began = Instant::now();
    let starting = Starting::default();
    let (journal, recovered) = SqliteJournal::open(dir, starting.receipts()).expect("it opens");
    let read = began.elapsed();
    assert_eq!(recovered.conversations.len() as u64, held, "every chat is held");
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    actix::System::new().block_on(async {
        let (threads, _arbiters) = Threads::start(cores);
        let journal: Arc<dyn Journal> = Arc::new(journal);
        let engine = starting.start(Options::default(), threads, journal, recovered).await;
        let live = began.elapsed();
        assert_eq!(engine.live_conversations() as u64, held, "every chat is live");
        let view = engine.view(id(held / 2)).await.expect("it answers");
        assert!(view.customer.absence.is_some(), "and holds its customer");
        let bytes = (resident() - empty) / held;
        println!(
            "{held} held chats live in {:.2} s on {cores} threads ({:.2} s to read, {:.2} s to \
             start), {bytes} bytes resident for each",
            live.as_secs_f64(),
            read.as_secs_f64(),
            (live - read).as_secs_f64(),
        );
        // What a start writes later is not measured, and the next start needs the same journal.
        std::process::exit(0)
    });
}

fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("it is there");
    let kib: u64 = line.split_whitespace().nth(1).expect("a number").parse().expect("a number");
    kib * 1_024
}

fn history(chat: u64) -> Vec<Event> {
    let session = SessionId::from_bits(chat);
    let mut events = vec![
        Event::ConversationStarted(Opening {
            widget: "shop".parse().expect("an id"),
            workstream: "sales".parse().expect("an id"),
            queue: "sales".parse().expect("an id"),
            visitor: VisitorId::from_bits(u128::from(chat)),
            start: format!("start-{chat}").parse().expect("an id"),
            salt: 0,
            name: Some(DisplayName::parse("Maria").expect("a name")),
            form: None,
            context: None,
            page: Some("https://example.org/basket".into()),
            locale: Some("de-AT".into()),
            close_at: None,
        }),
        Event::SessionJoined { session, heartbeat: Span::from_secs(25), program: None },
    ];
    if !chat.is_multiple_of(10) {
        let name = DisplayName::parse("Ada").expect("a name");
        let agent = agent(chat / CHATS_EACH);
        let lease = Lease::new(agent, 1, Purpose::Chat, Span::from_secs(150));
        events.push(Event::ChatAccepted { by: None, lease, name, close_at: None });
    }
    let cause = Cause::Closed(1006);
    events.push(Event::SessionLost {
        session,
        cause,
        heard_at: BEGAN,
        there_until: BEGAN,
        evidence: Evidence::default(),
    });
    let until = BEGAN + Span::from_secs(3_600);
    events.push(Event::CustomerAway { since: BEGAN, until, cause });
    events
}

fn settings(held: u64) -> Vec<SettingChange> {
    let name = |text: &str| DisplayName::parse(text).expect("a name");
    let agents: Vec<_> = (0..=held / CHATS_EACH).map(agent).collect();
    let people = agents.iter().map(|id| {
        SettingChange::PutAgent(AgentSettings {
            id: id.clone(),
            name: name("Ada"),
            role: Role::Agent,
            units: u32::try_from(CHATS_EACH).expect("few"),
        })
    });
    let mut changes: Vec<_> = people.collect();
    let queue = QueueSettings { id: "sales".parse().expect("an id"), name: name("Sales"), agents };
    changes.push(SettingChange::PutQueue(queue));
    let mut workstream =
        Workstream::new("sales".parse().expect("an id"), "sales".parse().expect("an id"));
    workstream.window = Span::from_secs(24 * 3_600);
    changes.push(SettingChange::PutWorkstream(workstream));
    changes.push(SettingChange::PutWidget(WidgetSettings {
        id: "shop".parse().expect("an id"),
        workstream: "sales".parse().expect("an id"),
        origins: Vec::new(),
        admission: None,
    }));
    changes
}

fn agent(number: u64) -> AgentId {
    format!("agent-{number}").parse().expect("an id")
}

fn id(chat: u64) -> ConversationId {
    // The ids are spread over the shards, as minted ids are.
    let bits = u128::from(chat).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    ConversationId::from_bits(bits)
}
