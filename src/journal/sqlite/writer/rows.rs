//! The rows of `journal.db`, as they are written and taken out.

use std::collections::HashSet;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, params};

use crate::domain::time::Timestamp;
use crate::journal::Fault;
use crate::journal::record::{Record, Stream, TakenOut};
use crate::journal::sqlite::row;
use crate::journal::sqlite::writer::{Encoded, Entry, Found};

const INSERT: &str = "INSERT INTO events (position, stream, seq, at, kind, body, checksum)
     VALUES (?, ?, ?, ?, ?, ?, ?)";

/// Writes all of this after the position `head`, in one transaction, and says how far the journal
/// then reaches. After an error the transaction may still be open.
pub(super) fn write(
    connection: &Connection,
    head: u64,
    appends: &[Encoded],
) -> rusqlite::Result<u64> {
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute(())?;
    let mut insert = Insert { statement: connection.prepare_cached(INSERT)?, position: head };
    for (entry, body) in appends.iter().flat_map(Encoded::iter) {
        let Entry { first, at, kind, positions, is_refused, .. } = entry;
        if *is_refused {
            continue;
        }
        entry.with_stream(|stream| insert.row(stream, first.number(), *at, kind, body))?;
        // Each event has a place, the first of them that of the row.
        insert.position += u64::from(positions.saturating_sub(1));
    }
    let position = insert.position;
    drop(insert);
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
    let Record { kind, body } = Record::of_taken_out(record);
    let statement = connection.prepare_cached(INSERT)?;
    let mut insert = Insert { statement, position: position.saturating_sub(1) };
    insert.row(&Stream::Retention.name(), 0, at, kind, body.as_bytes())?;
    drop(insert);
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

/// Writes rows one after the other.
struct Insert<'a> {
    statement: CachedStatement<'a>,
    /// The last position that is taken.
    position: u64,
}

impl Insert<'_> {
    /// Writes a row at the next position. The body is UTF-8.
    fn row(
        &mut self,
        stream: &str,
        seq: u32,
        at: Timestamp,
        kind: &str,
        body: &[u8],
    ) -> rusqlite::Result<()> {
        self.position += 1;
        let checksum = row::checksum(self.position, stream, seq, at, kind, body);
        let insert = &mut self.statement;
        insert.raw_bind_parameter(1, self.position)?;
        insert.raw_bind_parameter(2, stream)?;
        insert.raw_bind_parameter(3, seq)?;
        insert.raw_bind_parameter(4, at.as_millis())?;
        insert.raw_bind_parameter(5, kind)?;
        insert.raw_bind_parameter(6, ToSqlOutput::Borrowed(ValueRef::Text(body)))?;
        insert.raw_bind_parameter(7, checksum)?;
        insert.raw_execute().map(drop)
    }
}
