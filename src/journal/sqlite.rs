//! The journal on `SQLite`, in two files of one directory.
//!
//! ```text
//!   append ──> writer ──sync──> journal.db ──> projector ──> chats.db ──> readers
//!                │
//!                └──> Receipts
//! ```
//!
//! `journal.db` is the truth: one table that only grows. `chats.db` is the same told by
//! conversation, for reading, and can be made anew at any time. See `docs/storage.md`.

pub mod history;

mod checkpoint;
mod pool;
mod progress;
mod projector;
mod reader;
mod recovery;
mod schema;
mod writer;

use std::fmt;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use futures_util::future::BoxFuture;
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::domain::conversation::Conversation;
use crate::domain::conversation::event::{Audience, Recorded};
use crate::domain::id::{AgentId, ConversationId, Seq};
use crate::journal::sqlite::checkpoint::Checkpoints;
use crate::journal::sqlite::pool::Pool;
use crate::journal::sqlite::progress::Progress;
use crate::journal::sqlite::projector::Projector;
use crate::journal::sqlite::schema::Files;
use crate::journal::sqlite::writer::{Order, Writer};
use crate::journal::{
    Append, Fault, Filter, Journal, ListCursor, Listing, Located, Position, Receipts, Recovered,
};

/// The journal on `SQLite`. Dropping it writes what was appended, and waits for that.
pub struct SqliteJournal {
    orders: Sender<Order>,
    readers: Pool,
    progress: Arc<Progress>,
    receipts: Arc<dyn Receipts>,
    threads: Mutex<Option<Threads>>,
}

/// What runs until the journal is closed.
struct Threads {
    writer: JoinHandle<()>,
    projector: JoinHandle<()>,
    checkpoints: Checkpoints,
    /// Held until the end, so that no other server opens the directory before.
    _lock: File,
}

/// Why a journal cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenFault {
    /// The directory, or a file in it, cannot be made or removed.
    #[error("{} cannot be used: {source}", path.display())]
    Directory {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another server has it open.
    #[error("another server is using the data directory {}", .0.display())]
    InUse(PathBuf),
    /// A newer release has written it.
    #[error(
        "{} was written by a newer release (version {found}; this one knows {known})",
        file.display()
    )]
    FromTheFuture {
        /// Which file.
        file: PathBuf,
        /// The version it has.
        found: i64,
        /// The newest version that this release knows.
        known: i64,
    },
    /// The database cannot be opened.
    #[error("{} cannot be opened: {source}", file.display())]
    Database {
        /// Which file.
        file: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// What is stored cannot be read.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl OpenFault {
    fn at(file: &Path, source: rusqlite::Error) -> Self {
        Self::Database { file: file.to_owned(), source }
    }
}

impl SqliteJournal {
    /// Opens the journal in this directory, which is made if it is not there, and reads what is
    /// needed to start again. It blocks until everything in the journal can be read.
    pub fn open(dir: &Path, receipts: Arc<dyn Receipts>) -> Result<(Self, Recovered), OpenFault> {
        make_dir(dir)?;
        let files = Files::of(dir);
        let lock = take_lock(dir, &files)?;
        let journal = schema::open_journal(&files)?;
        let head =
            schema::head(&journal).map_err(|source| OpenFault::at(&files.journal, source))?;
        let latest =
            schema::latest(&journal).map_err(|source| OpenFault::at(&files.journal, source))?;
        let chats = schema::open_chats(&files, head)?;
        let in_chats = |source| OpenFault::at(&files.chats, source);
        let in_journal = |source| OpenFault::at(&files.journal, source);

        let position = schema::projected(&chats).map_err(in_chats)?;
        let registry = recovery::settings(&chats)?;
        let follower = schema::open_for_reading(&files.journal).map_err(in_journal)?;
        let mut projector = Projector::new(follower, chats, registry, position);
        projector.catch_up(head)?;
        let recovered = Recovered {
            settings: projector.registry().clone(),
            presences: recovery::presences(projector.chats())?,
            conversations: recovery::conversations(&files.chats)?,
            latest,
        };

        let progress = Arc::new(Progress::new(head, head));
        let readers = Pool::open(&files.chats).map_err(in_chats)?;
        let checkpoints = Checkpoints::open(&files).map_err(in_journal)?;
        let (orders, ordered) = mpsc::channel();
        let writer = Writer::new(journal, ordered, Arc::clone(&receipts), Arc::clone(&progress));
        let threads = Threads {
            writer: spawn("journal-writer", move || writer.run()),
            projector: spawn("journal-projector", {
                let progress = Arc::clone(&progress);
                move || projector.run(&progress)
            }),
            checkpoints,
            _lock: lock,
        };
        let threads = Mutex::new(Some(threads));
        Ok((Self { orders, readers, progress, receipts, threads }, recovered))
    }

    /// Writes what was appended before, and stops. What is appended later fails. It blocks until
    /// everything is written and can be read.
    pub fn close(&self) {
        let threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Threads { writer, projector, checkpoints, _lock }) = threads else { return };
        // A writer that is gone needs no order to stop.
        drop(self.orders.send(Order::Stop));
        for (name, thread) in [("writer", writer), ("projector", projector)] {
            if thread.join().is_err() {
                tracing::error!(name, "a thread of the journal had panicked");
            }
        }
        self.readers.close();
        checkpoints.close();
    }

    /// Asks for something that is read once everything up to `position` can be.
    fn ask<T: Send + 'static>(
        &self,
        position: Position,
        read: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> BoxFuture<'static, Result<T, Fault>> {
        let (answer, answered) = oneshot::channel();
        let progress = Arc::clone(&self.progress);
        self.readers.run(move |connection| {
            if answer.is_closed() {
                return;
            }
            let found = progress.wait_for(position.0).and_then(|()| read(connection));
            // Whoever asked may have gone.
            drop(answer.send(found));
        });
        Box::pin(async move { answered.await.unwrap_or(Err(Fault::Closed)) })
    }

    /// Like [`ask`](Self::ask), for once everything that was appended before is settled.
    fn ask_when_settled<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> BoxFuture<'static, Result<T, Fault>> {
        let (answer, answered) = oneshot::channel();
        let progress = Arc::clone(&self.progress);
        let readers = self.readers.clone();
        let settled = Order::Settled(Box::new(move || {
            let position = progress.head();
            readers.run(move |connection| {
                let found = progress.wait_for(position).and_then(|()| read(connection));
                drop(answer.send(found));
            });
        }));
        drop(self.orders.send(settled));
        Box::pin(async move { answered.await.unwrap_or(Err(Fault::Closed)) })
    }
}

impl Journal for SqliteJournal {
    fn append(&self, append: Append) {
        self.progress.took();
        let Err(mpsc::SendError(order)) = self.orders.send(Order::Append(append)) else { return };
        self.progress.answered(1);
        match order {
            Order::Append(Append::Conversation { id, .. }) => {
                self.receipts.failed(vec![id], Fault::Closed);
            }
            Order::Append(Append::Presence { done, .. } | Append::Setting { done, .. }) => {
                drop(done.send(Err(Fault::Closed)));
            }
            Order::Settled(_) | Order::Stop => {}
        }
    }

    fn waiting(&self) -> usize {
        self.progress.waiting()
    }

    fn is_writable(&self) -> bool {
        self.progress.is_writable()
    }

    fn head(&self) -> Position {
        Position(self.progress.head())
    }

    fn load(&self, id: ConversationId) -> BoxFuture<'static, Result<Option<Conversation>, Fault>> {
        self.ask_when_settled(move |connection| reader::load(connection, id))
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

    fn list(
        &self,
        filter: Filter,
        after: Option<ListCursor>,
        most: usize,
    ) -> BoxFuture<'static, Result<Listing, Fault>> {
        self.ask(self.head(), move |connection| reader::list(connection, &filter, after, most))
    }

    fn of_agent(
        &self,
        agent: AgentId,
        after: Position,
        most: usize,
    ) -> BoxFuture<'static, Result<Vec<Located>, Fault>> {
        self.ask(self.head(), move |connection| reader::of_agent(connection, &agent, after, most))
    }

    fn flush(&self) -> BoxFuture<'static, Result<(), Fault>> {
        self.ask_when_settled(|_| Ok(()))
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

fn make_dir(dir: &Path) -> Result<(), OpenFault> {
    use std::os::unix::fs::DirBuilderExt as _;

    // What customers write is nobody else's on this machine.
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir);
    made.map_err(|source| OpenFault::Directory { path: dir.to_owned(), source })
}

fn take_lock(dir: &Path, files: &Files) -> Result<File, OpenFault> {
    let unusable = |source| OpenFault::Directory { path: files.lock.clone(), source };
    let lock = File::create(&files.lock).map_err(unusable)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(OpenFault::InUse(dir.to_owned())),
        Err(TryLockError::Error(source)) => Err(unusable(source)),
    }
}

#[expect(clippy::expect_used, reason = "the invariant is in the message")]
fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .expect("a process that cannot start a thread at its start cannot serve at all")
}
