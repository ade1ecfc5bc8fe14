//! Reads the rows of a journal on a disk, and asserts that all readers tell the same of what stands
//! in them.

use std::path::Path;
use std::sync::Arc;

use holdline::domain::conversation::event::Audience;
use holdline::domain::id::Seq;
use holdline::domain::settings::{Disposal, Retention};
use holdline::domain::time::{Span, Timestamp};
use holdline::journal::sqlite::check::check;
use holdline::journal::sqlite::history::History;
use holdline::journal::sqlite::{OpenFault, SqliteJournal};
use holdline::journal::{Fault, Retained, RetentionRule};
use rusqlite::{Connection, params};

use crate::support::{Chat, Ledger, Trial, block, untold};

/// Position, stream, seq, at, kind and body.
pub type Single = (u64, String, u32, i64, String, String);

/// Every event of the journal as if it had a row of its own, read as `docs/storage.md` says.
pub fn singles(journal: &Connection) -> Vec<Single> {
    let documented = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/storage.md");
    let text = std::fs::read_to_string(documented).unwrap();
    let code: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("    ")).collect();
    let code = code.join("\n");
    let begin = code.find("WITH member").expect("it is documented");
    let query = code[begin..].split_inclusive(';').next().unwrap();
    let mut statement = journal.prepare(query).unwrap();
    let read = statement.query_map((), |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?))
    });
    read.unwrap().map(Result::unwrap).collect()
}

pub fn journal_db(dir: &Path) -> Connection {
    Connection::open(dir.join("journal.db")).unwrap()
}

pub fn number(journal: &Connection, sql: &str) -> u64 {
    journal.query_row(sql, (), |row| row.get(0)).unwrap()
}

/// The checksum as it is documented.
pub fn checksum((position, stream, seq, at, kind, body): &Single) -> u32 {
    let mut bytes = Vec::new();
    bytes.extend(position.to_le_bytes());
    bytes.extend(seq.to_le_bytes());
    bytes.extend(at.to_le_bytes());
    for text in [stream, kind, body] {
        bytes.extend(text.as_bytes());
        bytes.push(0);
    }
    crc32fast::hash(&bytes)
}

/// Makes a journal what an earlier version would have written, with a row of its own for each
/// event.
pub fn make_version(version: u32, dir: &Path) {
    let journal = journal_db(dir);
    let singles = singles(&journal);
    journal.execute_batch("DELETE FROM events; DROP TABLE audit;").unwrap();
    journal.pragma_update(None, "user_version", version).unwrap();
    for single in &singles {
        let (position, stream, seq, at, kind, body) = single;
        let sql = "INSERT INTO events (position, stream, seq, at, kind, body, checksum)
             VALUES (?, ?, ?, ?, ?, ?, ?)";
        let values = params![position, stream, seq, at, kind, body, checksum(single)];
        journal.execute(sql, values).unwrap();
    }
}

pub fn remove_chats(dir: &Path) {
    for file in ["chats.db", "chats.db-wal", "chats.db-shm"] {
        drop(std::fs::remove_file(dir.join(file)));
    }
}

#[track_caller]
pub fn assert_sound(dir: &Path, chats: &[Chat]) {
    let checked = check(dir).unwrap();
    assert_eq!(checked.problems.count, 0, "{:?}", checked.problems.told);
    let events: usize = chats.iter().map(|chat| chat.history.len()).sum();
    assert_eq!(checked.journal.events, events as u64);
}

#[track_caller]
pub fn assert_read(trial: &Trial, chats: &[Chat]) {
    for chat in chats {
        let read = trial.journal().read(chat.id(), Seq::ZERO, Audience::Agent, 999, 1 << 20);
        assert_eq!(block(read).unwrap(), chat.history);
        let loaded = block(trial.journal().load(chat.id())).unwrap();
        assert_eq!(loaded.as_ref(), Some(&chat.whole));
    }
}

#[track_caller]
pub fn assert_remembered(dir: &Path, chats: &[Chat]) {
    let history = History::open(dir).unwrap();
    for chat in chats {
        assert_eq!(history.conversation(chat.id()).unwrap(), untold(&chat.history));
    }
    let mut visited = 0;
    let visit = |id, past| {
        let chat = chats.iter().find(|chat| chat.id() == id).expect("one of ours");
        assert_eq!(untold(&chat.history), past);
        visited += 1;
    };
    history.each(Timestamp::from_millis(0), visit).unwrap();
    assert_eq!(visited, chats.len());
}

/// Asserts that the timeline says the same of each event as the journal, under a checksum of the
/// event's own, and that the events of the journal have all positions from the first on.
#[track_caller]
pub fn assert_timeline(dir: &Path) -> Vec<Single> {
    let singles = singles(&journal_db(dir));
    let chats = Connection::open(dir.join("chats.db")).unwrap();
    let sql = "SELECT position, conversation, seq, at, kind, body, checksum
         FROM timeline ORDER BY position";
    let mut statement = chats.prepare(sql).unwrap();
    let timeline = statement.query_map((), |row| {
        let single = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?);
        Ok((single, row.get::<_, u32>(6)?))
    });
    let timeline: Vec<_> = timeline.unwrap().map(Result::unwrap).collect();
    assert_eq!(timeline.len(), singles.len());
    for (place, ((single, sum), read)) in timeline.iter().zip(&singles).enumerate() {
        assert_eq!(single, read);
        assert_eq!(single.0, place as u64 + 1);
        assert_eq!(*sum, checksum(single));
    }
    singles
}

/// Asserts that a check and a start tell of damage to the row at this position, and of no other.
#[track_caller]
pub fn assert_one_damage(dir: &Path, position: u64, shown: &str) -> String {
    let place = format!("journal.db, position {position}");
    let told = check(dir).unwrap().problems.told;
    let places: Vec<_> = told.iter().map(|one| one.place.as_str()).collect();
    assert_eq!(places, [place.as_str()], "{shown}: {told:?}");
    let opened = SqliteJournal::open(dir, Arc::new(Ledger::default()));
    let Err(OpenFault::Fault(Fault::Damaged { place: refused, problem })) = opened else {
        panic!("{shown}: damage is noticed: {opened:?}");
    };
    assert_eq!(refused, place, "{shown}");
    assert_eq!(problem, told[0].problem, "{shown}");
    problem
}

/// Takes one step of the retention, long after everything has happened.
pub fn retain(trial: &Trial, then: Disposal) -> Retained {
    let later = Timestamp::from_millis(1_000) + Span::from_secs(86_400).times(31);
    let retention = Retention { after_days: 30, then };
    let rule = RetentionRule { workstream: "default".parse().unwrap(), retention };
    let retained = block(trial.journal().retain(vec![rule], later)).unwrap();
    block(trial.journal().flush()).unwrap();
    retained
}
