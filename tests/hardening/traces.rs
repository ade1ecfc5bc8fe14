//! A while after a chat was taken out, nothing of it is in the files any more, even while the
//! server runs. It is neither in a page from which a row was moved earlier, nor in a log.

use std::path::Path;
use std::time::{Duration, Instant};

use holdline::domain::conversation::event::Author;
use holdline::domain::settings::Disposal;
use holdline::journal::{Journal, Log as _, Removal as _};
use rusqlite::Connection;

use crate::files;
use crate::retention::{days, retain};
use crate::support::{Batch, Chat, block};

/// The words of the chats that are taken out, and of no other chat.
const SAID: &str = "the cellar of Quillfeather Street";

/// Many chats whose rows move from page to page: each chat begins before its neighbours and goes on
/// after them.
fn furnish(journal: &dyn Journal, count: u128) {
    let mut chats: Vec<_> =
        (1..=count).map(|number| Chat::new(number * 7_919, "q", 1_000)).collect();
    for chat in &mut chats {
        for batch in [chat.start(), chat.join(1)] {
            journal.append(batch.append());
        }
    }
    for round in 0..12 {
        for (number, chat) in chats.iter_mut().enumerate() {
            // The texts have all lengths, so that pages become full in all ways.
            let more = (number * 7_919 + round * 104_729) % 139;
            let text = format!("{SAID}, number {number}, {}", format!("{SAID} ").repeat(more));
            let text = if number % 3 == 0 { text } else { text.replace(SAID, "nothing at all") };
            journal.append(chat.post(Author::Customer, &text).append());
        }
        block(journal.flush()).unwrap();
    }
    for (number, chat) in chats.iter_mut().enumerate() {
        let mut story = vec![chat.offer("ann"), chat.accept("ann")];
        if number % 3 == 0 {
            story.extend([chat.end("ann"), chat.shut("ann")]);
        }
        story.iter().for_each(|batch| journal.append(batch.append()));
    }
    block(journal.flush()).unwrap();
}

/// The files in which these words still stand.
pub(crate) fn holding(dir: &Path, said: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let times = bytes.windows(said.len()).filter(|window| *window == said.as_bytes()).count();
        if times > 0 {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            found.push(format!("{name} ({times})"));
        }
    }
    found
}

/// Waits until the journal says that no traces are left.
pub(crate) fn wait_for_traces(journal: &dyn Journal) {
    let until = Instant::now() + Duration::from_secs(60);
    while journal.has_traces() {
        assert!(Instant::now() < until, "it is never done");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn what_was_deleted_is_in_no_file_of_a_server_that_runs() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = files::open(dir.path()).unwrap();
    furnish(&journal, 300);
    assert!(!holding(dir.path(), SAID).is_empty());
    let taken = retain(&journal, Disposal::Delete, days(31));
    assert_eq!(taken.deleted, 100);
    assert!(journal.has_traces(), "it is told that there may be some");
    wait_for_traces(&journal);
    assert_eq!(holding(dir.path(), SAID), [""; 0], "while it runs");
    assert!(!dir.path().join("unclean").exists());
    drop(journal);
    assert_eq!(holding(dir.path(), SAID), [""; 0], "after its stop");
    let checked = holdline::journal::sqlite::check::check(dir.path()).unwrap();
    assert_eq!(checked.problems.count, 0, "{:?}", checked.problems.told);
}

#[test]
fn whoever_reads_an_older_state_only_puts_it_off() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = files::open(dir.path()).unwrap();
    furnish(&journal, 30);
    let reader = Connection::open(dir.path().join("chats.db")).unwrap();
    reader.execute_batch("BEGIN").unwrap();
    let chats = "SELECT count(*) FROM conversations";
    assert_eq!(reader.query_row(chats, (), |row| row.get::<_, u32>(0)).unwrap(), 30);
    assert_eq!(retain(&journal, Disposal::Delete, days(31)).deleted, 10);
    let until = Instant::now() + Duration::from_secs(2);
    while Instant::now() < until {
        assert!(journal.has_traces(), "nobody may say so while the log has it");
        std::thread::sleep(Duration::from_millis(50));
    }
    reader.execute_batch("COMMIT").unwrap();
    wait_for_traces(&journal);
    assert_eq!(holding(dir.path(), SAID), [""; 0]);
}

#[test]
fn a_start_after_a_crash_goes_on_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = files::open(dir.path()).unwrap();
    furnish(&journal, 60);
    retain(&journal, Disposal::Delete, days(31));
    // A crash at this moment would leave these files.
    let crashed = files::lay_out(&files::contents(dir.path()));
    drop(journal);
    assert!(crashed.path().join("unclean").exists(), "noted before anything was taken out");
    assert!(!holding(crashed.path(), SAID).is_empty());
    let (journal, _) = files::open(crashed.path()).unwrap();
    wait_for_traces(&journal);
    assert_eq!(holding(crashed.path(), SAID), [""; 0]);
}

#[test]
fn what_nobody_waits_for_is_out_of_the_logs_at_once_and_what_is_erased_out_of_all() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = files::open(dir.path()).unwrap();
    furnish(&journal, 30);
    retain(&journal, Disposal::Delete, days(31));
    wait_for_traces(&journal);
    // This happens soon after a pass, and nobody waits for the next one.
    let mut chat = Chat::new(1, "q", 1_000);
    let tell = |story: Vec<Batch>| story.iter().for_each(|one| journal.append(one.append()));
    tell(chat.whole_story());
    block(journal.flush()).unwrap();
    assert_eq!(retain(&journal, Disposal::Delete, days(31)).deleted, 1);
    let until = Instant::now() + Duration::from_secs(20);
    while !holding(dir.path(), "I am back").is_empty() {
        assert!(Instant::now() < until, "the logs are emptied");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(journal.has_traces(), "the pages are looked at later");
    let mut chat = Chat::new(2, "q", 1_000);
    tell(chat.whole_story());
    block(journal.flush()).unwrap();
    block(journal.erase(vec![chat.id()], days(2))).unwrap();
    wait_for_traces(&journal);
    assert_eq!(holding(dir.path(), "I am back"), [""; 0]);
}
