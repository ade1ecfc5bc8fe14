//! The rows of `journal.db`, as they are written and taken out.

use std::collections::HashSet;

use rusqlite::{Connection, params};

use crate::domain::time::Timestamp;
use crate::journal::record::{Record, Stream, TakenOut};
use crate::journal::sqlite::row;
use crate::journal::sqlite::writer::Found;
use crate::journal::{Append, Fault};

const INSERT: &str = "INSERT INTO events (position, stream, seq, at, kind, body, checksum)
     VALUES (?, ?, ?, ?, ?, ?, ?)";

/// Writes all of this after the position `head`, in one transaction, and says how far the journal
/// then reaches. After an error the transaction may still be open.
pub(super) fn write(
    connection: &Connection,
    head: u64,
    appends: &[Append],
) -> rusqlite::Result<u64> {
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute(())?;
    let mut position = head;
    for append in appends {
        match append {
            Append::Conversation { id, first, at, events } => {
                let stream = Stream::Conversation(*id).name();
                let record = Record::of_events(events);
                insert(connection, position + 1, &stream, first.number(), *at, &record)?;
                position += events.len() as u64;
            }
            Append::Presence { agent, presence, at, .. } => {
                position += 1;
                let stream = Stream::Agent(agent.clone()).name();
                let record = Record::of_presence(*presence);
                insert(connection, position, &stream, 0, *at, &record)?;
            }
            Append::Setting { change, at, .. } => {
                position += 1;
                let record = Record::of_setting(change);
                insert(connection, position, &Stream::Settings.name(), 0, *at, &record)?;
            }
        }
    }
    connection.prepare_cached("COMMIT")?.execute(())?;
    Ok(position)
}

/// The streams that have a row after a position.
pub(super) fn streams_after(
    connection: &Connection,
    after: u64,
) -> rusqlite::Result<HashSet<String>> {
    let sql = "SELECT stream FROM events WHERE position > ?";
    let mut statement = connection.prepare_cached(sql)?;
    let streams = statement.query_map([after], |row| row.get(0))?;
    streams.collect()
}

/// Takes the rows of these conversations out and writes the record of it at a position, in one
/// transaction, so that nobody ever sees half of a conversation. After an error the transaction
/// may still be open.
pub(super) fn take_out(
    connection: &Connection,
    position: u64,
    at: Timestamp,
    conversations: &[Found],
    record: &TakenOut,
) -> Result<(), TakeOutError> {
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute(())?;
    let mut delete =
        connection.prepare_cached("DELETE FROM events WHERE position = ? AND stream = ?")?;
    for Found { conversation, rows, .. } in conversations {
        let stream = Stream::Conversation(*conversation).name();
        for position in rows {
            if delete.execute(params![position, stream])? != 1 {
                return Err(TakeOutError::Absent { position: *position, stream });
            }
        }
    }
    let record = Record::of_taken_out(record);
    insert(connection, position, &Stream::Retention.name(), 0, at, &record)?;
    connection.prepare_cached("COMMIT")?.execute(())?;
    Ok(())
}

/// Why rows could not be taken out.
pub(super) enum TakeOutError {
    /// A row is not where `chats.db` says that it is.
    Absent { position: u64, stream: String },
    /// The database said no.
    Database(rusqlite::Error),
}

impl From<rusqlite::Error> for TakeOutError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

impl TakeOutError {
    /// The fault that a missing row is.
    pub(super) fn absent(position: u64, stream: &str) -> Fault {
        Fault::Damaged {
            place: format!("journal.db, position {position}"),
            problem: format!("a record of {stream} should stand there, and does not"),
        }
    }
}

fn insert(
    connection: &Connection,
    position: u64,
    stream: &str,
    seq: u32,
    at: Timestamp,
    record: &Record,
) -> rusqlite::Result<()> {
    let Record { kind, body } = record;
    let checksum = row::checksum(position, stream, seq, at, kind, body);
    let mut insert = connection.prepare_cached(INSERT)?;
    insert.execute(params![position, stream, seq, at.as_millis(), kind, body, checksum])?;
    Ok(())
}
