//! The thread that removes from the files what SQLite leaves in them of deleted rows.
//!
//! `secure_delete` writes over a row when it is deleted. But where SQLite moves rows to another
//! page, to make room or to save some, copies of them stay behind in the unused part of the page
//! ([`page::spare`]); and a write-ahead log keeps pages as they were until it begins anew. So after
//! something was taken out, this thread looks at every page of every database, and writes over what
//! is left in such parts; then it empties the logs.
//!
//! A note in the directory says that this is to be done ([`Traces`]). It is written before anything
//! is taken out, so that a start goes on with what a crash has left.

mod page;
mod traces;

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};
use tokio::time::Instant;

use crate::clock;
use crate::journal::Fault;
use crate::journal::sqlite::checkpoint::{self, Turn, Turns};
use crate::journal::sqlite::files::Files;
use crate::journal::sqlite::progress::Progress;
use crate::journal::sqlite::schema;
use crate::journal::sqlite::thread::spawn;
use crate::limits;

pub(super) use crate::journal::sqlite::scouring::traces::Traces;

/// The thread.
pub(super) struct Scouring {
    traces: Arc<Traces>,
    thread: JoinHandle<()>,
}

/// What the thread works with.
struct Worker {
    databases: [(PathBuf, Turn); 3],
    progress: Arc<Progress>,
    traces: Arc<Traces>,
    woken: Receiver<()>,
    /// Until when it goes on, once it is to stop.
    until: Cell<Option<Instant>>,
    /// From when on pages are looked at again though nobody waits for that.
    next: Cell<Option<Instant>>,
    /// Whether only that look at the pages is left to be done.
    has_emptied: Cell<bool>,
}

/// Why a pass has ended before its end.
enum Interrupted {
    /// The journal is closed: the next start goes on with it.
    Closed,
    Fault(Fault),
}

impl From<rusqlite::Error> for Interrupted {
    fn from(error: rusqlite::Error) -> Self {
        Self::Fault(error.into())
    }
}

impl Scouring {
    pub(super) fn open(
        files: &Files,
        turns: Turns,
        progress: Arc<Progress>,
    ) -> std::io::Result<Self> {
        let (wake, woken) = mpsc::channel();
        let traces = Arc::new(Traces::of(files, wake)?);
        let Turns { journal, chats } = turns;
        let databases = [
            (files.journal.clone(), journal),
            (files.chats.clone(), chats),
            // Only the archiving thread carries its log over as well, at the end of each step.
            (files.archive.clone(), Turn::default()),
        ];
        let worker = Worker {
            databases,
            progress,
            traces: Arc::clone(&traces),
            woken,
            until: Cell::default(),
            next: Cell::default(),
            has_emptied: Cell::default(),
        };
        let thread = spawn("journal-scouring", move || worker.run());
        Ok(Self { traces, thread })
    }

    /// What is known of traces.
    pub(super) fn traces(&self) -> Arc<Traces> {
        Arc::clone(&self.traces)
    }

    /// Stops. What is to be done still is done, if it takes no longer than a few seconds; the rest
    /// is left to the next start. Nobody writes any more.
    pub(super) fn close(self) {
        self.traces.stop();
        if self.thread.join().is_err() {
            tracing::error!("the thread that scours the files had panicked");
        }
    }
}

impl Worker {
    fn run(self) {
        let mut is_failing = false;
        while self.wait_for_work().is_ok() {
            match self.pass() {
                Ok(()) => is_failing = false,
                Err(Interrupted::Closed) => return,
                Err(Interrupted::Fault(fault)) => {
                    // A failure is told once, not at every try.
                    if !std::mem::replace(&mut is_failing, true) {
                        tracing::error!(%fault, "what was deleted is not yet out of the files");
                    }
                    if self.pause(limits::WRITE_AGAIN_MS).is_err() || self.until.get().is_some() {
                        return;
                    }
                }
            }
        }
    }

    /// Waits until something was taken out, and nothing more follows on it.
    fn wait_for_work(&self) -> Result<(), Interrupted> {
        while !self.traces.are_left() {
            self.woken.recv().map_err(|_| Interrupted::Closed)?;
        }
        if self.has_emptied.take()
            && let Some(next) = self.next.get()
        {
            let left = next.saturating_duration_since(soon(0)).as_millis();
            self.pause(u64::try_from(left).unwrap_or(u64::MAX))?;
        }
        let latest = soon(limits::SCOUR_PUT_OFF_MS_MAX);
        while self.pause(limits::SCOUR_AFTER_MS)? && soon(0) < latest {}
        Ok(())
    }

    /// Waits for this long, or until something is taken out, and returns whether that was so. Once
    /// the thread is to stop it does not wait.
    fn pause(&self, milliseconds: u64) -> Result<bool, Interrupted> {
        match self.woken.recv_timeout(Duration::from_millis(milliseconds)) {
            Ok(()) => Ok(true),
            Err(RecvTimeoutError::Timeout) => Ok(false),
            Err(RecvTimeoutError::Disconnected) => {
                let until = self.until.get().unwrap_or_else(|| soon(limits::SCOUR_STOP_MS_MAX));
                self.until.set(Some(until));
                if soon(0) < until { Ok(false) } else { Err(Interrupted::Closed) }
            }
        }
    }

    /// Scours all files for what was taken out before this. If nobody waits for that, the logs are
    /// emptied at once, but the pages are looked at only now and then: chats whose time is over
    /// leave all day, and every page has to be read.
    fn pass(&self) -> Result<(), Interrupted> {
        let times = self.traces.times();
        let is_due = self.next.get().is_none_or(|next| next <= soon(0));
        let scours = is_due || self.traces.are_urgent() || self.until.get().is_some();
        // `chats.db`, which follows the journal, must have let go, too.
        self.progress.wait_for(self.progress.head()).map_err(Interrupted::Fault)?;
        let there = || self.databases.iter().filter(|(file, _)| file.exists());
        // Twice, because SQLite may change the numbers of two pages meanwhile, and so move one that
        // is still to be looked at to a place that was looked at before.
        for (file, turn) in there().chain(there()).filter(|_| scours) {
            self.scour(file, turn)?;
        }
        for (file, turn) in there() {
            self.empty_log(file, turn)?;
        }
        self.has_emptied.set(!scours);
        if !scours {
            return Ok(());
        }
        self.next.set(Some(soon(limits::SCOUR_EVERY_MS)));
        let noted = self.traces.scoured(times);
        noted.map_err(|error| Interrupted::Fault(Fault::Write(Arc::new(error))))
    }

    /// Looks at every page of a database.
    fn scour(&self, file: &Path, turn: &Turn) -> Result<(), Interrupted> {
        let mut connection = schema::open_for_scouring(file)?;
        let last: u32 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
        if last >= page::TOLD_APART_BELOW {
            tracing::error!(
                file = %file.display(),
                "{} is too large to be scoured for what was deleted", file.display()
            );
            return Ok(());
        }
        let mut first = 1;
        while first <= last {
            while !self.progress.is_calm() {
                self.pause(limits::SCOUR_AGAIN_MS)?;
            }
            let end = first.saturating_add(limits::SCOUR_PAGES_AT_ONCE - 1).min(last);
            write_over(&mut connection, turn, first..=end)?;
            first = end.saturating_add(1);
            self.pause(limits::SCOUR_PAUSE_MS)?;
        }
        Ok(())
    }

    /// Empties the log of a database, and waits for those that read an older state.
    fn empty_log(&self, file: &Path, turn: &Turn) -> Result<(), Interrupted> {
        let connection = schema::open_for_checkpoints(file)?;
        let tell_at = soon(limits::SCOUR_TOLD_AFTER_MS);
        let mut is_told = false;
        while !checkpoint::empty(&connection, turn)? {
            self.pause(limits::SCOUR_AGAIN_MS)?;
            if !is_told && soon(0) >= tell_at {
                is_told = true;
                let file = file.display();
                tracing::warn!(
                    %file,
                    "somebody has been reading {file} for long: until they end, its write-ahead \
                     log keeps what was deleted"
                );
            }
        }
        Ok(())
    }
}

/// The instant in so many milliseconds.
fn soon(milliseconds: u64) -> Instant {
    clock::reading() + Duration::from_millis(milliseconds)
}

/// Writes over what is left in these pages. Most of the time there is nothing, and nobody waits.
fn write_over(
    connection: &mut Connection,
    turn: &Turn,
    pages: std::ops::RangeInclusive<u32>,
) -> rusqlite::Result<()> {
    let mut unclean = Vec::new();
    for number in pages {
        if clean(connection, number)?.is_some() {
            unclean.push(number);
        }
    }
    if unclean.is_empty() {
        return Ok(());
    }
    let _turn = turn.take();
    let behavior = TransactionBehavior::Immediate;
    let transaction = Transaction::new(connection, behavior)?;
    for number in unclean {
        // The page may be another by now.
        if let Some(page) = clean(&transaction, number)? {
            let sql = "UPDATE sqlite_dbpage SET data = ? WHERE pgno = ?";
            transaction.prepare_cached(sql)?.execute(params![page, number])?;
        }
    }
    transaction.commit()
}

/// The page without what is left in it; nothing when there is nothing left.
fn clean(connection: &Connection, number: u32) -> rusqlite::Result<Option<Vec<u8>>> {
    let sql = "SELECT data FROM sqlite_dbpage WHERE pgno = ?";
    let mut statement = connection.prepare_cached(sql)?;
    let read = |row: &rusqlite::Row<'_>| {
        let page = row.get_ref(0)?.as_blob()?;
        let spare = page::spare(number, page)
            .filter(|spare| page[spare.clone()].iter().any(|byte| *byte != 0));
        Ok(spare.map(|spare| {
            let mut page = page.to_vec();
            page[spare].fill(0);
            page
        }))
    };
    Ok(statement.query_row([number], read).optional()?.flatten())
}
