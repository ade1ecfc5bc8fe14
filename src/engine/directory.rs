//! Who is where: the only thing that actors share.
//!
//! Callers hold ids. A conversation that nobody has asked for lately is opened from the journal
//! when somebody does; one whose mailbox has closed is forgotten and opened again. There is at most
//! one live actor for an id, because an actor enters here before it is told anything.

mod heard;
mod pulses;
mod staff;
pub(super) mod visitors;

use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use actix::dev::ToEnvelope;
use actix::{Actor, Addr, Handler, Message, Recipient, WeakAddr};
use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use foldhash::fast::RandomState;

use crate::engine::directory::heard::Revision;
pub(super) use crate::engine::directory::visitors::Claim;

use crate::behavior::message::{RequestId, ToConversation, ToSession};
use crate::domain::id::{AgentId, ConversationId, QueueId, SessionId, VisitorId, WidgetId};
use crate::domain::time::{Span, Timestamp};
use crate::engine::agent::AgentActor;
use crate::engine::answers::{Answers, Question};
use crate::engine::context::Context;
use crate::engine::conversation::ConversationActor;
use crate::engine::pulse::Pulse;
use crate::engine::queue::QueueActor;
use crate::engine::shared::Shared;
use crate::limits;

/// A map that many threads use. Ids are hashed at every message, so the hash is a fast one; it is
/// seeded anew in every process.
type Map<K, V> = DashMap<K, V, RandomState>;

/// The addresses of everybody who is live.
#[derive(Debug)]
pub(super) struct Directory {
    conversations: Map<ConversationId, Live>,
    agents: Map<AgentId, AgentEntry>,
    heard: Revision,
    queues: Map<QueueId, QueueEntry>,
    sessions: Map<SessionId, SessionEntry>,
    visitors: Map<(WidgetId, VisitorId), ConversationId>,
    /// How often each conversation was opened again after its actor had died, since when.
    reopened: Map<ConversationId, (u32, Timestamp)>,
    /// The requests that wait.
    pub(super) answers: Arc<Answers>,
    /// Told apart by this, a late farewell of an earlier actor does not remove the present one.
    epochs: AtomicU32,
}

#[derive(Debug)]
struct Live {
    /// A weak one, because a strong one takes 100 bytes more; made strong to send.
    address: WeakAddr<ConversationActor>,
    epoch: u32,
}

#[derive(Debug)]
struct AgentEntry {
    address: Addr<AgentActor>,
    /// Whether any console has ever listened to them in this run.
    is_heard: bool,
}

#[derive(Debug)]
struct QueueEntry {
    address: Addr<QueueActor>,
    waiting: Arc<AtomicUsize>,
}

#[derive(Debug)]
struct SessionEntry {
    address: Recipient<ToSession>,
    outbox: Arc<dyn Outbox>,
    /// Its signs of life, once it has entered a conversation.
    pulse: Option<Arc<Pulse>>,
}

/// How long a conversation that has died too often is left alone.
const REOPEN_LATER: std::time::Duration = std::time::Duration::from_secs(60);

/// How much is on its way to a socket.
pub trait Outbox: std::fmt::Debug + Send + Sync {
    /// Takes room for one frame of this many bytes; false when there is none.
    fn take(&self, bytes: usize) -> bool;

    /// Whether there is room for a page of missed messages.
    fn has_room_for_page(&self) -> bool;
}

/// What has become of something that was to be told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Delivery {
    /// It is on its way.
    Sent,
    /// Nobody is there.
    Nobody,
    /// There is no room for it.
    Full,
}

impl Directory {
    /// Room for so many conversations from the beginning; more find room as they come.
    pub(super) fn with_room_for(conversations: usize) -> Self {
        Self {
            conversations: map(conversations, limits::SHARDS),
            agents: map(0, 64),
            heard: Revision::new(),
            queues: map(0, 16),
            sessions: map(0, limits::SHARDS),
            visitors: map(conversations, limits::SHARDS),
            reopened: map(0, 16),
            answers: Arc::default(),
            epochs: AtomicU32::new(1),
        }
    }

    /// A number for an actor that is about to enter.
    pub(super) fn next_epoch(&self) -> u32 {
        self.epochs.fetch_add(1, Ordering::Relaxed)
    }

    /// A conversation's actor enters. It must not be there already.
    pub(super) fn enter_conversation(
        &self,
        id: ConversationId,
        epoch: u32,
        address: WeakAddr<ConversationActor>,
    ) {
        self.conversations.insert(id, Live { address, epoch });
    }

    /// Enters a conversation that was never there: nothing is read for it. Gives its epoch, with
    /// which it can leave again if it never begins.
    pub(super) fn enter_new(&self, shared: &Arc<Shared>, id: ConversationId) -> u32 {
        let arbiter = shared.threads.of_shard(id.shard());
        let epoch = self.next_epoch();
        let sharing = shared.clone();
        let address =
            Context::start_on(&arbiter, move || ConversationActor::entered(sharing, id, epoch));
        self.enter_conversation(id, epoch, address.downgrade());
        epoch
    }

    /// A conversation that was entered as new and never began leaves again.
    pub(super) fn leave_unused(&self, id: ConversationId, epoch: u32) {
        self.tell_live(id, ToConversation::NeverBegins);
        self.leave_conversation(id, epoch);
    }

    /// A conversation's actor leaves, unless another has taken its place.
    pub(super) fn leave_conversation(&self, id: ConversationId, epoch: u32) {
        self.conversations.remove_if(&id, |_, live| live.epoch == epoch);
    }

    fn live(&self, id: ConversationId) -> Option<Addr<ConversationActor>> {
        self.conversations.get(&id)?.address()
    }

    /// Tells a conversation something, if it is live.
    pub(super) fn tell_live(&self, id: ConversationId, message: ToConversation) -> Delivery {
        let request = message.request();
        let Some(live) = self.live(id) else { return self.undelivered(request) };
        self.put(&live, message, request);
        Delivery::Sent
    }

    /// Denies what cannot be asked.
    fn undelivered(&self, request: Option<RequestId>) -> Delivery {
        if let Some(request) = request {
            self.answers.deny(request);
        }
        Delivery::Nobody
    }

    fn put<A, M>(&self, address: &Addr<A>, message: M, request: Option<RequestId>)
    where
        A: Actor + Handler<M> + Handler<Question<M>>,
        M: Message<Result = ()> + Send + 'static,
        A::Context: ToEnvelope<A, M> + ToEnvelope<A, Question<M>>,
    {
        match request {
            Some(request) => send(address, Question::new(message, request, &self.answers)),
            None => send(address, message),
        }
    }

    /// Tells a conversation something; opens it from the journal if it is not live.
    pub(super) fn tell(
        &self,
        shared: &Arc<Shared>,
        id: ConversationId,
        message: ToConversation,
    ) -> Delivery {
        match self.conversations.entry(id) {
            Entry::Occupied(mut entry) => {
                if let Some(address) = entry.get().address() {
                    let request = message.request();
                    self.put(&address, message, request);
                } else if self.may_reopen(id, shared.clock.now()) {
                    entry.insert(self.open(shared, id, message));
                } else {
                    self.undelivered(message.request());
                    return Delivery::Full;
                }
                Delivery::Sent
            }
            Entry::Vacant(vacant) => {
                vacant.insert(self.open(shared, id, message));
                Delivery::Sent
            }
        }
    }

    /// Opens a conversation, and tells it the first thing.
    fn open(&self, shared: &Arc<Shared>, id: ConversationId, message: ToConversation) -> Live {
        let (epoch, arbiter) = (self.next_epoch(), shared.threads.of_shard(id.shard()));
        let shared = shared.clone();
        let address =
            Context::start_on(&arbiter, move || ConversationActor::opening(shared, id, epoch));
        let request = message.request();
        self.put(&address, message, request);
        Live { address: address.downgrade(), epoch }
    }

    /// Opens a conversation whose actor has died. One that dies again and again has to wait until
    /// the minute is over.
    pub(super) fn reopen(&self, shared: &Arc<Shared>, id: ConversationId) {
        if self.may_reopen(id, shared.clock.now()) {
            self.tell(shared, id, ToConversation::StateClaims(None));
            return;
        }
        let shared = shared.clone();
        actix::spawn(async move {
            tokio::time::sleep(REOPEN_LATER).await;
            shared.directory.tell(&shared, id, ToConversation::StateClaims(None));
        });
    }

    /// How many conversations are live.
    pub(super) fn live_conversations(&self) -> usize {
        self.conversations.len()
    }

    /// Every live conversation's id, collected first so that nothing is held while it is used.
    pub(super) fn conversation_ids(&self) -> Vec<ConversationId> {
        self.conversations.iter().map(|entry| *entry.key()).collect()
    }

    /// A session enters.
    pub(super) fn enter_session(
        &self,
        id: SessionId,
        address: Recipient<ToSession>,
        outbox: Arc<dyn Outbox>,
    ) {
        self.sessions.insert(id, SessionEntry { address, outbox, pulse: None });
    }

    /// A session leaves.
    pub(super) fn leave_session(&self, id: SessionId) {
        self.sessions.remove(&id);
    }

    /// Tells a session something. A frame for which its socket has no room is not sent: the
    /// session must then be closed, and its widget resumes.
    pub(super) fn tell_session(&self, id: SessionId, message: ToSession) -> Delivery {
        let Some(entry) = self.sessions.get(&id) else { return Delivery::Nobody };
        if !entry.address.connected() {
            return Delivery::Nobody;
        }
        if let ToSession::Frame { text, .. } = &message
            && !entry.outbox.take(text.len())
        {
            return Delivery::Full;
        }
        deliver(&entry.address, message);
        Delivery::Sent
    }

    /// Whether a session's socket has room for a page of missed messages.
    pub(super) fn has_room_for_page(&self, id: SessionId) -> bool {
        self.sessions.get(&id).is_some_and(|entry| entry.outbox.has_room_for_page())
    }

    /// Every session's id.
    pub(super) fn session_ids(&self) -> Vec<SessionId> {
        self.sessions.iter().map(|entry| *entry.key()).collect()
    }

    /// How many sessions there are.
    pub(super) fn live_sessions(&self) -> usize {
        self.sessions.len()
    }

    fn may_reopen(&self, id: ConversationId, now: Timestamp) -> bool {
        let mut entry = self.reopened.entry(id).or_insert((0, now));
        let (count, since) = entry.value_mut();
        if now.since(*since) > Span::from_secs(60) {
            (*count, *since) = (0, now);
        }
        *count = count.saturating_add(1);
        *count <= limits::REOPENINGS_MAX
    }
}

impl Live {
    /// The address of its actor, if it lives.
    fn address(&self) -> Option<Addr<ConversationActor>> {
        self.address.upgrade().filter(Addr::connected)
    }
}

/// Sends to a session, whose outbox has taken the frame if it is one.
#[expect(clippy::disallowed_methods, reason = "the outbox bounds what is sent")]
fn deliver(address: &Recipient<ToSession>, message: ToSession) {
    address.do_send(message);
}

/// Sends without a bound on the mailbox: actix's own bound does not hold, so what may be sent is
/// bounded where it comes from (see `limits`): a session by its unanswered frames, a request by the
/// count of those that run, an actor by the state it tells of.
#[expect(clippy::disallowed_methods, reason = "bounded where it comes from, as said above")]
pub(super) fn send<A, M>(address: &Addr<A>, message: M)
where
    A: Actor + Handler<M>,
    M: Message<Result = ()> + Send + 'static,
    A::Context: ToEnvelope<A, M>,
{
    address.do_send(message);
}

fn map<K: Eq + Hash, V>(capacity: usize, shards: usize) -> Map<K, V> {
    DashMap::with_capacity_and_hasher_and_shard_amount(capacity, RandomState::default(), shards)
}
