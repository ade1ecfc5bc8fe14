//! Data directories for tests to damage: a few chats in a journal, and what is known of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use holdline::domain::conversation::Conversation;
use holdline::domain::conversation::event::{Audience, Author, Recorded};
use holdline::domain::id::{ConversationId, Seq};
use holdline::journal::sqlite::{OpenFault, SqliteJournal};
use holdline::journal::{Chats as _, Fault, Log as _, Recovered};

use crate::support::{Batch, Chat, Ledger, block};

/// Some chats, with everything that a journal must say of them.
#[derive(Clone, Default)]
pub(crate) struct Known {
    pub(crate) chats: Vec<Chat>,
}

/// Opens a journal; nobody needs its receipts.
pub(crate) fn open(dir: &Path) -> Result<(SqliteJournal, Recovered), OpenFault> {
    SqliteJournal::open(dir, Arc::new(Ledger::default()))
}

/// Writes chats into a directory. Every third chat is closed.
pub(crate) fn furnish(dir: &Path, count: u128) -> Known {
    let (journal, _) = open(dir).expect("the directory is fine");
    let known = write(&journal, count);
    drop(journal);
    known
}

pub(crate) fn write(journal: &SqliteJournal, count: u128) -> Known {
    let mut known = Known::default();
    for number in 1..=count {
        let mut chat = Chat::new(number, "q", 1_000);
        let story = story(&mut chat);
        story.iter().for_each(|batch| journal.append(batch.append()));
        // This makes several transactions instead of one.
        block(journal.flush()).expect("it is written");
        known.chats.push(chat);
    }
    known
}

/// Writes the same chats into a directory so that they share rows.
pub(crate) fn furnish_together(dir: &Path, count: u128) -> Known {
    let (journal, _) = open(dir).expect("the directory is fine");
    let mut known = Known::default();
    let mut stories = Vec::new();
    for number in 1..=count {
        let mut chat = Chat::new(number, "q", 1_000);
        stories.push(story(&mut chat).into_iter());
        known.chats.push(chat);
    }
    loop {
        let step = stories.iter_mut().filter_map(Iterator::next);
        let step: Vec<_> = step.map(|batch| batch.append()).collect();
        if step.is_empty() {
            return known;
        }
        journal.append_all(step);
        block(journal.flush()).expect("it is written");
    }
}

/// What happens in a chat. Every third chat is closed.
fn story(chat: &mut Chat) -> Vec<Batch> {
    if chat.id().as_bits() % 3 == 0 {
        return chat.whole_story();
    }
    let mut story = vec![chat.start(), chat.join(1)];
    story.extend((0..4).map(|_| chat.post(Author::Customer, "Is anybody there at all?")));
    story.extend([chat.offer("ann"), chat.accept("ann")]);
    story
}

impl Known {
    /// The chats that a start must find.
    pub(crate) fn live(&self) -> BTreeMap<ConversationId, Conversation> {
        let live = self.chats.iter().filter(|chat| !chat.whole.is_closed());
        live.map(|chat| (chat.id(), chat.whole.clone())).collect()
    }

    /// Fails unless the journal recovered what was written.
    #[track_caller]
    pub(crate) fn assert_recovered(&self, recovered: &Recovered) {
        assert!(self.is_recovered(recovered), "what was recovered is not what was written");
    }

    /// Whether the journal recovered what was written.
    pub(crate) fn is_recovered(&self, recovered: &Recovered) -> bool {
        let found: BTreeMap<_, _> =
            recovered.conversations.iter().map(|one| (one.id(), one.clone())).collect();
        found == self.live()
    }

    /// Fails unless every chat is in the journal as it was written.
    #[track_caller]
    pub(crate) fn assert_all_there(&self, journal: &SqliteJournal) {
        for chat in &self.chats {
            let history = history(journal, chat.id()).expect("it can be read");
            assert!(history == chat.history, "{} is not as it was written", chat.id());
        }
    }

    /// Whether every chat can be read as it was written, or fails to be read with an error.
    pub(crate) fn is_whole_or_told(&self, journal: &SqliteJournal) -> bool {
        self.chats.iter().all(|chat| match history(journal, chat.id()) {
            Ok(history) => history == chat.history,
            Err(_) => true,
        })
    }
}

pub(crate) fn history(journal: &SqliteJournal, id: ConversationId) -> Result<Vec<Recorded>, Fault> {
    block(journal.read(id, Seq::ZERO, Audience::Agent, 100_000, usize::MAX))
}

/// Every file of a directory with its bytes, except the shared memory, which holds nothing.
pub(crate) fn contents(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(dir).expect("it is there") {
        let path = entry.expect("it can be read").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if !name.ends_with("-shm") {
            found.insert(PathBuf::from(&name), std::fs::read(&path).expect("a file"));
        }
    }
    found
}

/// Writes these files into a new directory.
pub(crate) fn lay_out(files: &BTreeMap<PathBuf, Vec<u8>>) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    for (name, bytes) in files {
        std::fs::write(dir.path().join(name), bytes).expect("there is room");
    }
    dir
}

/// Where these bytes stand in a file for the last time. SQLite may have left an earlier copy in a
/// part of a page that no longer means anything.
pub(crate) fn find(bytes: &[u8], wanted: &[u8]) -> usize {
    let found = bytes.windows(wanted.len()).rposition(|window| window == wanted);
    found.expect("it is in the file")
}
