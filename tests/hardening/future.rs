//! Files that a newer release wrote, and files that no release wrote: the journal refuses them and
//! leaves every byte as it is.

use holdline::journal::Fault;
use holdline::journal::sqlite::OpenFault;
use rusqlite::Connection;

use crate::files;

/// Damages a furnished directory by SQL, and gives the fault with which it is then refused. What is
/// refused stays as it is.
fn refused(file: &str, sql: &str, is_without_chats: bool) -> OpenFault {
    let dir = tempfile::tempdir().unwrap();
    files::furnish(dir.path(), 6);
    let connection = Connection::open(dir.path().join(file)).unwrap();
    connection.execute_batch(sql).unwrap();
    drop(connection);
    if is_without_chats {
        std::fs::remove_file(dir.path().join("chats.db")).unwrap();
    }
    let before = files::contents(dir.path());
    let fault = files::open(dir.path()).expect_err("it is refused");
    let after = files::contents(dir.path());
    for (name, bytes) in &before {
        let same = after.get(name) == Some(bytes);
        assert!(same, "{} was changed although it was refused: {fault}", name.display());
    }
    fault
}

#[test]
fn a_newer_schema_is_refused() {
    for file in ["journal.db", "chats.db"] {
        let fault = refused(file, "PRAGMA user_version = 99", false);
        assert!(matches!(fault, OpenFault::FromTheFuture { found: 99, .. }), "{fault}");
        assert!(fault.to_string().contains("newer release"), "{fault}");
        assert!(fault.to_string().contains(file), "{fault}");
    }
}

#[test]
fn a_newer_record_is_refused_with_its_place() {
    let sql = "INSERT INTO events (position, stream, seq, at, kind, body)
         SELECT max(position) + 1, 'settings', 0, 1, 'planet_put', '{}' FROM events";
    let fault = refused("journal.db", sql, false);
    let OpenFault::Fault(Fault::Damaged { place, problem }) = &fault else { panic!("{fault}") };
    assert!(place.starts_with("journal.db, position "), "{place}");
    assert!(problem.contains("this version knows no record of the kind"), "{problem}");
}

#[test]
fn a_newer_snapshot_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    files::furnish(dir.path(), 6);
    let chats = Connection::open(dir.path().join("chats.db")).unwrap();
    let sql = "SELECT snapshot FROM conversations WHERE state = 'active' LIMIT 1";
    let mut snapshot: Vec<u8> = chats.query_row(sql, (), |row| row.get(0)).unwrap();
    // A snapshot ends with its checksum.
    snapshot.truncate(snapshot.len() - 4);
    snapshot[0] = 9;
    snapshot.extend(crc32fast::hash(&snapshot).to_le_bytes());
    let sql = "UPDATE conversations SET snapshot = ? WHERE state = 'active'";
    assert!(chats.execute(sql, [snapshot]).unwrap() > 0);
    drop(chats);
    let before = files::contents(dir.path());
    let fault = files::open(dir.path()).expect_err("it is refused");
    assert!(matches!(fault, OpenFault::FromTheFuture { found: 9, known: 3, .. }), "{fault}");
    assert!(fault.to_string().contains("chats.db"), "{fault}");
    for (name, bytes) in files::contents(dir.path()) {
        let same = before.get(&name).unwrap_or(&Vec::new()) == &bytes;
        assert!(same, "{} was changed", name.display());
    }
}

#[test]
fn a_database_of_something_else_is_refused() {
    let sql = "PRAGMA user_version = 0";
    let fault = refused("journal.db", sql, false);
    assert!(matches!(&fault, OpenFault::Foreign(_)), "{fault}");
    assert!(fault.to_string().contains("not of Holdline"), "{fault}");
}

#[test]
fn a_journal_of_the_version_before_is_read_and_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let mut known = files::furnish(dir.path(), 6);
    let connection = Connection::open(dir.path().join("journal.db")).unwrap();
    let sql = "ALTER TABLE events DROP COLUMN checksum; DROP TABLE audit;
        PRAGMA user_version = 1;";
    connection.execute_batch(sql).unwrap();
    drop(connection);
    std::fs::remove_file(dir.path().join("chats.db")).unwrap();
    let (journal, recovered) = files::open(dir.path()).unwrap();
    known.assert_recovered(&recovered);
    let more = known.chats[0]
        .post(holdline::domain::conversation::event::Author::Customer, "with a checksum");
    holdline::journal::Log::append(&journal, more.append());
    drop(journal);
    let checked = holdline::journal::sqlite::check::check(dir.path()).unwrap();
    assert_eq!(checked.problems.count, 0, "{:?}", checked.problems.told);
    assert_eq!(checked.journal.without_checksum, checked.journal.events - 1);
    let (journal, recovered) = files::open(dir.path()).unwrap();
    known.assert_recovered(&recovered);
    known.assert_all_there(&journal);
}
