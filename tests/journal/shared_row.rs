//! Appends that the journal gets together and that happened at one time share a row. What happened
//! alike stands in the row once. Every reader tells the row as if each append had a row of its own.

mod damaged;
mod refused;
mod retained;
mod told;

use holdline::domain::agent::Presence;
use holdline::domain::conversation::event::Author;
use holdline::journal::{Append, Position};
use holdline::limits;
use rusqlite::Connection;
use serde_json::Value;

use crate::rows::{assert_read, assert_sound, assert_timeline, journal_db, number};
use crate::support::{Batch, Chat, Kind, Trial, agent, block, settle};

const SHARED: &str = "SELECT count(*) FROM events WHERE kind = 'happened_to_several'";
const ROWS: &str = "SELECT count(*) FROM events";

/// Chats that do the same at the same times.
fn crowd(numbers: std::ops::RangeInclusive<u128>) -> Vec<Chat> {
    numbers.map(|number| Chat::new(number, "q", 1_000)).collect()
}

/// Gives these batches to the journal together, and waits until they are durable.
fn append_together(trial: &Trial, batches: impl IntoIterator<Item = Batch>) {
    let appends = batches.into_iter().map(|batch| batch.append()).collect();
    trial.journal().append_all(appends);
    block(trial.journal().flush()).unwrap();
}

/// Lets each of the chats do this, and appends it all together.
fn all(trial: &Trial, chats: &mut [Chat], act: impl FnMut(&mut Chat) -> Batch) {
    append_together(trial, chats.iter_mut().map(act));
}

/// The whole stories of these chats, step by step.
fn stories(chats: &mut [Chat]) -> Vec<Vec<Batch>> {
    let mut stories: Vec<_> = chats.iter_mut().map(|chat| chat.whole_story().into_iter()).collect();
    let mut steps = Vec::new();
    loop {
        let step: Vec<_> = stories.iter_mut().filter_map(Iterator::next).collect();
        if step.is_empty() {
            return steps;
        }
        steps.push(step);
    }
}

/// Of each row: the position, the kind, how many records are in it, and how many appends.
fn shapes(journal: &Connection) -> Vec<(u64, String, u64, u64)> {
    let sql = "SELECT position, kind, coalesce(json_array_length(body, '$.records'), 1),
         coalesce(json_array_length(body, '$.of'), 1) FROM events ORDER BY position";
    let mut statement = journal.prepare(sql).unwrap();
    let read =
        statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)));
    read.unwrap().map(Result::unwrap).collect()
}

fn shared(position: u64, records: u64, appends: u64) -> (u64, String, u64, u64) {
    (position, "happened_to_several".to_owned(), records, appends)
}

fn body_at(journal: &Connection, position: u64) -> Value {
    let sql = "SELECT body FROM events WHERE position = ?";
    let body: String = journal.query_row(sql, [position], |row| row.get(0)).unwrap();
    serde_json::from_str(&body).unwrap()
}

#[test]
fn appends_of_one_time_share_a_row_and_what_is_alike_stands_once() {
    let mut trial = Trial::new(Kind::Sqlite);
    let mut chats = crowd(1..=5);
    all(&trial, &mut chats, Chat::start);
    all(&trial, &mut chats, |chat| chat.join(1));
    all(&trial, &mut chats, |chat| {
        let batch = chat.lose(1);
        assert_eq!(batch.events.len(), 2);
        batch
    });
    // What happens to two of the chats is not what happens to the others.
    all(&trial, &mut chats, |chat| {
        let is_even = chat.id().as_bits() % 2 == 0;
        chat.join(if is_even { 2 } else { 3 })
    });
    let journal = journal_db(trial.dir());
    // Each chat has a visitor of its own, so no start is like another.
    let shapes = shapes(&journal);
    assert_eq!(shapes, [shared(1, 5, 5), shared(6, 1, 5), shared(11, 1, 5), shared(21, 2, 5)]);
    let sql = "SELECT count(*) FROM events WHERE stream = 'several' AND seq = 0";
    assert_eq!(number(&journal, sql), 4);
    assert_eq!(number(&journal, "PRAGMA user_version"), 9, "an older release refuses it");
    assert_eq!(trial.journal().head(), Position(30));

    let body = body_at(&journal, 11);
    assert_eq!(body["records"][0]["kind"], "happened_together");
    let named: Vec<_> = chats.iter().map(|chat| (chat.id().to_string(), 3, 0)).collect();
    assert_eq!(body["of"], serde_json::to_value(named).unwrap());
    let body = body_at(&journal, 21);
    let which: Vec<_> = body["of"].as_array().unwrap().iter().map(|of| of[2].clone()).collect();
    assert_eq!(which, [0, 1, 0, 1, 0]);

    assert_eq!(assert_timeline(trial.dir()).len(), 30);
    assert_read(&trial, &chats);
    trial.close();
    assert_sound(trial.dir(), &chats);
}

#[test]
fn only_neighbours_of_one_time_share() {
    let trial = Trial::new(Kind::Sqlite);
    let mut chats: Vec<_> = [1, 1, 2, 3, 3, 3, 1]
        .into_iter()
        .zip(1..)
        .map(|(at, number)| Chat::new(number, "q", at * 1_000))
        .collect();
    all(&trial, &mut chats, Chat::start);
    let journal = journal_db(trial.dir());
    let alone = |position| (position, "conversation_started".to_owned(), 1, 1);
    assert_eq!(shapes(&journal), [shared(1, 2, 2), alone(3), shared(4, 3, 3), alone(7)]);

    // Appends that come one by one share no row either, whether they happened at one time or not.
    let mut others = crowd(11..=13);
    settle(&trial, others.iter_mut().map(Chat::start).collect::<Vec<_>>());
    assert_eq!(shapes(&journal)[4..], [alone(8), alone(9), alone(10)]);
    let mut lonely = crowd(14..=14);
    all(&trial, &mut lonely, Chat::start);
    assert_eq!(shapes(&journal)[7..], [alone(11)]);
    chats.extend(others);
    chats.extend(lonely);
    assert_timeline(trial.dir());
    assert_read(&trial, &chats);
}

#[test]
fn what_an_agent_chose_stands_between_them_and_is_told_its_place() {
    let trial = Trial::new(Kind::Sqlite);
    let mut chats = crowd(1..=4);
    let mut appends: Vec<_> = chats.iter_mut().map(|chat| chat.start().append()).collect();
    let (done, told) = tokio::sync::oneshot::channel();
    let at = chats[0].history[0].at;
    let chosen =
        Append::Presence { by: None, agent: agent("ann"), presence: Presence::Available, at, done };
    appends.insert(2, chosen);
    trial.journal().append_all(appends);
    assert_eq!(block(told).unwrap().unwrap(), Position(3));
    block(trial.journal().flush()).unwrap();
    let chosen = (3, "presence_chosen".to_owned(), 1, 1);
    assert_eq!(shapes(&journal_db(trial.dir())), [shared(1, 2, 2), chosen, shared(4, 2, 2)]);
    assert_eq!(trial.journal().head(), Position(5));
    assert_read(&trial, &chats);
}

#[test]
fn a_full_row_is_continued_in_another() {
    let mut trial = Trial::new(Kind::Sqlite);
    let most = limits::SHARED_ROW_APPENDS_MAX as u64;
    let mut chats = crowd(1..=u128::from(2 * most + 2));
    all(&trial, &mut chats, Chat::start);
    all(&trial, &mut chats, |chat| chat.join(1));
    all(&trial, &mut chats, |chat| chat.lose(1));
    let journal = journal_db(trial.dir());
    let count = chats.len() as u64;
    let [lost, last] = [2 * count + 1, 2 * count + 1 + 2 * most];
    let full = [shared(lost, 1, most), shared(last, 1, most), shared(last + 2 * most, 1, 2)];
    assert_eq!(shapes(&journal)[shapes(&journal).len() - 3..], full);

    // Long bodies fill a row sooner.
    let before = number(&journal, ROWS);
    all(&trial, &mut chats[..40], |chat| {
        let text = format!("{}{}", chat.id(), "x".repeat(5_000));
        chat.post(Author::Customer, &text)
    });
    let rows = number(&journal, ROWS) - before;
    let bytes = 40 * 5_000 / limits::SHARED_ROW_BYTES as u64;
    assert!(rows >= bytes && rows < 40 / 2, "{rows} rows, and not fewer than {bytes}");
    let sql = "SELECT max(length(body)) FROM events";
    let longest = number(&journal, sql);
    assert!(longest < limits::SHARED_ROW_BYTES as u64 + 6_000, "{longest}");

    assert_timeline(trial.dir());
    assert_read(&trial, &chats[..50]);
    trial.close();
    assert_sound(trial.dir(), &chats);
}
