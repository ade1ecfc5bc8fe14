//! Chats of the past, made by the real machine, and a data directory that holds them.

use std::path::Path;
use std::process::{Command as Process, Output};
use std::sync::{Arc, Condvar, Mutex};

use holdline::domain::cause::Cause;
use holdline::domain::conversation::Conversation;
use holdline::domain::conversation::command::{Command, StartRequest};
use holdline::domain::conversation::event::Recorded;
use holdline::domain::id::{AgentId, ConversationId, Seq, SessionId, VisitorId};
use holdline::domain::settings::Workstream;
use holdline::domain::text::DisplayName;
use holdline::domain::time::{Span, Timestamp};
use holdline::journal::sqlite::SqliteJournal;
use holdline::journal::{Append, Confirmed, Fault, Log as _, Position, Receipts, Ticket};

/// 2026-03-01T14:00:00Z.
pub const BEGAN: Timestamp = Timestamp::from_millis(1_772_373_600_000);

/// One chat of the past.
pub struct Past {
    pub conversation: Conversation,
    pub history: Vec<Recorded>,
    pub workstream: Workstream,
}

impl Past {
    /// A chat that a visitor asked for at this time; the visitor has a session in it.
    pub fn began(number: u128, visitor: u128, window: Span, at: Timestamp) -> Self {
        let mut workstream = Workstream::new("sales".parse().unwrap(), "line".parse().unwrap());
        workstream.window = window;
        let conversation = Conversation::new(ConversationId::from_bits(number));
        let mut past = Self { conversation, history: Vec::new(), workstream };
        let request = StartRequest {
            widget: "shop".parse().unwrap(),
            visitor: VisitorId::from_bits(visitor),
            start: format!("s-{number}").parse().unwrap(),
            salt: 0,
            name: Some(DisplayName::parse("Maria").unwrap()),
            form: None,
            context: None,
            page: None,
            locale: None,
        };
        past.ask(Command::Start(request), at);
        past.joins(1, at);
        past
    }

    pub fn id(&self) -> ConversationId {
        self.conversation.id()
    }

    /// Asks the machine, which must not refuse.
    pub fn ask(&mut self, command: Command, at: Timestamp) {
        let decision = self.conversation.decide(command, at, &self.workstream).unwrap();
        for event in decision.events {
            self.conversation.apply(&event, at);
            self.history.push(Recorded { seq: self.conversation.seq(), at, event });
        }
    }

    pub fn joins(&mut self, session: u64, at: Timestamp) {
        self.joins_with(session, "Mozilla/5.0 (X11) Firefox/140.0", at);
    }

    pub fn joins_with(&mut self, session: u64, program: &str, at: Timestamp) {
        let heartbeat = self.workstream.heartbeat;
        let program = Some(program.into());
        let session = SessionId::from_bits(session);
        self.ask(Command::Join { session, heartbeat, program }, at);
    }

    pub fn loses(&mut self, session: u64, cause: Cause, at: Timestamp) {
        self.ask(Command::Lose { session: SessionId::from_bits(session), cause }, at);
    }

    pub fn is_taken(&mut self, at: Timestamp) {
        let name = DisplayName::parse("Ada").unwrap();
        self.ask(Command::Accept { by: None, agent: ada(), name }, at);
    }

    /// Serves every timer that is due by this time, each at the timer's own moment.
    pub fn wait(&mut self, until: Timestamp) {
        while let Some(due) = self.conversation.wake_at().filter(|due| *due <= until) {
            let before = self.history.len();
            // No session answers a question.
            let _asked = self.conversation.ask_quiet(due);
            self.ask(Command::Wake, due);
            assert!(
                self.history.len() > before || self.conversation.wake_at() != Some(due),
                "a wake does something"
            );
        }
    }
}

pub fn ada() -> AgentId {
    "ada".parse().unwrap()
}

pub fn after(millis: u64) -> Timestamp {
    BEGAN + Span::from_millis(millis)
}

/// Counts what has become durable.
#[derive(Debug, Default)]
struct Counter {
    position: Mutex<u64>,
    moved: Condvar,
}

impl Receipts for Counter {
    fn durable(&self, _: Vec<Confirmed>, position: Position) {
        *self.position.lock().unwrap() = position.0;
        self.moved.notify_all();
    }

    fn failed(&self, _: Vec<ConversationId>, fault: Fault) {
        panic!("the disk must work: {fault}");
    }
}

/// Receipts that nobody waits for.
pub fn receipts() -> Arc<dyn Receipts> {
    Arc::new(Counter::default())
}

/// Writes these chats into a data directory, ordered by time, as a server writes them.
pub fn store<'a>(dir: &Path, chats: impl IntoIterator<Item = &'a Past>) {
    let counter = Arc::new(Counter::default());
    let (journal, _) = SqliteJournal::open(dir, Arc::<Counter>::clone(&counter)).unwrap();
    let chats = chats.into_iter().map(|past| (past.id(), &past.history));
    let mut all: Vec<_> =
        chats.flat_map(|(id, history)| history.iter().map(move |one| (one.at, id, one))).collect();
    // The sort is stable, so that the events of one chat keep their order.
    all.sort_by_key(|(at, _, _)| *at);
    let appended = all.len() as u64;
    for (at, id, Recorded { seq, event, .. }) in all {
        let first = Seq::new(seq.number());
        journal.append(Append::Conversation {
            id,
            first,
            at,
            events: [event.clone()].into(),
            ticket: Ticket::default(),
        });
    }
    let reached = counter.position.lock().unwrap();
    drop(counter.moved.wait_while(reached, |reached| *reached < appended).unwrap());
    journal.close();
}

/// Runs the binary, and gives its output.
pub fn holdline(arguments: &[&str], dir: &Path) -> Output {
    let mut process = Process::new(env!("CARGO_BIN_EXE_holdline"));
    process.env_clear().args(arguments).arg("--data").arg(dir).output().unwrap()
}

/// What the binary says when it succeeds.
pub fn told(arguments: &[&str], dir: &Path) -> String {
    let output = holdline(arguments, dir);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {complaint}");
    String::from_utf8(output.stdout).unwrap()
}
