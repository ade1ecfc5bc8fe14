//! An engine on one thread and a journal in memory, with a clock that jumps.

use std::sync::Arc;
use std::time::Duration;

use holdline::domain::agent::Presence;
use holdline::domain::conversation::State;
use holdline::domain::conversation::command::{Answer, Command, Refusal};
use holdline::domain::id::{AgentId, ConversationId};
use holdline::domain::settings::registry::SettingChange;
use holdline::domain::settings::{AgentSettings, QueueSettings, Role, WidgetSettings, Workstream};
use holdline::domain::text::DisplayName;
use holdline::domain::time::Span;
use holdline::engine::{Engine, Failure, Options, Starting, Threads};
use holdline::journal::memory::MemoryJournal;
use holdline::journal::{Journal, Recovered};

use crate::faulty::FaultyJournal;

/// An engine with its journal.
pub struct World {
    pub engine: Engine,
    pub memory: Arc<MemoryJournal>,
    pub faulty: Arc<FaultyJournal>,
}

/// Runs a test on one thread whose clock is paused.
pub fn run<F: Future<Output = ()>>(test: impl FnOnce() -> F) {
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all().start_paused(true).build().unwrap()
    };
    actix_rt::System::with_tokio_rt(runtime).block_on(test());
}

pub fn parsed<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

pub fn workstream() -> Workstream {
    Workstream::new(parsed("chat"), parsed("line"))
}

impl World {
    /// An engine with a widget `shop`, its workstream, a queue and an agent, `ada`, of three units.
    pub async fn new() -> Self {
        let starting = Starting::default();
        let memory = Arc::new(MemoryJournal::new(starting.receipts()));
        let world = Self::start(starting, memory, Recovered::default(), |_| ()).await;
        for change in settings() {
            world.engine.change(change).await.unwrap();
        }
        world
    }

    /// A new engine on what was durable in this one, as after a crash.
    pub async fn crash(self) -> Self {
        self.crash_into(|_| ()).await
    }

    /// The same, with a journal that is faulty from the beginning.
    pub async fn crash_into(self, fault: impl FnOnce(&Arc<FaultyJournal>)) -> Self {
        let starting = Starting::default();
        let (memory, recovered) = self.memory.restart(starting.receipts());
        Self::start(starting, Arc::new(memory), recovered, fault).await
    }

    async fn start(
        starting: Starting,
        memory: Arc<MemoryJournal>,
        recovered: Recovered,
        fault: impl FnOnce(&Arc<FaultyJournal>),
    ) -> Self {
        let faulty = Arc::new(FaultyJournal::new(memory.clone()));
        fault(&faulty);
        let journal: Arc<dyn Journal> = faulty.clone();
        let options = Options::default();
        let engine = starting.start(options, Threads::current(), journal, recovered).await;
        Self { engine, memory, faulty }
    }

    pub async fn set(&self, workstream: Workstream) {
        self.engine.change(SettingChange::PutWorkstream(workstream)).await.unwrap();
    }

    /// Opens a feed for Ada and makes her available.
    pub async fn ada_works(&self) -> holdline::engine::Feed {
        let feed = self.engine.open_feed(&ada(), None, false, Span::from_secs(15)).await.unwrap();
        self.engine.choose_presence(&ada(), Presence::Available).await.unwrap();
        feed
    }

    pub async fn ada_accepts(&self, id: ConversationId) {
        let name = DisplayName::parse("Ada").unwrap();
        self.ask(id, Command::Accept { by: None, agent: ada(), name }).await.unwrap();
    }

    pub async fn ask(&self, id: ConversationId, command: Command) -> Result<Answer, Failure> {
        self.engine.command(id, command).await
    }

    pub async fn state(&self, id: ConversationId) -> State {
        self.engine.view(id).await.unwrap().state
    }

    /// The units that Ada uses.
    pub async fn used(&self) -> u32 {
        self.engine.agent(&ada()).await.unwrap().used
    }

    /// Lets time pass, with everything that this brings.
    pub async fn pass(&self, millis: u64) {
        tokio::time::sleep(Duration::from_millis(millis)).await;
        settle().await;
    }
}

/// Lets every task do what it can do now.
pub async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

/// Waits until something holds; fails after a minute of the paused clock.
pub async fn until<F: Future<Output = bool>>(what: &str, holds: impl Fn() -> F) {
    for _ in 0..6_000 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("waited in vain until {what}");
}

pub fn ada() -> AgentId {
    parsed("ada")
}

pub fn refusal(answer: &Result<Answer, Failure>) -> Option<Refusal> {
    match answer {
        Err(Failure::Refused(refusal)) => Some(*refusal),
        Ok(_) | Err(_) => None,
    }
}

fn settings() -> Vec<SettingChange> {
    let mut workstream = workstream();
    workstream.window = Span::from_secs(60);
    vec![
        SettingChange::PutAgent(AgentSettings {
            id: ada(),
            name: DisplayName::parse("Ada").unwrap(),
            role: Role::Agent,
            units: 3,
        }),
        SettingChange::PutQueue(QueueSettings {
            id: parsed("line"),
            name: DisplayName::parse("Line").unwrap(),
            agents: vec![ada()],
        }),
        SettingChange::PutWorkstream(workstream),
        SettingChange::PutWidget(WidgetSettings {
            id: parsed("shop"),
            workstream: parsed("chat"),
            origins: vec!["*".into()],
            admission: None,
        }),
    ]
}
