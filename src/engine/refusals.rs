//! Refusals at a door: counted by code, and told in the log. Strangers decide how often they
//! happen, so the log tells only some of them each second, and the number of those that it left
//! out.

use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};

use crate::domain::time::Timestamp;
use crate::limits;

/// Where somebody was refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Face {
    /// Before a socket was let in.
    Upgrade,
    /// On a widget's socket.
    Widget,
    /// Over HTTP.
    Http,
    /// In the handshake of TLS.
    Tls,
}

impl Face {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Upgrade => "upgrade",
            Self::Widget => "widget",
            Self::Http => "http",
            Self::Tls => "tls",
        }
    }
}

/// What has been told of refusals.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    pub(super) tells_addresses: AtomicBool,
    told: Mutex<Account>,
}

/// What was told, and what was not, within one second.
#[derive(Debug, Default)]
struct Account {
    /// The second that it is of.
    second: i64,
    lines: u32,
    left_out: u64,
}

impl Account {
    /// Ends a second, and says how many refusals of it were not told.
    fn turn(&mut self, now: Timestamp) -> u64 {
        let second = now.as_millis() / 1_000;
        if second == self.second {
            return 0;
        }
        self.second = second;
        self.lines = 0;
        std::mem::take(&mut self.left_out)
    }
}

impl Refusals {
    fn with<T>(&self, act: impl FnOnce(&mut Account) -> T) -> T {
        // Nothing that is done here can panic half-way.
        act(&mut self.told.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Tells how many were left out, once their second is over.
    pub(super) fn settle(&self, now: Timestamp) {
        let left_out = self.with(|told| told.turn(now));
        if left_out > 0 {
            tracing::info!(left_out, "more were refused within a second than are told");
        }
    }

    /// Whether one more may be told now.
    pub(super) fn admit(&self, now: Timestamp) -> bool {
        self.settle(now);
        self.with(|told| {
            let admitted = told.lines < limits::REFUSALS_TOLD_PER_SECOND;
            if admitted {
                told.lines += 1;
            } else {
                told.left_out += 1;
            }
            admitted
        })
    }
}
