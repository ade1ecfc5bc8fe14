//! What every actor may reach: the clock, the settings, the journal, the directory, the figures.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use arc_swap::ArcSwap;
use dashmap::DashMap;
use tokio::sync::Mutex;

use crate::behavior::agent::name_of_feed;
use crate::behavior::message::{Answered, Denial, RequestId};
use crate::clock::Clock;
use crate::domain::agent::{FeedNumber, Presence};
use crate::domain::id::{AgentId, ConversationId, History};
use crate::domain::settings::Workstream;
use crate::domain::settings::registry::Registry;
use crate::domain::time::Span;
use crate::engine::answers::Answers;
use crate::engine::audit::Gathering;
use crate::engine::keepsake::Keepsake;
use crate::engine::metrics::Metrics;
use crate::engine::post::Post;
use crate::engine::pressure;
use crate::engine::refusals::Refusals;
use crate::engine::threads::Threads;
use crate::engine::tokens::Tokens;
use crate::journal::Journal;

/// What every actor may reach. None of it is a conversation's state, an agent's or a queue's.
#[derive(Debug)]
pub(super) struct Shared {
    /// The clock.
    pub clock: Clock,
    /// The settings in force, replaced as a whole.
    pub settings: ArcSwap<Registry>,
    /// The disk.
    pub journal: Arc<dyn Journal>,
    /// How actors reach each other.
    pub post: Arc<dyn Post>,
    /// The requests that wait.
    pub answers: Arc<Answers>,
    /// Which thread is whose.
    pub threads: Threads,
    /// The figures.
    pub metrics: Metrics,
    /// What the log has told of refusals.
    pub refusals: Refusals,
    /// What the audit stream is still to be told.
    pub(super) gathering: Gathering,
    /// How often leases are repeated to agents, and asked for by them.
    pub audit_every: Span,
    /// Tells this run from earlier ones in the ids of feed events.
    pub run: u64,
    /// The journal's present history.
    pub(super) history: History,
    /// The settings of a conversation of which nothing is known.
    pub fallback_workstream: Arc<Workstream>,
    /// Whether the server is stopping, and takes nothing new.
    pub draining: AtomicBool,
    /// Requests that run.
    pub asking: AtomicUsize,
    /// The tokens of agents, as far as they are used.
    pub tokens: Tokens,
    /// Held while the settings change.
    pub changing: Mutex<()>,
    /// The presence that each agent chose last.
    pub presences: DashMap<AgentId, Presence>,
    /// What is kept for chats that wait for their first agent.
    pub keepsakes: DashMap<ConversationId, Keepsake>,
    /// The position of the journal up to which every feed has surely been told.
    pub told_through: AtomicU64,
    /// Whether the actor of any conversation has died.
    pub has_lost_actor: AtomicBool,
    /// How many feeds were opened.
    pub feeds_opened: AtomicU64,
    /// Bytes of events that wait for the consoles of all feeds.
    pub feeds_waiting: Arc<AtomicUsize>,
}

impl Shared {
    /// Whether people must wait because the disk cannot keep up. Each such answer is counted.
    pub(super) fn must_wait(&self) -> bool {
        let must_wait = pressure::refuses_people(&*self.journal);
        if must_wait {
            self.metrics.mailbox_refusals.inc();
        }
        must_wait
    }

    /// The number of a feed that is about to be opened, and what its console calls it.
    pub(super) fn next_feed(&self) -> (FeedNumber, Arc<str>) {
        let number = self.feeds_opened.fetch_add(1, Ordering::Relaxed) + 1;
        (number, name_of_feed(self.run, number))
    }

    /// Keeps something for a chat that is about to begin.
    pub(super) fn keep_while_waiting(&self, chat: ConversationId, keepsake: Keepsake) {
        self.keepsakes.insert(chat, keepsake);
    }

    /// Lets go of what was kept for a chat that waits no more, or did not begin.
    pub(super) fn let_go(&self, chat: ConversationId) {
        if !self.keepsakes.is_empty() {
            self.keepsakes.remove(&chat);
        }
    }

    /// Answers a request.
    pub(super) fn answer(&self, request: RequestId, answer: Result<Answered, Denial>) {
        self.answers.answer(request, answer);
    }

    /// Has the log tell how many refusals it left out, once their second is over.
    pub(super) fn settle_refusals(&self) {
        self.refusals.settle(self.clock.now());
    }

    /// Whether the server is stopping.
    pub(super) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}
