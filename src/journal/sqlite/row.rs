//! A row of `journal.db`, of `archive.db` or of a backup, and the checksum that it carries.

use rusqlite::Connection;

use crate::domain::time::Timestamp;
use crate::journal::Fault;

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
    body: &str,
) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&position.to_le_bytes());
    hasher.update(&seq.to_le_bytes());
    hasher.update(&at.as_millis().to_le_bytes());
    for text in [stream, kind, body] {
        hasher.update(text.as_bytes());
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
        Fault::Damaged {
            place: format!("journal.db, position {}", self.position),
            problem: problem.to_owned(),
        }
    }
}

/// Which columns the table `events` of this file has.
pub(super) fn columns(connection: &Connection) -> rusqlite::Result<&'static str> {
    let sql = "SELECT count(*) FROM pragma_table_info('events') WHERE name = 'checksum'";
    let found: i64 = connection.query_row(sql, (), |row| row.get(0))?;
    Ok(if found == 0 { COLUMNS_WITHOUT } else { COLUMNS })
}
