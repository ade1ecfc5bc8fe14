//! The journal in memory, for tests, benches and simulation. It keeps every promise of the real
//! one but that of outliving the process, and it can be told to hold its receipts, or to fail.

mod durable;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::{self, BoxFuture, FutureExt as _};

use crate::domain::conversation::Conversation;
use crate::domain::conversation::event::{Audience, Recorded};
use crate::domain::id::{AgentId, ConversationId, History, Seq, VisitorId};
use crate::domain::time::Timestamp;
use crate::journal::continuity::Continuity;
use crate::journal::memory::durable::Durable;
use crate::journal::pressure::BusyUntil;
use crate::journal::{
    Append, AuditFilter, AuditPage, AuditStream, Chats, Done, Erasure, Fault, Filter, ListCursor,
    Listing, Located, Log, Position, Pressure, Receipts, Recovered, Removal, Retained,
    RetentionRule, Which,
};

/// The journal in memory. What it holds back is not durable: it cannot be read, and is not there
/// after a [`restart`](Self::restart).
pub struct MemoryJournal {
    receipts: Arc<dyn Receipts>,
    /// Taken before the contents, and kept while receipts are given, so that these keep the order
    /// of the appends.
    course: Mutex<Course>,
    durable: Mutex<Durable>,
    busy_until: BusyUntil,
}

/// What becomes of appends.
#[derive(Debug)]
struct Course {
    continuity: Continuity,
    held: Vec<Append>,
    holding: bool,
    fail_next: bool,
    fail_all: bool,
}

impl MemoryJournal {
    /// An empty journal.
    pub fn new(receipts: Arc<dyn Receipts>) -> Self {
        Self::with(receipts, Durable::default())
    }

    /// A journal with what is durable in this one, as after a crash, and what is needed to start
    /// again. This one goes on by itself.
    pub fn restart(&self, receipts: Arc<dyn Receipts>) -> (Self, Recovered) {
        let durable = self.durable().clone();
        let open = durable.conversations.values().map(|(conversation, _)| conversation);
        let mut conversations: Vec<_> =
            open.filter(|conversation| !conversation.is_closed()).cloned().collect();
        // A simulation must see the same order each time.
        conversations.sort_unstable_by_key(|one| (one.started_at(), one.id()));
        let recovered = Recovered {
            settings: durable.settings.clone(),
            presences: durable.presences.clone().into_iter().collect(),
            conversations,
            latest: durable.latest,
            history: History::default(),
        };
        (Self::with(receipts, durable), recovered)
    }

    /// Holds back what is appended from now on.
    pub fn hold_receipts(&self) {
        self.course().holding = true;
    }

    /// Makes everything that was held back durable, in one commit, and holds back no more.
    pub fn release_receipts(&self) {
        let mut course = self.course();
        course.holding = false;
        let held = std::mem::take(&mut course.held);
        if !held.is_empty() {
            self.busy_until.note_group(held.len());
            self.commit(held);
        }
    }

    /// Fails the next append, and with it what is held back of the same conversation.
    pub fn fail_next_append(&self) {
        self.course().fail_next = true;
    }

    /// Fails every append from now on, or none any more.
    pub fn fail_all(&self, fail: bool) {
        self.course().fail_all = fail;
    }

    fn with(receipts: Arc<dyn Receipts>, durable: Durable) -> Self {
        let course = Course {
            continuity: Continuity::new(),
            held: Vec::new(),
            holding: false,
            fail_next: false,
            fail_all: false,
        };
        Self {
            receipts,
            course: Mutex::new(course),
            durable: Mutex::new(durable),
            busy_until: BusyUntil::default(),
        }
    }

    fn course(&self) -> MutexGuard<'_, Course> {
        self.course.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn durable(&self) -> MutexGuard<'_, Durable> {
        self.durable.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes appends durable and tells of it. The caller holds the course.
    fn commit(&self, appends: Vec<Append>) {
        let mut confirmed = Vec::new();
        let mut answers: Vec<(Done, Position)> = Vec::new();
        let mut durable = self.durable();
        for append in appends {
            confirmed.extend(durable.take(append, &mut answers));
        }
        let head = Position(durable.head);
        drop(durable);
        self.receipts.durable(confirmed, head);
        for (done, position) in answers {
            // The caller may have gone.
            drop(done.send(Ok(position)));
        }
    }

    fn fail(&self, course: &mut Course, append: Append) {
        let fault = Fault::Write(Arc::new(io::Error::other("the journal was told to fail")));
        match append {
            Append::Conversation { id, first, .. } => {
                course.fail_held(id);
                course.continuity.fail(id, first);
                self.receipts.failed(vec![id], fault);
            }
            Append::Presence { done, .. }
            | Append::Setting { done, .. }
            | Append::Audit { done, .. } => {
                drop(done.send(Err(fault)));
            }
        }
    }

    fn answer<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Durable) -> Result<T, Fault>,
    ) -> BoxFuture<'static, Result<T, Fault>> {
        future::ready(read(&self.durable())).boxed()
    }
}

impl Course {
    /// Appends of this conversation that are held back fail together with the one that fails.
    fn fail_held(&mut self, failed: ConversationId) {
        let continuity = &mut self.continuity;
        self.held.retain(|held| match held {
            Append::Conversation { id, first, .. } if *id == failed => {
                continuity.fail(*id, *first);
                false
            }
            Append::Conversation { .. }
            | Append::Presence { .. }
            | Append::Setting { .. }
            | Append::Audit { .. } => true,
        });
    }
}

impl Log for MemoryJournal {
    fn append(&self, append: Append) {
        let mut course = self.course();
        if let Append::Conversation { id, first, events, .. } = &append {
            let count = u32::try_from(events.len()).unwrap_or(u32::MAX);
            let through = Seq::new(first.plus(count).number().saturating_sub(1));
            if let Err(problem) = course.continuity.admit(*id, *first, through) {
                self.receipts.failed(vec![*id], Fault::Write(Arc::new(problem)));
                return;
            }
        }
        if course.fail_all || std::mem::take(&mut course.fail_next) {
            self.fail(&mut course, append);
        } else if course.holding {
            course.held.push(append);
        } else {
            self.commit(vec![append]);
        }
    }

    fn waiting(&self) -> usize {
        self.course().held.len()
    }

    fn pressure(&self) -> Pressure {
        self.busy_until.pressure(self.waiting())
    }

    fn is_writable(&self) -> bool {
        !self.course().fail_all
    }

    fn lag(&self) -> u64 {
        0
    }

    fn head(&self) -> Position {
        Position(self.durable().head)
    }

    fn flush(&self) -> BoxFuture<'static, Result<(), Fault>> {
        self.answer(|_| Ok(()))
    }
}

impl Chats for MemoryJournal {
    fn load(&self, id: ConversationId) -> BoxFuture<'static, Result<Option<Conversation>, Fault>> {
        self.answer(|durable| {
            Ok(durable.conversations.get(&id).map(|(conversation, _)| conversation.clone()))
        })
    }

    fn read(
        &self,
        id: ConversationId,
        after: Seq,
        audience: Audience,
        entries: usize,
        bytes: usize,
    ) -> BoxFuture<'static, Result<Vec<Recorded>, Fault>> {
        self.answer(|durable| durable.read(id, after, audience, entries, bytes))
    }

    fn outline(
        &self,
        id: ConversationId,
        after: Seq,
        entries: usize,
    ) -> BoxFuture<'static, Result<Vec<Recorded>, Fault>> {
        self.answer(|durable| durable.outline(id, after, entries))
    }

    fn list(
        &self,
        filter: Filter,
        after: Option<ListCursor>,
        most: usize,
        bytes: usize,
    ) -> BoxFuture<'static, Result<Listing, Fault>> {
        self.answer(|durable| durable.list(&filter, after, most, bytes))
    }

    fn of_agent(
        &self,
        agent: AgentId,
        after: Position,
        most: usize,
        bytes: usize,
    ) -> BoxFuture<'static, Result<Vec<Located>, Fault>> {
        self.answer(|durable| durable.of_agent(&agent, after, most, bytes))
    }

    fn of_visitor(
        &self,
        visitor: VisitorId,
        which: Which,
        after: Option<ConversationId>,
        most: usize,
    ) -> BoxFuture<'static, Result<Vec<ConversationId>, Fault>> {
        self.answer(|durable| Ok(durable.of_visitor(visitor, which, after, most)))
    }

    /// Nothing: what is archived is gone here.
    fn archived(
        &self,
        _: ConversationId,
        _: Seq,
        _: usize,
    ) -> BoxFuture<'static, Result<Vec<Recorded>, Fault>> {
        self.answer(|_| Ok(Vec::new()))
    }
}

impl Removal for MemoryJournal {
    fn retain(
        &self,
        rules: Vec<RetentionRule>,
        now: Timestamp,
    ) -> BoxFuture<'static, Result<Retained, Fault>> {
        let mut course = self.course();
        let mut durable = self.durable();
        let retained = durable.retain(&rules, now);
        for id in std::mem::take(&mut durable.taken) {
            course.continuity.forget(id);
        }
        future::ready(Ok(retained)).boxed()
    }

    fn erase(
        &self,
        conversations: Vec<ConversationId>,
        _: Timestamp,
    ) -> BoxFuture<'static, Result<Erasure, Fault>> {
        let mut course = self.course();
        let erasure = self.durable().erase(&conversations);
        erasure.erased.iter().for_each(|id| course.continuity.forget(*id));
        future::ready(Ok(erasure)).boxed()
    }
}

impl AuditStream for MemoryJournal {
    fn audit(
        &self,
        filter: AuditFilter,
        before: Option<u64>,
        most: usize,
    ) -> BoxFuture<'static, Result<AuditPage, Fault>> {
        self.answer(|durable| Ok(durable.audit_page(&filter, before, most)))
    }

    fn drop_audit(
        &self,
        before: Timestamp,
        at: Timestamp,
    ) -> BoxFuture<'static, Result<bool, Fault>> {
        future::ready(Ok(self.durable().drop_audit(before, at))).boxed()
    }
}

impl std::fmt::Debug for MemoryJournal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("MemoryJournal").finish_non_exhaustive()
    }
}
