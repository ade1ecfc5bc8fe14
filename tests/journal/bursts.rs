//! What a burst of appends leaves for later, and what it must not let grow.

use std::path::Path;
use std::time::Duration;

use holdline::domain::conversation::event::{Audience, Author};
use holdline::domain::id::Seq;
use holdline::journal::Filter;
use rusqlite::Connection;

use crate::support::{Chat, Kind, Trial, block, settle};

/// How large the log of `chats.db` may be without question, in bytes: 64 MiB, and what one batch
/// adds.
const LOG_BYTES_MAX: u64 = (64 + 48) << 20;

fn log_bytes(dir: &Path) -> u64 {
    std::fs::metadata(dir.join("chats.db-wal")).map_or(0, |file| file.len())
}

/// Appends until the projection has written several times as much as its log may hold.
fn append_much(trial: &Trial, rounds: u32) -> Vec<Chat> {
    let mut chats: Vec<_> = (1..=5_000).map(|number| Chat::new(number, "q", 1_000)).collect();
    for chat in &mut chats {
        // The chats are scattered over the file, as they are with minted ids.
        let number = chat.id().as_bits().wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        *chat = Chat::new(number, "q", 1_000);
        trial.journal().append(chat.start().append());
    }
    for _ in 0..rounds {
        for chat in &mut chats {
            trial.journal().append(chat.post(Author::Customer, &"x".repeat(700)).append());
        }
    }
    chats
}

#[test]
fn the_log_of_the_projection_is_bounded_while_it_is_behind() {
    let trial = Trial::new(Kind::Sqlite);
    let chats = append_much(&trial, 10);
    let mut largest = 0;
    let mut flushed = Box::pin(trial.journal().flush());
    let written = block(async {
        loop {
            let look = tokio::time::timeout(Duration::from_millis(5), &mut flushed).await;
            largest = largest.max(log_bytes(trial.dir()));
            if let Ok(written) = look {
                return written;
            }
        }
    });
    written.unwrap();
    assert!(largest > 48 << 20, "the log is used: {largest}");
    assert!(largest <= LOG_BYTES_MAX, "the log has grown to {largest} bytes");
    let last = &chats[chats.len() - 1];
    let loaded = block(trial.journal().load(last.id())).unwrap();
    assert_eq!(loaded.as_ref(), Some(&last.whole));
}

#[test]
fn the_log_of_a_projection_that_is_made_anew_is_bounded() {
    let mut trial = Trial::new(Kind::Sqlite);
    let chats = append_much(&trial, 8);
    trial.close();
    for file in ["chats.db", "chats.db-wal", "chats.db-shm"] {
        drop(std::fs::remove_file(trial.dir().join(file)));
    }
    let recovered = trial.reopen();
    assert_eq!(recovered.conversations.len(), chats.len());
    assert!(log_bytes(trial.dir()) <= LOG_BYTES_MAX);
}

/// Somebody's long query keeps the log from beginning anew. The query must hold nobody up.
#[test]
fn a_long_query_lets_the_log_grow_and_nothing_wait() {
    let trial = Trial::new(Kind::Sqlite);
    settle(&trial, [Chat::new(1 << 100, "q", 1_000).start()]);
    let query = Connection::open(trial.dir().join("chats.db")).unwrap();
    query.execute_batch("BEGIN; SELECT count(*) FROM timeline;").unwrap();
    append_much(&trial, 6);
    block(trial.journal().flush()).unwrap();
    assert_eq!(trial.journal().lag(), 0);
    let long = log_bytes(trial.dir());
    assert!(long > LOG_BYTES_MAX, "it is kept: {long}");
    query.execute_batch("COMMIT").unwrap();
    append_much_more(&trial);
    assert!(log_bytes(trial.dir()) <= long + LOG_BYTES_MAX, "it goes on from its beginning");
}

fn append_much_more(trial: &Trial) {
    let mut chats: Vec<_> = (1..=1_500).map(|number| Chat::new(number << 90, "q", 1_000)).collect();
    for chat in &mut chats {
        trial.journal().append(chat.start().append());
        for _ in 0..12 {
            trial.journal().append(chat.post(Author::Customer, &"x".repeat(700)).append());
        }
    }
    block(trial.journal().flush()).unwrap();
}

fn eventually(is_so: impl Fn() -> bool) {
    block(async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
}

/// A journal in which many appends wait, and in which the second of two chats is durable but not
/// projected. If the projection took both chats at once, nothing is left, and this begins anew.
fn overrun() -> (Trial, Connection, Chat) {
    for _ in 0..20 {
        let trial = Trial::new(Kind::Sqlite);
        let (intruder, second) = overrun_once(&trial);
        if trial.journal().lag() == 1 {
            return (trial, intruder, second);
        }
        intruder.execute_batch("ROLLBACK").unwrap();
    }
    panic!("the projection never stood back");
}

fn overrun_once(trial: &Trial) -> (Connection, Chat) {
    let open = |file| Connection::open(trial.dir().join(file)).unwrap();
    let (chats, intruder) = (open("chats.db"), open("journal.db"));
    intruder.busy_timeout(Duration::from_secs(5)).unwrap();
    let started = |number| Chat::new(number, "q", 1_000).start().append();
    // These are made before anything is locked, so that no lock outlasts the time that others wait
    // for it.
    let many: Vec<_> = (100..30_000).map(started).collect();
    let (mut first, mut second) = (Chat::new(1, "q", 1_000), Chat::new(2, "q", 1_000));
    // The projection cannot write the first chat; the second becomes durable meanwhile.
    chats.execute_batch("BEGIN IMMEDIATE").unwrap();
    trial.journal().append(first.start().append());
    trial.ledger.wait_for(first.id(), Seq::new(1));
    trial.journal().append(second.start().append());
    trial.ledger.wait_for(second.id(), Seq::new(1));
    intruder.execute_batch("BEGIN IMMEDIATE").unwrap();
    many.into_iter().for_each(|append| trial.journal().append(append));
    chats.execute_batch("COMMIT").unwrap();
    eventually(|| trial.journal().lag() <= 1);
    (intruder, second)
}

#[test]
fn the_projection_leaves_the_disk_to_appends_until_somebody_reads() {
    let (trial, intruder, second) = overrun();
    // The projection takes a millisecond when nobody is in its way.
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(trial.journal().lag(), 1, "it stands back");
    let read = trial.journal().read(second.id(), Seq::ZERO, Audience::Agent, 99, 1 << 20);
    assert_eq!(block(read).unwrap(), second.history);
    assert!(trial.journal().waiting() > 512, "they wait as before");
    intruder.execute_batch("ROLLBACK").unwrap();
    block(trial.journal().flush()).unwrap();
}

#[test]
fn the_projection_goes_on_when_the_appends_are_through() {
    let (trial, intruder, second) = overrun();
    intruder.execute_batch("ROLLBACK").unwrap();
    // Nobody reads, and the projection still catches up.
    eventually(|| trial.journal().waiting() == 0 && trial.journal().lag() == 0);
    let listed = block(trial.journal().list(Filter::default(), None, 1, 1)).unwrap();
    assert_eq!(listed.views.len(), 1);
    assert_eq!(block(trial.journal().load(second.id())).unwrap(), Some(second.whole));
}

#[test]
fn the_projection_stands_back_for_a_bounded_time() {
    let (trial, intruder, _) = overrun();
    // The intruder holds the file for longer than appends wait, so many appends are always waiting.
    let begun = trial.journal().waiting();
    eventually(|| trial.journal().lag() == 0);
    assert!(begun > 512);
    intruder.execute_batch("ROLLBACK").unwrap();
    block(trial.journal().flush()).unwrap();
}
