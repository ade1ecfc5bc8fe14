//! Closed chats that leave the journal when their time is over.

use std::path::Path;
use std::sync::Arc;

use holdline::domain::conversation::event::{Audience, Author};
use holdline::domain::id::{ConversationId, Seq};
use holdline::domain::settings::{Disposal, Retention};
use holdline::domain::time::{Span, Timestamp};
use holdline::journal::sqlite::SqliteJournal;
use holdline::journal::sqlite::check::check;
use holdline::journal::{
    Append, Filter, Journal, Log as _, Position, Removal as _, Retained, RetentionRule, Ticket,
};
use rusqlite::Connection;

use crate::files::{self, Known};
use crate::support::{Chat, Kind, Ledger, Trial, agent, block, settle};

pub(crate) fn rule(after_days: u32, then: Disposal) -> RetentionRule {
    let workstream = "default".parse().unwrap();
    RetentionRule { workstream, retention: Retention { after_days, then } }
}

pub(crate) fn days(count: u64) -> Timestamp {
    Timestamp::from_millis(1_000) + Span::from_secs(86_400).times(count) + Span::from_secs(3_600)
}

/// Takes steps until the retention has no more to do.
pub(crate) fn retain(journal: &dyn Journal, then: Disposal, now: Timestamp) -> Retained {
    let mut all = Retained::default();
    for _ in 0..1_000 {
        let step = block(journal.retain(vec![rule(30, then)], now)).expect("a step");
        all.archived += step.archived;
        all.deleted += step.deleted;
        if !step.is_more {
            block(journal.flush()).unwrap();
            return all;
        }
    }
    panic!("it never ends");
}

/// How many events of a chat the table of a file has.
pub(crate) fn events_in(file: &Path, id: ConversationId) -> usize {
    let connection = Connection::open(file).unwrap();
    // Events that happened together stand in one row, and several chats may share one.
    let sql = "WITH append AS (
             SELECT stream, kind, body FROM events WHERE kind <> 'happened_to_several'
             UNION ALL
             SELECT one.value ->> 0, body ->> format('$.records[%d].kind', one.value ->> 2),
                    body -> format('$.records[%d].body', one.value ->> 2)
             FROM events, json_each(body, '$.of') AS one WHERE kind = 'happened_to_several')
         SELECT coalesce(sum(iif(kind = 'happened_together', json_array_length(body), 1)), 0)
         FROM append WHERE stream = ?";
    connection.query_row(sql, [id.to_string()], |row| row.get(0)).unwrap()
}

pub(crate) fn split(known: &Known) -> (Vec<Chat>, Known) {
    let (closed, live): (Vec<_>, Vec<_>) =
        known.chats.iter().cloned().partition(|chat| chat.whole.is_closed());
    (closed, Known { chats: live })
}

fn what_is_over_goes_and_nothing_else(kind: Kind) {
    let mut trial = Trial::new(kind);
    let mut chats: Vec<_> = (1..=30).map(|number| Chat::new(number, "q", 1_000)).collect();
    for chat in &mut chats {
        let mut story = vec![chat.start(), chat.join(1), chat.offer("ann"), chat.accept("ann")];
        if chat.id().as_bits() % 3 == 0 {
            story.extend([chat.end("ann"), chat.shut("ann")]);
        }
        settle(&trial, story);
    }
    let (closed, live) = split(&Known { chats });
    assert_eq!((closed.len(), live.chats.len()), (10, 20));
    let head = trial.journal().head();

    let early = retain(trial.journal(), Disposal::Delete, days(29));
    assert_eq!(early, Retained::default(), "not before its time");
    let none = block(trial.journal().retain(Vec::new(), days(9_999))).unwrap();
    assert_eq!(none, Retained::default(), "not without a rule");
    let taken = retain(trial.journal(), Disposal::Delete, days(31));
    assert_eq!((taken.archived, taken.deleted), (0, 10));
    assert!(trial.journal().head() > head, "what became of them has a place of its own");

    // An actor that still believes in a chat that is gone cannot append to it.
    let gone = &closed[0];
    trial.journal().append(Append::Conversation {
        id: gone.id(),
        first: gone.whole.seq().next(),
        at: days(31),
        events: [gone.history[2].event.clone()].into(),
        ticket: Ticket::default(),
    });
    trial.ledger.wait_for_failures(gone.id(), 1);

    for again in [false, true] {
        if again {
            trial.reopen();
        }
        for chat in &closed {
            assert!(block(trial.journal().load(chat.id())).unwrap().is_none());
            let read = trial.journal().read(chat.id(), Seq::ZERO, Audience::Agent, 99, 1 << 20);
            assert!(block(read).unwrap().is_empty());
        }
        let listed = block(trial.journal().list(Filter::default(), None, 99, 1 << 20)).unwrap();
        assert_eq!(listed.views.len(), live.chats.len());
        let feed =
            block(trial.journal().of_agent(agent("ann"), Position(0), 9_999, 1 << 20)).unwrap();
        assert!(!feed.is_empty(), "feeds go on");
        assert!(feed.iter().all(|one| closed.iter().all(|chat| chat.id() != one.conversation)));
        for chat in &live.chats {
            let loaded = block(trial.journal().load(chat.id())).unwrap();
            assert_eq!(loaded.as_ref(), Some(&chat.whole));
        }
    }
    let mut goes_on = live.chats[0].clone();
    let before = trial.journal().head();
    trial.journal().append(goes_on.post(Author::Customer, "still here").append());
    block(trial.journal().flush()).unwrap();
    assert_eq!(trial.journal().head(), Position(before.0 + 1), "no place is used again");
}

#[test]
fn what_is_over_goes_from_the_disk() {
    what_is_over_goes_and_nothing_else(Kind::Sqlite);
}

#[test]
fn what_is_over_goes_from_memory() {
    what_is_over_goes_and_nothing_else(Kind::Memory);
}

#[test]
fn an_archived_chat_is_whole_in_the_archive_and_nowhere_else() {
    let dir = tempfile::tempdir().unwrap();
    let known = files::furnish(dir.path(), 30);
    let (closed, live) = split(&known);
    let (journal, _) = files::open(dir.path()).unwrap();
    let taken = retain(&journal, Disposal::Archive, days(31));
    assert_eq!((taken.archived, taken.deleted), (closed.len() as u64, 0));
    live.assert_all_there(&journal);
    drop(journal);
    for chat in &closed {
        assert_eq!(events_in(&dir.path().join("archive.db"), chat.id()), chat.history.len());
        assert_eq!(events_in(&dir.path().join("journal.db"), chat.id()), 0);
    }
    let checked = check(dir.path()).unwrap();
    assert_eq!(checked.problems.count, 0, "{:?}", checked.problems.told);
    assert_eq!(checked.archive.unwrap().conversations, closed.len() as u64);
    // A projection that is made anew knows the same.
    std::fs::remove_file(dir.path().join("chats.db")).unwrap();
    let (journal, recovered) = files::open(dir.path()).unwrap();
    live.assert_recovered(&recovered);
    live.assert_all_there(&journal);
    drop(journal);
    // The words are in none of the files either.
    let mut contents = files::contents(dir.path());
    contents.remove(Path::new("archive.db"));
    for (name, bytes) in contents {
        let said = bytes.windows(9).any(|window| window == b"I am back");
        assert!(!said, "what was taken out is still in {}", name.display());
    }
}

#[test]
fn a_step_is_small_and_a_long_chat_is_a_step_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = files::open(dir.path()).unwrap();
    let mut long = Chat::new(1, "q", 1_000);
    let mut story = vec![long.start(), long.join(1), long.offer("ann"), long.accept("ann")];
    story.extend((0..1_000).map(|_| long.post(Author::Customer, "and another thing")));
    story.extend([long.end("ann"), long.shut("ann")]);
    story.iter().for_each(|batch| journal.append(batch.append()));
    let known = files::write(&journal, 0);
    assert!(known.chats.is_empty());
    for number in 2..=200 {
        let mut chat = Chat::new(number, "q", 50_000);
        chat.whole_story().iter().for_each(|batch| journal.append(batch.append()));
    }
    block(journal.flush()).unwrap();
    let step = || block(journal.retain(vec![rule(30, Disposal::Delete)], days(31))).unwrap();
    // The chat that was closed first goes first.
    let first = step();
    assert_eq!(first, Retained { archived: 0, deleted: 1, is_more: true });
    let mut taken = 1;
    loop {
        let step = step();
        assert!(step.deleted <= 32, "{step:?}");
        taken += step.deleted;
        if !step.is_more {
            break;
        }
    }
    assert_eq!(taken, 200);
}

#[test]
fn a_damaged_chat_is_kept_and_the_others_go() {
    let dir = tempfile::tempdir().unwrap();
    let known = files::furnish(dir.path(), 9);
    let (closed, _) = split(&known);
    let connection = Connection::open(dir.path().join("journal.db")).unwrap();
    let sql = "UPDATE events SET at = at + 1 WHERE stream = ? AND seq = 3";
    assert_eq!(connection.execute(sql, [closed[0].id().to_string()]).unwrap(), 1);
    drop(connection);
    let (journal, _) = SqliteJournal::open(dir.path(), Arc::new(Ledger::default())).unwrap();
    let taken = retain(&journal, Disposal::Archive, days(31));
    assert_eq!(taken.archived, closed.len() as u64 - 1);
    drop(journal);
    let kept = events_in(&dir.path().join("journal.db"), closed[0].id());
    assert_eq!(kept, closed[0].history.len(), "what is damaged is left for people to look at");
}
