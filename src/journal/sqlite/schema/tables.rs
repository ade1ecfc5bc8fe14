//! The tables, as SQL. `docs/storage.md` documents them.

/// Appended to, and deleted from by the retention and by erasure alone. Without a second index,
/// because a random key would cost ten times as much.
pub(super) const JOURNAL: &str = "
    CREATE TABLE events (
        position INTEGER PRIMARY KEY,
        stream   TEXT    NOT NULL,
        seq      INTEGER NOT NULL,
        at       INTEGER NOT NULL,
        kind     TEXT    NOT NULL,
        body     TEXT    NOT NULL,
        checksum INTEGER
    ) STRICT;
";

/// What people did: appended to, and dropped from the old end. The number of a dropped entry is
/// never given again.
pub(super) const AUDIT: &str = "
    CREATE TABLE audit (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        at     INTEGER NOT NULL,
        kind   TEXT    NOT NULL,
        actor  TEXT,
        about  TEXT,
        body   TEXT    NOT NULL,
        hash   BLOB    NOT NULL
    ) STRICT;
";

/// The table of the version 1, which had no checksums.
pub(super) const JOURNAL_OF_1: &str = "
    CREATE TABLE events (
        position INTEGER PRIMARY KEY,
        stream   TEXT    NOT NULL,
        seq      INTEGER NOT NULL,
        at       INTEGER NOT NULL,
        kind     TEXT    NOT NULL,
        body     TEXT    NOT NULL
    ) STRICT;
";

/// What a copy of the journal has beside it: the small files with the secrets.
pub(in crate::journal::sqlite) const SECRETS: &str = "
    CREATE TABLE secrets (name TEXT PRIMARY KEY, content BLOB NOT NULL) STRICT, WITHOUT ROWID;
";

/// What makes `journal.db` of the version 1 one of the version 2.
pub(super) const JOURNAL_FROM_1: &str = "ALTER TABLE events ADD COLUMN checksum INTEGER;";

/// Closed conversations that have left the journal, in its own form.
pub(super) const ARCHIVE: &str = "
    CREATE TABLE events (
        position INTEGER PRIMARY KEY,
        stream   TEXT    NOT NULL,
        seq      INTEGER NOT NULL,
        at       INTEGER NOT NULL,
        kind     TEXT    NOT NULL,
        body     TEXT    NOT NULL,
        checksum INTEGER
    ) STRICT;
    CREATE INDEX events_by_stream ON events (stream, seq);
";

/// The same by conversation, for reading.
pub(super) const CHATS: &str = "
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
    CREATE INDEX conversations_by_visitor ON conversations (visitor, id);
    CREATE INDEX conversations_by_close ON conversations (workstream, closed_at)
        WHERE closed_at IS NOT NULL;

    CREATE TABLE timeline (
        conversation        TEXT    NOT NULL,
        seq                 INTEGER NOT NULL,
        at                  INTEGER NOT NULL,
        position            INTEGER NOT NULL,
        kind                TEXT    NOT NULL,
        visible_to_customer INTEGER NOT NULL,
        body                TEXT    NOT NULL,
        checksum            INTEGER,
        PRIMARY KEY (conversation, seq)
    ) STRICT, WITHOUT ROWID;

    CREATE VIEW messages AS
        SELECT conversation, seq, at,
               body ->> '$.from'  AS author,
               body ->> '$.agent' AS agent,
               body ->> '$.by'    AS posted_by,
               body ->> '$.id'    AS id,
               body ->> '$.text'  AS text
        FROM timeline WHERE kind = 'message_posted';

    CREATE TABLE participation (
        conversation  TEXT    NOT NULL,
        agent         TEXT    NOT NULL,
        from_seq      INTEGER NOT NULL,
        from_position INTEGER NOT NULL,
        until_seq     INTEGER,
        last_position INTEGER,
        PRIMARY KEY (conversation, agent, from_seq)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX participation_by_agent ON participation (agent, last_position);

    CREATE TABLE settings (
        kind     TEXT NOT NULL,
        id       TEXT NOT NULL,
        document TEXT NOT NULL,
        PRIMARY KEY (kind, id)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE tokens (
        digest     TEXT    PRIMARY KEY,
        agent      TEXT    NOT NULL,
        at         INTEGER NOT NULL,
        name       TEXT,
        expires_at INTEGER,
        used_at    INTEGER
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE presences (
        agent    TEXT    PRIMARY KEY,
        presence TEXT    NOT NULL,
        at       INTEGER NOT NULL,
        set_by   TEXT
    ) STRICT, WITHOUT ROWID;
";
