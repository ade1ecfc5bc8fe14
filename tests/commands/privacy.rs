//! `holdline export` gives out everything that is kept of one person, and `holdline erase` leaves
//! nothing of it in any file.

use std::path::Path;

use holdline::domain::conversation::command::{Authority, Command};
use holdline::domain::conversation::event::Author;
use holdline::domain::id::SessionId;
use holdline::domain::text::MessageText;
use holdline::domain::time::Span;
use holdline::journal::sqlite::SqliteJournal;
use serde_json::Value;

use crate::past::{BEGAN, Past, ada, after, holdline, store, told};

const WINDOW: Span = Span::from_secs(180);
const SAID: &str = "the cellar of Quillfeather Street";

/// A chat in which something was said, closed or open.
fn chat(number: u128, visitor: u128, is_closed: bool) -> Past {
    let mut past = Past::began(number, visitor, WINDOW, BEGAN);
    past.conversation.hear(SessionId::from_bits(1), after(1_000));
    let text = MessageText::parse(SAID).unwrap();
    let id = "m1".parse().unwrap();
    past.ask(Command::Post { from: Author::Customer, by: None, id, text }, after(2_000));
    past.ask(Command::Offer { agent: ada() }, after(3_000));
    past.is_taken(after(4_000));
    if is_closed {
        let by = || Authority::Agent(ada());
        past.ask(Command::End { by: by() }, after(5_000));
        past.ask(Command::Close { by: by() }, after(6_000));
    }
    past
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn is_said(dir: &Path) -> bool {
    let files = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let mut bytes = files.map(|file| std::fs::read(file).unwrap());
    bytes.any(|bytes| bytes.windows(SAID.len()).any(|window| window == SAID.as_bytes()))
}

fn refused(arguments: &[&str], dir: &Path) -> String {
    let output = holdline(arguments, dir);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn everything_of_a_visitor_is_given_out_and_then_gone() {
    let dir = tempfile::tempdir().unwrap();
    let (first, second, other) = (chat(1, 7, true), chat(2, 7, true), chat(3, 8, true));
    store(dir.path(), [&first, &second, &other]);
    let visitor = format!("{:032x}", 7);
    for projected in [true, false] {
        if !projected {
            // A crash before the projection has caught up leaves this: the journal is read.
            std::fs::remove_file(dir.path().join("chats.db")).unwrap();
        }
        let exported = lines(&told(&["export", "--visitor", &visitor], dir.path()));
        let (begin, end) = (exported.first().unwrap(), exported.last().unwrap());
        assert_eq!(
            (&begin["type"], &begin["visitor"]),
            (&"export".into(), &visitor.clone().into())
        );
        let events = first.history.len() + second.history.len();
        assert_eq!((&end["conversations"], &end["events"]), (&2.into(), &events.into()), "{end}");
        assert_eq!(exported.len(), events + 2);
        assert!(exported.iter().any(|line| line["body"]["text"] == SAID));
        assert!(exported.iter().any(|line| line["body"]["name"] == "Maria"));
    }
    let one = lines(&told(&["export", "--conversation", &other.id().to_string()], dir.path()));
    assert_eq!(one.len(), other.history.len() + 2);
    assert!(
        one[1..one.len() - 1].iter().all(|line| line["conversation"] == *other.id().to_string())
    );

    let said = told(&["erase", "--visitor", &visitor], dir.path());
    assert_eq!(said, "erased: 2 chats\n");
    let left = lines(&told(&["export", "--visitor", &visitor], dir.path()));
    assert_eq!(left.len(), 2, "{left:?}");
    assert_eq!(told(&["erase", "--visitor", &visitor], dir.path()), "erased: 0 chats\n");
    assert!(is_said(dir.path()), "the other's is kept");
    let other = other.id().to_string();
    assert_eq!(told(&["erase", "--conversation", &other], dir.path()), "erased: 1 chat\n");
    assert!(!is_said(dir.path()), "in no file");
    for command in ["erase", "export"] {
        let said = refused(&[command, "--conversation", &other], dir.path());
        assert!(said.contains(&format!("there is no conversation {other}")), "{said}");
    }
    told(&["check"], dir.path());
}

#[test]
fn what_is_not_closed_is_not_erased_nor_anything_else_of_its_visitor() {
    let dir = tempfile::tempdir().unwrap();
    let (closed, open) = (chat(1, 7, true), chat(2, 7, false));
    store(dir.path(), [&closed, &open]);
    let (id, visitor) = (open.id().to_string(), format!("{:032x}", 7));
    for arguments in [["erase", "--conversation", &id], ["erase", "--visitor", &visitor]] {
        let said = refused(&arguments, dir.path());
        assert!(said.contains("nothing was erased") && said.contains(&id), "{said}");
    }
    let exported = lines(&told(&["export", "--visitor", &visitor], dir.path()));
    assert_eq!(exported.last().unwrap()["conversations"], 2, "both are there");
}

#[test]
fn only_a_data_directory_that_nobody_uses_is_changed() {
    let dir = tempfile::tempdir().unwrap();
    let past = chat(1, 7, true);
    store(dir.path(), [&past]);
    let id = past.id().to_string();
    let (journal, _) = SqliteJournal::open(dir.path(), crate::past::receipts()).unwrap();
    let said = refused(&["erase", "--conversation", &id], dir.path());
    assert!(said.contains("another server is using"), "{said}");
    // A command that only reads may run beside the server.
    assert!(told(&["export", "--conversation", &id], dir.path()).contains(SAID));
    drop(journal);
    let absent = dir.path().join("absent");
    refused(&["erase", "--conversation", &id], &absent);
    assert!(!absent.exists(), "none is made");
    let neither = holdline(&["erase"], dir.path());
    assert_eq!(neither.status.code(), Some(2), "whose must be said");
}
