//! The one thread that writes `journal.db`. It takes whatever waits, writes it in one transaction,
//! and tells everybody concerned once the disk has confirmed it.
//!
//! While a commit waits for the disk the next group gathers by itself. A group that is smaller
//! than the one before it waits a moment for more; an append that comes alone never waits.

mod cache;
mod encoding;
mod order;
mod removal;
mod rows;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::Duration;

use rusqlite::Connection;

use crate::clock;
use crate::domain::decision::Receipt;
use crate::journal::audit::Tail;
use crate::journal::continuity::Continuity;
use crate::journal::sqlite::checkpoint::Bound;
use crate::journal::sqlite::damage;
use crate::journal::sqlite::progress::Progress;
use crate::journal::sqlite::writer::cache::Cache;
use crate::journal::sqlite::writer::encoding::Entry;
pub(super) use crate::journal::sqlite::writer::encoding::{Encoded, Owner};
pub(super) use crate::journal::sqlite::writer::order::{DropAudit, Found, Order, TakeOut};
use crate::journal::{Confirmed, Done, Fault, Position, Receipts};
use crate::limits;

/// The writer, and the connection that only it writes with.
pub(super) struct Writer {
    connection: Connection,
    /// The log of `journal.db`.
    log: Bound,
    cache: Cache,
    orders: Receiver<Order>,
    receipts: Arc<dyn Receipts>,
    progress: Arc<Progress>,
    head: u64,
    /// Where the audit stream ends.
    tail: Tail,
    continuity: Continuity,
    /// The room of the last group, kept for the next one.
    room: Vec<Encoded>,
    /// Room to put the body of a row together in.
    body: Vec<u8>,
    /// How many appends the last group had.
    last_group: usize,
    /// Why nothing will ever be written again.
    broken: Option<Fault>,
}

impl Writer {
    pub(super) fn new(
        connection: Connection,
        tail: Tail,
        log: Bound,
        orders: Receiver<Order>,
        receipts: Arc<dyn Receipts>,
        progress: Arc<Progress>,
    ) -> Self {
        Self {
            connection,
            log,
            cache: Cache::default(),
            orders,
            receipts,
            head: progress.head(),
            tail,
            progress,
            continuity: Continuity::new(),
            room: Vec::new(),
            body: Vec::new(),
            last_group: 0,
            broken: None,
        }
    }

    /// Writes until it is told to stop, or until nobody is left to tell it anything.
    pub(super) fn run(mut self) {
        let mut stopping = false;
        while !stopping {
            let mut appends = std::mem::take(&mut self.room);
            let last = self.gather(&mut appends);
            if !appends.is_empty() {
                self.last_group = count(&appends);
                self.commit(&mut appends);
                self.log.keep(&self.connection);
            }
            self.room = appends;
            match last {
                Some(Order::Settled(then)) => then(),
                Some(Order::TakeOut(order)) => self.take_out(order),
                Some(Order::DropAudit(order)) => self.drop_audit(order),
                Some(Order::Stop) => stopping = true,
                Some(Order::Append(_)) | None => {}
            }
        }
        // Appends that came after the order to stop are not written.
        self.broken = Some(Fault::Closed);
        while let Ok(order) = self.orders.try_recv() {
            match order {
                Order::Append(append) => self.commit(&mut vec![append]),
                Order::Settled(then) => then(),
                Order::TakeOut(order) => self.take_out(order),
                Order::DropAudit(order) => self.drop_audit(order),
                Order::Stop => {}
            }
        }
    }

    /// Takes appends until the group is full or complete, or something else was ordered.
    fn gather(&self, appends: &mut Vec<Encoded>) -> Option<Order> {
        let mut taken = 0;
        match self.next_order() {
            Some(Order::Append(append)) => {
                taken += append.len();
                appends.push(append);
            }
            other => return other,
        }
        let deadline = clock::reading() + Duration::from_millis(limits::COMMIT_DELAY_MS_MAX);
        while taken < limits::COMMIT_APPENDS_MAX {
            let order = match self.orders.try_recv() {
                Ok(order) => order,
                Err(TryRecvError::Disconnected) => return Some(Order::Stop),
                Err(TryRecvError::Empty) if taken >= self.last_group => return None,
                Err(TryRecvError::Empty) => {
                    let left = deadline.saturating_duration_since(clock::reading());
                    match self.orders.recv_timeout(left) {
                        Ok(order) => order,
                        Err(RecvTimeoutError::Timeout) => return None,
                        Err(RecvTimeoutError::Disconnected) => return Some(Order::Stop),
                    }
                }
            };
            match order {
                Order::Append(append) => {
                    taken += append.len();
                    appends.push(append);
                }
                Order::Settled(_) | Order::TakeOut(_) | Order::DropAudit(_) | Order::Stop => {
                    return Some(order);
                }
            }
        }
        None
    }

    fn next_order(&self) -> Option<Order> {
        if self.broken.is_some() || self.progress.is_writable() {
            return Some(self.orders.recv().unwrap_or(Order::Stop));
        }
        // While writing fails nobody may dare to append, so the writer tries without appends.
        match self.orders.recv_timeout(Duration::from_millis(limits::WRITE_AGAIN_MS)) {
            Ok(order) => Some(order),
            Err(RecvTimeoutError::Disconnected) => Some(Order::Stop),
            Err(RecvTimeoutError::Timeout) => {
                self.try_writing();
                None
            }
        }
    }

    fn try_writing(&self) {
        // Setting the version again writes one page and syncs it.
        let version = super::schema::JOURNAL_VERSION;
        let tried = self.connection.pragma_update(None, "user_version", version);
        self.progress.set_writable(tried.is_ok());
    }

    /// Writes all of these, if they continue what is there, and tells everybody concerned.
    fn commit(&mut self, appends: &mut Vec<Encoded>) {
        let taken = count(appends);
        let refused = self.refuse(appends);
        if refused < taken {
            match self.write(appends, taken) {
                Ok(head) => self.settle(written(appends), head),
                Err(fault) => self.fail(written(appends), &fault),
            }
        }
        appends.clear();
        self.progress.answered(taken);
    }

    /// Marks the appends that do not continue what is there, and returns how many these are.
    fn refuse(&mut self, appends: &mut [Encoded]) -> usize {
        let mut refused = Vec::new();
        let mut refusal = None;
        for entry in appends.iter_mut().flat_map(Encoded::entries_mut) {
            let Owner::Conversation(id, _) = entry.owner else { continue };
            let admitted = self.continuity.admit(id, entry.first, entry.through());
            if let Err(problem) = admitted {
                entry.is_refused = true;
                refused.push(id);
                refusal = Some(Fault::Write(Arc::new(problem)));
            }
        }
        let count = refused.len();
        if let Some(fault) = refusal {
            refused.sort_unstable();
            refused.dedup();
            self.receipts.failed(refused, fault);
        }
        count
    }

    /// Writes everything in one transaction, and returns how far the journal then reaches.
    fn write(&mut self, appends: &[Encoded], count: usize) -> Result<u64, Fault> {
        if let Some(fault) = &self.broken {
            return Err(fault.clone());
        }
        self.cache.make_room_for(count, &self.connection);
        let (connection, tail) = (&self.connection, &self.tail);
        match rows::write(connection, self.head, tail, appends, &mut self.body) {
            Ok((head, tail)) => {
                self.tail = tail;
                self.progress.set_writable(true);
                Ok(head)
            }
            Err(error) => Err(self.broke(error)),
        }
    }

    /// Notes that a transaction failed, and says what that means.
    fn broke(&mut self, error: rusqlite::Error) -> Fault {
        tracing::error!(%error, "the journal cannot be written");
        self.roll_back();
        self.progress.set_writable(false);
        let passes = damage::may_pass(&error);
        let fault = Fault::Write(Arc::new(error));
        if !passes {
            self.broken = Some(fault.clone());
        }
        fault
    }

    fn roll_back(&self) {
        if !self.connection.is_autocommit() {
            // A rollback that fails leaves the transaction to the next one's error.
            drop(self.connection.execute_batch("ROLLBACK"));
        }
    }

    fn settle(&mut self, appends: impl Iterator<Item = Entry>, head: u64) {
        let before = self.head;
        self.head = head;
        self.progress.set_durable(head);
        let mut confirmed = Vec::with_capacity(self.last_group);
        let mut answers: Vec<(Done, u64)> = Vec::new();
        let mut position = before;
        for append in appends {
            position += u64::from(append.positions);
            let receipt = Receipt::issue(append.through());
            match append.owner {
                Owner::Conversation(id, ticket) => {
                    confirmed.push(Confirmed { id, ticket, receipt });
                }
                Owner::Agent(_, done) | Owner::Settings(done) | Owner::Audit(done) => {
                    answers.push((done, position));
                }
            }
        }
        self.receipts.durable(confirmed, Position(head));
        for (done, position) in answers {
            // The caller may have gone.
            drop(done.send(Ok(Position(position))));
        }
    }

    fn fail(&mut self, appends: impl Iterator<Item = Entry>, fault: &Fault) {
        let mut failed = Vec::new();
        for append in appends {
            match append.owner {
                Owner::Conversation(id, _) => {
                    self.continuity.fail(id, append.first);
                    failed.push(id);
                }
                Owner::Agent(_, done) | Owner::Settings(done) | Owner::Audit(done) => {
                    drop(done.send(Err(fault.clone())));
                }
            }
        }
        failed.sort_unstable();
        failed.dedup();
        if !failed.is_empty() {
            self.receipts.failed(failed, fault.clone());
        }
    }
}

/// How many appends these are.
fn count(appends: &[Encoded]) -> usize {
    appends.iter().map(Encoded::len).sum()
}

/// Those of them that were not refused.
fn written(appends: &mut Vec<Encoded>) -> impl Iterator<Item = Entry> {
    appends.drain(..).flat_map(Encoded::into_entries).filter(|entry| !entry.is_refused)
}

impl Drop for Writer {
    fn drop(&mut self) {
        // However the writer ends, nobody must wait for more of it.
        self.progress.finish();
    }
}
