//! The rows of `journal.db`, as they are written and taken out.

use std::collections::HashSet;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, params};

use crate::domain::time::Timestamp;
use crate::journal::Fault;
use crate::journal::audit::Tail;
use crate::journal::record::{Record, Stream, TakenOut, Unreadable, shared_row};
use crate::journal::sqlite::audit;
use crate::journal::sqlite::row::{self, Row};
use crate::journal::sqlite::writer::encoding::{Encoded, Line};
use crate::journal::sqlite::writer::order::Found;

const INSERT: &str = "INSERT INTO events (position, stream, seq, at, kind, body, checksum)
     VALUES (?, ?, ?, ?, ?, ?, ?)";

/// Writes all of this after the position `head`, and what is noted of it after the `tail` of the
/// audit stream, in one transaction, and returns how far both then reach. `room` is for putting
/// bodies together. After an error the transaction may still be open.
pub(super) fn write(
    connection: &Connection,
    head: u64,
    tail: &Tail,
    appends: &[Encoded],
    room: &mut Vec<u8>,
) -> rusqlite::Result<(u64, Tail)> {
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute(())?;
    let mut tail = tail.clone();
    let mut insert = Insert { statement: connection.prepare_cached(INSERT)?, position: head };
    for append in appends {
        append.each_line(room, |line| {
            let Line { stream, seq, at, kind, body, positions } = line;
            insert.row(stream, seq.number(), *at, kind, body)?;
            // Each event has a position; that of the row is the first.
            insert.position += positions.saturating_sub(1);
            Ok::<_, rusqlite::Error>(())
        })?;
        for noted in append.noted() {
            audit::insert(connection, &mut tail, noted.clone())?;
        }
    }
    let position = insert.position;
    drop(insert);
    connection.prepare_cached("COMMIT")?.execute(())?;
    Ok((position, tail))
}

/// The streams of which something was written after a position that ends a row.
pub(super) fn streams_after(
    connection: &Connection,
    after: u64,
) -> Result<HashSet<String>, TakeOutError> {
    let sql = format!("SELECT {} FROM events WHERE position > ?", row::COLUMNS);
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([after])?;
    let mut streams = HashSet::new();
    while let Some(row) = rows.next()? {
        let row = Row::of(row)?;
        let place = row.position;
        let unreadable = |error: Unreadable| TakeOutError::Unreadable(place, error);
        let unfolded = row.unfolded().map_err(unreadable)?;
        streams.extend(unfolded.into_iter().map(|row| row.stream));
    }
    Ok(streams)
}

/// Takes the rows of these conversations out and writes the record of it at a position, in one
/// transaction, so that no reader ever sees half of a conversation. After an error the transaction
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
            let is_gone = delete.execute(params![position, stream])? == 1
                || leave_out(connection, *position, &stream)?;
            if !is_gone {
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

/// Takes what a conversation has at a position out of the row that it shares with others, if there
/// is one. What is left of the row stays where it is.
fn leave_out(connection: &Connection, position: u64, stream: &str) -> Result<bool, TakeOutError> {
    let Some(row) = shared_at(connection, position)? else { return Ok(false) };
    let offset = position - row.position;
    let left = shared_row::without(&row.body, stream, offset);
    if let Some(body) = left.map_err(|error| TakeOutError::Unreadable(row.position, error))? {
        let Row { position, stream, seq, at, kind, .. } = &row;
        let checksum = row::checksum(*position, stream, *seq, *at, kind, &body);
        let sql = "UPDATE events SET body = ?, checksum = ? WHERE position = ?";
        connection.prepare_cached(sql)?.execute(params![body, checksum, position])?;
    } else {
        let sql = "DELETE FROM events WHERE position = ?";
        connection.prepare_cached(sql)?.execute([row.position])?;
    }
    Ok(true)
}

/// The whole row that several share and that may hold this position.
fn shared_at(connection: &Connection, position: u64) -> rusqlite::Result<Option<Row>> {
    let row = row::at_or_before(connection, position)?;
    Ok(row.filter(|row| row.is_shared() && row.is_whole()))
}

/// Why rows could not be taken out.
pub(super) enum TakeOutError {
    /// A row is not where `chats.db` says that it is.
    Absent { position: u64, stream: String },
    /// What stands at a position cannot be read.
    Unreadable(u64, Unreadable),
    /// The database said no.
    Database(rusqlite::Error),
}

impl From<rusqlite::Error> for TakeOutError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

impl TakeOutError {
    /// The fault that it is, unless the database said no.
    pub(super) fn fault(self) -> Result<Fault, rusqlite::Error> {
        let (position, problem) = match self {
            Self::Absent { position, stream } => {
                (position, format!("a record of {stream} should stand there, and does not"))
            }
            Self::Unreadable(position, error) => (position, error.0),
            Self::Database(error) => return Err(error),
        };
        Ok(Fault::Damaged { place: format!("journal.db, position {position}"), problem })
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
