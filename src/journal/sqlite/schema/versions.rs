//! The versions of the databases: those that this release knows, and the one that a file has.

use rusqlite::Connection;

/// The version of `journal.db`. Version 1 had no checksums, up to version 2 each event had a row of
/// its own, up to version 3 each append, up to version 4 nobody was told of an agent who is away,
/// up to version 5 no token expired or was ended alone, up to version 6 it did not say who acts in
/// an agent's place or changes the settings, up to version 7 there was no audit stream, and up to
/// version 8 no workstream said how much a customer may do and no site vouched for its visitors.
pub(in crate::journal::sqlite) const JOURNAL_VERSION: i64 = 9;

/// The first version that has an audit stream.
pub(super) const AUDIT_SINCE: i64 = 8;

/// The version of `chats.db`. It is raised whenever a table or the form of a snapshot changes; a
/// file with an older one is made anew from the journal.
pub(in crate::journal::sqlite) const CHATS_VERSION: i64 = 8;

/// The version of `archive.db`. In version 1 each event had a row of its own.
pub(in crate::journal::sqlite) const ARCHIVE_VERSION: i64 = 2;

/// The version of a file; zero when it is empty.
pub(in crate::journal::sqlite) fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}
