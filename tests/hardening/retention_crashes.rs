//! A crash between any two steps of the retention loses nothing and doubles nothing, and the next
//! start goes on from there. The tests lay out files of different moments as such a crash would
//! leave them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use holdline::domain::settings::Disposal;
use holdline::journal::sqlite::check::check;
use holdline::journal::{Chats as _, Log as _, Removal as _};

use crate::files::{self, Known};
use crate::retention::{days, events_in, retain, rule, split};
use crate::support::block;

type Files = BTreeMap<PathBuf, Vec<u8>>;

/// How a directory is furnished: each append has a row of its own, or appends share rows.
const FURNISHED: [fn(&Path, u128) -> Known; 2] = [files::furnish, files::furnish_together];

/// The files before and after one step.
struct Moments {
    known: Known,
    before: Files,
    after: Files,
}

fn one_step(furnish: fn(&Path, u128) -> Known, then: Disposal) -> Moments {
    let dir = tempfile::tempdir().unwrap();
    let known = furnish(dir.path(), 30);
    let before = files::contents(dir.path());
    let (journal, _) = files::open(dir.path()).unwrap();
    let step = block(journal.retain(vec![rule(30, then)], days(31))).unwrap();
    assert_eq!(step.archived + step.deleted, 10);
    block(journal.flush()).unwrap();
    drop(journal);
    Moments { known, before, after: files::contents(dir.path()) }
}

/// Takes each file from one of the two moments.
fn crashed(moments: &Moments, journal: bool, chats: bool, archive: bool) -> tempfile::TempDir {
    let mut laid_out = Files::new();
    for (name, is_after) in [("journal.db", journal), ("chats.db", chats), ("archive.db", archive)]
    {
        let from = if is_after { &moments.after } else { &moments.before };
        if let Some(bytes) = from.get(Path::new(name)) {
            laid_out.insert(name.into(), bytes.clone());
        }
    }
    files::lay_out(&laid_out)
}

/// Whatever the crash left, the end is the same as without a crash.
#[track_caller]
fn continues(moments: &Moments, dir: &Path, then: Disposal) {
    let (closed, live) = split(&moments.known);
    let (journal, recovered) = files::open(dir).expect("a crash is no damage");
    live.assert_recovered(&recovered);
    retain(&journal, then, days(31));
    for chat in &closed {
        assert!(block(journal.load(chat.id())).unwrap().is_none());
    }
    live.assert_all_there(&journal);
    drop(journal);
    for chat in &closed {
        assert_eq!(events_in(&dir.join("journal.db"), chat.id()), 0);
        if then == Disposal::Archive {
            assert_eq!(events_in(&dir.join("archive.db"), chat.id()), chat.history.len());
        }
    }
    let checked = check(dir).unwrap();
    assert_eq!(checked.problems.count, 0, "{:?}", checked.problems.told);
}

#[test]
fn a_crash_after_the_archive_was_written() {
    for furnish in FURNISHED {
        let moments = one_step(furnish, Disposal::Archive);
        let dir = crashed(&moments, false, false, true);
        continues(&moments, dir.path(), Disposal::Archive);
    }
}

#[test]
fn a_crash_after_the_journal_let_go() {
    for furnish in FURNISHED {
        for then in [Disposal::Archive, Disposal::Delete] {
            let moments = one_step(furnish, then);
            let dir = crashed(&moments, true, false, true);
            continues(&moments, dir.path(), then);
        }
    }
}

#[test]
fn a_crash_after_everything() {
    for furnish in FURNISHED {
        for then in [Disposal::Archive, Disposal::Delete] {
            let moments = one_step(furnish, then);
            let dir = crashed(&moments, true, true, true);
            continues(&moments, dir.path(), then);
        }
    }
}

#[test]
fn a_crash_with_half_an_archive() {
    for furnish in FURNISHED {
        let moments = one_step(furnish, Disposal::Archive);
        let dir = crashed(&moments, false, false, true);
        // The disk had some of what was archived, and lacked the rest.
        let archive = rusqlite::Connection::open(dir.path().join("archive.db")).unwrap();
        assert!(archive.execute("DELETE FROM events WHERE position % 2 = 0", ()).unwrap() > 10);
        drop(archive);
        continues(&moments, dir.path(), Disposal::Archive);
    }
}

#[test]
fn a_deletion_that_was_meant_to_be_an_archiving_can_still_be_either() {
    for furnish in FURNISHED {
        // The rule is changed between the crash and the next start.
        let moments = one_step(furnish, Disposal::Archive);
        let dir = crashed(&moments, false, false, true);
        continues(&moments, dir.path(), Disposal::Delete);
    }
}
