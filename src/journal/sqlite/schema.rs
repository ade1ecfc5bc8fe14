//! The databases: how each is opened, and what is refused.

mod foreign;
mod tables;
mod versions;

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::journal::sqlite::files::{self, Files};
use crate::journal::sqlite::open_fault::OpenFault;
use crate::journal::sqlite::schema::versions::AUDIT_SINCE;
use crate::limits;

pub(super) use crate::journal::sqlite::schema::foreign::{Kind, differences};
pub(super) use crate::journal::sqlite::schema::tables::SECRETS;
pub(super) use crate::journal::sqlite::schema::versions::{
    ARCHIVE_VERSION, CHATS_VERSION, JOURNAL_VERSION, version,
};

/// How large the pages of all of them are.
const PAGE_BYTES: i64 = 8_192;

/// Refuses a file that a newer release or something else has written, or added something to,
/// without changing it. One that is not there, or empty, is fine.
pub(super) fn refuse_foreign(file: &Path, kind: Kind) -> Result<(), OpenFault> {
    match file.metadata() {
        Ok(metadata) if metadata.len() > 0 => {}
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            return Err(OpenFault::Directory { path: file.to_owned(), source });
        }
        Ok(_) | Err(_) => return Ok(()),
    }
    let at = |source| OpenFault::at(file, source);
    let connection = open_for_reading(file).map_err(at)?;
    let tables = "SELECT count(*) FROM sqlite_schema";
    let tables: i64 = connection.query_row(tables, (), |row| row.get(0)).map_err(at)?;
    let known = kind.version();
    match version(&connection).map_err(at)? {
        found if found > known => {
            Err(OpenFault::FromTheFuture { file: file.to_owned(), found, known })
        }
        found if found < 0 || (found == 0 && tables > 0) => {
            Err(OpenFault::Foreign(file.to_owned()))
        }
        0 => Ok(()),
        // A `chats.db` of an earlier release is not looked at: it is made anew.
        1..CHATS_VERSION if kind == Kind::Chats => Ok(()),
        _ => refuse_differences(&connection, file, kind),
    }
}

/// Refuses a database in which something stands that Holdline has not made there.
pub(super) fn refuse_differences(
    connection: &Connection,
    file: &Path,
    kind: Kind,
) -> Result<(), OpenFault> {
    let found = differences(connection, kind).map_err(|source| OpenFault::at(file, source))?;
    match found.into_iter().next() {
        None => Ok(()),
        Some(first) => Err(OpenFault::Changed { file: file.to_owned(), first }),
    }
}

/// Opens `journal.db` for its one writer, and makes it if it is not there. One of an older version
/// is brought to this one.
pub(super) fn open_journal(files: &Files) -> Result<Connection, OpenFault> {
    let connection = open_for_writing(&files.journal, "FULL", limits::JOURNAL_CACHE_KIB)?;
    let change = match user_version(&connection, &files.journal)? {
        0 => [tables::JOURNAL, tables::AUDIT],
        1 => [tables::JOURNAL_FROM_1, tables::AUDIT],
        // What is there stays as it is; an older release must not read what is added.
        2..AUDIT_SINCE => ["", tables::AUDIT],
        AUDIT_SINCE..JOURNAL_VERSION => ["", ""],
        _ => return Ok(connection),
    };
    change_to(&connection, &files.journal, &change.concat(), JOURNAL_VERSION)?;
    Ok(connection)
}

/// Opens `chats.db` for its one writer. It is made if it is not there, and made anew if it is of
/// an older version.
pub(super) fn open_chats(files: &Files) -> Result<Connection, OpenFault> {
    // Losing the last transactions in a crash is harmless: they are projected again.
    let open = || open_for_writing(&files.chats, "NORMAL", limits::PROJECTION_CACHE_KIB);
    let mut connection = open()?;
    let mut version = user_version(&connection, &files.chats)?;
    if (1..CHATS_VERSION).contains(&version) {
        tracing::warn!(
            file = %files.chats.display(),
            "chats.db is of an earlier release: it is made anew"
        );
        drop(connection);
        remove(&files.chats)?;
        connection = open()?;
        version = 0;
    }
    if version == 0 {
        change_to(&connection, &files.chats, tables::CHATS, CHATS_VERSION)?;
    }
    refuse_differences(&connection, &files.chats, Kind::Chats)?;
    Ok(connection)
}

/// Opens `archive.db` for its one writer, and makes it if it is not there.
pub(super) fn open_archive(files: &Files) -> Result<Connection, OpenFault> {
    refuse_foreign(&files.archive, Kind::Archive)?;
    let connection = open_for_writing(&files.archive, "FULL", limits::JOURNAL_CACHE_KIB)?;
    let change = match user_version(&connection, &files.archive)? {
        0 => tables::ARCHIVE,
        1 => "",
        _ => return Ok(connection),
    };
    change_to(&connection, &files.archive, change, ARCHIVE_VERSION)?;
    Ok(connection)
}

/// Opens a database that somebody else writes, or has written.
pub(super) fn open_for_reading(file: &Path) -> rusqlite::Result<Connection> {
    let open = |access: OpenFlags| {
        let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(file, flags)?;
        connection.busy_timeout(Duration::from_millis(limits::JOURNAL_LOCKED_MS_MAX))?;
        distrust(&connection)?;
        connection.pragma_update(None, "cache_size", -limits::READER_CACHE_KIB)?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(connection)
    };
    let connection: Connection = open(OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let looked = connection.query_row("SELECT count(*) FROM sqlite_schema", (), |_| Ok(()));
    match looked.as_ref().map_err(rusqlite::Error::sqlite_error_code) {
        // A process killed while it made the file has left something that only a writer may undo.
        Err(Some(ErrorCode::ReadOnly)) => open(OpenFlags::SQLITE_OPEN_READ_WRITE),
        // Whatever else is wrong is told to the reader.
        Ok(()) | Err(_) => Ok(connection),
    }
}

/// Keeps SQLite from calling anything that could do harm because a schema says so.
pub(super) fn distrust(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "trusted_schema", false)
}

/// Makes a journal of an empty file, to be filled at once: nobody else reads or writes it.
pub(super) fn fill_journal(file: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    distrust(&connection)?;
    connection.pragma_update(None, "page_size", PAGE_BYTES)?;
    // The file is thrown away unless it is finished, so nothing is kept beside it to undo it with.
    connection.pragma_update_and_check(None, "journal_mode", "MEMORY", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute_batch(tables::JOURNAL)?;
    connection.execute_batch(tables::AUDIT)?;
    connection.pragma_update(None, "user_version", JOURNAL_VERSION)?;
    Ok(connection)
}

/// Opens a database to checkpoint it.
pub(super) fn open_for_checkpoints(file: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    // A long query must not make writers wait behind a checkpoint.
    connection.busy_timeout(Duration::from_millis(limits::CHECKPOINT_WAIT_MS_MAX))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    Ok(connection)
}

/// Opens a database to overwrite what is left of deleted rows in its pages.
pub(super) fn open_for_scouring(file: &Path) -> rusqlite::Result<Connection> {
    let connection = open_for_checkpoints(file)?;
    connection.busy_timeout(Duration::from_millis(limits::JOURNAL_LOCKED_MS_MAX))?;
    // The next writer syncs this as well, and until then nobody is told that it is done.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "cache_size", -limits::READER_CACHE_KIB)?;
    Ok(connection)
}

/// The position up to which `chats.db` holds the journal.
pub(super) fn projected(connection: &Connection) -> rusqlite::Result<u64> {
    connection.query_row("SELECT position FROM projection", (), |row| row.get(0))
}

fn open_for_writing(
    file: &Path,
    synchronous: &str,
    cache_kib: i64,
) -> Result<Connection, OpenFault> {
    // Made here, so that nobody else can ever read it; SQLite makes what stands beside it alike.
    let mut made = OpenOptions::new();
    made.write(true).create_new(true).mode(0o600);
    match made.open(file) {
        Err(source) if source.kind() == io::ErrorKind::StorageFull => {
            return Err(OpenFault::Full(file.to_owned()));
        }
        Err(source) if source.kind() != io::ErrorKind::AlreadyExists => {
            return Err(OpenFault::Directory { path: file.to_owned(), source });
        }
        Ok(_) | Err(_) => {}
    }
    let open = || {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(file, flags)?;
        connection.busy_timeout(Duration::from_millis(limits::JOURNAL_LOCKED_MS_MAX))?;
        distrust(&connection)?;
        connection.pragma_update(None, "page_size", PAGE_BYTES)?;
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", synchronous)?;
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        // Negative: KiB instead of pages.
        connection.pragma_update(None, "cache_size", -cache_kib)?;
        connection.pragma_update(None, "cache_spill", -limits::SPILLED_BEYOND_KIB)?;
        let kept = limits::LOG_BYTES_KEPT;
        connection.pragma_update_and_check(None, "journal_size_limit", kept, |_| Ok(()))?;
        // Deleted content must not stay in the file: it is written over.
        connection.pragma_update_and_check(None, "secure_delete", "ON", |_| Ok(()))?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(connection)
    };
    open().map_err(|source| OpenFault::at(file, source))
}

fn change_to(
    connection: &Connection,
    file: &Path,
    change: &str,
    version: i64,
) -> Result<(), OpenFault> {
    let change = format!("BEGIN; {change} PRAGMA user_version = {version}; COMMIT;");
    connection.execute_batch(&change).map_err(|source| OpenFault::at(file, source))
}

fn user_version(connection: &Connection, file: &Path) -> Result<i64, OpenFault> {
    version(connection).map_err(|source| OpenFault::at(file, source))
}

/// Removes a database.
pub(super) fn remove(file: &Path) -> Result<(), OpenFault> {
    for suffix in files::SUFFIXES {
        let path = files::beside(file, suffix);
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(OpenFault::Directory { path, source });
            }
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}
