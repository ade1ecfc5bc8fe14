//! Databases to which somebody has added something, such as a trigger that runs with every append,
//! or a view in place of a table. The journal uses none of this, and tells all of it.

use std::path::Path;

use rusqlite::Connection;

use crate::files;
use crate::read_only::behind;
use crate::strangers::run;

/// What somebody may have added to a journal, and what the journal says of it.
const ADDED: [(&str, &str); 6] = [
    (
        "CREATE TRIGGER grab AFTER INSERT ON events BEGIN DELETE FROM events; END",
        "the trigger \"grab\" is not of Holdline",
    ),
    ("CREATE VIEW peek AS SELECT body FROM events", "the view \"peek\" is not of Holdline"),
    ("CREATE TABLE more (a)", "the table \"more\" is not of Holdline"),
    ("CREATE INDEX slow ON events (body)", "the index \"slow\" is not of Holdline"),
    ("ALTER TABLE events ADD COLUMN more TEXT", "the table \"events\" is not as Holdline makes it"),
    (
        "ALTER TABLE events RENAME TO kept; CREATE VIEW events AS SELECT * FROM kept",
        "the table \"kept\" is not of Holdline",
    ),
];

fn change(file: &Path, sql: &str) {
    Connection::open(file).unwrap().execute_batch(sql).unwrap();
}

fn schema(file: &Path) -> Vec<(String, String)> {
    let connection = Connection::open(file).unwrap();
    let sql = "SELECT name, coalesce(sql, '') FROM sqlite_schema ORDER BY name";
    let mut statement = connection.prepare(sql).unwrap();
    let found = statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    found.map(Result::unwrap).collect()
}

fn refused(data: &Path, arguments: &[&str]) -> String {
    let output = run(behind(data, arguments));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    said
}

#[test]
fn a_copy_that_somebody_has_added_to_is_not_restored() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let known = files::furnish(&data, 6);
    let copy = dir.path().join("copy");
    let restored = dir.path().join("restored");
    for (sql, told) in ADDED {
        let arguments = ["backup", copy.to_str().unwrap(), "--force"];
        assert!(run(behind(&data, &arguments)).status.success());
        change(&copy, sql);
        let said = refused(&restored, &["restore", copy.to_str().unwrap()]);
        assert!(said.contains(told) || said.contains("\"events\""), "{sql}: {said}");
        assert!(said.contains("copy was changed by somebody else"), "{said}");
        assert!(!restored.exists(), "nothing was made");
    }
    // A journal that is restored has what a new journal has, whatever the copy had.
    let arguments = ["backup", copy.to_str().unwrap(), "--force"];
    assert!(run(behind(&data, &arguments)).status.success());
    let output = run(behind(&restored, &["restore", copy.to_str().unwrap()]));
    assert!(output.status.success(), "{output:?}");
    assert_eq!(schema(&restored.join("journal.db")), schema(&data.join("journal.db")));
    let (journal, recovered) = files::open(&restored).unwrap();
    known.assert_recovered(&recovered);
    known.assert_all_there(&journal);
}

#[test]
fn a_copy_of_the_first_version_is_restored_into_a_journal_of_this_one() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let known = files::furnish(&data, 6);
    let sql = "ALTER TABLE events DROP COLUMN checksum; DROP TABLE audit;
        PRAGMA user_version = 1;";
    change(&data.join("journal.db"), sql);
    let (copy, restored) = (dir.path().join("copy"), dir.path().join("restored"));
    for (place, command) in [(&data, "backup"), (&restored, "restore")] {
        let output = run(behind(place, &[command, copy.to_str().unwrap()]));
        assert!(output.status.success(), "{output:?}");
    }
    let (journal, recovered) = files::open(&restored).unwrap();
    known.assert_recovered(&recovered);
    known.assert_all_there(&journal);
}

#[test]
fn a_journal_that_somebody_has_added_to_is_told_and_not_used() {
    for (sql, told) in ADDED {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        files::furnish(&data, 6);
        change(&data.join("journal.db"), sql);
        let before = files::contents(&data);
        let copy = dir.path().join("copy");
        let chat = "00000000-0000-0000-0000-000000000001";
        let commands: [&[&str]; 4] = [
            &["--listen", "127.0.0.1:0", "--log", "error"],
            &["backup", copy.to_str().unwrap()],
            &["explain", chat],
            &["dry-run", "--window", "60s"],
        ];
        for arguments in commands {
            let said = refused(&data, arguments);
            assert!(said.contains("journal.db was changed by somebody else"), "{sql}: {said}");
            assert!(said.contains("holdline check"), "{said}");
        }
        assert!(!copy.exists());
        let after = files::contents(&data);
        let same = before.iter().all(|(name, bytes)| after.get(name) == Some(bytes));
        assert!(same, "it is left as it is");
        let output = run(behind(&data, &["check"]));
        let listed = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(1), "{listed}");
        assert!(listed.contains(&format!("journal.db: {told}")), "{sql}: {listed}");
    }
}

#[test]
fn a_projection_that_somebody_has_added_to_is_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    let known = files::furnish(dir.path(), 6);
    let chats = dir.path().join("chats.db");
    let before = schema(&chats);
    let sql = "CREATE TRIGGER grab AFTER INSERT ON timeline BEGIN DELETE FROM timeline; END";
    change(&chats, sql);
    let output = run(behind(dir.path(), &["check"]));
    let listed = String::from_utf8(output.stdout).unwrap();
    assert!(listed.contains("chats.db: the trigger \"grab\" is not of Holdline"), "{listed}");
    let (journal, recovered) = files::open(dir.path()).unwrap();
    known.assert_recovered(&recovered);
    known.assert_all_there(&journal);
    drop(journal);
    assert_eq!(schema(&chats), before);
}

#[test]
fn statistics_of_sqlite_are_nobodys_change() {
    let dir = tempfile::tempdir().unwrap();
    let known = files::furnish(dir.path(), 6);
    change(&dir.path().join("journal.db"), "ANALYZE");
    change(&dir.path().join("chats.db"), "ANALYZE");
    let output = run(behind(dir.path(), &["check"]));
    assert!(output.status.success(), "{output:?}");
    let (_journal, recovered) = files::open(dir.path()).unwrap();
    known.assert_recovered(&recovered);
}
