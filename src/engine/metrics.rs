//! The figures of a running engine, in Prometheus' form. Each is an atomic number that an actor
//! holds; none is labelled by anything that grows with the number of chats.

mod stripes;

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::domain::cause::{Cause, Leaving, Misuse};
use crate::domain::conversation::State;
use crate::domain::conversation::event::Reason;
use crate::engine::metrics::stripes::{Count, Level, Spread};

/// The figures.
#[derive(Debug)]
pub(super) struct Metrics {
    registry: Registry,
    /// Sockets that are open.
    pub sessions: Gauge,
    conversations: Family<StateLabel, Level>,
    /// The same, one for each state, because finding one by its label takes a lock and a hash.
    in_states: [Level; State::ALL.len()],
    away: Level,
    losses: Family<CauseLabel, Count>,
    expiries: Family<CauseLabel, Count>,
    /// The same by their names, for the same reason.
    expiries_by: [(&'static str, Count); CAUSES.len()],
    closes: Family<ReasonLabel, Count>,
    /// The same, in the order of [`Reason::ALL`].
    closes_by: [Count; Reason::ALL.len()],
    /// Conversations that have begun.
    pub started: Counter,
    /// Messages that were posted and are durable.
    pub posted: Count,
    /// Sessions that were asked for a sign of life.
    pub probes: Counter,
    /// Sockets that were closed because they read too slowly.
    pub slow_readers: Counter,
    /// Feeds that were ended because they were read too slowly.
    pub slow_feeds: Counter,
    /// Feeds that were ended because their console had stopped beating.
    pub hung_feeds: Counter,
    /// Frames that were refused.
    pub refused_frames: Counter,
    refusals: Family<RefusalLabel, Counter>,
    /// Sockets that changed to the thread of their conversation.
    pub moved_sockets: Counter,
    /// Connections that were turned away because no descriptor was left.
    pub turned_away: Counter,
    /// Leases that are held.
    pub leases: Gauge,
    /// Leases that an agent knew otherwise than the conversation, and that were put right.
    pub drift: Counter,
    /// By how much times are ahead of the wall clock, in milliseconds.
    pub clock_ahead_ms: Gauge,
    /// Leases that conversations repeated, so that an agent who knows otherwise is corrected.
    pub leases_audited: Counter,
    /// What was not taken because something was full.
    pub mailbox_refusals: Counter,
    /// Actors that had died and were opened again.
    pub reopened: Counter,
    /// How late the windows' ends were, in seconds.
    pub lateness: Spread,
    /// How long appends took to become durable, in seconds.
    pub journal_latency: Spread,
    /// The position of the journal.
    pub journal_position: Gauge<u64, AtomicU64>,
    /// Appends that wait for the disk.
    pub journal_waiting: Gauge,
    /// Events that are durable and cannot be read yet.
    pub journal_lag: Gauge,
    /// Conversations that the retention has archived.
    pub archived: Counter,
    /// Conversations that the retention has deleted.
    pub deleted: Counter,
    /// Conversations that were erased.
    pub erased: Counter,
    /// Whether the files may still hold something of what was taken out: 1 or 0.
    pub traces: Gauge,
}

/// One of each kind.
const CAUSES: [Cause; 8] = [
    Cause::Left(Leaving::Hidden),
    Cause::Closed(1000),
    Cause::Reset,
    Cause::Silent,
    Cause::Replaced,
    Cause::Draining,
    Cause::Restarted,
    Cause::Refused(Misuse::Protocol),
];

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct StateLabel {
    state: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct CauseLabel {
    cause: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct ReasonLabel {
    reason: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct RefusalLabel {
    face: &'static str,
    code: &'static str,
}

impl Default for Metrics {
    fn default() -> Self {
        let conversations = Family::<StateLabel, Level>::default();
        let gauge_of =
            |state: State| conversations.get_or_create(&StateLabel { state: state.name() }).clone();
        let in_states = State::ALL.map(gauge_of);
        let expiries = Family::<CauseLabel, Count>::default();
        let expiries_by = CAUSES.map(|cause| {
            let cause = cause.name();
            (cause, expiries.get_or_create(&CauseLabel { cause }).clone())
        });
        let closes = Family::<ReasonLabel, Count>::default();
        let closes_by = Reason::ALL
            .map(|reason| closes.get_or_create(&ReasonLabel { reason: reason.name() }).clone());
        let mut metrics = Self {
            in_states,
            expiries_by,
            closes_by,
            registry: Registry::with_prefix("holdline"),
            sessions: Gauge::default(),
            conversations,
            away: Level::default(),
            losses: Family::default(),
            expiries,
            closes,
            started: Counter::default(),
            posted: Count::default(),
            probes: Counter::default(),
            slow_readers: Counter::default(),
            slow_feeds: Counter::default(),
            hung_feeds: Counter::default(),
            refused_frames: Counter::default(),
            refusals: Family::default(),
            moved_sockets: Counter::default(),
            turned_away: Counter::default(),
            leases: Gauge::default(),
            drift: Counter::default(),
            leases_audited: Counter::default(),
            clock_ahead_ms: Gauge::default(),
            mailbox_refusals: Counter::default(),
            reopened: Counter::default(),
            lateness: Spread::default(),
            journal_latency: Spread::default(),
            journal_position: Gauge::default(),
            journal_waiting: Gauge::default(),
            journal_lag: Gauge::default(),
            archived: Counter::default(),
            deleted: Counter::default(),
            erased: Counter::default(),
            traces: Gauge::default(),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register("sessions", "Sockets that are open", self.sessions.clone());
        registry.register(
            "conversations",
            "Conversations that are not closed, by state",
            self.conversations.clone(),
        );
        registry.register("away", "Customers of live chats who are away", self.away.clone());
        registry.register("losses", "Sessions that were lost, by cause", self.losses.clone());
        registry.register(
            "expiries",
            "Windows that ended with the customer away, by the cause of the loss",
            self.expiries.clone(),
        );
        registry.register("closes", "Conversations that closed, by reason", self.closes.clone());
        registry.register("started", "Conversations that began", self.started.clone());
        registry.register("posted", "Messages that are durable", self.posted.clone());
        registry.register("probes", "Sessions asked for a sign of life", self.probes.clone());
        registry.register("slow_readers", "Sockets closed as slow", self.slow_readers.clone());
        registry.register("slow_feeds", "Feeds ended as slow", self.slow_feeds.clone());
        registry.register("hung_feeds", "Feeds ended as hung", self.hung_feeds.clone());
        registry.register("refused_frames", "Frames refused", self.refused_frames.clone());
        registry.register("leases", "Leases that are held", self.leases.clone());
        registry.register("drift", "Leases found wrong and put right", self.drift.clone());
        registry.register(
            "clock_ahead_milliseconds",
            "By how much times are ahead of the wall clock",
            self.clock_ahead_ms.clone(),
        );
        registry.register(
            "leases_audited",
            "Leases that their conversations repeated to be compared",
            self.leases_audited.clone(),
        );
        registry.register(
            "mailbox_refusals",
            "Requests and messages not taken because something was full",
            self.mailbox_refusals.clone(),
        );
        registry.register(
            "reopened",
            "Actors that died and were opened again",
            self.reopened.clone(),
        );
        registry.register(
            "expiry_lateness_seconds",
            "How late the ends of windows were",
            self.lateness.clone(),
        );
        registry.register(
            "journal_latency_seconds",
            "How long appends took to become durable",
            self.journal_latency.clone(),
        );
        registry.register(
            "journal_position",
            "The last durable position",
            self.journal_position.clone(),
        );
        registry.register("journal_waiting", "Appends that wait", self.journal_waiting.clone());
        self.register_sockets();
        self.register_storage();
    }

    /// Counts that something was refused, by where it was and the code that was given.
    pub(super) fn refused(&self, face: &'static str, code: &'static str) {
        self.refusals.get_or_create(&RefusalLabel { face, code }).inc();
    }

    fn register_sockets(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "refusals",
            "What was refused, by where it was and the code that was given",
            self.refusals.clone(),
        );
        registry.register(
            "moved_sockets",
            "Sockets that changed to the thread of their conversation",
            self.moved_sockets.clone(),
        );
        registry.register(
            "turned_away",
            "Connections closed at once because no descriptor was left",
            self.turned_away.clone(),
        );
    }

    fn register_storage(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "journal_lag",
            "Events that are durable and not yet in chats.db",
            self.journal_lag.clone(),
        );
        registry.register(
            "retention_archived",
            "Closed conversations moved to archive.db",
            self.archived.clone(),
        );
        registry.register(
            "retention_deleted",
            "Closed conversations deleted",
            self.deleted.clone(),
        );
        registry.register("erased", "Closed conversations erased", self.erased.clone());
        registry.register(
            "deleted_words_left",
            "1 while the files may still hold words of chats that were deleted, else 0",
            self.traces.clone(),
        );
    }

    /// A conversation went from one state to another; `None` stands for new and closed.
    pub(super) fn recount(&self, before: Option<State>, after: Option<State>) {
        if before == after {
            return;
        }
        if let Some(state) = before {
            self.in_states[place_of(state)].dec();
        }
        if let Some(state) = after {
            self.in_states[place_of(state)].inc();
        }
    }

    /// A customer went away or came back.
    pub(super) fn recount_away(&self, before: bool, after: bool) {
        match (before, after) {
            (false, true) => drop(self.away.inc()),
            (true, false) => drop(self.away.dec()),
            (true, true) | (false, false) => {}
        }
    }

    /// A session was lost.
    pub(super) fn lost(&self, cause: Cause) {
        self.losses.get_or_create(&CauseLabel { cause: cause.name() }).inc();
    }

    /// A window ended.
    pub(super) fn expired(&self, cause: Cause) {
        let cause = cause.name();
        match self.expiries_by.iter().find(|(name, _)| *name == cause) {
            Some((_, count)) => drop(count.inc()),
            None => drop(self.expiries.get_or_create(&CauseLabel { cause }).inc()),
        }
    }

    /// A conversation closed.
    pub(super) fn closed(&self, reason: Reason) {
        let place = Reason::ALL.iter().position(|other| *other == reason);
        if let Some(count) = place.and_then(|place| self.closes_by.get(place)) {
            count.inc();
        }
    }

    /// How many conversations are in a state.
    pub(super) fn in_state(&self, state: State) -> u64 {
        let gauge = self.conversations.get_or_create(&StateLabel { state: state.name() });
        u64::try_from(gauge.get()).unwrap_or(0)
    }

    /// How many customers are away.
    pub(super) fn are_away(&self) -> u64 {
        u64::try_from(self.away.get()).unwrap_or(0)
    }

    /// All of it as text.
    pub(super) fn render(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _written = encode(&mut text, &self.registry);
        text
    }
}

/// The place of a state in [`State::ALL`].
const fn place_of(state: State) -> usize {
    match state {
        State::Open => 0,
        State::Active => 1,
        State::Waiting => 2,
        State::Wrapup => 3,
        State::Closed => 4,
    }
}
