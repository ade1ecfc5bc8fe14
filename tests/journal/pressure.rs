//! The levels of the pressure on the disk, as a journal tells them.

use std::time::Duration;

use holdline::domain::agent::Presence;
use holdline::domain::time::Timestamp;
use holdline::journal::memory::MemoryJournal;
use holdline::journal::{Append, Log as _, Pressure};
use holdline::limits;
use tokio::sync::oneshot;

use crate::support::{Kind, Trial, agent};

/// Runs this under a clock that stands still until it is told to go on.
fn with_paused_clock(act: impl Future<Output = ()>) {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_time().start_paused(true).build().unwrap().block_on(act);
}

fn append(journal: &MemoryJournal, count: usize) {
    for _ in 0..count {
        let (done, _) = oneshot::channel();
        let (agent, at) = (agent("ann"), Timestamp::from_millis(1_000));
        journal.append(Append::Presence { agent, presence: Presence::Away, by: None, at, done });
    }
}

#[test]
fn levels_rise_with_what_waits_and_end_with_it() {
    with_paused_clock(async {
        let trial = Trial::new(Kind::Memory);
        let journal = trial.memory();
        assert_eq!(journal.pressure(), Pressure::Calm);
        journal.hold_receipts();
        append(journal, limits::BUSY_APPENDS);
        assert_eq!(journal.pressure(), Pressure::Calm);
        append(journal, 1);
        assert_eq!(journal.pressure(), Pressure::Busy);
        append(journal, limits::APPENDS_WAITING_MAX - limits::BUSY_APPENDS - 1);
        assert_eq!(journal.pressure(), Pressure::Busy);
        append(journal, 1);
        assert_eq!(journal.pressure(), Pressure::Full);
        journal.release_receipts();
        assert_eq!(journal.pressure(), Pressure::Busy, "the next group may follow at once");
        tokio::time::advance(Duration::from_millis(limits::BUSY_FOR_MS)).await;
        assert_eq!(journal.pressure(), Pressure::Calm);
    });
}

#[test]
fn only_a_large_group_counts_for_a_while() {
    with_paused_clock(async {
        let trial = Trial::new(Kind::Memory);
        let journal = trial.memory();
        journal.hold_receipts();
        append(journal, limits::BUSY_APPENDS);
        journal.release_receipts();
        assert_eq!(journal.pressure(), Pressure::Calm);
        journal.hold_receipts();
        append(journal, limits::BUSY_APPENDS + 1);
        journal.release_receipts();
        tokio::time::advance(Duration::from_millis(limits::BUSY_FOR_MS - 1)).await;
        assert_eq!(journal.pressure(), Pressure::Busy);
        append(journal, 1);
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(journal.pressure(), Pressure::Calm, "a small group does not prolong it");
    });
}

#[test]
fn whether_it_can_be_written_is_another_fact() {
    let trial = Trial::new(Kind::Memory);
    trial.memory().fail_all(true);
    assert!(!trial.memory().is_writable());
    assert_eq!(trial.memory().pressure(), Pressure::Calm);
}
