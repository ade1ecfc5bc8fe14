//! What can be tried only on the journal on a disk: its files, its faults, its rebuilding.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use holdline::domain::conversation::event::{Audience, Author};
use holdline::domain::id::Seq;
use holdline::journal::sqlite::history::History;
use holdline::journal::sqlite::{OpenFault, SqliteJournal};
use holdline::journal::{Fault, Filter, Position};
use rusqlite::{Connection, OpenFlags};

use crate::support::{Chat, Kind, Ledger, Trial, block, settle};

fn journal_db(trial: &Trial) -> Connection {
    let connection = Connection::open(trial.dir().join("journal.db")).unwrap();
    connection.busy_timeout(Duration::from_secs(5)).unwrap();
    connection
}

#[test]
fn a_directory_is_used_by_one_server() {
    let mut trial = Trial::new(Kind::Sqlite);
    let second = SqliteJournal::open(trial.dir(), Arc::new(Ledger::default()));
    assert!(matches!(second, Err(OpenFault::InUse(_))), "{second:?}");
    trial.reopen();
}

/// A process that is being started has its parent's files open until it runs its program. A command
/// that looks whether a server runs asks for the same lock. Neither of the two is a server.
#[test]
fn a_directory_that_was_let_go_can_be_taken_at_once() {
    let mut trial = Trial::new(Kind::Sqlite);
    let dir = trial.dir().to_owned();
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                assert!(Command::new("true").status().unwrap().success());
            }
        });
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                let looked = History::open(&dir);
                assert!(looked.is_ok(), "{looked:?}");
            }
        });
        let reopened = scope.spawn(|| (0..100).for_each(|_| drop(trial.reopen()))).join();
        is_over.store(true, Ordering::Relaxed);
        assert!(reopened.is_ok());
    });
}

#[test]
fn a_failed_write_fails_what_follows_from_it_and_nothing_else() {
    let trial = Trial::new(Kind::Sqlite);
    let (mut chat, mut other) = (Chat::new(1, "q", 1_000), Chat::new(2, "q", 1_000));
    settle(&trial, [chat.start(), other.start()]);
    let durable = chat.clone();
    let saboteur = journal_db(&trial);
    saboteur
        .execute_batch(
            "CREATE TRIGGER sabotage BEFORE INSERT ON events
             WHEN NEW.body LIKE '%sabotage%' BEGIN SELECT RAISE(ABORT, 'sabotage'); END",
        )
        .unwrap();
    trial.journal().append(chat.post(Author::Customer, "sabotage").append());
    trial.ledger.wait_for_failures(chat.id(), 1);
    trial.journal().append(chat.post(Author::Customer, "too far").append());
    trial.ledger.wait_for_failures(chat.id(), 2);
    settle(&trial, [other.post(Author::Customer, "is not concerned")]);
    trial.ledger.wait_for(other.id(), Seq::new(2));
    assert!(trial.journal().is_writable());

    let loaded = block(trial.journal().load(chat.id())).unwrap().unwrap();
    assert_eq!(loaded, durable.whole);
    let mut again = durable;
    settle(&trial, [again.post(Author::Customer, "continues")]);
    trial.ledger.wait_for(again.id(), Seq::new(2));
    assert_eq!(trial.ledger.failures(other.id()), 0);
}

#[test]
fn a_locked_journal_fails_and_passes() {
    let trial = Trial::new(Kind::Sqlite);
    let mut chat = Chat::new(1, "q", 1_000);
    settle(&trial, [chat.start()]);
    let durable = chat.clone();
    let intruder = journal_db(&trial);
    intruder.execute_batch("BEGIN IMMEDIATE").unwrap();
    trial.journal().append(chat.post(Author::Customer, "waits in vain").append());
    trial.ledger.wait_for_failures(chat.id(), 1);
    assert!(!trial.journal().is_writable());
    intruder.execute_batch("ROLLBACK").unwrap();
    let mut again = durable;
    settle(&trial, [again.post(Author::Customer, "continues")]);
    trial.ledger.wait_for(again.id(), Seq::new(2));
    assert!(trial.journal().is_writable());
}

/// A checkpoint that resets the log holds this lock for a moment, and so does any query of
/// somebody's that writes.
#[test]
fn a_locked_projection_is_waited_for() {
    let trial = Trial::new(Kind::Sqlite);
    let chats = Connection::open(trial.dir().join("chats.db")).unwrap();
    for number in 1..=5 {
        chats.execute_batch("BEGIN IMMEDIATE").unwrap();
        // For a new chat the projector reads before it writes.
        let mut chat = Chat::new(number, "q", 1_000);
        trial.journal().append(chat.start().append());
        trial.ledger.wait_for(chat.id(), chat.whole.seq());
        let read = trial.journal().read(chat.id(), Seq::ZERO, Audience::Agent, 99, 1 << 20);
        thread::sleep(Duration::from_millis(100));
        assert!(trial.journal().lag() > 0, "it is held up");
        chats.execute_batch("COMMIT").unwrap();
        // If the projector did not wait, this would fail as "database is locked".
        assert_eq!(block(read).unwrap(), chat.history);
        assert_eq!(trial.journal().lag(), 0);
    }
}

#[test]
fn the_projection_is_rebuilt_when_it_is_gone() {
    let mut trial = Trial::new(Kind::Sqlite);
    let mut chats: Vec<_> = (1..=50).map(|number| Chat::new(number, "q", 1_000)).collect();
    for chat in &mut chats {
        let story = chat.whole_story();
        settle(&trial, story.into_iter().take(8));
    }
    trial.close();
    for file in ["chats.db", "chats.db-wal", "chats.db-shm"] {
        drop(std::fs::remove_file(trial.dir().join(file)));
    }
    let recovered = trial.reopen();
    assert_eq!(recovered.conversations.len(), 50);
    for chat in &chats {
        let read = trial.journal().read(chat.id(), Seq::ZERO, Audience::Agent, 999, 1 << 20);
        let read = block(read).unwrap();
        assert!(!read.is_empty());
        assert_eq!(read, chat.history[..read.len()]);
    }
}

#[test]
fn a_projection_that_is_behind_catches_up_at_the_start() {
    let mut trial = Trial::new(Kind::Sqlite);
    let mut chat = Chat::new(1, "q", 1_000);
    settle(&trial, [chat.start(), chat.join(1)]);
    trial.close();
    let behind = trial.dir().join("behind.db");
    std::fs::copy(trial.dir().join("chats.db"), &behind).unwrap();
    trial.reopen();
    settle(&trial, [chat.offer("ann"), chat.accept("ann")]);
    trial.close();
    std::fs::rename(&behind, trial.dir().join("chats.db")).unwrap();
    let recovered = trial.reopen();
    assert_eq!(recovered.conversations, [chat.whole.clone()]);
}

#[test]
fn a_journal_that_has_lost_its_end_is_told_and_nothing_is_lost_in_silence() {
    let mut trial = Trial::new(Kind::Sqlite);
    let mut chat = Chat::new(1, "q", 1_000);
    settle(&trial, [chat.start()]);
    let before = chat.clone();
    trial.close();
    let backup = trial.dir().join("backup.db");
    std::fs::copy(trial.dir().join("journal.db"), &backup).unwrap();
    trial.reopen();
    settle(&trial, [chat.offer("ann"), chat.accept("ann")]);
    trial.close();
    std::fs::rename(&backup, trial.dir().join("journal.db")).unwrap();
    let opened = SqliteJournal::open(trial.dir(), Arc::new(Ledger::default()));
    let Err(fault @ OpenFault::Lost { head: Position(1), projected: Position(3), .. }) = opened
    else {
        panic!("the loss is noticed: {opened:?}");
    };
    assert!(fault.to_string().contains("holdline restore"), "{fault}");
    // An operator who decides to go on without what was lost can do so.
    std::fs::remove_file(trial.dir().join("chats.db")).unwrap();
    let recovered = trial.reopen();
    assert_eq!(recovered.conversations, [before.whole]);
}

#[test]
fn a_newer_release_is_not_overwritten() {
    for file in ["journal.db", "chats.db"] {
        let mut trial = Trial::new(Kind::Sqlite);
        trial.close();
        let connection = Connection::open(trial.dir().join(file)).unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
        drop(connection);
        let opened = SqliteJournal::open(trial.dir(), Arc::new(Ledger::default()));
        let newer = matches!(opened, Err(OpenFault::FromTheFuture { found: 99, .. }));
        assert!(newer, "{opened:?}");
    }
}

#[test]
fn a_damaged_record_is_told_with_its_place() {
    let mut trial = Trial::new(Kind::Sqlite);
    let mut chat = Chat::new(1, "q", 1_000);
    settle(&trial, [chat.start(), chat.join(1)]);
    trial.close();
    let connection = journal_db(&trial);
    connection.execute("UPDATE events SET body = '{' WHERE position = 2", ()).unwrap();
    drop(connection);
    std::fs::remove_file(trial.dir().join("chats.db")).unwrap();
    let opened = SqliteJournal::open(trial.dir(), Arc::new(Ledger::default()));
    let Err(OpenFault::Fault(Fault::Damaged { place, .. })) = opened else {
        panic!("damage is noticed: {opened:?}");
    };
    assert_eq!(place, "journal.db, position 2");
}

#[test]
fn people_can_query_while_the_server_runs() {
    let trial = Trial::new(Kind::Sqlite);
    let mut chat = Chat::new(1, "q", 1_000);
    let story = chat.whole_story();
    settle(&trial, story);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let chats = Connection::open_with_flags(trial.dir().join("chats.db"), flags).unwrap();
    // A reader that stays in one transaction holds nobody up.
    chats.execute_batch("BEGIN").unwrap();
    let messages: i64 =
        chats.query_row("SELECT count(*) FROM messages", (), |row| row.get(0)).unwrap();
    assert_eq!(messages, 3);
    let (state, reason, agent): (String, String, String) = chats
        .query_row("SELECT state, reason, agent FROM conversations", (), |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .unwrap();
    assert_eq!(state, "closed");
    assert_eq!(reason, "customer_disconnected_while_active");
    assert_eq!(agent, "ann");
    let said: String = chats
        .query_row("SELECT text FROM messages WHERE author = 'agent'", (), |row| row.get(0))
        .unwrap();
    assert_eq!(said, "Good morning 👋\n\"quoted\"");
    settle(&trial, [Chat::new(2, "q", 2_000).start()]);
    let listing = block(trial.journal().list(Filter::default(), None, 9, 9_999)).unwrap();
    assert_eq!(listing.views.len(), 2);
}

#[test]
fn what_was_appended_is_written_before_it_closes_and_nothing_after() {
    let mut trial = Trial::new(Kind::Sqlite);
    let mut chats: Vec<_> = (1..=500).map(|number| Chat::new(number, "q", 1_000)).collect();
    for chat in &mut chats {
        trial.journal().append(chat.start().append());
    }
    trial.close();
    let recovered = trial.reopen();
    assert_eq!(recovered.conversations.len(), 500);
}

#[test]
fn a_closed_journal_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Arc::new(Ledger::default());
    let (journal, _) = SqliteJournal::open(dir.path(), ledger.clone()).unwrap();
    journal.close();
    let mut chat = Chat::new(1, "q", 1_000);
    holdline::journal::Log::append(&journal, chat.start().append());
    ledger.wait_for_failures(chat.id(), 1);
    let loaded = block(holdline::journal::Chats::load(&journal, chat.id()));
    assert!(matches!(loaded, Err(Fault::Closed)));
}

#[test]
fn a_long_chat_is_whole_between_its_snapshots() {
    let mut trial = Trial::new(Kind::Sqlite);
    let mut chat = Chat::new(1, "q", 1_000);
    settle(&trial, [chat.start()]);
    for number in 0..600 {
        settle(&trial, [chat.post(Author::Customer, "x")]);
        if number % 7 == 0 {
            let loaded = block(trial.journal().load(chat.id())).unwrap();
            assert_eq!(loaded.as_ref(), Some(&chat.whole));
        }
    }
    let listing = block(trial.journal().list(Filter::default(), None, 9, 9_999)).unwrap();
    assert_eq!(listing.views, [chat.whole.view().unwrap()]);
    let recovered = trial.reopen();
    assert_eq!(recovered.conversations, [chat.whole.clone()]);
    settle(&trial, [chat.post(Author::Customer, "x")]);
    let loaded = block(trial.journal().load(chat.id())).unwrap();
    assert_eq!(loaded, Some(chat.whole));
}

/// Every example in `docs/storage.md` is run as it stands there.
#[test]
fn the_documented_queries_work() {
    let trial = Trial::new(Kind::Sqlite);
    let mut chat = Chat::new(1, "q", 1_000);
    let story = chat.whole_story();
    settle(&trial, story);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let open = |file| Connection::open_with_flags(trial.dir().join(file), flags).unwrap();
    let (chats, journal) = (open("chats.db"), open("journal.db"));
    let documented = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/storage.md");
    let text = std::fs::read_to_string(documented).unwrap();
    let code: String = text
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .flat_map(|line| [line, "\n"])
        .collect();
    let queries: Vec<_> = code
        .split_inclusive(';')
        .filter_map(|query| Some(&query[query.find("WITH ").or_else(|| query.find("SELECT"))?..]))
        .collect();
    assert!(queries.len() >= 7, "the examples are found: {queries:?}");
    for query in queries {
        let of_journal = query.contains("FROM events");
        let asked = if of_journal { &journal } else { &chats };
        let mut statement = asked.prepare(query).unwrap_or_else(|error| panic!("{query}: {error}"));
        let mut rows = statement.query(()).unwrap();
        while rows.next().unwrap().is_some() {}
    }
}

#[test]
fn a_backup_made_while_the_server_runs_is_whole() {
    let trial = Trial::new(Kind::Sqlite);
    let mut chat = Chat::new(1, "q", 1_000);
    settle(&trial, [chat.start(), chat.join(1), chat.offer("ann"), chat.accept("ann")]);
    let copy = tempfile::tempdir().unwrap();
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let journal = Connection::open_with_flags(trial.dir().join("journal.db"), flags).unwrap();
    let file = copy.path().join("journal.db");
    journal.execute("VACUUM INTO ?", [file.to_str().unwrap()]).unwrap();
    let (_opened, recovered) =
        SqliteJournal::open(copy.path(), Arc::new(Ledger::default())).unwrap();
    assert_eq!(recovered.conversations, [chat.whole.clone()]);
}
