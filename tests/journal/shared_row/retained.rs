//! The retention takes one chat out of the rows that it shared with others. The others stay where
//! they are, and nothing is left of that one.

use std::path::Path;

use holdline::domain::conversation::event::Author;
use holdline::domain::id::ConversationId;
use holdline::domain::settings::Disposal;
use holdline::journal::sqlite::check::{Checked, check};
use holdline::journal::sqlite::history::History;
use holdline::journal::{Position, Retained};
use rusqlite::Connection;
use serde_json::json;

use crate::rows::{
    Single, assert_one_damage, assert_read, assert_remembered, journal_db, number, remove_chats,
    retain, singles,
};
use crate::shared_row::{ROWS, SHARED, all, body_at, crowd, shapes};
use crate::support::{Batch, Chat, Kind, Trial, block, untold};

fn secret(id: ConversationId) -> String {
    format!("only chat {} says so", id.as_bits())
}

/// Chats that share all their rows until some of the chats are over.
fn furnish(is_over: impl Fn(u128) -> bool) -> (Trial, Vec<Chat>) {
    let trial = Trial::new(Kind::Sqlite);
    let mut chats = crowd(1..=4);
    all(&trial, &mut chats, Chat::start);
    all(&trial, &mut chats, |chat| chat.join(1));
    all(&trial, &mut chats, |chat| chat.offer("ann"));
    all(&trial, &mut chats, |chat| chat.accept("ann"));
    all(&trial, &mut chats, |chat| chat.post(Author::Customer, "Everybody says so"));
    all(&trial, &mut chats, |chat| chat.lose(1));
    all(&trial, &mut chats, |chat| {
        let text = secret(chat.id());
        chat.post(Author::Agent("ann".parse().unwrap()), &text)
    });
    end(&trial, &mut chats, is_over);
    (trial, chats)
}

/// Ends some of the chats. The others say something meanwhile, in the same rows.
fn end(trial: &Trial, chats: &mut [Chat], is_over: impl Fn(u128) -> bool) {
    let or_post = |chat: &mut Chat, end: fn(&mut Chat) -> Batch| {
        if is_over(chat.id().as_bits()) {
            end(chat)
        } else {
            chat.post(Author::Customer, "I am still here")
        }
    };
    all(trial, chats, |chat| or_post(chat, |chat| chat.end("ann")));
    all(trial, chats, |chat| or_post(chat, |chat| chat.shut("ann")));
}

/// Whether a file of a closed journal has these words.
fn is_in(dir: &Path, file: &str, words: &str) -> bool {
    let log = dir.join(format!("{file}-wal"));
    assert!(!log.exists(), "all of it was carried over");
    let bytes = std::fs::read(dir.join(file)).unwrap();
    bytes.windows(words.len()).any(|window| window == words.as_bytes())
}

#[track_caller]
fn clean(dir: &Path) -> Checked {
    let checked = check(dir).unwrap();
    assert_eq!(checked.problems.count, 0, "{:?}", checked.problems.told);
    checked
}

fn events(chats: &[Chat]) -> usize {
    chats.iter().map(|chat| chat.history.len()).sum()
}

/// The single rows of a journal, without those of this chat and of the retention.
fn without(all: &[Single], id: ConversationId) -> Vec<Single> {
    let id = id.to_string();
    all.iter().filter(|one| one.1 != id && one.1 != "retention").cloned().collect()
}

fn one_goes_and_the_others_stay(then: Disposal) {
    for gone in 1..=4_u128 {
        let (mut trial, mut chats) = furnish(|number| number == gone);
        let before = singles(&journal_db(trial.dir()));
        let rows = number(&journal_db(trial.dir()), ROWS);
        let head = trial.journal().head();
        let gone = chats.remove(usize::try_from(gone).unwrap() - 1);
        let counts = |retained: Retained| retained.archived + retained.deleted;
        assert_eq!(counts(retain(&trial, then)), 1);
        assert_eq!(counts(retain(&trial, then)), 0, "once");
        assert_eq!(trial.journal().head(), Position(head.0 + 1), "its note has a place");
        let journal = journal_db(trial.dir());
        assert_eq!(number(&journal, ROWS), rows + 1, "no row is empty");
        assert_eq!(without(&singles(&journal), gone.id()), without(&before, gone.id()));
        assert_eq!(singles(&journal).len(), before.len() - gone.history.len() + 1);
        drop(journal);
        assert!(block(trial.journal().load(gone.id())).unwrap().is_none());
        assert_read(&trial, &chats);

        trial.close();
        for file in ["journal.db", "chats.db"] {
            assert!(!is_in(trial.dir(), file, &secret(gone.id())), "{file} keeps what was said");
            assert!(is_in(trial.dir(), file, &secret(chats[0].id())), "{file} keeps the others");
        }
        assert!(is_in(trial.dir(), "journal.db", "Everybody says so"));
        let checked = clean(trial.dir());
        assert_eq!(checked.journal.events, events(&chats) as u64 + 1);
        let archived = checked.archive.map(|archive| (archive.events, archive.conversations));
        let expected = (gone.history.len() as u64, 1);
        assert_eq!(archived, (then == Disposal::Archive).then_some(expected));

        remove_chats(trial.dir());
        assert_remembered(trial.dir(), &chats);
        let recovered = trial.reopen();
        assert_eq!(recovered.conversations.len(), 3);
        assert_read(&trial, &chats);
        all(&trial, &mut chats, |chat| chat.post(Author::Customer, "It goes on"));
        assert_read(&trial, &chats);
        trial.close();
        clean(trial.dir());
    }
}

#[test]
fn one_is_deleted_and_the_others_stay_where_they_are() {
    one_goes_and_the_others_stay(Disposal::Delete);
}

#[test]
fn one_is_archived_and_the_others_stay_where_they_are() {
    one_goes_and_the_others_stay(Disposal::Archive);
}

#[test]
fn what_is_left_of_a_row_names_nobody_and_nothing_that_has_gone() {
    let (trial, chats) = furnish(|number| number == 2);
    assert_eq!(retain(&trial, Disposal::Delete).deleted, 1);
    let journal = journal_db(trial.dir());
    let position_of = |row: usize| shapes(&journal)[row].0;
    let name = |index: usize| chats[index].id().to_string();
    let starts = body_at(&journal, position_of(0));
    assert_eq!(starts["records"].as_array().unwrap().len(), 3);
    assert_eq!(starts["of"], json!([[name(0), 1, 0], 1, [name(2), 1, 1], [name(3), 1, 2]]));
    // The chat's two events took two positions, and the record that the other chats name has
    // stayed.
    let losses = body_at(&journal, position_of(5));
    assert_eq!(losses["records"].as_array().unwrap().len(), 1);
    assert_eq!(losses["of"], json!([[name(0), 6, 0], 2, [name(2), 6, 0], [name(3), 6, 0]]));
}

#[test]
fn a_row_goes_with_the_last_who_shared_it() {
    for then in [Disposal::Archive, Disposal::Delete] {
        let (mut trial, mut chats) = furnish(|number| number == 2);
        let all_chats = chats.clone();
        assert_eq!(retain(&trial, then), retained(then, 1));
        let gone = chats.remove(1);
        end(&trial, &mut chats, |number| number != 3);
        assert_eq!(retain(&trial, then), retained(then, 2));
        assert_read(&trial, &chats[1..2]);
        clean(trial.dir());
        // The last chat is alone in what is left of its rows.
        let mut last = chats.remove(1);
        end(&trial, std::slice::from_mut(&mut last), |_| true);
        assert_eq!(retain(&trial, then), retained(then, 1));
        chats.push(last);
        let journal = journal_db(trial.dir());
        assert_eq!([number(&journal, ROWS), number(&journal, SHARED)], [3, 0], "three notes");
        drop(journal);
        trial.close();
        let said = all_chats.iter().map(|chat| secret(chat.id()));
        for words in said.chain(["Everybody says so".into(), "I am still here".into()]) {
            assert!(!is_in(trial.dir(), "journal.db", &words), "{words}");
            assert!(!is_in(trial.dir(), "chats.db", &words), "{words}");
        }
        let checked = clean(trial.dir());
        chats.push(gone);
        if then == Disposal::Archive {
            let archive = checked.archive.unwrap();
            assert_eq!((archive.events, archive.conversations), (events(&chats) as u64, 4));
            assert_archived(trial.dir(), &chats);
        }
        let recovered = trial.reopen();
        assert!(recovered.conversations.is_empty());
    }
}

fn retained(then: Disposal, count: u64) -> Retained {
    match then {
        Disposal::Archive => Retained { archived: count, ..Retained::default() },
        Disposal::Delete => Retained { deleted: count, ..Retained::default() },
    }
}

/// Asserts that each chat has rows of its own in the archive, and that its past is told from them.
#[track_caller]
fn assert_archived(dir: &Path, chats: &[Chat]) {
    let archive = Connection::open(dir.join("archive.db")).unwrap();
    assert_eq!(number(&archive, SHARED), 0);
    let history = History::open(dir).unwrap();
    for chat in chats {
        let sql = "SELECT sum(iif(kind = 'happened_together', json_array_length(body), 1))
             FROM events WHERE stream = ?";
        let events: usize =
            archive.query_row(sql, [chat.id().to_string()], |row| row.get(0)).unwrap();
        assert_eq!(events, chat.history.len());
        assert_eq!(history.conversation(chat.id()).unwrap(), untold(&chat.history));
    }
}

#[test]
fn a_step_that_is_taken_again_after_a_crash_changes_nothing() {
    let (mut trial, chats) = furnish(|number| number % 2 == 0);
    trial.close();
    let kept = ["journal.db", "chats.db"].map(|file| trial.dir().join(file));
    let before = kept.clone().map(|file| std::fs::read(file).unwrap());
    trial.reopen();
    assert_eq!(retain(&trial, Disposal::Archive), retained(Disposal::Archive, 2));
    trial.close();
    let after = kept.clone().map(|file| std::fs::read(file).unwrap());
    // The crash left only the archive on the disk; or the archive and the journal.
    for files in [[&before[0], &before[1]], [&after[0], &before[1]]] {
        for (file, bytes) in kept.iter().zip(files) {
            std::fs::write(file, bytes).unwrap();
        }
        trial.reopen();
        retain(&trial, Disposal::Archive);
        assert_eq!(retain(&trial, Disposal::Archive), Retained::default());
        assert_read(&trial, &[chats[0].clone(), chats[2].clone()]);
        trial.close();
        let checked = clean(trial.dir());
        let gone = [chats[1].clone(), chats[3].clone()];
        assert_eq!(checked.archive.unwrap().events, events(&gone) as u64);
        assert_archived(trial.dir(), &gone);
    }
}

#[test]
fn whoever_shares_a_damaged_row_is_kept() {
    let (mut trial, chats) = furnish(|number| number < 3);
    let mut other = crowd(9..=10);
    all(&trial, &mut other, Chat::start);
    all(&trial, &mut other, |chat| chat.offer("ann"));
    all(&trial, &mut other, |chat| chat.accept("ann"));
    end(&trial, &mut other, |number| number == 9);
    let journal = journal_db(trial.dir());
    let damage = "UPDATE events SET body = replace(body, 'chat 1', 'chat 7')
         WHERE kind = 'happened_to_several' AND body LIKE '%only chat 1 says%'";
    assert_eq!(journal.execute(damage, ()).unwrap(), 1);
    let before = singles(&journal);
    assert_eq!(retain(&trial, Disposal::Archive), retained(Disposal::Archive, 1));
    assert_eq!(without(&singles(&journal), other[0].id()), without(&before, other[0].id()));
    drop(journal);
    // What was told of these chats before the damage can still be read.
    assert_read(&trial, &chats);
    assert_read(&trial, &other[1..]);
    trial.close();
    remove_chats(trial.dir());
    let row = before.iter().find(|single| single.5.contains("only chat 7 says")).unwrap().0;
    assert_one_damage(trial.dir(), row, "one word");
}

#[test]
fn a_damaged_row_that_somebody_was_taken_out_of_is_one_problem() {
    for damage in ["body = '{}'", "body = replace(body, 'Everybody', 'Nobody')", "checksum = 1"] {
        let (mut trial, _) = furnish(|number| number == 2);
        assert_eq!(retain(&trial, Disposal::Delete).deleted, 1);
        trial.close();
        remove_chats(trial.dir());
        let journal = journal_db(trial.dir());
        let row = shapes(&journal)[4].0;
        let sql = format!("UPDATE events SET {damage} WHERE position = ?");
        assert_eq!(journal.execute(&sql, [row]).unwrap(), 1);
        assert_one_damage(trial.dir(), row, damage);
    }
}
