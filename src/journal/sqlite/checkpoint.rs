//! The thread that carries the write-ahead logs over into the databases, so that no append and no
//! projected batch waits for that.

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
        let databases = [
            ("journal.db", schema::open_for_checkpoints(&files.journal)?),
            ("chats.db", schema::open_for_checkpoints(&files.chats)?),
        ];
        let (stop, stopped) = mpsc::channel();
        let thread = spawn("journal-checkpoints", move || {
            let pause = Duration::from_millis(limits::CHECKPOINT_EVERY_MS);
            while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                for (name, connection) in &databases {
                    keep_short(name, connection);
                }
            }
            for (name, connection) in &databases {
                checkpoint(name, connection, "TRUNCATE");
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

/// Moves what the log holds into the database, and waits for readers only when it grows too long.
fn keep_short(name: &str, connection: &Connection) {
    if checkpoint(name, connection, "PASSIVE") > limits::LOG_PAGES_MAX {
        checkpoint(name, connection, "RESTART");
    }
}

/// Makes a checkpoint, and says how many pages the log has.
fn checkpoint(name: &str, connection: &Connection, mode: &str) -> u32 {
    let pages = connection
        .query_row(&format!("PRAGMA wal_checkpoint({mode})"), (), |row| row.get::<_, i64>(1));
    match pages {
        // Negative when there is no log.
        Ok(pages) => u32::try_from(pages).unwrap_or(0),
        Err(error) => {
            // The log keeps everything that was not carried over.
            tracing::error!(%error, name, "a checkpoint failed");
            0
        }
    }
}
