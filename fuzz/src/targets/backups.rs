//! A file that is said to be a backup. It is restored and, if that worked, opened.

use std::sync::Arc;

use holdline::domain::id::ConversationId;
use holdline::domain::time::Timestamp;
use holdline::journal::sqlite::SqliteJournal;
use holdline::journal::sqlite::check::check;
use holdline::journal::sqlite::copy::restore;
use holdline::journal::{Confirmed, Fault, Position, Receipts};

pub(crate) fn run(bytes: &[u8]) {
    let place = tempfile::tempdir().unwrap_or_else(|fault| panic!("no directory: {fault}"));
    let (file, data) = (place.path().join("backup"), place.path().join("data"));
    std::fs::write(&file, bytes).unwrap_or_else(|fault| panic!("no file: {fault}"));
    let restored = restore(&file, &data, &[], Timestamp::from_millis(1_790_000_000_000));
    let kept = std::fs::read(&file).unwrap_or_default();
    assert_eq!(kept, bytes, "a backup is never written to");
    if restored.is_err() {
        return;
    }
    assert!(check(&data).is_ok(), "what was restored can be checked");
    let opened = SqliteJournal::open(&data, Arc::new(Nobody));
    let (journal, _) = opened.unwrap_or_else(|fault| panic!("what was restored opens: {fault}"));
    journal.close();
}

/// Receipts that nobody waits for.
#[derive(Debug)]
struct Nobody;

impl Receipts for Nobody {
    fn durable(&self, _confirmed: Vec<Confirmed>, _position: Position) {}

    fn failed(&self, _conversations: Vec<ConversationId>, fault: Fault) {
        panic!("what was restored cannot be written to: {fault}");
    }
}
