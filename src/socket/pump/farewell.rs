//! The time after a session, in which its last bytes are written.

use std::pin::Pin;
use std::task::Context;
use std::time::Duration;

use tokio::time::Sleep;

use crate::limits;

/// The time that a socket has left after its session.
pub(super) struct Farewell {
    until: Pin<Box<Sleep>>,
    pub(super) is_shut: bool,
    pub(super) drained: usize,
}

impl Farewell {
    /// Starts the time now.
    pub(super) fn begin() -> Self {
        let limit = Duration::from_secs(limits::FAREWELL_SECONDS_MAX);
        Self { until: Box::pin(tokio::time::sleep(limit)), is_shut: false, drained: 0 }
    }

    /// Whether its time is over.
    pub(super) fn is_over(&mut self, cx: &mut Context<'_>) -> bool {
        self.until.as_mut().poll(cx).is_ready()
    }
}
