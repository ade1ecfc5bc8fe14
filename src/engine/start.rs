//! How the engine starts, from what the journal has, and how it stops.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use actix::{Actor, AsyncContext};
use arc_swap::ArcSwap;
use dashmap::DashMap;
use tokio::sync::{Mutex, oneshot};

use crate::behavior::message::{Closing, ToAgent, ToSession};
use crate::clock::Clock;
use crate::domain::conversation::Conversation;
use crate::domain::id::{QueueId, WorkstreamId};
use crate::domain::settings::Workstream;
use crate::domain::settings::registry::Registry;
use crate::domain::time::{Span, Timestamp};
use crate::engine::Engine;
use crate::engine::audit::Gathering;
use crate::engine::context::Context;
use crate::engine::conversation::ConversationActor;
use crate::engine::conversation::restart;
use crate::engine::directory::Directory;
use crate::engine::metrics::Metrics;
use crate::engine::receipts::Router;
use crate::engine::refusals::Refusals;
use crate::engine::shared::Shared;
use crate::engine::threads::Threads;
use crate::engine::tokens::Tokens;
use crate::journal::{Fault, Journal, Receipts, Recovered};

/// How the engine is run.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How often leases are checked between conversations and agents.
    pub audit_every: Span,
}

impl Default for Options {
    fn default() -> Self {
        Self { audit_every: Span::from_secs(60) }
    }
}

/// How often the keeper looks after everybody.
const KEEP_EVERY: Duration = Duration::from_secs(1);

/// An engine that is about to start: its journal can be opened with [`Starting::receipts`].
#[derive(Debug, Default)]
pub struct Starting {
    router: Arc<Router>,
}

impl Starting {
    /// Where the journal must send its receipts.
    pub fn receipts(&self) -> Arc<dyn Receipts> {
        self.router.clone()
    }

    /// Starts everything that the journal knows of: settings are in force, every conversation that
    /// is not closed is live again with its timers armed, when this returns. Must be called inside
    /// an actix system.
    pub async fn start(
        self,
        options: Options,
        threads: Threads,
        journal: Arc<dyn Journal>,
        recovered: Recovered,
    ) -> Engine {
        let Recovered { settings, presences, conversations, latest, history } = recovered;
        let clock = Clock::start(latest);
        // Whoever comes back is first told all of this, so no later event need point before it.
        let told_before = journal.head().0;
        let shared = Arc::new(Shared {
            clock,
            settings: ArcSwap::from_pointee(settings),
            journal,
            directory: Directory::with_room_for(conversations.len()),
            threads,
            metrics: Metrics::default(),
            refusals: Refusals::default(),
            gathering: Gathering::default(),
            audit_every: options.audit_every,
            run: run_number(clock.now()),
            history,
            fallback_workstream: Arc::new(fallback_workstream()),
            draining: AtomicBool::new(false),
            asking: AtomicUsize::new(0),
            told_through: AtomicU64::new(told_before),
            feeds_opened: AtomicU64::new(0),
            feeds_waiting: Arc::default(),
            tokens: Tokens::new(),
            changing: Mutex::new(()),
            keepsakes: DashMap::new(),
            presences: presences.into_iter().collect::<DashMap<_, _>>(),
        });
        self.router.open(shared.clone());
        let registry = shared.settings.load_full();
        // Nobody can come back before all of them are live.
        let counts_from = shared.clock.now() + restart::lasts(conversations.len() as u64);
        shared.follow_from(&Registry::default(), &registry, counts_from);
        open_all(&shared, conversations, counts_from).await;
        let keeping = shared.clone();
        Keeper::start_in_arbiter(&shared.threads.handle(0), move |_| Keeper {
            shared: keeping,
            earlier: told_before,
        });
        Engine { shared }
    }
}

/// Opens recovered conversations, each on its own thread, and returns when all are live.
async fn open_all(shared: &Arc<Shared>, conversations: Vec<Conversation>, counts_from: Timestamp) {
    let mut by_thread: Vec<Vec<Conversation>> = Vec::new();
    by_thread.resize_with(shared.threads.count(), Vec::new);
    for conversation in conversations {
        by_thread[shared.threads.number_of(conversation.id().shard())].push(conversation);
    }
    let threads = shared.threads.count() as u64;
    let mut opened = Vec::new();
    for (thread, conversations) in by_thread.into_iter().enumerate() {
        let (done, all_live) = oneshot::channel();
        let sharing = shared.clone();
        shared.threads.handle(thread).spawn_fn(move || {
            for (place, conversation) in conversations.into_iter().enumerate() {
                let (id, epoch) = (conversation.id(), sharing.directory.next_epoch());
                let turn = restart::turn(place as u64 * threads);
                let sharing = sharing.clone();
                let actor = ConversationActor::recovered(
                    sharing.clone(),
                    conversation,
                    epoch,
                    counts_from,
                    turn,
                );
                sharing.directory.enter_conversation(id, epoch, Context::start(actor));
            }
            // Spawned behind all of them, so it runs when each has stated its claims: nobody is
            // given work before it is known what they hold.
            actix::spawn(async move {
                // Whoever waited for this has stopped, and does not mind.
                let _nobody_waits = done.send(());
            });
        });
        opened.push(all_live);
    }
    for all_live in opened {
        // A thread that died has said so itself.
        let _died = all_live.await;
    }
}

impl Engine {
    /// Takes no new chats, asks every widget to come back later, waits until they are gone or
    /// `patience` is over, and returns when everything is on the disk.
    pub async fn drain(&self, patience: Duration) -> Result<(), Fault> {
        self.shared.draining.store(true, Ordering::Relaxed);
        for session in self.shared.directory.session_ids() {
            self.shared.directory.tell_session(session, ToSession::Close(Closing::Draining));
        }
        for agent in self.settings().agents.keys() {
            self.shared.directory.tell_agent(agent, ToAgent::EndFeeds);
        }
        let deadline = tokio::time::Instant::now() + patience;
        while self.shared.directory.live_sessions() > 0 && tokio::time::Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.shared.end_audit();
        self.shared.journal.flush().await
    }

    /// How many sessions there are.
    pub fn live_sessions(&self) -> usize {
        self.shared.directory.live_sessions()
    }

    /// The number of the engine's threads.
    pub fn thread_count(&self) -> usize {
        self.shared.threads.count()
    }

    /// How many conversations are live.
    pub fn live_conversations(&self) -> usize {
        self.shared.directory.live_conversations()
    }
}

/// Looks after everybody: starts again who has died, and moves the mark of what feeds were told.
#[derive(Debug)]
struct Keeper {
    shared: Arc<Shared>,
    /// The journal's head when it looked last.
    earlier: u64,
}

impl Actor for Keeper {
    type Context = actix::Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.run_interval(KEEP_EVERY, |keeper, _| {
            keeper.shared.revive();
            keeper.shared.settle_refusals();
            keeper.shared.settle_audit();
            // What was durable a whole round ago has long reached the agents' actors.
            keeper.shared.told_through.store(keeper.earlier, Ordering::Relaxed);
            keeper.earlier = keeper.shared.journal.head().0;
        });
    }
}

/// Later runs have other numbers, so that no feed takes one run's events for another's.
fn run_number(now: Timestamp) -> u64 {
    u64::try_from(now.as_millis()).unwrap_or(0)
}

fn fallback_workstream() -> Workstream {
    let workstream = "none".parse::<WorkstreamId>();
    let queue = "none".parse::<QueueId>();
    match (workstream, queue) {
        (Ok(workstream), Ok(queue)) => Workstream::new(workstream, queue),
        _ => unreachable!("`none` is a well-formed id"),
    }
}
