//! A journal that is tried, a record of what it tells, and chats that are driven by their own
//! rules.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use holdline::domain::cause::Cause;
use holdline::domain::conversation::Conversation;
use holdline::domain::conversation::command::{Authority, Command, StartRequest};
use holdline::domain::conversation::event::{Author, Event, Recorded};
use holdline::domain::id::{AgentId, ConversationId, Seq, SessionId, VisitorId};
use holdline::domain::settings::{CustomerLimits, Workstream};
use holdline::domain::text::{DisplayName, MessageText};
use holdline::domain::time::{Span, Timestamp};
use holdline::journal::memory::MemoryJournal;
use holdline::journal::sqlite::SqliteJournal;
use holdline::journal::{Append, Confirmed, Fault, Journal, Position, Receipts, Recovered, Ticket};
use tempfile::TempDir;

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a journal has told.
#[derive(Debug, Clone)]
pub enum Told {
    Durable(Vec<Confirmed>, Position),
    Failed(Vec<ConversationId>),
}

/// Keeps everything that a journal tells.
#[derive(Debug, Default)]
pub struct Ledger {
    told: Mutex<Vec<Told>>,
    more: Condvar,
}

impl Receipts for Ledger {
    fn durable(&self, confirmed: Vec<Confirmed>, position: Position) {
        self.told.lock().unwrap().push(Told::Durable(confirmed, position));
        self.more.notify_all();
    }

    fn failed(&self, conversations: Vec<ConversationId>, fault: Fault) {
        assert!(matches!(fault, Fault::Write(_) | Fault::Closed), "{fault}");
        self.told.lock().unwrap().push(Told::Failed(conversations));
        self.more.notify_all();
    }
}

impl Ledger {
    pub fn told(&self) -> Vec<Told> {
        self.told.lock().unwrap().clone()
    }

    /// Waits until the told things satisfy this.
    #[track_caller]
    pub fn wait(&self, satisfied: impl Fn(&[Told]) -> bool) {
        let told = self.told.lock().unwrap();
        let (told, timed_out) =
            self.more.wait_timeout_while(told, PATIENCE, |told| !satisfied(told)).unwrap();
        assert!(!timed_out.timed_out(), "waited in vain; told so far: {told:?}");
    }

    pub fn wait_for(&self, id: ConversationId, seq: Seq) {
        self.wait(|told| through(told, id) >= seq);
    }

    pub fn wait_for_failures(&self, id: ConversationId, count: usize) {
        self.wait(|told| failures(told, id) >= count);
    }

    pub fn failures(&self, id: ConversationId) -> usize {
        failures(&self.told(), id)
    }
}

fn through(told: &[Told], id: ConversationId) -> Seq {
    let confirmed = told.iter().flat_map(|told| match told {
        Told::Durable(confirmed, _) => confirmed.as_slice(),
        Told::Failed(..) => &[],
    });
    let of_it = confirmed.filter(|one| one.id == id);
    of_it.map(|one| one.receipt.through()).max().unwrap_or(Seq::ZERO)
}

fn failures(told: &[Told], id: ConversationId) -> usize {
    told.iter().filter(|told| matches!(told, Told::Failed(ids) if ids.contains(&id))).count()
}

/// Which journal is tried.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    Sqlite,
    Memory,
}

/// A journal that is tried, and can be opened again.
pub struct Trial {
    pub ledger: Arc<Ledger>,
    dir: TempDir,
    opened: Option<Opened>,
}

enum Opened {
    Sqlite(Box<SqliteJournal>),
    Memory(Box<MemoryJournal>),
}

impl Trial {
    pub fn new(kind: Kind) -> Self {
        let ledger = Arc::new(Ledger::default());
        let dir = tempfile::tempdir().unwrap();
        let receipts: Arc<dyn Receipts> = ledger.clone();
        let opened = match kind {
            Kind::Sqlite => {
                let (journal, recovered) = SqliteJournal::open(dir.path(), receipts).unwrap();
                assert!(recovered.conversations.is_empty());
                Opened::Sqlite(Box::new(journal))
            }
            Kind::Memory => Opened::Memory(Box::new(MemoryJournal::new(receipts))),
        };
        Self { ledger, dir, opened: Some(opened) }
    }

    pub fn journal(&self) -> &dyn Journal {
        match self.opened.as_ref().unwrap() {
            Opened::Sqlite(journal) => &**journal,
            Opened::Memory(journal) => &**journal,
        }
    }

    pub fn memory(&self) -> &MemoryJournal {
        match self.opened.as_ref().unwrap() {
            Opened::Memory(journal) => journal,
            Opened::Sqlite(_) => panic!("this trial is of the other journal"),
        }
    }

    pub fn dir(&self) -> &std::path::Path {
        self.dir.path()
    }

    /// Closes the journal, so that a test can do something to its files.
    pub fn close(&mut self) {
        if let Some(Opened::Sqlite(_)) = &self.opened {
            self.opened = None;
        }
    }

    /// Closes the journal and opens it again.
    pub fn reopen(&mut self) -> Recovered {
        self.ledger = Arc::new(Ledger::default());
        let receipts: Arc<dyn Receipts> = self.ledger.clone();
        let (opened, recovered) = match self.opened.take() {
            Some(Opened::Memory(journal)) => {
                let (journal, recovered) = journal.restart(receipts);
                (Opened::Memory(Box::new(journal)), recovered)
            }
            sqlite => {
                drop(sqlite);
                let (journal, recovered) = SqliteJournal::open(self.dir.path(), receipts).unwrap();
                (Opened::Sqlite(Box::new(journal)), recovered)
            }
        };
        self.opened = Some(opened);
        recovered
    }
}

/// A chat that is driven by its own rules, and what it has done.
#[derive(Clone)]
pub struct Chat {
    pub whole: Conversation,
    pub history: Vec<Recorded>,
    workstream: Workstream,
    now: Timestamp,
    posts: u32,
}

/// Some events that have not been appended.
pub struct Batch {
    pub id: ConversationId,
    pub first: Seq,
    pub at: Timestamp,
    pub events: Vec<Event>,
}

impl Batch {
    pub fn append(&self) -> Append {
        let Self { id, first, at, ref events } = *self;
        let events = events.as_slice().into();
        Append::Conversation { id, first, at, events, ticket: ticket(first) }
    }
}

/// The ticket of the append that begins at this place.
pub fn ticket(first: Seq) -> Ticket {
    Ticket(first.number())
}

pub fn agent(id: &str) -> AgentId {
    id.parse().unwrap()
}

pub fn id(number: u128) -> ConversationId {
    ConversationId::from_bits(number)
}

impl Chat {
    /// A chat that begins at this time in this queue.
    pub fn new(number: u128, queue: &str, at: i64) -> Self {
        let mut workstream = Workstream::new("default".parse().unwrap(), queue.parse().unwrap());
        // Trials of long chats are not about a customer's limits.
        workstream.customer_limits =
            CustomerLimits { messages: u32::MAX, bytes: u32::MAX, connections: u32::MAX };
        Self {
            whole: Conversation::new(id(number)),
            history: Vec::new(),
            workstream,
            now: Timestamp::from_millis(at),
            posts: 0,
        }
    }

    pub fn id(&self) -> ConversationId {
        self.whole.id()
    }

    pub fn pass(&mut self, span: Span) {
        self.now = self.now + span;
    }

    /// Decides and applies a command, and gives what is to be appended.
    pub fn go(&mut self, command: Command) -> Batch {
        self.now = self.now + Span::from_millis(7);
        let decision = self.whole.decide(command, self.now, &self.workstream).unwrap();
        assert!(!decision.events.is_empty(), "nothing happened");
        let pending = self.whole.commit(decision, self.now);
        let mut seq = pending.first();
        for event in pending.events() {
            self.history.push(Recorded { seq, at: pending.at(), event: event.clone() });
            seq = seq.next();
        }
        Batch {
            id: self.id(),
            first: pending.first(),
            at: pending.at(),
            events: pending.events().to_vec(),
        }
    }

    pub fn start(&mut self) -> Batch {
        self.go(Command::Start(StartRequest {
            widget: "demo".parse().unwrap(),
            visitor: VisitorId::from_bits(self.id().as_bits() ^ u128::MAX),
            start: "start".parse().unwrap(),
            salt: 0,
            name: Some(DisplayName::parse("Zoë \"Z\"").unwrap()),
            form: Some("{\"topic\": \"refund\"}".into()),
            context: None,
            page: Some("https://example.org/?a=1".into()),
            locale: Some("de".into()),
        }))
    }

    pub fn join(&mut self, session: u64) -> Batch {
        let session = SessionId::from_bits(session);
        let heartbeat = Span::from_secs(25);
        self.go(Command::Join { session, heartbeat, program: Some("test".into()) })
    }

    pub fn lose(&mut self, session: u64) -> Batch {
        let session = SessionId::from_bits(session);
        self.go(Command::Lose { session, cause: Cause::Closed(1006) })
    }

    pub fn post(&mut self, from: Author, text: &str) -> Batch {
        self.posts += 1;
        let id = format!("m-{}", self.posts).parse().unwrap();
        self.go(Command::Post { by: None, from, id, text: MessageText::parse(text).unwrap() })
    }

    pub fn offer(&mut self, to: &str) -> Batch {
        self.go(Command::Offer { agent: agent(to) })
    }

    pub fn accept(&mut self, by: &str) -> Batch {
        let name = DisplayName::parse("Ann").unwrap();
        self.go(Command::Accept { by: None, agent: agent(by), name })
    }

    pub fn end(&mut self, by: &str) -> Batch {
        self.go(Command::End { by: Authority::Agent(agent(by)) })
    }

    pub fn shut(&mut self, by: &str) -> Batch {
        self.go(Command::Close { by: Authority::Agent(agent(by)) })
    }

    /// A whole chat, from its start to its close, with a lost connection in between.
    pub fn whole_story(&mut self) -> Vec<Batch> {
        let mut story = vec![self.start(), self.join(1), self.post(Author::Customer, "Hello?")];
        story.push(self.offer("bob"));
        story.push(self.go(Command::Decline { by: None, agent: agent("bob") }));
        story.extend([self.offer("ann"), self.accept("ann")]);
        story.push(self.post(Author::Agent(agent("ann")), "Good morning 👋\n\"quoted\""));
        story.push(self.lose(1));
        self.pass(Span::from_secs(60));
        story.push(self.join(2));
        story.push(self.post(Author::Customer, "I am back"));
        story.push(self.lose(2));
        self.pass(Span::from_secs(181));
        story.push(self.go(Command::Wake));
        story.push(self.shut("ann"));
        story
    }
}

/// Waits for an answer.
pub fn block<T>(answer: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(PATIENCE, answer).await.expect("an answer") })
}

/// Appends all of this, and waits until it is durable.
pub fn settle(trial: &Trial, batches: impl IntoIterator<Item = Batch>) {
    for batch in batches {
        trial.journal().append(batch.append());
    }
    block(trial.journal().flush()).unwrap();
}

/// What happened, without what was said.
pub fn untold(history: &[Recorded]) -> Vec<Recorded> {
    let mut history = history.to_vec();
    for recorded in &mut history {
        if let Event::MessagePosted { text, .. } = &mut recorded.event {
            *text = MessageText::left_out();
        }
    }
    history
}
