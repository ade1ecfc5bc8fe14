//! Who is where: the only thing that actors share.
//!
//! Callers hold ids. A conversation that is not live is opened from the journal when somebody asks
//! for it. A conversation whose mailbox has closed is forgotten and opened again. There is at most
//! one live actor for an id, because an actor enters here before it is told anything.

mod post;
mod staff;

use std::hash::Hash;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};

use actix::dev::ToEnvelope;
use actix::{Actor, Addr, Handler, Message, Recipient, WeakAddr};
use dashmap::DashMap;
use foldhash::fast::RandomState;

use crate::behavior::conversation::Input;
use crate::behavior::message::{Heard, RequestId, ToConversation, ToSession};
use crate::clock::Clock;
use crate::domain::conversation::Conversation;
use crate::domain::id::{AgentId, ConversationId, QueueId, SessionId, VisitorId, WidgetId};
use crate::domain::time::{Span, Timestamp};
use crate::engine::agent::AgentActor;
use crate::engine::answers::{Answers, Question};
use crate::engine::conversation::ConversationActor;
use crate::engine::mailbox::mailbox;
use crate::engine::owner::{Owner, Run};
use crate::engine::post::{Delivery, Post};
use crate::engine::pulse::Pulse;
use crate::engine::queue::QueueActor;
use crate::engine::thread::Thread;
use crate::engine::threads::Threads;
use crate::limits;

/// A map that many threads use. Ids are hashed at every message, so the hash is a fast one; it is
/// seeded anew in every process.
type Map<K, V> = DashMap<K, V, RandomState>;

/// The addresses of all live actors.
#[derive(Debug)]
pub(super) struct Directory {
    clock: Clock,
    threads: Threads,
    /// The owner of each thread.
    owners: Vec<Addr<Owner>>,
    conversations: Map<ConversationId, Live>,
    agents: Map<AgentId, AgentEntry>,
    /// Rises whenever the answer whether a console has listened to an agent may have changed.
    listeners: AtomicU64,
    queues: Map<QueueId, QueueEntry>,
    sessions: Map<SessionId, SessionEntry>,
    visitors: Map<(WidgetId, VisitorId), ConversationId>,
    /// How often each conversation was opened again after its actor had died, and since when.
    reopened: Map<ConversationId, (u32, Timestamp)>,
    /// The requests that wait.
    pub(super) answers: Arc<Answers>,
    /// Numbers the actors, so that a late farewell of an earlier one does not remove the present
    /// one.
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
    has_listened: bool,
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

/// How much is on its way to a socket.
pub trait Outbox: std::fmt::Debug + Send + Sync {
    /// Takes room for one frame of this many bytes; false when there is none.
    fn take(&self, bytes: usize) -> bool;

    /// Whether there is room for a page of missed messages.
    fn has_room_for_page(&self) -> bool;
}

impl Directory {
    /// A directory with room for so many conversations from the beginning; it grows for more. They
    /// live on these threads, each of which has one of the owners.
    pub(super) fn with_room_for(
        conversations: usize,
        clock: Clock,
        threads: Threads,
        owners: Vec<Addr<Owner>>,
    ) -> Self {
        Self {
            clock,
            threads,
            owners,
            conversations: map(conversations, limits::SHARDS),
            agents: map(0, 64),
            listeners: AtomicU64::new(1),
            queues: map(0, 16),
            sessions: map(0, limits::SHARDS),
            visitors: map(conversations, limits::SHARDS),
            reopened: map(0, 16),
            answers: Arc::default(),
            epochs: AtomicU32::new(1),
        }
    }

    /// A number for an actor that is about to enter.
    fn next_epoch(&self) -> u32 {
        self.epochs.fetch_add(1, Ordering::Relaxed)
    }

    /// A conversation's actor enters. It must not be there already.
    fn enter_conversation(
        &self,
        id: ConversationId,
        epoch: u32,
        address: WeakAddr<ConversationActor>,
    ) {
        self.conversations.insert(id, Live { address, epoch });
    }

    /// Enters a conversation that was never there: nothing is read for it. Gives its epoch, with
    /// which it can leave again if it never begins.
    pub(super) fn enter_new(&self, id: ConversationId) -> u32 {
        let epoch = self.next_epoch();
        let address =
            self.start(id, move |thread| ConversationActor::entered(thread.clone(), id, epoch));
        self.enter_conversation(id, epoch, address.downgrade());
        epoch
    }

    /// Enters a conversation as it was when the server stopped, on its thread, where this is
    /// called. Its timers count from `counts_from`, and its restart is written within
    /// `write_within`.
    pub(super) fn enter_recovered(
        &self,
        thread: &Rc<Thread>,
        conversation: Conversation,
        counts_from: Timestamp,
        write_within: Span,
    ) {
        let (id, epoch, thread) = (conversation.id(), self.next_epoch(), thread.clone());
        let (address, mailbox) = mailbox();
        let actor =
            ConversationActor::recovered(thread, conversation, epoch, counts_from, write_within);
        actor.live(mailbox);
        self.enter_conversation(id, epoch, address.downgrade());
    }

    /// A conversation that was entered as new and never began leaves again.
    pub(super) fn leave_unused(&self, id: ConversationId, epoch: u32) {
        self.tell_live(id, ToConversation::NeverBegins);
        self.leave_conversation(id, epoch);
    }

    fn live(&self, id: ConversationId) -> Option<Addr<ConversationActor>> {
        self.conversations.get(&id)?.address()
    }

    /// Denies a request that cannot be delivered.
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

    /// Opens a conversation, and tells it the first thing.
    fn open(&self, id: ConversationId, message: ToConversation) -> Live {
        let epoch = self.next_epoch();
        let address =
            self.start(id, move |thread| ConversationActor::opening(thread.clone(), id, epoch));
        let request = message.request();
        self.put(&address, message, request);
        Live { address: address.downgrade(), epoch }
    }

    /// Starts a conversation's actor, which is made on its thread. Its address takes messages
    /// before that.
    fn start(
        &self,
        id: ConversationId,
        make: impl FnOnce(&Rc<Thread>) -> ConversationActor + Send + 'static,
    ) -> Addr<ConversationActor> {
        let (address, mailbox) = mailbox();
        let thread = self.threads.number_of(id.shard());
        self.run_on(thread, move |thread| make(thread).live(mailbox));
        address
    }

    /// Does something on the thread with this number, behind all that was to be done there before.
    pub(super) fn run_on(&self, thread: usize, run: impl FnOnce(&Rc<Thread>) + Send + 'static) {
        send(&self.owners[thread % self.owners.len()], Run::new(run));
    }

    /// How many conversations are live.
    pub(super) fn live_conversations(&self) -> usize {
        self.conversations.len()
    }

    /// Whether a conversation is live, or is about to be again.
    pub(super) fn has_conversation(&self, id: ConversationId) -> bool {
        self.conversations.contains_key(&id)
    }

    /// Every live conversation's id, collected first so that no lock is held while they are used.
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

    /// A session leaves. Says whether it was here.
    pub(super) fn leave_session(&self, id: SessionId) -> bool {
        self.sessions.remove(&id).is_some()
    }

    /// A session enters a conversation, to which this pulse shows its signs of life.
    pub(super) fn enter_pulse(&self, session: SessionId, pulse: Arc<Pulse>) {
        if let Some(mut entry) = self.sessions.get_mut(&session) {
            entry.pulse = Some(pulse);
        }
    }

    /// Tells a conversation which signs of life it has not read of a session that leaves. A
    /// conversation that is not live need not be opened for it: once opened, it finds out who is
    /// there.
    pub(super) fn tell_heard(&self, id: ConversationId, heard: Heard) {
        if let Some(live) = self.live(id) {
            send(&live, Input::Heard(heard));
        }
    }

    /// The visitor's live chat: they have at most one in each widget.
    pub(super) fn chat_of(&self, widget: &WidgetId, visitor: VisitorId) -> Option<ConversationId> {
        self.visitors.get(&(widget.clone(), visitor)).map(|held| *held)
    }

    /// Every session's id.
    pub(super) fn session_ids(&self) -> Vec<SessionId> {
        self.sessions.iter().map(|entry| *entry.key()).collect()
    }

    /// How many sessions there are.
    pub(super) fn live_sessions(&self) -> usize {
        self.sessions.len()
    }

    fn may_reopen(&self, id: ConversationId) -> bool {
        let now = self.clock.now();
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

/// Sends to a session. If the message is a frame, the outbox has already taken room for it.
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
