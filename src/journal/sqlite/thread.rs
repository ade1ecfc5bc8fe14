//! The threads of the journal.

use std::thread::JoinHandle;

/// Starts one, with a name that tells it from the others.
#[expect(clippy::expect_used, reason = "the invariant is in the message")]
pub(super) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .expect("a process that cannot start a thread at its start cannot serve at all")
}
