//! Every reader tells what stands in shared rows as if each append had a row of its own.

use holdline::domain::conversation::Conversation;
use holdline::domain::conversation::event::Audience;
use holdline::domain::id::Seq;
use holdline::journal::sqlite::history::History;
use holdline::journal::{Filter, Position};

use crate::rows::{
    assert_read, assert_remembered, assert_sound, assert_timeline, journal_db, make_version,
    number, remove_chats, singles,
};
use crate::shared_row::{ROWS, SHARED, all, append_together, crowd, stories};
use crate::support::{Chat, Kind, Trial, agent, block, settle};

/// The same appends, each in a row of its own.
fn alone(chats: &mut [Chat]) -> Trial {
    let trial = Trial::new(Kind::Sqlite);
    for step in stories(chats) {
        settle(&trial, step);
    }
    trial
}

#[test]
fn everybody_tells_the_same_as_if_each_had_a_row_of_its_own() {
    let (mut together, trial) = (crowd(1..=6), Trial::new(Kind::Sqlite));
    let steps = stories(&mut together);
    let (appends, count) = (steps.iter().map(Vec::len).sum::<usize>() as u64, steps.len() as u64);
    steps.into_iter().for_each(|step| append_together(&trial, step));
    let mut others = crowd(1..=6);
    let alone = alone(&mut others);
    let (one, other) = (journal_db(trial.dir()), journal_db(alone.dir()));
    assert_eq!([number(&one, ROWS), number(&one, SHARED)], [count, count]);
    assert_eq!([number(&other, ROWS), number(&other, SHARED)], [appends, 0]);

    assert_eq!(singles(&one), singles(&other), "byte for byte");
    assert_eq!(assert_timeline(trial.dir()), singles(&other));
    let feed = |trial: &Trial, after, most| {
        block(trial.journal().of_agent(agent("ann"), Position(after), most, 1 << 20)).unwrap()
    };
    let whole = feed(&alone, 0, 999);
    assert!(whole.len() > 40);
    assert_eq!(feed(&trial, 0, 999), whole);
    for (place, located) in whole.iter().enumerate() {
        // A feed resumes behind any of the events, even in the middle of a row.
        let rest = &whole[place + 1..];
        assert_eq!(feed(&trial, located.position.0, 5), rest[..rest.len().min(5)]);
    }
    let listed = |trial: &Trial| {
        block(trial.journal().list(Filter::default(), None, 99, 1 << 20)).unwrap().views
    };
    assert_eq!(listed(&trial), listed(&alone));
    let seen = |trial: &Trial, id| {
        block(trial.journal().read(id, Seq::new(2), Audience::Customer, 5, 1 << 20)).unwrap()
    };
    for chat in &together {
        assert_eq!(seen(&trial, chat.id()), seen(&alone, chat.id()));
    }
    assert_read(&trial, &together);
}

#[test]
fn the_journal_in_memory_takes_them_together_as_well() {
    for kind in [Kind::Sqlite, Kind::Memory] {
        let mut trial = Trial::new(kind);
        let mut chats = crowd(1..=6);
        for step in stories(&mut chats) {
            append_together(&trial, step);
        }
        assert_read(&trial, &chats);
        trial.reopen();
        assert_read(&trial, &chats);
        let head: usize = chats.iter().map(|chat| chat.history.len()).sum();
        assert_eq!(trial.journal().head(), Position(head as u64), "{kind:?}");
    }
}

#[test]
fn the_past_is_told_from_the_projection_the_journal_or_both() {
    let mut trial = Trial::new(Kind::Sqlite);
    let (mut chats, mut live) = (crowd(1..=3), crowd(4..=6));
    stories(&mut chats).into_iter().for_each(|step| append_together(&trial, step));
    all(&trial, &mut live, Chat::start);
    trial.close();
    let behind = trial.dir().join("behind.db");
    std::fs::copy(trial.dir().join("chats.db"), &behind).unwrap();
    trial.reopen();
    // In one row stand chats that the older projection knows and chats that it does not know.
    live.extend(crowd(7..=9));
    all(&trial, &mut live[3..], Chat::start);
    all(&trial, &mut live, |chat| chat.join(1));
    all(&trial, &mut live, |chat| chat.lose(1));
    let wholes: Vec<_> = live.iter().map(|chat| chat.whole.clone()).collect();
    chats.extend(live);
    trial.close();
    assert_remembered(trial.dir(), &chats);
    let latest = chats[chats.len() - 1].history.last().map(|last| last.at);
    std::fs::rename(&behind, trial.dir().join("chats.db")).unwrap();
    assert_remembered(trial.dir(), &chats);
    remove_chats(trial.dir());
    assert_remembered(trial.dir(), &chats);
    assert_eq!(History::open(trial.dir()).unwrap().latest().unwrap(), latest);
    let mut recovered = trial.reopen().conversations;
    recovered.sort_unstable_by_key(Conversation::id);
    assert_eq!(recovered, wholes);
    assert_read(&trial, &chats);
}

#[test]
fn what_follows_a_shared_row_continues_behind_all_of_it() {
    let mut trial = Trial::new(Kind::Sqlite);
    let mut chats = crowd(1..=3);
    all(&trial, &mut chats, Chat::start);
    all(&trial, &mut chats, |chat| chat.join(1));
    all(&trial, &mut chats, |chat| chat.lose(1));
    for is_anew in [false, true] {
        trial.close();
        if is_anew {
            remove_chats(trial.dir());
        }
        trial.reopen();
        let events = |chats: &[Chat]| chats.iter().map(|chat| chat.history.len()).sum::<usize>();
        assert_eq!(trial.journal().head(), Position(events(&chats) as u64));
        all(&trial, &mut chats, |chat| chat.join(2));
        all(&trial, &mut chats, |chat| chat.lose(2));
        assert_eq!(trial.journal().head(), Position(events(&chats) as u64));
        assert_timeline(trial.dir());
    }
    trial.close();
    assert_sound(trial.dir(), &chats);
}

#[test]
fn a_journal_of_an_earlier_version_is_read_as_it_is_and_continued() {
    for (version, is_anew) in
        [2, 3, 4, 5, 6, 7, 8].into_iter().flat_map(|it| [(it, false), (it, true)])
    {
        let mut chats = crowd(1..=3);
        let mut trial = alone(&mut chats);
        let mut live = crowd(4..=6);
        settle(&trial, live.iter_mut().map(Chat::start).collect::<Vec<_>>());
        trial.close();
        if version == 2 {
            make_version(2, trial.dir());
        } else {
            let audit = if version < 8 { "DROP TABLE audit;" } else { "" };
            let sql = format!("{audit} PRAGMA user_version = {version};");
            journal_db(trial.dir()).execute_batch(&sql).unwrap();
        }
        if is_anew {
            remove_chats(trial.dir());
        }
        let rows = number(&journal_db(trial.dir()), ROWS);
        chats.extend(live.iter().cloned());
        assert_sound(trial.dir(), &chats);
        assert_remembered(trial.dir(), &chats);
        chats.truncate(3);
        trial.reopen();
        all(&trial, &mut live, |chat| chat.join(1));
        let journal = journal_db(trial.dir());
        assert_eq!([number(&journal, ROWS), number(&journal, SHARED)], [rows + 1, 1]);
        assert_eq!(number(&journal, "PRAGMA user_version"), 9);
        drop(journal);
        chats.extend(live);
        trial.reopen();
        assert_read(&trial, &chats);
        trial.close();
        assert_sound(trial.dir(), &chats);
    }
}
