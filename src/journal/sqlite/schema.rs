//! The two databases: their tables, their settings, and the versions that this release knows.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension};

use crate::domain::time::Timestamp;
use crate::journal::sqlite::OpenFault;
use crate::limits;

/// The version of `journal.db`.
pub(super) const JOURNAL_VERSION: i64 = 1;

/// The version of `chats.db`. It is raised whenever a table or the form of a snapshot changes; a
/// file with an older one is made anew from the journal.
pub(super) const CHATS_VERSION: i64 = 1;

/// Where the files of a data directory are.
#[derive(Clone, Debug)]
pub(super) struct Files {
    pub(super) journal: PathBuf,
    pub(super) chats: PathBuf,
    pub(super) lock: PathBuf,
}

impl Files {
    pub(super) fn of(dir: &Path) -> Self {
        Self {
            journal: dir.join("journal.db"),
            chats: dir.join("chats.db"),
            lock: dir.join("lock"),
        }
    }
}

/// Only ever appended to, and without a second index: a random key would cost ten times as much.
const JOURNAL: &str = "
    CREATE TABLE events (
        position INTEGER PRIMARY KEY,
        stream   TEXT    NOT NULL,
        seq      INTEGER NOT NULL,
        at       INTEGER NOT NULL,
        kind     TEXT    NOT NULL,
        body     TEXT    NOT NULL
    ) STRICT;
";

const CHATS: &str = "
    CREATE TABLE projection (
        only     INTEGER PRIMARY KEY CHECK (only = 1),
        position INTEGER NOT NULL
    ) STRICT;
    INSERT INTO projection VALUES (1, 0);

    CREATE TABLE conversations (
        number        INTEGER PRIMARY KEY,
        id            TEXT    NOT NULL UNIQUE,
        state         TEXT    NOT NULL,
        agent         TEXT,
        phase         TEXT,
        reason        TEXT,
        widget        TEXT    NOT NULL,
        workstream    TEXT    NOT NULL,
        queue         TEXT    NOT NULL,
        visitor       TEXT    NOT NULL,
        customer_name TEXT,
        form          TEXT,
        context       TEXT,
        page          TEXT,
        locale        TEXT,
        started_at    INTEGER NOT NULL,
        ended_at      INTEGER,
        closed_at     INTEGER,
        due_at        INTEGER,
        connected     INTEGER NOT NULL,
        away_since    INTEGER,
        away_until    INTEGER,
        away_cause    TEXT,
        seq           INTEGER NOT NULL,
        position      INTEGER NOT NULL,
        snapshot      BLOB    NOT NULL
    ) STRICT;
    CREATE INDEX conversations_by_state ON conversations (state, started_at, id);
    CREATE INDEX conversations_by_agent ON conversations (agent, state, started_at, id)
        WHERE agent IS NOT NULL;
    CREATE INDEX conversations_by_queue ON conversations (queue, state, started_at, id);

    CREATE TABLE timeline (
        conversation        TEXT    NOT NULL,
        seq                 INTEGER NOT NULL,
        at                  INTEGER NOT NULL,
        position            INTEGER NOT NULL,
        kind                TEXT    NOT NULL,
        visible_to_customer INTEGER NOT NULL,
        body                TEXT    NOT NULL,
        PRIMARY KEY (conversation, seq)
    ) STRICT, WITHOUT ROWID;

    CREATE VIEW messages AS
        SELECT conversation, seq, at,
               body ->> '$.from'  AS author,
               body ->> '$.agent' AS agent,
               body ->> '$.id'    AS id,
               body ->> '$.text'  AS text
        FROM timeline WHERE kind = 'message_posted';

    CREATE TABLE participation (
        conversation  TEXT    NOT NULL,
        agent         TEXT    NOT NULL,
        from_seq      INTEGER NOT NULL,
        from_position INTEGER NOT NULL,
        last_position INTEGER NOT NULL,
        PRIMARY KEY (conversation, agent)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX participation_by_agent ON participation (agent, last_position);

    CREATE TABLE settings (
        kind     TEXT NOT NULL,
        id       TEXT NOT NULL,
        document TEXT NOT NULL,
        PRIMARY KEY (kind, id)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE tokens (
        digest TEXT    PRIMARY KEY,
        agent  TEXT    NOT NULL,
        at     INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE presences (
        agent    TEXT    PRIMARY KEY,
        presence TEXT    NOT NULL,
        at       INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
";

/// Opens `journal.db` for its one writer, and makes it if it is not there.
pub(super) fn open_journal(files: &Files) -> Result<Connection, OpenFault> {
    let connection = open_for_writing(&files.journal, "FULL", limits::JOURNAL_CACHE_KIB)?;
    prepare(&connection, &files.journal, JOURNAL, JOURNAL_VERSION)?;
    Ok(connection)
}

/// Opens `chats.db` for its one writer. It is made if it is not there, and made anew if it is of
/// an older version or says more than the journal, whose last position is `head`.
pub(super) fn open_chats(files: &Files, head: u64) -> Result<Connection, OpenFault> {
    // Losing the last transactions in a crash is harmless: they are projected again.
    let connection = open_for_writing(&files.chats, "NORMAL", limits::PROJECTION_CACHE_KIB)?;
    let version = user_version(&connection, &files.chats)?;
    if version == 0 || version >= CHATS_VERSION {
        prepare(&connection, &files.chats, CHATS, CHATS_VERSION)?;
        if projected(&connection).map_err(|source| OpenFault::at(&files.chats, source))? <= head {
            return Ok(connection);
        }
    }
    tracing::warn!(file = %files.chats.display(), "rebuilding from the journal");
    drop(connection);
    remove(&files.chats)?;
    let connection = open_for_writing(&files.chats, "NORMAL", limits::PROJECTION_CACHE_KIB)?;
    prepare(&connection, &files.chats, CHATS, CHATS_VERSION)?;
    Ok(connection)
}

/// Opens a database that another connection of this process writes.
pub(super) fn open_for_reading(file: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(Duration::from_millis(limits::JOURNAL_LOCKED_MS_MAX))?;
    connection.pragma_update(None, "cache_size", -limits::READER_CACHE_KIB)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// Opens a database to checkpoint it.
pub(super) fn open_for_checkpoints(file: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    // Somebody's long query must not make writers wait behind a checkpoint.
    connection.busy_timeout(Duration::from_millis(20))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    Ok(connection)
}

/// The position up to which `chats.db` holds the journal.
pub(super) fn projected(connection: &Connection) -> rusqlite::Result<u64> {
    connection.query_row("SELECT position FROM projection", (), |row| row.get(0))
}

/// The last position of the journal.
pub(super) fn head(connection: &Connection) -> rusqlite::Result<u64> {
    connection.query_row("SELECT coalesce(max(position), 0) FROM events", (), |row| row.get(0))
}

/// The time of the last event.
pub(super) fn latest(connection: &Connection) -> rusqlite::Result<Timestamp> {
    let last = "SELECT at FROM events ORDER BY position DESC LIMIT 1";
    let at = connection.query_row(last, (), |row| row.get(0)).optional()?;
    Ok(at.map_or_else(Timestamp::default, Timestamp::from_millis))
}

fn open_for_writing(
    file: &Path,
    synchronous: &str,
    cache_kib: i64,
) -> Result<Connection, OpenFault> {
    let open = || {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(file, flags)?;
        connection.busy_timeout(Duration::from_millis(limits::JOURNAL_LOCKED_MS_MAX))?;
        connection.pragma_update(None, "page_size", 8192)?;
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", synchronous)?;
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        // Negative: KiB instead of pages.
        connection.pragma_update(None, "cache_size", -cache_kib)?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(connection)
    };
    open().map_err(|source| OpenFault::at(file, source))
}

fn prepare(
    connection: &Connection,
    file: &Path,
    schema: &str,
    known: i64,
) -> Result<(), OpenFault> {
    let found = user_version(connection, file)?;
    if found > known {
        return Err(OpenFault::FromTheFuture { file: file.to_owned(), found, known });
    }
    if found == 0 {
        connection
            .execute_batch(&format!("BEGIN; {schema} PRAGMA user_version = {known}; COMMIT;"))
            .map_err(|source| OpenFault::at(file, source))?;
    }
    Ok(())
}

pub(super) fn user_version(connection: &Connection, file: &Path) -> Result<i64, OpenFault> {
    connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(|source| OpenFault::at(file, source))
}

fn remove(file: &Path) -> Result<(), OpenFault> {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = file.as_os_str().to_owned();
        name.push(suffix);
        match std::fs::remove_file(&name) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(OpenFault::Directory { path: PathBuf::from(name), source: error });
            }
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}
