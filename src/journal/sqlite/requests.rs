//! The requests to the journal: each is handed to the thread or the reader that serves it.

use std::sync::PoisonError;

use futures_util::future::BoxFuture;
use tokio::sync::oneshot;

use crate::domain::conversation::Conversation;
use crate::domain::conversation::event::{Audience, Recorded};
use crate::domain::id::{AgentId, ConversationId, Seq, VisitorId};
use crate::domain::time::Timestamp;
use crate::journal::snapshot::Names;
use crate::journal::sqlite::writer::{DropAudit, Encoded, Order};
use crate::journal::sqlite::{SqliteJournal, audit, personal_data, reader};
use crate::journal::{
    Append, AuditFilter, AuditPage, AuditStream, Chats, Erasure, Fault, Filter, ListCursor,
    Listing, Located, Log, Position, Pressure, Removal, Retained, RetentionRule, Which,
};

impl Log for SqliteJournal {
    fn append(&self, append: Append) {
        self.order(Encoded::of([append]));
    }

    fn append_all(&self, appends: Vec<Append>) {
        self.order(Encoded::of(appends));
    }

    fn waiting(&self) -> usize {
        self.progress.waiting()
    }

    fn pressure(&self) -> Pressure {
        self.progress.pressure()
    }

    fn is_writable(&self) -> bool {
        self.progress.is_writable()
    }

    fn lag(&self) -> u64 {
        self.progress.lag()
    }

    fn head(&self) -> Position {
        Position(self.progress.head())
    }

    fn flush(&self) -> BoxFuture<'static, Result<(), Fault>> {
        self.ask_when_settled(|_| Ok(()))
    }

    fn close(&self) {
        Self::close(self);
    }
}

impl Chats for SqliteJournal {
    fn load(&self, id: ConversationId) -> BoxFuture<'static, Result<Option<Conversation>, Fault>> {
        self.ask_when_settled(move |connection| reader::load(connection, id, &mut Names::default()))
    }

    fn read(
        &self,
        id: ConversationId,
        after: Seq,
        audience: Audience,
        entries: usize,
        bytes: usize,
    ) -> BoxFuture<'static, Result<Vec<Recorded>, Fault>> {
        self.ask(self.head(), move |connection| {
            reader::read(connection, id, after, audience, entries, bytes)
        })
    }

    fn outline(
        &self,
        id: ConversationId,
        after: Seq,
        entries: usize,
    ) -> BoxFuture<'static, Result<Vec<Recorded>, Fault>> {
        self.ask(self.head(), move |connection| reader::outline(connection, id, after, entries))
    }

    fn list(
        &self,
        filter: Filter,
        after: Option<ListCursor>,
        most: usize,
        bytes: usize,
    ) -> BoxFuture<'static, Result<Listing, Fault>> {
        let read = move |connection: &_| reader::list(connection, &filter, after, most, bytes);
        self.ask(self.head(), read)
    }

    fn of_agent(
        &self,
        agent: AgentId,
        after: Position,
        most: usize,
        bytes: usize,
    ) -> BoxFuture<'static, Result<Vec<Located>, Fault>> {
        let read = move |connection: &_| reader::of_agent(connection, &agent, after, most, bytes);
        self.ask(self.head(), read)
    }

    fn of_visitor(
        &self,
        visitor: VisitorId,
        which: Which,
        after: Option<ConversationId>,
        most: usize,
    ) -> BoxFuture<'static, Result<Vec<ConversationId>, Fault>> {
        let archive = self.archive.clone();
        self.ask(self.head(), move |chats| match which {
            Which::Open | Which::InJournal => {
                personal_data::in_chats(chats, visitor, which, after, most)
            }
            Which::Archived => match personal_data::open_archive(&archive)? {
                Some(archive) => personal_data::in_archive(&archive, visitor, after, most),
                None => Ok(Vec::new()),
            },
        })
    }

    fn archived(
        &self,
        id: ConversationId,
        after: Seq,
        bytes: usize,
    ) -> BoxFuture<'static, Result<Vec<Recorded>, Fault>> {
        let archive = self.archive.clone();
        self.ask(self.head(), move |_| match personal_data::open_archive(&archive)? {
            Some(archive) => personal_data::of_archived(&archive, id, after, bytes),
            None => Ok(Vec::new()),
        })
    }
}

impl Removal for SqliteJournal {
    fn retain(
        &self,
        rules: Vec<RetentionRule>,
        now: Timestamp,
    ) -> BoxFuture<'static, Result<Retained, Fault>> {
        let threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        let answered = threads.as_ref().map(|threads| threads.retention.step(rules, now));
        Box::pin(async move {
            match answered {
                Some(answered) => answered.await.unwrap_or(Err(Fault::Closed)),
                None => Err(Fault::Closed),
            }
        })
    }

    fn erase(
        &self,
        conversations: Vec<ConversationId>,
        now: Timestamp,
    ) -> BoxFuture<'static, Result<Erasure, Fault>> {
        let threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        let answered = threads.as_ref().map(|threads| threads.retention.erase(conversations, now));
        Box::pin(async move {
            match answered {
                Some(answered) => answered.await.unwrap_or(Err(Fault::Closed)),
                None => Err(Fault::Closed),
            }
        })
    }

    fn has_traces(&self) -> bool {
        self.traces.are_left()
    }
}

impl AuditStream for SqliteJournal {
    fn audit(
        &self,
        filter: AuditFilter,
        before: Option<u64>,
        most: usize,
    ) -> BoxFuture<'static, Result<AuditPage, Fault>> {
        let (answer, answered) = oneshot::channel();
        self.auditor.run(move |connection| {
            // The caller may have gone.
            drop(answer.send(audit::page(connection, &filter, before, most)));
        });
        Box::pin(async move { Ok(answered.await.map_err(|_| Fault::Closed)??) })
    }

    fn drop_audit(
        &self,
        before: Timestamp,
        at: Timestamp,
    ) -> BoxFuture<'static, Result<bool, Fault>> {
        let (done, answered) = oneshot::channel();
        drop(self.orders.send(Order::DropAudit(DropAudit { before, at, done })));
        Box::pin(async move { answered.await.unwrap_or(Err(Fault::Closed)) })
    }
}
