//! Keeps the write-ahead logs short: a thread carries them over into the databases, so that no
//! append and no projected batch waits for that.
//!
//! A checkpoint beside a connection that writes on and on never gets to the end of the log, and a
//! log begins anew only at its end. So the only writer of a database ends its log where it has
//! grown beyond a bound: between two of its transactions nobody writes.

use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;

use crate::journal::sqlite::files::Files;
use crate::journal::sqlite::progress::Progress;
use crate::journal::sqlite::schema;
use crate::journal::sqlite::thread::spawn;
use crate::limits;

/// The right to make a checkpoint of a database, because SQLite refuses two at once. Copies share
/// it.
#[derive(Clone, Debug, Default)]
pub(super) struct Turn(Arc<Mutex<()>>);

impl Turn {
    pub(super) fn take(&self) -> MutexGuard<'_, ()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps a log within a bound, for its only writer.
#[derive(Debug)]
pub(super) struct Bound {
    turn: Turn,
    /// Pages that the log should not exceed.
    most: u32,
    /// Pages beyond which another try is made to begin it anew: more than `most` while a long query
    /// keeps it.
    next: u32,
}

impl Bound {
    pub(super) fn new(turn: Turn, most: u32) -> Self {
        Self { turn, most, next: most }
    }

    /// Lets the log begin anew if it has grown beyond the bound. The caller is the only writer of
    /// the database, and is in no transaction.
    pub(super) fn keep(&mut self, connection: &Connection) {
        let pages = pages(connection);
        if pages <= self.next {
            return;
        }
        let _turn = self.turn.take();
        let reset = checkpoint_quickly(connection, "RESTART");
        // A log that did not begin anew is tried again once there is as much more.
        let is_reset = reset.is_ok_and(|found| !found.is_held_up);
        self.next = if is_reset { self.most } else { pages.saturating_add(self.most) };
    }
}

/// The thread.
pub(super) struct Checkpoints {
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

/// The turns of both databases.
#[derive(Clone, Debug, Default)]
pub(super) struct Turns {
    pub(super) journal: Turn,
    pub(super) chats: Turn,
}

impl Checkpoints {
    pub(super) fn open(
        files: &Files,
        turns: Turns,
        progress: Arc<Progress>,
    ) -> rusqlite::Result<Self> {
        let mut journal = Database::open("journal.db", &files.journal, turns.journal)?;
        let mut chats = Database::open("chats.db", &files.chats, turns.chats)?;
        let (stop, stopped) = mpsc::channel();
        let thread = spawn("journal-checkpoints", move || {
            let pause = Duration::from_millis(limits::CHECKPOINT_EVERY_MS);
            while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                // Unless it is calm, appends have the disk, as far as the logs allow.
                if progress.is_calm() {
                    journal.keep_short();
                    chats.carry_over();
                } else if pages(&journal.connection) > limits::BUSY_LOG_PAGES_MAX {
                    journal.carry_over();
                }
            }
            journal.checkpoint("TRUNCATE");
            chats.checkpoint("TRUNCATE");
        });
        Ok(Self { stop, thread })
    }

    /// Carries over the rest, and stops.
    pub(super) fn close(self) {
        // The thread stops when nobody can tell it anything any more.
        drop(self.stop);
        if self.thread.join().is_err() {
            tracing::error!("the thread that makes the journal's checkpoints had panicked");
        }
    }
}

/// A database whose log is kept short.
struct Database {
    name: &'static str,
    connection: Connection,
    turn: Turn,
    /// Whether the last checkpoint failed. That is told once, not ten times a second.
    is_failing: bool,
}

impl Database {
    fn open(name: &'static str, file: &Path, turn: Turn) -> rusqlite::Result<Self> {
        let connection = schema::open_for_checkpoints(file)?;
        Ok(Self { name, connection, turn, is_failing: false })
    }

    /// Moves what the log holds into the database, and returns how many pages the log has.
    fn carry_over(&mut self) -> u32 {
        self.checkpoint("PASSIVE")
    }

    /// The same, and waits for readers only when it grows too long.
    fn keep_short(&mut self) {
        if self.carry_over() > limits::LOG_PAGES_MAX {
            self.checkpoint("RESTART");
        }
    }

    /// Makes a checkpoint, and returns how many pages the log has.
    fn checkpoint(&mut self, mode: &str) -> u32 {
        let _turn = self.turn.take();
        let found = checkpoint(&self.connection, mode);
        let was_failing = std::mem::replace(&mut self.is_failing, found.is_err());
        match found {
            Ok(found) => found.pages,
            Err(error) => {
                // The log keeps everything that was not carried over.
                if !was_failing {
                    let name = self.name;
                    tracing::error!(%error, name, "a checkpoint of {name} failed");
                }
                0
            }
        }
    }
}

/// A log as a checkpoint has found it.
struct Log {
    /// Whether a reader or a writer kept the checkpoint from its end.
    is_held_up: bool,
    /// The pages that it has.
    pages: u32,
}

fn checkpoint(connection: &Connection, mode: &str) -> rusqlite::Result<Log> {
    let sql = format!("PRAGMA wal_checkpoint({mode})");
    connection.prepare_cached(&sql)?.query_row((), |row| {
        // Negative when there is no log.
        let pages = u32::try_from(row.get::<_, i64>(1)?).unwrap_or(0);
        Ok(Log { is_held_up: row.get(0)?, pages })
    })
}

/// Carries a log over into its database and empties it, and returns whether that was done: not
/// while somebody reads an older state.
pub(super) fn empty(connection: &Connection, turn: &Turn) -> rusqlite::Result<bool> {
    let _turn = turn.take();
    Ok(!checkpoint(connection, "TRUNCATE")?.is_held_up)
}

/// The same on a connection that otherwise waits longer: a long query must not hold up those that
/// wait for this connection.
fn checkpoint_quickly(connection: &Connection, mode: &str) -> rusqlite::Result<Log> {
    connection.busy_timeout(Duration::from_millis(limits::CHECKPOINT_WAIT_MS_MAX))?;
    let found = checkpoint(connection, mode);
    connection.busy_timeout(Duration::from_millis(limits::JOURNAL_LOCKED_MS_MAX))?;
    found
}

/// How many pages the log of this database has; none where that cannot be told.
fn pages(connection: &Connection) -> u32 {
    checkpoint(connection, "NOOP").map_or(0, |found| found.pages)
}
