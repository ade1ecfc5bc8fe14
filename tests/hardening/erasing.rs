//! How a journal erases chats: from itself and from the archive, all of them if they are closed and
//! none otherwise, and together with whatever a crash has left.

use std::path::Path;
use std::sync::Arc;

use holdline::domain::conversation::command::{Command, StartRequest};
use holdline::domain::conversation::event::Author;
use holdline::domain::id::{ConversationId, VisitorId};
use holdline::domain::settings::Disposal;
use holdline::journal::sqlite::SqliteJournal;
use holdline::journal::{Chats as _, Erasure, Journal, Removal as _, Which};

use crate::erasure::{WORDS, assert_gone};
use crate::files;
use crate::retention::{days, retain};
use crate::support::{Chat, Kind, Ledger, Trial, block, settle};
use crate::traces::{holding, wait_for_traces};

/// Writes closed chats of one visitor; each says the first of the words.
pub(crate) fn furnish(journal: &dyn Journal, count: u128) -> (VisitorId, Vec<ConversationId>) {
    let visitor = VisitorId::from_bits(7);
    let mut ids = Vec::new();
    for number in 1..=count {
        let mut chat = Chat::new(number, "q", 1_000);
        let start = StartRequest {
            widget: "demo".parse().unwrap(),
            visitor,
            start: "start".parse().unwrap(),
            salt: 0,
            name: None,
            form: None,
            context: None,
            page: None,
            locale: None,
        };
        let mut story = vec![chat.go(Command::Start(start)), chat.join(1)];
        story.push(chat.post(Author::Customer, &format!("{} is my street", WORDS[0])));
        story.extend([chat.offer("ann"), chat.accept("ann"), chat.end("ann"), chat.shut("ann")]);
        story.iter().for_each(|batch| journal.append(batch.append()));
        ids.push(chat.id());
    }
    block(journal.flush()).unwrap();
    (visitor, ids)
}

#[test]
fn what_is_archived_is_given_out_and_erased_as_well() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = files::open(dir.path()).unwrap();
    let (visitor, ids) = furnish(&journal, 40);
    assert_eq!(retain(&journal, Disposal::Archive, days(31)).archived, 40);
    let of = |which| block(journal.of_visitor(visitor, which, None, 99)).unwrap();
    assert_eq!((of(Which::Archived), of(Which::InJournal).len()), (ids.clone(), 0));
    let kept = block(journal.archived(ids[3], holdline::domain::id::Seq::ZERO, 1 << 20)).unwrap();
    assert!(kept.len() > 6, "all of it: {kept:?}");
    for after in 0..kept.len() {
        let after = holdline::domain::id::Seq::new(u32::try_from(after).unwrap());
        let rest = block(journal.archived(ids[3], after, 1 << 20)).unwrap();
        assert_eq!(rest, kept[after.number() as usize..], "from every place on");
    }
    wait_for_traces(&journal);
    assert_eq!(holding(dir.path(), WORDS[0]).len(), 1, "only the archive has it");
    for part in ids.chunks(16) {
        let erasure = block(journal.erase(part.to_vec(), days(32))).unwrap();
        assert_eq!((erasure.erased, erasure.open.len()), (part.to_vec(), 0));
    }
    assert!(of(Which::Archived).is_empty());
    drop(journal);
    assert_gone(dir.path(), "after the erasure");
}

fn nothing_is_erased_while_one_is_open(kind: Kind) {
    let trial = Trial::new(kind);
    let (mut closed, mut open) = (Chat::new(3, "q", 1_000), Chat::new(4, "q", 1_000));
    settle(&trial, closed.whole_story());
    settle(&trial, vec![open.start(), open.join(1)]);
    let erase = |ids: Vec<_>| block(trial.journal().erase(ids, days(1))).unwrap();
    let is_there = |id| block(trial.journal().load(id)).unwrap().is_some();
    let refused = erase(vec![closed.id(), open.id()]);
    assert_eq!(refused, Erasure { erased: Vec::new(), open: vec![open.id()] });
    assert!(is_there(closed.id()), "nothing at all");
    let done = erase(vec![closed.id()]);
    assert_eq!(done, Erasure { erased: vec![closed.id()], open: Vec::new() });
    assert!(!is_there(closed.id()) && is_there(open.id()));
    assert_eq!(erase(vec![closed.id()]), Erasure::default(), "once");
    settle(&trial, vec![open.post(Author::Customer, "still here")]);
}

#[test]
fn nothing_is_erased_from_the_disk_while_one_is_open() {
    nothing_is_erased_while_one_is_open(Kind::Sqlite);
}

#[test]
fn nothing_is_erased_from_memory_while_one_is_open() {
    nothing_is_erased_while_one_is_open(Kind::Memory);
}

/// The archive lets a chat go before the journal does. After a crash in between, the journal's copy
/// is whole, and the same request erases it.
#[test]
fn a_crash_between_the_archive_and_the_journal() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = files::open(dir.path()).unwrap();
    let (_, ids) = furnish(&journal, 12);
    drop(journal);
    let before = files::contents(dir.path());
    let (journal, _) = files::open(dir.path()).unwrap();
    retain(&journal, Disposal::Archive, days(31));
    drop(journal);
    // A crash of the retention leaves this: the chats are in the archive already, and in the
    // journal still.
    let mut crashed = before;
    let archive = files::contents(dir.path()).remove(Path::new("archive.db")).unwrap();
    crashed.insert("archive.db".into(), archive);
    let dir = files::lay_out(&crashed);
    let (journal, _) = SqliteJournal::open(dir.path(), Arc::new(Ledger::default())).unwrap();
    let erasure = block(journal.erase(ids.clone(), days(32))).unwrap();
    assert_eq!(erasure.erased, ids, "each counts once");
    drop(journal);
    assert_gone(dir.path(), "of both");
    let checked = holdline::journal::sqlite::check::check(dir.path()).unwrap();
    assert_eq!(checked.problems.count, 0, "{:?}", checked.problems.told);
}
