//! A row of `journal.db`, of `archive.db` or of a backup, and the checksum that it carries.
//!
//! A row holds one append. If that has several events, they take consecutive positions and places,
//! and the row has the first of these. Appends that were made together while very many waited share
//! a row. A reader takes it apart first ([`Row::unfolded`]), and then sees each append as if it had
//! a row of its own. An archive has no shared row.

use rusqlite::{Connection, OptionalExtension as _};

use crate::domain::conversation::event::{Event, Recorded};
use crate::domain::id::Seq;
use crate::domain::time::Timestamp;
use crate::journal::Fault;
use crate::journal::record::{self, Entry, Share, Shares, Stream, Unreadable};

/// A row as it is stored.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) position: u64,
    pub(super) stream: String,
    pub(super) seq: u32,
    pub(super) at: Timestamp,
    pub(super) kind: String,
    pub(super) body: String,
    /// Rows from before there were checksums have none.
    pub(super) checksum: Option<u32>,
}

/// One of the records in a row, as it would stand alone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'a> {
    pub(super) position: u64,
    pub(super) seq: u32,
    pub(super) kind: &'a str,
    pub(super) body: &'a str,
}

impl Part<'_> {
    /// The event that it says.
    pub(super) fn event(&self) -> Result<Event, Unreadable> {
        Entry::read_event(self.kind, self.body)
    }
}

/// The columns that [`Row::of`] reads.
pub(super) const COLUMNS: &str = "position, stream, seq, at, kind, body, checksum";

/// The columns of a file of the version 1, which had no checksums.
pub(super) const COLUMNS_WITHOUT: &str = "position, stream, seq, at, kind, body, NULL";

/// What is wrong with a row that is not what was written.
pub(super) const MISMATCH: &str = "its checksum does not match";

/// The checksum of a row: CRC-32 (IEEE) of the position, the place and the time as little-endian
/// numbers of 8, 4 and 8 bytes, and of stream, kind and body, each with a zero byte behind it.
pub(super) fn checksum(
    position: u64,
    stream: &str,
    seq: u32,
    at: Timestamp,
    kind: &str,
    body: impl AsRef<[u8]>,
) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&position.to_le_bytes());
    hasher.update(&seq.to_le_bytes());
    hasher.update(&at.as_millis().to_le_bytes());
    for text in [stream.as_bytes(), kind.as_bytes(), body.as_ref()] {
        hasher.update(text);
        hasher.update(&[0]);
    }
    hasher.finalize()
}

/// A snapshot with its own CRC-32 behind it: four little-endian bytes.
pub(super) fn seal(mut snapshot: Vec<u8>) -> Vec<u8> {
    let sum = crc32fast::hash(&snapshot);
    snapshot.extend(sum.to_le_bytes());
    snapshot
}

/// The snapshot that was sealed, if it is what was written.
pub(super) fn unseal(sealed: &[u8]) -> Option<&[u8]> {
    let (snapshot, sum) = sealed.split_last_chunk()?;
    (crc32fast::hash(snapshot) == u32::from_le_bytes(*sum)).then_some(snapshot)
}

impl Row {
    /// The row in the columns [`COLUMNS`].
    pub(super) fn of(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            position: row.get(0)?,
            stream: row.get(1)?,
            seq: row.get(2)?,
            at: Timestamp::from_millis(row.get(3)?),
            kind: row.get(4)?,
            body: row.get(5)?,
            checksum: row.get(6)?,
        })
    }

    /// Whether several appends share the row, or would share it if it were whole.
    pub(super) fn is_shared(&self) -> bool {
        self.is_in_the_shared_stream() || record::is_shared_row(&self.kind)
    }

    /// The appends in the row, each as a row of its own, in the order of their positions: the row
    /// itself, unless it is shared. The row need not be whole; the results always are.
    pub(super) fn unfolded(self) -> Result<Vec<Self>, Unreadable> {
        let Some(shares) = self.shares() else {
            return Ok(vec![self]);
        };
        let own = |share: Share<'_>| {
            let Share { offset, stream, seq, kind, body, .. } = share;
            // A row that is damaged may say anything.
            let position = self.position.saturating_add(offset);
            Self {
                position,
                stream: stream.to_owned(),
                seq,
                at: self.at,
                kind: kind.to_owned(),
                body: body.to_owned(),
                checksum: Some(checksum(position, stream, seq, self.at, kind, body)),
            }
        };
        Ok(shares?.shares.into_iter().map(own).collect())
    }

    /// What stands in it, if it is shared.
    fn shares(&self) -> Option<Result<Shares<'_>, Unreadable>> {
        let shares = record::read_shared_row(&self.kind, &self.body);
        if shares.is_some() == self.is_in_the_shared_stream() {
            return shares;
        }
        let problem = format!("a record of another stream stands in {}", self.stream);
        Some(Err(Unreadable(problem)))
    }

    fn is_in_the_shared_stream(&self) -> bool {
        Stream::read(&self.stream) == Ok(Stream::Several)
    }

    /// The records in it, in their order; at least one. It need not be whole, and is not shared.
    pub(super) fn parts(&self) -> Result<Vec<Part<'_>>, Unreadable> {
        let Self { position, seq, kind, body, .. } = self;
        let Some(pieces) = record::read_append(kind, body) else {
            return Ok(vec![Part { position: *position, seq: *seq, kind, body }]);
        };
        // A row that is damaged may say anything.
        let parts = pieces?.into_iter().zip(0_u32..).map(|(piece, index)| Part {
            position: position.saturating_add(index.into()),
            seq: seq.saturating_add(index),
            kind: piece.kind,
            body: piece.body(),
        });
        Ok(parts.collect())
    }

    /// The position of the last of its records, including those that were taken out of it.
    pub(super) fn end(&self) -> Result<u64, Fault> {
        if let Some(shares) = self.shares() {
            let shares = shares.map_err(|error| self.damaged(&error.0))?;
            return Ok(self.position.saturating_add(shares.positions).saturating_sub(1));
        }
        let parts = self.parts().map_err(|error| self.damaged(&error.0))?;
        Ok(parts.last().map_or(self.position, |last| last.position))
    }

    /// The events in it, each in its place.
    pub(super) fn recorded(&self) -> Result<Vec<Recorded>, Fault> {
        let read = |part: Part<'_>| {
            let event = part.event()?;
            Ok(Recorded { seq: Seq::new(part.seq), at: self.at, event })
        };
        let parts = self.parts().map_err(|error| self.damaged(&error.0))?;
        let recorded = parts.into_iter().map(read).collect::<Result<_, Unreadable>>();
        recorded.map_err(|error| self.damaged(&error.0))
    }

    /// Whether it is what was written, as far as that can be told.
    pub(super) fn is_whole(&self) -> bool {
        let Self { position, stream, seq, at, kind, body, checksum: kept } = self;
        let found = || checksum(*position, stream, *seq, *at, kind, body);
        kept.is_none_or(|kept| kept == found())
    }

    /// The row, if it is what was written.
    pub(super) fn verified(self) -> Result<Self, Fault> {
        if self.is_whole() { Ok(self) } else { Err(self.damaged(MISMATCH)) }
    }

    /// What is wrong with it, with its place.
    pub(super) fn damaged(&self, problem: &str) -> Fault {
        damaged(self.position, problem)
    }
}

/// What is wrong with the row at a position.
pub(super) fn damaged(position: u64, problem: &str) -> Fault {
    Fault::Damaged {
        place: format!("journal.db, position {position}"),
        problem: problem.to_owned(),
    }
}

/// Which columns the table `events` of this file has.
pub(super) fn columns(connection: &Connection) -> rusqlite::Result<&'static str> {
    let sql = "SELECT count(*) FROM pragma_table_info('events') WHERE name = 'checksum'";
    let found: i64 = connection.query_row(sql, (), |row| row.get(0))?;
    Ok(if found == 0 { COLUMNS_WITHOUT } else { COLUMNS })
}

/// The last row of this table of events.
pub(super) fn last(connection: &Connection) -> rusqlite::Result<Option<Row>> {
    let columns = columns(connection)?;
    let sql = format!("SELECT {columns} FROM events ORDER BY position DESC LIMIT 1");
    connection.query_row(&sql, (), Row::of).optional()
}

/// The row at a position of a journal, or the last before it, which may hold that position.
pub(super) fn at_or_before(
    connection: &Connection,
    position: u64,
) -> rusqlite::Result<Option<Row>> {
    let sql =
        format!("SELECT {COLUMNS} FROM events WHERE position <= ? ORDER BY position DESC LIMIT 1");
    connection.prepare_cached(&sql)?.query_row([position], Row::of).optional()
}

/// How far a journal that ends with this row reaches: to the last of the row's records.
pub(super) fn head(last: Option<Row>) -> Result<u64, Fault> {
    last.map_or(Ok(0), |last| last.verified()?.end())
}
