//! One append is one row: what happened together stands together, and every reader reads it as if
//! each event stood alone.

use std::path::Path;

use holdline::domain::conversation::event::Author;
use holdline::domain::settings::Disposal;
use holdline::journal::Position;
use holdline::journal::sqlite::check::check;
use holdline::journal::sqlite::history::History;

use crate::rows::{
    assert_one_damage, assert_read, assert_remembered, assert_sound, assert_timeline, journal_db,
    make_version, number, remove_chats, retain,
};
use crate::support::{Chat, Kind, Trial, agent, block, settle, untold};

/// Writes chats that are over and chats that are not, in appends of one event and of several.
fn furnish(trial: &Trial, count: u128) -> Vec<Chat> {
    let mut chats: Vec<_> = (1..=count).map(|number| Chat::new(number, "q", 1_000)).collect();
    for chat in &mut chats {
        let story = chat.whole_story();
        settle(trial, story);
    }
    chats
}

#[test]
fn an_append_is_one_row_and_each_event_has_a_place_of_its_own() {
    let mut trial = Trial::new(Kind::Sqlite);
    let mut chat = Chat::new(1, "q", 1_000);
    let story = chat.whole_story();
    let (appends, several) = (story.len(), story.iter().filter(|one| one.events.len() > 1).count());
    assert!(several >= 3 && several < appends, "the story has both");
    settle(&trial, story);
    assert_eq!(trial.journal().head(), Position(chat.history.len() as u64));
    let feed = block(trial.journal().of_agent(agent("ann"), Position(0), 999, 1 << 20)).unwrap();
    let journal = journal_db(trial.dir());
    assert_eq!(number(&journal, "SELECT count(*) FROM events"), appends as u64);
    let together = "SELECT count(*) FROM events WHERE kind = 'happened_together'";
    assert_eq!(number(&journal, together), several as u64);
    assert_eq!(number(&journal, "PRAGMA user_version"), 9, "an older release refuses it");

    let singles = assert_timeline(trial.dir());
    let places = singles.iter().map(|single| single.2 as usize);
    assert!(places.eq(1..=chat.history.len()), "each has its place in the chat");
    // A feed resumes between two events of one append.
    let middle = feed.iter().position(|one| {
        feed.iter().any(|next| {
            next.position.0 == one.position.0 + 1 && {
                let at = |wanted: u64| singles.iter().find(|single| single.0 == wanted).unwrap().3;
                at(one.position.0) == at(next.position.0)
            }
        })
    });
    let middle = middle.expect("two events of one append are the agent's");
    let after = feed[middle].position;
    let rest = block(trial.journal().of_agent(agent("ann"), after, 999, 1 << 20)).unwrap();
    assert_eq!(rest, feed[middle + 1..]);
    drop(journal);
    trial.reopen();
    assert_read(&trial, &[chat]);
}

#[test]
fn what_follows_a_row_of_several_continues_behind_all_of_them() {
    let mut trial = Trial::new(Kind::Sqlite);
    let mut chat = Chat::new(1, "q", 1_000);
    settle(&trial, [chat.start(), chat.join(1)]);
    let lost = chat.lose(1);
    assert_eq!(lost.events.len(), 2);
    settle(&trial, [lost]);
    for is_anew in [false, true] {
        trial.close();
        if is_anew {
            remove_chats(trial.dir());
        }
        let recovered = trial.reopen();
        assert_eq!(recovered.conversations, [chat.whole.clone()]);
        let head = trial.journal().head();
        assert_eq!(head, Position(chat.history.len() as u64));
        let returned = chat.join(2);
        assert_eq!(returned.events.len(), 2);
        settle(&trial, [returned, chat.lose(2)]);
        assert_eq!(trial.journal().head(), Position(chat.history.len() as u64));
    }
    trial.close();
    assert_sound(trial.dir(), &[chat]);
}

#[test]
fn the_past_is_told_from_the_projection_the_journal_or_both() {
    let mut trial = Trial::new(Kind::Sqlite);
    let mut chats = furnish(&trial, 4);
    trial.close();
    let behind = trial.dir().join("behind.db");
    std::fs::copy(trial.dir().join("chats.db"), &behind).unwrap();
    trial.reopen();
    for number in 5..=8 {
        let mut chat = Chat::new(number, "q", 9_000);
        let story = chat.whole_story();
        settle(&trial, story);
        chats.push(chat);
    }
    trial.close();
    assert_remembered(trial.dir(), &chats);
    std::fs::rename(&behind, trial.dir().join("chats.db")).unwrap();
    assert_remembered(trial.dir(), &chats);
    remove_chats(trial.dir());
    assert_remembered(trial.dir(), &chats);
    trial.reopen();
    assert_read(&trial, &chats);
}

#[test]
fn a_journal_of_version_2_is_read_as_it_is_and_continued() {
    for is_anew in [false, true] {
        let mut trial = Trial::new(Kind::Sqlite);
        let mut chats = furnish(&trial, 5);
        let mut live = Chat::new(6, "q", 1_000);
        settle(&trial, [live.start(), live.join(1), live.lose(1)]);
        trial.close();
        make_version(2, trial.dir());
        if is_anew {
            remove_chats(trial.dir());
        }
        chats.push(live);
        assert_sound(trial.dir(), &chats);
        assert_remembered(trial.dir(), &chats);
        let rows = number(&journal_db(trial.dir()), "SELECT count(*) FROM events");
        let live = chats.last_mut().unwrap();
        let recovered = trial.reopen();
        assert_eq!(recovered.conversations, [live.whole.clone()]);
        settle(&trial, [live.join(2), live.lose(2)]);
        assert_read(&trial, &chats);
        let journal = journal_db(trial.dir());
        assert_eq!(number(&journal, "SELECT count(*) FROM events"), rows + 2, "two appends");
        assert_eq!(number(&journal, "PRAGMA user_version"), 9);
        drop(journal);
        trial.reopen();
        assert_read(&trial, &chats);
        trial.close();
        assert_sound(trial.dir(), &chats);
    }
}

/// Damages the last row that has several events, and gives its position.
fn damage(dir: &Path, change: &str) -> u64 {
    let journal = journal_db(dir);
    let last = "SELECT max(position) FROM events WHERE kind = 'happened_together'";
    let position = number(&journal, last);
    let sql = format!("UPDATE events SET {change} WHERE position = ?");
    assert_eq!(journal.execute(&sql, [position]).unwrap(), 1);
    position
}

#[test]
fn a_damaged_row_of_several_is_told_with_its_place() {
    let changes = [
        // The row is still JSON, and still an event that may have happened.
        "body = replace(body, '\"since\":1', '\"since\":2')",
        "body = substr(body, 1, length(body) - 1)",
        "body = '[]'",
        "checksum = checksum + 1",
    ];
    for change in changes {
        for goes_on in [false, true] {
            let mut trial = Trial::new(Kind::Sqlite);
            let mut chat = Chat::new(1, "q", 1_000);
            settle(&trial, [chat.start(), chat.join(1), chat.lose(1)]);
            if goes_on {
                let mut other = Chat::new(2, "q", 1_000);
                let story = [other.start(), chat.post(Author::Customer, "x")];
                settle(&trial, story);
            }
            trial.close();
            let position = damage(trial.dir(), change);
            remove_chats(trial.dir());
            assert_one_damage(trial.dir(), position, change);
        }
    }
}

#[test]
fn a_row_of_several_that_is_gone_is_missed() {
    let mut trial = Trial::new(Kind::Sqlite);
    let mut chat = Chat::new(1, "q", 1_000);
    settle(&trial, [chat.start(), chat.join(1), chat.lose(1), chat.join(2)]);
    trial.close();
    let journal = journal_db(trial.dir());
    assert_eq!(journal.execute("DELETE FROM events WHERE seq = 3", ()).unwrap(), 1);
    let told = check(trial.dir()).unwrap().problems.told;
    assert!(told.iter().any(|one| one.problem.contains("2 records are absent")), "{told:?}");
    assert!(told.iter().any(|one| one.problem.contains("the place 5 after 2")), "{told:?}");
}

#[test]
fn the_retention_takes_rows_of_several_out_whole() {
    let mut trial = Trial::new(Kind::Sqlite);
    let chats = furnish(&trial, 3);
    let head = trial.journal().head();
    // A chat with damaged rows is left where it is, and hinders no other chat.
    let journal = journal_db(trial.dir());
    let hurt = "UPDATE events SET at = at + 1 WHERE stream = ? AND kind = 'happened_together'";
    assert!(journal.execute(hurt, [chats[0].id().to_string()]).unwrap() > 1);
    let retained = retain(&trial, Disposal::Archive);
    assert_eq!((retained.archived, retained.deleted), (2, 0));
    assert_eq!(trial.journal().head(), Position(head.0 + 1), "its note has a place");
    for chat in &chats[1..] {
        assert!(block(trial.journal().load(chat.id())).unwrap().is_none());
    }
    assert_read(&trial, &chats[..1]);
    trial.close();
    let checked = check(trial.dir()).unwrap();
    let archived: usize = chats[1..].iter().map(|chat| chat.history.len()).sum();
    let archive = checked.archive.unwrap();
    assert_eq!((archive.events, archive.conversations), (archived as u64, 2));
    let stands = |one: &&holdline::journal::sqlite::inspection::Problem| {
        one.problem.contains("checksum does not match")
    };
    let others: Vec<_> = checked.problems.told.iter().filter(|one| !stands(one)).collect();
    assert!(others.is_empty(), "nothing is missing but what was taken out: {others:?}");
    let history = History::open(trial.dir()).unwrap();
    for chat in &chats[1..] {
        assert_eq!(
            history.conversation(chat.id()).unwrap(),
            untold(&chat.history),
            "from the archive"
        );
    }
}
