//! How the engine starts, from what the journal has, and how it stops.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use actix::{Actor, AsyncContext};
use arc_swap::ArcSwap;
use dashmap::DashMap;
use tokio::sync::{Mutex, oneshot};

use crate::behavior::message::{Closing, ToAgent, ToSession};
use crate::clock::{self, Clock};
use crate::domain::conversation::Conversation;
use crate::domain::id::{QueueId, WorkstreamId};
use crate::domain::settings::Workstream;
use crate::domain::settings::registry::Registry;
use crate::domain::time::{Span, Timestamp};
use crate::engine::audit::Gathering;
use crate::engine::directory::Directory;
use crate::engine::mailbox::mailbox;
use crate::engine::metrics::Metrics;
use crate::engine::owner::Owner;
use crate::engine::post::Post as _;
use crate::engine::receipts::Router;
use crate::engine::refusals::Refusals;
use crate::engine::requests::Engine;
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

/// How many conversations write their restart in a second, if nothing makes them do it earlier. The
/// projection follows three times as fast, so no read waits for that.
const RESTARTS_WRITTEN_EACH_SECOND: u64 = 10_000;

/// How long the start, and customers who come back at once, have the disk for themselves.
const RESTARTS_WRITTEN_FROM: Span = Span::from_millis(500);

/// How long a start takes for each conversation, at most, in microseconds. Until all conversations
/// are live no customer can come back, so that time must not count against those that were live
/// first.
const STARTED_WITHIN: u64 = 8;

/// How long it takes until so many conversations are live.
const fn start_lasts(conversations: u64) -> Span {
    Span::from_millis(conversations * STARTED_WITHIN / 1_000)
}

/// How soon the conversation with this place among all writes its restart.
const fn restart_turn(place: u64) -> Span {
    let later = place * 1_000 / RESTARTS_WRITTEN_EACH_SECOND;
    Span::from_millis(RESTARTS_WRITTEN_FROM.as_millis() + later)
}

/// How often the keeper looks after the actors.
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

    /// Starts everything that the journal knows of. When this returns, the settings are in force,
    /// and every conversation that is not closed is live again with its timers armed. Must be
    /// called inside an actix system.
    pub async fn start(
        self,
        options: Options,
        threads: Threads,
        journal: Arc<dyn Journal>,
        recovered: Recovered,
    ) -> Engine {
        let Recovered { settings, presences, conversations, latest, history } = recovered;
        let clock = Clock::start(latest);
        // A feed that comes back is first told all of this, so no later event need point before it.
        let told_before = journal.head().0;
        let (owners, mailboxes): (Vec<_>, Vec<_>) =
            (0..threads.count()).map(|_| mailbox::<Owner>()).unzip();
        let (room, those) = (conversations.len(), threads.clone());
        let directory = Arc::new(Directory::with_room_for(room, clock, those, owners.clone()));
        let shared = Arc::new(Shared {
            clock,
            settings: ArcSwap::from_pointee(settings),
            journal,
            post: directory.clone(),
            answers: directory.answers.clone(),
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
            has_lost_actor: AtomicBool::new(false),
            feeds_opened: AtomicU64::new(0),
            feeds_waiting: Arc::default(),
            tokens: Tokens::new(),
            changing: Mutex::new(()),
            keepsakes: DashMap::new(),
            presences: presences.into_iter().collect::<DashMap<_, _>>(),
        });
        for (thread, mailbox) in mailboxes.into_iter().enumerate() {
            Owner::start(&shared.threads.handle(thread), shared.clone(), mailbox);
        }
        self.router.open(shared.clone(), owners);
        let engine = Engine::new(shared.clone(), directory);
        let registry = shared.settings.load_full();
        // No customer can come back before all conversations are live.
        let counts_from = shared.clock.now() + start_lasts(conversations.len() as u64);
        let anew = engine.follow_from(&Registry::default(), &registry, counts_from);
        engine.open_all(conversations, counts_from).await;
        engine.have_heard_at_start(anew).await;
        let keeping = engine.clone();
        Keeper::start_in_arbiter(&shared.threads.handle(0), move |_| Keeper {
            engine: keeping,
            earlier: told_before,
        });
        engine
    }
}

impl Engine {
    /// Opens recovered conversations, each on its own thread, and returns when all are live.
    async fn open_all(&self, conversations: Vec<Conversation>, counts_from: Timestamp) {
        let threads = &self.shared().threads;
        let mut by_thread: Vec<Vec<Conversation>> = Vec::new();
        by_thread.resize_with(threads.count(), Vec::new);
        for conversation in conversations {
            by_thread[threads.number_of(conversation.id().shard())].push(conversation);
        }
        let apart = threads.count() as u64;
        let mut opened = Vec::new();
        for (thread, conversations) in by_thread.into_iter().enumerate() {
            let (done, all_live) = oneshot::channel();
            let directory = self.directory().clone();
            self.directory().run_on(thread, move |thread| {
                for (place, conversation) in conversations.into_iter().enumerate() {
                    let turn = restart_turn(place as u64 * apart);
                    directory.enter_recovered(thread, conversation, counts_from, turn);
                }
                // Spawned behind all of them, so it runs when each has stated its claims: no agent
                // is given work before it is known what they hold.
                actix::spawn(async move {
                    // If nobody waits for this any more, nothing is lost.
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

    /// Takes no new chats, asks every widget to come back later, waits until they are gone or
    /// `patience` is over, and returns when everything is on the disk.
    pub async fn drain(&self, patience: Duration) -> Result<(), Fault> {
        let (shared, directory) = (self.shared(), self.directory());
        shared.draining.store(true, Ordering::Relaxed);
        for session in directory.session_ids() {
            directory.tell_session(session, ToSession::Close(Closing::Draining));
        }
        for agent in self.settings().agents.keys() {
            directory.tell_agent(agent, ToAgent::EndFeeds);
        }
        let deadline = clock::reading() + patience;
        while directory.live_sessions() > 0 && clock::reading() < deadline {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        shared.end_audit();
        shared.journal.flush().await
    }

    /// How many sessions there are.
    pub fn live_sessions(&self) -> usize {
        self.directory().live_sessions()
    }

    /// The number of the engine's threads.
    pub fn thread_count(&self) -> usize {
        self.shared().threads.count()
    }

    /// How many conversations are live.
    pub fn live_conversations(&self) -> usize {
        self.directory().live_conversations()
    }
}

/// Looks after the actors: starts dead ones again, and moves the mark of what feeds were told.
#[derive(Debug)]
struct Keeper {
    engine: Engine,
    /// The journal's head when it looked last.
    earlier: u64,
}

impl Actor for Keeper {
    type Context = actix::Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.run_interval(KEEP_EVERY, |keeper, _| {
            keeper.engine.revive();
            let shared = keeper.engine.shared();
            shared.settle_refusals();
            shared.settle_audit();
            // What was durable a whole round ago has long reached the agents' actors.
            shared.told_through.store(keeper.earlier, Ordering::Relaxed);
            keeper.earlier = shared.journal.head().0;
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
