//! What follows from the pressure on the disk. While many appends wait, whatever can wait makes way
//! for them; while too many wait, people are refused as well.
//!
//! | level  | people's commands | appends, mail, freed visitors | alarms  | journal     |
//! |--------|-------------------|-------------------------------|---------|-------------|
//! | `Calm` | taken             | at once                       | at once | at once     |
//! | `Busy` | taken             | gathered                      | pause   | stands back |
//! | `Full` | refused           | gathered                      | pause   | stands back |
//!
//! - *Gathered*: appends until the end of their thread's turn, or 128 of them; mail until the end
//!   of the turn; visitors are freed when it is calm again, or after 250 looks (`thread.rs`).
//! - *Pause*: a millisecond between two batches for each 8,192 appends that wait, 50 at most.
//! - *Stands back*: the projection waits while its patience lasts and nobody waits to read,
//!   checkpoints wait until the log has grown very long, and pages are scoured later.
//!
//! A thread uses `Busy` as it saw it with the journal's last receipts. Every append changes the
//! number that wait, and a value that two cores change and read in turn is slow. `Full` is read
//! afresh for each command of a person.
//!
//! Whether the journal can be written is no level, but another fact. While it cannot, people are
//! refused, nothing is decided, and a conversation that would be woken is woken a second later.

use std::time::Duration;

use crate::journal::{Journal, Pressure};
use crate::limits;

/// Whether commands of people are refused.
pub(super) fn refuses_people(journal: &dyn Journal) -> bool {
    journal.pressure() == Pressure::Full || !journal.is_writable()
}

/// How long alarms that are due pause between two batches.
pub(super) fn pause_of_alarms(journal: &dyn Journal) -> Duration {
    let crowds = journal.waiting() / limits::APPENDS_CROWD;
    let crowds = u64::try_from(crowds).unwrap_or(u64::MAX);
    let pause = limits::ALARMS_PAUSE_MS.saturating_mul(crowds);
    Duration::from_millis(pause.min(limits::ALARMS_PAUSE_MS_MAX))
}

const _: () = assert!(limits::BUSY_APPENDS < limits::APPENDS_CROWD, "alarms pause when it is busy");
