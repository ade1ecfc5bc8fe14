//! The thread that carries the write-ahead logs over into the databases, so that no append and no
//! projected batch waits for that.

use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;

use crate::journal::sqlite::schema::Files;
use crate::journal::sqlite::{schema, spawn};
use crate::limits;

/// The thread.
pub(super) struct Checkpoints {
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

impl Checkpoints {
    pub(super) fn open(files: &Files) -> rusqlite::Result<Self> {
        let mut databases = [
            Database::open("journal.db", &files.journal)?,
            Database::open("chats.db", &files.chats)?,
        ];
        let (stop, stopped) = mpsc::channel();
        let thread = spawn("journal-checkpoints", move || {
            let pause = Duration::from_millis(limits::CHECKPOINT_EVERY_MS);
            while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                databases.iter_mut().for_each(Database::keep_short);
            }
            for database in &mut databases {
                database.checkpoint("TRUNCATE");
            }
        });
        Ok(Self { stop, thread })
    }

    /// Carries over the rest, and stops.
    pub(super) fn close(self) {
        // The thread stops when nobody is left to tell it anything.
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
    /// Whether the last checkpoint failed. That is told once, not ten times a second.
    is_failing: bool,
}

impl Database {
    fn open(name: &'static str, file: &Path) -> rusqlite::Result<Self> {
        let connection = schema::open_for_checkpoints(file)?;
        Ok(Self { name, connection, is_failing: false })
    }

    /// Moves what the log holds into the database, and waits for readers only when it grows too
    /// long.
    fn keep_short(&mut self) {
        if self.checkpoint("PASSIVE") > limits::LOG_PAGES_MAX {
            self.checkpoint("RESTART");
        }
    }

    /// Makes a checkpoint, and says how many pages the log has.
    fn checkpoint(&mut self, mode: &str) -> u32 {
        let sql = format!("PRAGMA wal_checkpoint({mode})");
        let pages = self.connection.query_row(&sql, (), |row| row.get::<_, i64>(1));
        let was_failing = std::mem::replace(&mut self.is_failing, pages.is_err());
        match pages {
            // Negative when there is no log.
            Ok(pages) => u32::try_from(pages).unwrap_or(0),
            Err(error) => {
                // The log keeps everything that was not carried over.
                if !was_failing {
                    tracing::error!(%error, name = self.name, "a checkpoint failed");
                }
                0
            }
        }
    }
}
