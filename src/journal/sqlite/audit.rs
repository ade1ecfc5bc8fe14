//! The table `audit` of `journal.db`: written, read by page, dropped from its old end, and checked.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::domain::audit::{AuditEntry, AuditKind};
use crate::domain::time::Timestamp;
use crate::journal::audit::{self, AuditFilter, AuditPage, AuditRow, Tail, hex};
use crate::journal::sqlite::inspection::Problems;
use crate::limits;

const INSERT: &str = "INSERT INTO audit (number, at, kind, actor, about, body, hash)
     VALUES (?, ?, ?, ?, ?, ?, ?)";

/// The columns that [`read`] takes.
const COLUMNS: &str = "number, at, kind, actor, about, body, hash";

/// What the table holds.
#[derive(Clone, Debug, Default)]
pub struct AuditContents {
    /// How many entries.
    pub entries: u64,
    /// The number of the last one; zero where there is none.
    pub last: u64,
    /// Its hash in hexadecimal digits, which proves all entries up to it.
    pub hash: String,
}

/// Where the chain ends.
pub(super) fn tail(connection: &Connection) -> rusqlite::Result<Tail> {
    let sql = "SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1";
    let last = connection
        .query_row(sql, (), |row| Ok(Tail { number: row.get(0)?, hash: row.get(1)? }))
        .optional()?;
    // Where entries are absent at the end, new ones must not take their numbers.
    let given = given(connection)?;
    let last = last.unwrap_or_default();
    Ok(Tail { number: last.number.max(given), ..last })
}

/// The highest number that was ever given.
fn given(connection: &Connection) -> rusqlite::Result<u64> {
    let sql = "SELECT seq FROM sqlite_sequence WHERE name = 'audit'";
    Ok(connection.query_row(sql, (), |row| row.get(0)).optional()?.unwrap_or(0))
}

/// Writes an entry behind the others. It belongs to the caller's transaction.
pub(super) fn insert(
    connection: &Connection,
    tail: &mut Tail,
    entry: AuditEntry,
) -> rusqlite::Result<()> {
    insert_row(connection, &tail.append(entry))
}

fn insert_row(connection: &Connection, row: &AuditRow) -> rusqlite::Result<()> {
    let AuditRow { number, at, kind, by, about, body, hash } = row;
    let values = params![number, at.as_millis(), kind, by, about, body, hash];
    connection.prepare_cached(INSERT)?.execute(values).map(drop)
}

/// Copies all entries of one journal into a new one, byte by byte, whatever they are.
pub(super) fn copy(from: &Connection, to: &Connection) -> rusqlite::Result<()> {
    if !is_there(from)? {
        return Ok(());
    }
    let mut statement = from.prepare(&format!("SELECT {COLUMNS} FROM audit ORDER BY number"))?;
    let mut rows = statement.query(())?;
    while let Some(row) = rows.next()? {
        insert_row(to, &read(row)?)?;
    }
    // So the copy also shows that entries were taken from the end of the original.
    let given = given(from)?.max(given(to)?);
    to.execute("DELETE FROM sqlite_sequence WHERE name = 'audit'", ())?;
    to.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('audit', ?)", [given]).map(drop)
}

/// A page of the entries before a number that match, the newest first. The number of entries it
/// looks through is bounded, so it may be short or empty and still have a next.
pub(super) fn page(
    connection: &Connection,
    filter: &AuditFilter,
    before: Option<u64>,
    most: usize,
) -> rusqlite::Result<AuditPage> {
    let sql = format!("SELECT {COLUMNS} FROM audit WHERE number < ? ORDER BY number DESC");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([before.map_or(i64::MAX, u64::cast_signed)])?;
    let mut page = AuditPage::default();
    let mut looked_at = 0;
    while let Some(row) = rows.next()? {
        let row = read(row)?;
        if page.rows.len() == most || looked_at == limits::AUDIT_LOOKED_AT_MAX {
            page.next = Some(row.number + 1);
            break;
        }
        looked_at += 1;
        if filter.matches(&row) {
            page.rows.push(row);
        }
    }
    Ok(page)
}

/// Drops some of the entries that are older than `before`, and writes an entry that tells of it;
/// returns whether there was anything to drop. After an error the transaction may still be open.
pub(super) fn drop_old(
    connection: &Connection,
    tail: &Tail,
    before: Timestamp,
    at: Timestamp,
) -> rusqlite::Result<Option<Tail>> {
    let Some((last, dropped)) = dropped(connection, before)? else { return Ok(None) };
    let mut tail = tail.clone();
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute(())?;
    connection.prepare_cached("DELETE FROM audit WHERE number <= ?")?.execute([last.number])?;
    insert(connection, &mut tail, audit::of_dropping(&last, dropped, at))?;
    connection.prepare_cached("COMMIT")?.execute(())?;
    Ok(Some(tail))
}

/// The last entry that is to be dropped, and how many are: only those at the old end.
fn dropped(connection: &Connection, before: Timestamp) -> rusqlite::Result<Option<(Tail, u64)>> {
    let mut statement =
        connection.prepare_cached("SELECT number, hash, at FROM audit ORDER BY number LIMIT ?")?;
    let mut rows = statement.query([limits::AUDIT_DROPPED_AT_ONCE])?;
    let mut found = None;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        if row.get::<_, i64>(2)? >= before.as_millis() {
            break;
        }
        count += 1;
        found = Some(Tail { number: row.get(0)?, hash: row.get(1)? });
    }
    Ok(found.map(|last| (last, count)))
}

/// Follows the chain from its beginning to its end, and tells each place where it is broken.
pub(super) fn check(connection: &Connection, file: &str, problems: &mut Problems) -> AuditContents {
    let mut contents = AuditContents::default();
    let checked = is_there(connection).and_then(|is_there| {
        if is_there { follow(connection, file, problems, &mut contents) } else { Ok(()) }
    });
    if let Err(error) = checked {
        problems.add(format!("{file}, audit"), error.to_string());
    }
    contents
}

fn follow(
    connection: &Connection,
    file: &str,
    problems: &mut Problems,
    contents: &mut AuditContents,
) -> rusqlite::Result<()> {
    let mut last = anchor(connection)?.unwrap_or_default();
    let mut statement =
        connection.prepare(&format!("SELECT {COLUMNS} FROM audit ORDER BY number"))?;
    let mut rows = statement.query(())?;
    while let Some(row) = rows.next()? {
        let row = read(row)?;
        let place = || format!("{file}, audit entry {}", row.number);
        if row.number != last.number + 1 {
            let problem = format!("the entries between {} and this are absent", last.number);
            problems.add(place(), problem);
        } else if row.hash != row.hash_after(&last.hash) {
            problems.add(place(), "it is not what was written, or what stood before it is not");
        }
        contents.entries += 1;
        last = Tail { number: row.number, hash: row.hash };
    }
    let given = given(connection)?;
    if given > last.number {
        let problem = format!("the entries behind {} up to {given} are absent", last.number);
        problems.add(format!("{file}, audit"), problem);
    }
    (contents.last, contents.hash) = (last.number, hex(&last.hash));
    Ok(())
}

/// Where the chain begins, if its first entries were dropped.
fn anchor(connection: &Connection) -> rusqlite::Result<Option<Tail>> {
    let sql = format!("SELECT {COLUMNS} FROM audit WHERE kind = ? ORDER BY number DESC LIMIT 1");
    let kind = AuditKind::EntriesDropped.name();
    let told = connection.query_row(&sql, [kind], read).optional()?;
    Ok(told.and_then(|row| row.anchor()))
}

/// Whether a journal has the table: up to version 7 none had it.
fn is_there(connection: &Connection) -> rusqlite::Result<bool> {
    let sql = "SELECT count(*) > 0 FROM sqlite_schema WHERE type = 'table' AND name = 'audit'";
    connection.query_row(sql, (), |row| row.get(0))
}

fn read(row: &Row<'_>) -> rusqlite::Result<AuditRow> {
    Ok(AuditRow {
        number: row.get(0)?,
        at: Timestamp::from_millis(row.get(1)?),
        kind: row.get(2)?,
        by: row.get(3)?,
        about: row.get(4)?,
        body: row.get(5)?,
        hash: row.get(6)?,
    })
}
