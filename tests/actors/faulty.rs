//! A journal that can be told to kill an actor that appends, to claim that it cannot keep up, to
//! answer readers late or never, or to archive at the wrong moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures_util::FutureExt as _;
use futures_util::future::{self, BoxFuture};
use holdline::domain::conversation::Conversation;
use holdline::domain::conversation::event::{Audience, Recorded};
use holdline::domain::id::{AgentId, ConversationId, Seq, VisitorId};
use holdline::domain::time::Timestamp;
use holdline::journal::memory::MemoryJournal;
use holdline::journal::{
    Append, AuditFilter, AuditPage, AuditStream, Chats, Erasure, Fault, Filter, ListCursor,
    Listing, Located, Log, Position, Pressure, Removal, Retained, RetentionRule, Which,
};
use tokio::sync::watch;

/// The journal in memory, with more faults.
#[derive(Debug)]
pub struct FaultyJournal {
    inner: Arc<MemoryJournal>,
    kill_next: AtomicBool,
    kills_asker: AtomicBool,
    kills_reader: AtomicBool,
    /// Whether a task that reads a conversation has to wait.
    holds_reads: watch::Sender<bool>,
    pretends_waiting: AtomicUsize,
    archives_after_look: AtomicBool,
    has_archived: AtomicBool,
}

impl FaultyJournal {
    pub fn new(inner: Arc<MemoryJournal>) -> Self {
        Self {
            inner,
            kill_next: AtomicBool::new(false),
            kills_asker: AtomicBool::new(false),
            kills_reader: AtomicBool::new(false),
            holds_reads: watch::Sender::new(false),
            pretends_waiting: AtomicUsize::new(0),
            archives_after_look: AtomicBool::new(false),
            has_archived: AtomicBool::new(false),
        }
    }

    /// Makes the next append panic in the actor that makes it.
    pub fn kill_next(&self) {
        self.kill_next.store(true, Ordering::SeqCst);
    }

    /// After the next search for a visitor's closed chats, wherever it looks, these chats are in
    /// the archive, as if their time had just come.
    pub fn archive_after_look(&self) {
        self.archives_after_look.store(true, Ordering::SeqCst);
    }

    /// The next caller that asks whether the journal can be written panics. A conversation asks
    /// this with everything that it is told.
    pub fn kill_next_asker(&self) {
        self.kills_asker.store(true, Ordering::SeqCst);
    }

    /// Lets conversations, and what sessions missed of them, be read only when reads are released.
    pub fn hold_reads(&self) {
        self.holds_reads.send_replace(true);
    }

    /// Lets all waiting readers go on.
    pub fn release_reads(&self) {
        self.holds_reads.send_replace(false);
    }

    /// Makes the next reader panic as soon as reads are not held.
    pub fn kill_next_reader(&self) {
        self.kills_reader.store(true, Ordering::SeqCst);
    }

    /// What was read, as soon as it may be told.
    fn read_late<T: Send + 'static>(
        &self,
        read: BoxFuture<'static, Result<T, Fault>>,
    ) -> BoxFuture<'static, Result<T, Fault>> {
        let is_killed = self.kills_reader.swap(false, Ordering::SeqCst);
        let mut holds_reads = self.holds_reads.subscribe();
        async move {
            let is_told = holds_reads.wait_for(|is_held| !is_held).await.is_ok();
            assert!(is_told && !is_killed, "the reader was told to die here");
            read.await
        }
        .boxed()
    }

    /// Claims that this many appends wait.
    pub fn pretend_waiting(&self, appends: usize) {
        self.pretends_waiting.store(appends, Ordering::SeqCst);
    }
}

impl Log for FaultyJournal {
    fn append(&self, append: Append) {
        assert!(!self.kill_next.swap(false, Ordering::SeqCst), "the actor was told to die here");
        self.inner.append(append);
    }

    fn waiting(&self) -> usize {
        self.pretends_waiting.load(Ordering::SeqCst)
    }

    fn pressure(&self) -> Pressure {
        Pressure::of(self.waiting(), false)
    }

    fn is_writable(&self) -> bool {
        assert!(!self.kills_asker.swap(false, Ordering::SeqCst), "the actor was told to die here");
        self.inner.is_writable()
    }

    fn lag(&self) -> u64 {
        self.inner.lag()
    }

    fn head(&self) -> Position {
        self.inner.head()
    }

    fn flush(&self) -> BoxFuture<'static, Result<(), Fault>> {
        self.inner.flush()
    }
}

impl Chats for FaultyJournal {
    fn load(&self, id: ConversationId) -> BoxFuture<'static, Result<Option<Conversation>, Fault>> {
        self.read_late(self.inner.load(id))
    }

    fn read(
        &self,
        id: ConversationId,
        after: Seq,
        audience: Audience,
        entries: usize,
        bytes: usize,
    ) -> BoxFuture<'static, Result<Vec<Recorded>, Fault>> {
        self.read_late(self.inner.read(id, after, audience, entries, bytes))
    }

    fn outline(
        &self,
        id: ConversationId,
        after: Seq,
        entries: usize,
    ) -> BoxFuture<'static, Result<Vec<Recorded>, Fault>> {
        self.inner.outline(id, after, entries)
    }

    fn list(
        &self,
        filter: Filter,
        after: Option<ListCursor>,
        most: usize,
        bytes: usize,
    ) -> BoxFuture<'static, Result<Listing, Fault>> {
        self.inner.list(filter, after, most, bytes)
    }

    fn of_agent(
        &self,
        agent: AgentId,
        after: Position,
        most: usize,
        bytes: usize,
    ) -> BoxFuture<'static, Result<Vec<Located>, Fault>> {
        self.inner.of_agent(agent, after, most, bytes)
    }

    fn of_visitor(
        &self,
        visitor: VisitorId,
        which: Which,
        after: Option<ConversationId>,
        most: usize,
    ) -> BoxFuture<'static, Result<Vec<ConversationId>, Fault>> {
        let look = |which| self.inner.of_visitor(visitor, which, after, most);
        match which {
            Which::Open => look(which),
            Which::InJournal if self.has_archived.load(Ordering::SeqCst) => {
                future::ready(Ok(Vec::new())).boxed()
            }
            Which::Archived if self.has_archived.load(Ordering::SeqCst) => look(Which::InJournal),
            Which::InJournal | Which::Archived => {
                let archives = self.archives_after_look.load(Ordering::SeqCst);
                self.has_archived.store(archives, Ordering::SeqCst);
                look(which)
            }
        }
    }

    fn archived(
        &self,
        id: ConversationId,
        after: Seq,
        bytes: usize,
    ) -> BoxFuture<'static, Result<Vec<Recorded>, Fault>> {
        self.inner.archived(id, after, bytes)
    }
}

impl Removal for FaultyJournal {
    fn retain(
        &self,
        rules: Vec<RetentionRule>,
        now: Timestamp,
    ) -> BoxFuture<'static, Result<Retained, Fault>> {
        self.inner.retain(rules, now)
    }

    fn erase(
        &self,
        conversations: Vec<ConversationId>,
        now: Timestamp,
    ) -> BoxFuture<'static, Result<Erasure, Fault>> {
        self.inner.erase(conversations, now)
    }
}

impl AuditStream for FaultyJournal {
    fn audit(
        &self,
        filter: AuditFilter,
        before: Option<u64>,
        most: usize,
    ) -> BoxFuture<'static, Result<AuditPage, Fault>> {
        self.inner.audit(filter, before, most)
    }

    fn drop_audit(
        &self,
        before: Timestamp,
        at: Timestamp,
    ) -> BoxFuture<'static, Result<bool, Fault>> {
        self.inner.drop_audit(before, at)
    }
}
