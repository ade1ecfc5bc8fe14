//! Files that are not what was written: what is mended, what is refused, and what is told.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use holdline::journal::sqlite::check::check;
use holdline::journal::sqlite::{OpenFault, SqliteJournal};
use holdline::journal::{Fault, Log as _};

use crate::files::{self, Known};
use crate::program;
use crate::read_only::behind;
use crate::support::block;

type Files = BTreeMap<PathBuf, Vec<u8>>;

/// A directory after a clean stop.
fn at_rest() -> (Known, Files) {
    let dir = tempfile::tempdir().unwrap();
    let known = files::furnish(dir.path(), 30);
    (known, files::contents(dir.path()))
}

/// A directory as a kill would leave it, with its logs. Nothing is appended while it is copied.
///
/// After a checkpoint the log begins anew, and the old frames behind its new end count for nothing.
/// So this tries again until all of the log counts and the log is long enough.
fn killed() -> (Known, Files) {
    for _ in 0..50 {
        let dir = tempfile::tempdir().unwrap();
        let (journal, _) = files::open(dir.path()).unwrap();
        let known = files::write(&journal, 30);
        let copied = files::contents(dir.path());
        drop(journal);
        let log = &copied[Path::new("journal.db-wal")];
        if live(log) > 50_000 && live(log) == log.len() {
            return (known, copied);
        }
    }
    panic!("the log is always carried over in the middle");
}

/// How many bytes of a log count: the header, and the first frames that carry its salts.
fn live(log: &[u8]) -> usize {
    const HEADER: usize = 32;
    const FRAME: usize = 24 + 8_192;
    let Some(salts) = log.get(16..24) else { return 0 };
    let frames = log[HEADER..].chunks_exact(FRAME);
    HEADER + FRAME * frames.take_while(|frame| frame[8..16] == *salts).count()
}

fn bytes<'a>(files: &'a mut Files, name: &str) -> &'a mut Vec<u8> {
    files.get_mut(Path::new(name)).expect("the file is there")
}

/// Opens the files, which must be refused and left as they were.
#[track_caller]
fn refused(files: &Files) -> OpenFault {
    let dir = files::lay_out(files);
    let Err(fault) = files::open(dir.path()) else { panic!("the damage is noticed") };
    let after = files::contents(dir.path());
    for name in ["journal.db", "journal.db-wal"] {
        let name = Path::new(name);
        assert!(
            files.get(name).is_none() || after.get(name) == files.get(name),
            "{} was changed although it was refused: {fault}",
            name.display()
        );
    }
    fault
}

/// Opens the files; the journal must then be as it was written.
#[track_caller]
fn mended(known: &Known, files: &Files) -> (tempfile::TempDir, SqliteJournal) {
    let dir = files::lay_out(files);
    let (journal, recovered) = files::open(dir.path()).expect("it is mended");
    known.assert_recovered(&recovered);
    known.assert_all_there(&journal);
    (dir, journal)
}

#[test]
fn a_broken_header_of_the_journal_is_refused() {
    let (_, mut files) = at_rest();
    bytes(&mut files, "journal.db")[3] ^= 0x20;
    let fault = refused(&files);
    assert!(matches!(&fault, OpenFault::Damaged { .. }), "{fault}");
    let said = fault.to_string();
    assert!(said.contains("journal.db is damaged") && said.contains("holdline restore"), "{said}");
    let checked = check(files::lay_out(&files).path()).unwrap();
    assert!(checked.problems.count > 0);
}

#[test]
fn something_that_is_no_database_is_refused() {
    let (_, mut files) = at_rest();
    *bytes(&mut files, "journal.db") = "dear diary, ".repeat(2_000).into_bytes();
    let fault = refused(&files);
    assert!(matches!(&fault, OpenFault::Damaged { .. }), "{fault}");
}

#[test]
fn a_truncated_or_empty_or_missing_journal_is_refused() {
    let (_, files) = at_rest();
    let whole = files[Path::new("journal.db")].len();
    for length in [0, 100, 8_192, whole / 2, whole - 8_192] {
        let mut files = files.clone();
        bytes(&mut files, "journal.db").truncate(length);
        let fault = refused(&files);
        let noticed = matches!(&fault, OpenFault::Damaged { .. } | OpenFault::Lost { .. });
        assert!(noticed, "{length} bytes: {fault}");
    }
    let mut files = files;
    // If only a record needs a byte, nobody misses the byte before the record is read.
    bytes(&mut files, "journal.db").truncate(whole - 1);
    assert!(check(files::lay_out(&files).path()).unwrap().problems.count > 0);
    files.remove(Path::new("journal.db"));
    let fault = refused(&files);
    assert!(matches!(&fault, OpenFault::Lost { .. }), "{fault}");
}

#[test]
fn a_flipped_byte_in_a_text_is_found_with_its_place() {
    let (_, mut files) = at_rest();
    let journal = bytes(&mut files, "journal.db");
    let place = files::find(journal, b"Is anybody there");
    // The record is still JSON, and still a message that somebody could have written.
    journal[place] = b'U';
    files.remove(Path::new("chats.db"));
    let fault = refused(&files);
    let OpenFault::Fault(Fault::Damaged { place, problem }) = &fault else { panic!("{fault}") };
    assert!(place.starts_with("journal.db, position "), "{place}");
    assert_eq!(problem, "its checksum does not match");

    let dir = files::lay_out(&files);
    let output = program::run(behind(dir.path(), &["check"]));
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains(&format!("{place}: {problem}")), "{told}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.trim_end().ends_with("problems: 1"), "{said}");
    // No copy is made of a damaged journal.
    let copy = dir.path().join("copy");
    let output = program::run(behind(dir.path(), &["backup", copy.to_str().unwrap()]));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(place.as_str()) && !copy.exists(), "{said}");
}

#[test]
fn a_broken_page_of_the_journal_is_told() {
    let (_, mut files) = at_rest();
    let journal = bytes(&mut files, "journal.db");
    let last = journal.len() - 8_192;
    // These bytes are the kind of the page, how many cells it has, and where the cells begin.
    journal[last..last + 8].fill(0xff);
    let dir = files::lay_out(&files);
    let checked = check(dir.path()).unwrap();
    assert!(checked.problems.told.iter().any(|one| one.place.starts_with("journal.db")));
    files.remove(Path::new("chats.db"));
    let fault = refused(&files);
    assert!(fault.to_string().contains("journal.db"), "{fault}");
}

#[test]
fn a_broken_log_of_the_journal_is_refused_and_left() {
    let (known, files) = killed();
    mended(&known, &files);
    let log = files[Path::new("journal.db-wal")].len();
    for offset in [0, 17, 40, 32 + 24 + 100, log / 2] {
        let mut files = files.clone();
        bytes(&mut files, "journal.db-wal")[offset] ^= 0x01;
        let fault = refused(&files);
        assert!(matches!(&fault, OpenFault::BrokenLog { .. }), "byte {offset}: {fault}");
        let said = fault.to_string();
        assert!(said.contains("journal.db-wal is damaged from byte"), "{said}");
        let dir = files::lay_out(&files);
        assert!(check(dir.path()).unwrap().problems.count > 0, "byte {offset}");
        let copy = dir.path().join("copy");
        let copied = program::run(behind(dir.path(), &["backup", copy.to_str().unwrap()]));
        assert!(!copied.status.success() && !copy.exists(), "byte {offset}: {copied:?}");
        let log = Path::new("journal.db-wal");
        assert!(files::contents(dir.path()).get(log) == files.get(log), "it is left as it is");
    }
}

#[test]
fn the_end_of_a_log_is_not_lost_in_silence() {
    let (_, mut files) = killed();
    // As far as the log can tell, the last transaction might simply never have been synced.
    let log = bytes(&mut files, "journal.db-wal");
    let last = log.len() - 100;
    log[last] ^= 0x01;
    let dir = files::lay_out(&files);
    match files::open(dir.path()) {
        Err(OpenFault::Lost { .. } | OpenFault::BrokenLog { .. }) => {}
        other => panic!("{:?}", other.map(|(_, recovered)| recovered.conversations.len())),
    }
}

#[test]
fn a_damaged_projection_is_made_anew() {
    let (known, whole) = at_rest();
    let length = whole[Path::new("chats.db")].len();
    let hurts: [(&str, &dyn Fn(&mut Vec<u8>)); 6] = [
        ("a broken header", &|chats| chats[3] ^= 0x20),
        ("a truncated file", &|chats| chats.truncate(length / 2)),
        ("an empty file", &|chats| chats.clear()),
        ("a text", &|chats| *chats = b"dear diary".repeat(1_000)),
        ("broken pages", &|chats| chats[8_192..40_960].fill(0xff)),
        ("a broken schema", &|chats| chats[100..120].fill(0)),
    ];
    for (what, hurt) in hurts {
        let mut files = whole.clone();
        hurt(bytes(&mut files, "chats.db"));
        let dir = files::lay_out(&files);
        let opened = files::open(dir.path());
        let (journal, recovered) = opened.unwrap_or_else(|fault| panic!("{what}: {fault}"));
        known.assert_recovered(&recovered);
        known.assert_all_there(&journal);
    }
}

#[test]
fn damage_of_the_projection_that_is_found_later_is_mended_at_the_next_start() {
    let (known, mut files) = at_rest();
    let chats = bytes(&mut files, "chats.db");
    // A start does not read a closed chat.
    let place = files::find(chats, b"I am back");
    chats[place] = b'X';
    let dir = files::lay_out(&files);
    let (journal, recovered) = files::open(dir.path()).unwrap();
    known.assert_recovered(&recovered);
    let hurt = known.chats.iter().find(|chat| files::history(&journal, chat.id()).is_err());
    let hurt = hurt.expect("the flipped byte is found when it is read");
    assert!(block(journal.flush()).is_ok(), "everything else goes on");
    drop(journal);
    assert!(check(dir.path()).unwrap().problems.count > 0);
    let (journal, recovered) = files::open(dir.path()).unwrap();
    known.assert_recovered(&recovered);
    assert!(files::history(&journal, hurt.id()).unwrap() == hurt.history);
    known.assert_all_there(&journal);
    drop(journal);
    assert_eq!(check(dir.path()).unwrap().problems.count, 0);
}

#[test]
fn a_broken_log_of_the_projection_is_mended() {
    let (known, files) = killed();
    let log = files[Path::new("chats.db-wal")].len();
    for offset in [0, 40, 200, log / 2, log - 100] {
        let mut files = files.clone();
        bytes(&mut files, "chats.db-wal")[offset] ^= 0x01;
        mended(&known, &files);
    }
}

#[test]
fn a_sound_directory_has_no_problems() {
    for (known, files) in [at_rest(), killed()] {
        let dir = files::lay_out(&files);
        let checked = check(dir.path()).unwrap();
        assert_eq!(checked.problems.count, 0, "{:?}", checked.problems.told);
        assert_eq!(checked.journal.conversations, known.chats.len() as u64);
        let events: usize = known.chats.iter().map(|chat| chat.history.len()).sum();
        assert_eq!(checked.journal.events, events as u64);
        assert_eq!(checked.journal.without_checksum, 0);
    }
}

#[test]
fn a_record_that_is_gone_is_missed() {
    let (_, files) = at_rest();
    let dir = files::lay_out(&files);
    let connection = rusqlite::Connection::open(dir.path().join("journal.db")).unwrap();
    let count = connection.execute("DELETE FROM events WHERE position IN (5, 17)", ()).unwrap();
    assert_eq!(count, 2);
    drop(connection);
    let told = check(dir.path()).unwrap().problems.told;
    assert!(told.iter().any(|one| one.problem.contains("2 records are absent")), "{told:?}");
    assert!(told.iter().any(|one| one.problem.contains("has the place")), "{told:?}");
}
