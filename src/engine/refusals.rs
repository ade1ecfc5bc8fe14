//! Who was refused at a door: counted by code, and told in the log. Strangers decide how often that
//! happens, so only some of it is told each second, with the number of what was left out.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::domain::id::WidgetId;
use crate::domain::settings::NotVouched;
use crate::domain::time::Timestamp;
use crate::engine::Engine;
use crate::engine::shared::Shared;
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
    const fn name(self) -> &'static str {
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
    tells_addresses: AtomicBool,
    told: Mutex<FeedItem>,
}

#[derive(Debug, Default)]
struct FeedItem {
    /// The second that the rest is of.
    second: i64,
    lines: u32,
    left_out: u64,
}

impl FeedItem {
    /// Ends a second, and says how many of it were not told.
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
    fn with<T>(&self, act: impl FnOnce(&mut FeedItem) -> T) -> T {
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
    fn admit(&self, now: Timestamp) -> bool {
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

impl Shared {
    pub(super) fn settle_refusals(&self) {
        self.refusals.settle(self.clock.now());
    }
}

impl Engine {
    /// Has the log tell from where strangers come.
    pub fn tell_addresses(&self) {
        self.shared.refusals.tells_addresses.store(true, Ordering::Relaxed);
    }

    /// Where somebody comes from, as far as the log may tell it.
    pub fn told_address(&self, client: Option<IpAddr>) -> Option<String> {
        let may = self.shared.refusals.tells_addresses.load(Ordering::Relaxed);
        client.filter(|_| may).map(|client| client.to_string())
    }

    /// Counts that something was refused.
    pub fn note_refused(&self, face: Face, code: &'static str) {
        self.shared.metrics.refused(face.name(), code);
    }

    /// Tells that a widget has shown a token that is not ours; that it was refused is counted
    /// where it is said.
    pub fn tell_invalid_token(&self, widget: &WidgetId) {
        self.tell_shown(widget, "token_invalid", || "a token that is not ours".to_owned());
    }

    /// Tells that what a widget has shown vouches for nobody, and why. That it was refused is
    /// counted where it is said.
    pub fn tell_not_vouched(&self, widget: &WidgetId, code: &'static str, why: NotVouched) {
        self.tell_shown(widget, code, || format!("an admission that vouches for nobody: {why}"));
    }

    fn tell_shown(&self, widget: &WidgetId, code: &'static str, what: impl FnOnce() -> String) {
        self.audit_shown(code, widget);
        if self.shared.refusals.admit(self.now()) {
            let (face, what) = (Face::Widget.name(), what());
            tracing::info!(face, code, %widget, "refused: widget {widget} showed {what}");
        }
    }

    /// Counts that a stranger was refused, and tells it. What `sentence` says of them must be
    /// printable.
    pub fn tell_refused(
        &self,
        face: Face,
        code: &'static str,
        client: Option<IpAddr>,
        sentence: impl FnOnce() -> String,
    ) {
        self.note_refused(face, code);
        // Of some tokens it is known whose they are: that is noted where they are looked up.
        let is_known = matches!(code, "token_expired" | "token_not_taken");
        if face == Face::Http && !is_known {
            self.audit_refused(code, client);
        }
        if self.shared.refusals.admit(self.now()) {
            let (address, face) = (self.told_address(client), face.name());
            tracing::info!(face, code, address, "refused: {}", sentence());
        }
    }
}
