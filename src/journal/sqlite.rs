//! The journal on `SQLite`, in two files of one directory.
//!
//! ```text
//!   append ──> writer ──sync──> journal.db ──> projector ──> chats.db ──> readers
//!                │
//!                └──> Receipts
//! ```
//!
//! `journal.db` is the truth: one table that only grows. `chats.db` holds the same by conversation,
//! for reading, and can be made anew at any time. See `docs/storage.md`.

pub mod audit;
pub mod check;
pub mod copy;
pub mod history;
pub mod inspection;

mod checkpoint;
mod damage;
mod directory;
mod files;
mod lock;
mod log;
mod open_fault;
mod opening;
mod personal_data;
mod pool;
mod progress;
mod projector;
mod reader;
mod recovery;
mod requests;
mod retention;
mod row;
mod schema;
mod scouring;
mod thread;
mod writer;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use futures_util::future::BoxFuture;
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::journal::sqlite::checkpoint::{Bound, Checkpoints, Turns};
use crate::journal::sqlite::damage::Damage;
use crate::journal::sqlite::files::Files;
use crate::journal::sqlite::lock::Lock;
use crate::journal::sqlite::opening::Opened;
use crate::journal::sqlite::pool::Pool;
use crate::journal::sqlite::progress::Progress;
use crate::journal::sqlite::retention::Retention;
use crate::journal::sqlite::scouring::{Scouring, Traces};
use crate::journal::sqlite::thread::spawn;
use crate::journal::sqlite::writer::{Encoded, Order, Owner, Writer};
use crate::journal::{Fault, Position, Receipts, Recovered};
use crate::limits;

pub use crate::journal::sqlite::open_fault::OpenFault;

/// The journal on `SQLite`. Dropping it writes what was appended, and waits for that.
pub struct SqliteJournal {
    orders: Sender<Order>,
    readers: Pool,
    /// Reads the audit stream, which `chats.db` does not have.
    auditor: Pool,
    progress: Arc<Progress>,
    damage: Arc<Damage>,
    traces: Arc<Traces>,
    archive: PathBuf,
    receipts: Arc<dyn Receipts>,
    threads: Mutex<Option<Threads>>,
}

/// What runs until the journal is closed.
struct Threads {
    writer: JoinHandle<()>,
    projector: JoinHandle<()>,
    checkpoints: Checkpoints,
    scouring: Scouring,
    retention: Retention,
    /// Held until the end, so that no other server opens the directory before.
    lock: Lock,
}

impl SqliteJournal {
    /// Opens the journal in this directory, which is made if it is not there, and reads what is
    /// needed to start again. It blocks until everything in the journal can be read.
    pub fn open(dir: &Path, receipts: Arc<dyn Receipts>) -> Result<(Self, Recovered), OpenFault> {
        directory::make(dir)?;
        let files = Files::of(dir);
        directory::refuse_other_than_files(&files)?;
        for mended in directory::close_to_others(dir, &files)? {
            tracing::warn!("{mended}");
        }
        let lock = Lock::take(dir, &files)?;
        let turns = Turns::default();
        let Opened { journal, projector, head, tail, recovered } =
            opening::open(&files, &turns.chats)?;
        let in_chats = |source| OpenFault::at(&files.chats, source);
        let in_journal = |source| OpenFault::at(&files.journal, source);
        let progress = Arc::new(Progress::new(head, head));
        let readers = Pool::open(&files.chats, limits::JOURNAL_READERS).map_err(in_chats)?;
        let auditor = Pool::open(&files.journal, 1).map_err(in_journal)?;
        let log = Bound::new(turns.journal.clone(), limits::JOURNAL_LOG_PAGES_MAX);
        let checkpoints = Checkpoints::open(&files, turns.clone(), Arc::clone(&progress));
        let checkpoints = checkpoints.map_err(in_journal)?;
        let damage = Arc::new(Damage::new(&files));
        // From here on nothing is refused.
        let unusable = |source| OpenFault::Directory { path: files.lock.clone(), source };
        lock.note_start().map_err(unusable)?;
        let unusable = |source| OpenFault::Directory { path: files.unclean.clone(), source };
        let scouring = Scouring::open(&files, turns, Arc::clone(&progress)).map_err(unusable)?;
        let traces = scouring.traces();
        let (orders, ordered) = mpsc::channel();
        let retention =
            Retention::open(&files, orders.clone(), Arc::clone(&traces), Arc::clone(&progress));
        let retention = retention.map_err(in_chats)?;
        let writer =
            Writer::new(journal, tail, log, ordered, Arc::clone(&receipts), Arc::clone(&progress));
        let threads = Threads {
            writer: spawn("journal-writer", move || writer.run()),
            projector: spawn("journal-projector", {
                let (progress, damage) = (Arc::clone(&progress), Arc::clone(&damage));
                move || projector.run(&progress, &damage)
            }),
            checkpoints,
            scouring,
            retention,
            lock,
        };
        let threads = Mutex::new(Some(threads));
        let archive = files.archive;
        let journal =
            Self { orders, readers, auditor, progress, damage, traces, archive, receipts, threads };
        Ok((journal, recovered))
    }

    /// Writes what was appended before, and stops. What is appended later fails. It blocks until
    /// everything is written and can be read.
    pub fn close(&self) {
        let threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(threads) = threads else { return };
        let Threads { writer, projector, checkpoints, scouring, retention, lock } = threads;
        // The retention sends orders to the writer, which must answer them before it stops.
        retention.close();
        // A writer that is gone needs no order to stop.
        drop(self.orders.send(Order::Stop));
        for (name, thread) in [("writer", writer), ("projector", projector)] {
            if thread.join().is_err() {
                tracing::error!(name, "a thread of the journal had panicked");
            }
        }
        self.readers.close();
        self.auditor.close();
        scouring.close();
        checkpoints.close();
        if let Err(error) = lock.note_stop() {
            tracing::debug!(%error, "when the server has stopped could not be noted");
        }
    }

    /// Sends these to the writer.
    fn order(&self, appends: Encoded) {
        let count = appends.len();
        self.progress.took(count);
        let order = Order::Append(appends);
        let Err(mpsc::SendError(Order::Append(appends))) = self.orders.send(order) else { return };
        self.progress.answered(count);
        let mut lost = Vec::new();
        for entry in appends.into_entries() {
            match entry.owner {
                Owner::Conversation(id, _) => lost.push(id),
                // The caller may have gone.
                Owner::Agent(_, done) | Owner::Settings(done) | Owner::Audit(done) => {
                    drop(done.send(Err(Fault::Closed)));
                }
            }
        }
        lost.dedup();
        if !lost.is_empty() {
            self.receipts.failed(lost, Fault::Closed);
        }
    }

    /// Asks for something, and reads it once everything up to `position` can be read.
    fn ask<T: Send + 'static>(
        &self,
        position: Position,
        read: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> BoxFuture<'static, Result<T, Fault>> {
        let (answer, answered) = oneshot::channel();
        let (progress, damage) = (Arc::clone(&self.progress), Arc::clone(&self.damage));
        self.readers.run(move |connection| {
            if answer.is_closed() {
                return;
            }
            let found = progress.wait_for(position.0).and_then(|()| read(connection));
            found.as_ref().err().inspect(|fault| damage.note(fault));
            // The caller may have gone.
            drop(answer.send(found));
        });
        Box::pin(async move { answered.await.unwrap_or(Err(Fault::Closed)) })
    }

    /// Like [`ask`](Self::ask), but reads once everything that was appended before is settled.
    fn ask_when_settled<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> BoxFuture<'static, Result<T, Fault>> {
        let (answer, answered) = oneshot::channel();
        let (progress, damage) = (Arc::clone(&self.progress), Arc::clone(&self.damage));
        let readers = self.readers.clone();
        let settled = Order::Settled(Box::new(move || {
            let position = progress.head();
            readers.run(move |connection| {
                let found = progress.wait_for(position).and_then(|()| read(connection));
                found.as_ref().err().inspect(|fault| damage.note(fault));
                drop(answer.send(found));
            });
        }));
        drop(self.orders.send(settled));
        Box::pin(async move { answered.await.unwrap_or(Err(Fault::Closed)) })
    }
}

impl Drop for SqliteJournal {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for SqliteJournal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SqliteJournal")
            .field("progress", &self.progress)
            .finish_non_exhaustive()
    }
}
