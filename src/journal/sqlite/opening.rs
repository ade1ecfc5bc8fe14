//! Opens the two databases of a data directory, and makes `chats.db` anew where it is damaged.

use std::path::Path;
use std::{fs, io};

use rusqlite::Connection;

use crate::domain::time::Timestamp;
use crate::journal::audit::Tail;
use crate::journal::sqlite::audit;
use crate::journal::sqlite::checkpoint::Turn;
use crate::journal::sqlite::directory;
use crate::journal::sqlite::files::Files;
use crate::journal::sqlite::log::{self, BrokenLog};
use crate::journal::sqlite::open_fault::OpenFault;
use crate::journal::sqlite::projector::Projector;
use crate::journal::sqlite::schema::{self, Kind};
use crate::journal::sqlite::{recovery, row};
use crate::journal::{Position, Recovered, snapshot};

impl Files {
    fn lost(&self, head: u64, projected: u64) -> OpenFault {
        OpenFault::Lost {
            journal: self.journal.clone(),
            chats: self.chats.clone(),
            head: Position(head),
            projected: Position(projected),
        }
    }
}

/// What was opened.
pub(super) struct Opened {
    /// What the writer writes with.
    pub(super) journal: Connection,
    /// The projector, which has followed the journal to its head.
    pub(super) projector: Projector,
    /// The last position.
    pub(super) head: u64,
    /// Where the audit stream ends.
    pub(super) tail: Tail,
    pub(super) recovered: Recovered,
}

/// Opens both databases and reads what is needed to start again. Files of a newer release, and a
/// damaged journal, are left as they are.
pub(super) fn open(files: &Files, chats: &Turn) -> Result<Opened, OpenFault> {
    refuse_broken_log(&files.journal)?;
    schema::refuse_foreign(&files.journal, Kind::Journal)?;
    match schema::refuse_foreign(&files.chats, Kind::Chats) {
        Err(fault) if !fault.is_of_chats(files) => return Err(fault),
        // The damage is noticed again later, and mended.
        Err(_) | Ok(()) => {}
    }
    refuse_loss(files)?;
    let journal = schema::open_journal(files)?;
    let in_journal = |source| OpenFault::at(&files.journal, source);
    let last = row::last(&journal).map_err(in_journal)?;
    let latest = last.as_ref().map_or_else(Timestamp::default, |last| last.at);
    let head = row::head(last)?;
    let tail = audit::tail(&journal).map_err(in_journal)?;
    if files.damaged.exists() {
        tracing::warn!(
            file = %files.chats.display(),
            "chats.db was found damaged: it is made anew"
        );
        remove_chats(files)?;
    }
    let followed = match follow(files, chats, head, latest) {
        Err(fault) if fault.is_of_chats(files) => {
            refuse_future_snapshots(&files.chats)?;
            tracing::warn!(%fault, "chats.db is damaged: it is made anew from journal.db");
            remove_chats(files)?;
            follow(files, chats, head, latest)
        }
        followed => followed,
    };
    let (projector, recovered) = followed?;
    Ok(Opened { journal, projector, head, tail, recovered })
}

/// Opens `chats.db`, brings it up to the head of the journal, and reads it.
fn follow(
    files: &Files,
    turn: &Turn,
    head: u64,
    latest: Timestamp,
) -> Result<(Projector, Recovered), OpenFault> {
    refuse_broken_log(&files.chats)?;
    let chats = schema::open_chats(files)?;
    let in_chats = |source| OpenFault::at(&files.chats, source);
    let position = schema::projected(&chats).map_err(in_chats)?;
    if position > head {
        return Err(files.lost(head, position));
    }
    let registry = recovery::settings(&chats)?;
    let follower = schema::open_for_reading(&files.journal)
        .map_err(|source| OpenFault::at(&files.journal, source))?;
    let mut projector = Projector::new(follower, chats, registry, position, turn.clone());
    projector.catch_up(head)?;
    let recovered = Recovered {
        settings: projector.registry().clone(),
        presences: recovery::presences(projector.chats())?,
        conversations: recovery::conversations(&files.chats)?,
        latest,
        history: directory::history(files)?,
    };
    Ok((projector, recovered))
}

/// A journal that is not there, or empty, is a new one, unless `chats.db` has followed it once.
fn refuse_loss(files: &Files) -> Result<(), OpenFault> {
    let is_empty = |file: &Path| file.metadata().map_or(true, |metadata| metadata.len() == 0);
    if !is_empty(&files.journal) || is_empty(&files.chats) {
        return Ok(());
    }
    let projected = schema::open_for_reading(&files.chats)
        .and_then(|connection| schema::projected(&connection));
    match projected.unwrap_or(0) {
        0 => Ok(()),
        projected => Err(files.lost(0, projected)),
    }
}

/// Refuses a journal that has lost something since it was closed. It is not changed.
pub(super) fn refuse_damage_at_rest(files: &Files) -> Result<(), OpenFault> {
    refuse_broken_log(&files.journal)?;
    schema::refuse_foreign(&files.journal, Kind::Journal)?;
    refuse_loss(files)?;
    // Damage of chats.db itself is no damage of the journal.
    let projected = schema::open_for_reading(&files.chats)
        .and_then(|connection| schema::projected(&connection));
    let in_journal = |source| OpenFault::at(&files.journal, source);
    let connection = schema::open_for_reading(&files.journal).map_err(in_journal)?;
    let head = row::head(row::last(&connection).map_err(in_journal)?)?;
    match projected {
        Ok(projected) if projected > head => Err(files.lost(head, projected)),
        Ok(_) | Err(_) => Ok(()),
    }
}

fn refuse_broken_log(database: &Path) -> Result<(), OpenFault> {
    match log::look_at(database) {
        Ok(None) => Ok(()),
        Ok(Some(BrokenLog { file, offset })) => Err(OpenFault::BrokenLog { file, offset }),
        Err(source) => Err(OpenFault::Directory { path: database.to_owned(), source }),
    }
}

/// A snapshot that a newer release has written is no damage.
fn refuse_future_snapshots(chats: &Path) -> Result<(), OpenFault> {
    let newest = || {
        let connection = schema::open_for_reading(chats)?;
        let sql = "SELECT snapshot FROM conversations
             WHERE state IN ('open', 'active', 'waiting', 'wrapup')
             ORDER BY substr(snapshot, 1, 1) DESC LIMIT 1";
        connection.query_row(sql, (), |row| row.get::<_, Vec<u8>>(0))
    };
    // An unreadable snapshot says nothing.
    let newest = newest().unwrap_or_default();
    match row::unseal(&newest).and_then(<[u8]>::first) {
        Some(found) if *found > snapshot::VERSION => Err(OpenFault::FromTheFuture {
            file: chats.to_owned(),
            found: i64::from(*found),
            known: i64::from(snapshot::VERSION),
        }),
        Some(_) | None => Ok(()),
    }
}

/// Removes `chats.db` and the note that it is damaged.
fn remove_chats(files: &Files) -> Result<(), OpenFault> {
    schema::remove(&files.chats)?;
    match fs::remove_file(&files.damaged) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(OpenFault::Directory { path: files.damaged.clone(), source })
        }
        Ok(()) | Err(_) => Ok(()),
    }
}
