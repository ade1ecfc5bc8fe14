//! How a thread that is busy with small things takes many of them at once.
//!
//! At thousands of heartbeats a second nearly each would wake its thread, and putting a thread to
//! sleep and waking it costs more than the heartbeat. So a thread that found work soon after it
//! had none naps before it asks the kernel again, and then takes whatever has gathered, as a
//! network card does when it moderates its interrupts. A thread that finds nothing for longer than
//! a nap is woken at once by what comes next, so the first thing after a silence never waits.
//!
//! ```text
//!            nothing came for a nap
//!      ┌───────────────────────────────┐
//!      v                               │
//!   Waiting ──came within a nap──> Gathering
//! ```

use std::cell::Cell;
use std::time::Duration;

use tokio::time::Instant;

use crate::limits;

thread_local! {
    static NAP: Nap = const { Nap { asked: Cell::new(None), is_gathering: Cell::new(false) } };
}

/// What one thread remembers of its waiting.
struct Nap {
    /// When it last asked the kernel for work.
    asked: Cell<Option<Instant>>,
    is_gathering: Cell<bool>,
}

/// Called when the thread has nothing to do, before it asks the kernel.
pub(super) fn before_waiting() {
    NAP.with(|nap| {
        if nap.is_gathering.get() {
            sleep();
        }
        nap.asked.set(Some(Instant::now()));
    });
}

/// Called when the kernel has given the thread something to do.
pub(super) fn after_waiting() {
    NAP.with(|nap| {
        if let Some(asked) = nap.asked.take() {
            nap.is_gathering.set(asked.elapsed() < length());
        }
    });
}

const fn length() -> Duration {
    Duration::from_micros(limits::NAP_MICROSECONDS)
}

#[expect(clippy::disallowed_methods, reason = "every actor of the thread is waiting already")]
fn sleep() {
    std::thread::sleep(length());
}
