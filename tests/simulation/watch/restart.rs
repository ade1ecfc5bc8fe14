//! Whether the transcript of every chat that was live tells of a start of the server.

use holdline::domain::conversation::event::Event;

use crate::server::{Millis, Row};
use crate::watch::Watch;
use crate::watch::chat::Chat;
use crate::watch::law::Check;

/// How long a start may wait to be written.
const TOLD_WITHIN: Millis = 2_000;

/// How long a write may take before its rows are seen.
const WRITTEN_WITHIN: Millis = 10_000;

impl Watch {
    /// The server starts: every live chat must tell of it.
    pub(super) fn expect_restarts(&mut self) {
        let now = self.now;
        for chat in self.chats.values_mut() {
            chat.restart_due = chat.is_live().then_some(now);
        }
    }

    /// Checks a row for the restart before it is taken: no other row may be written first.
    pub(super) fn take_restart(&mut self, chat: &mut Chat, row: &Row) {
        let Some(since) = chat.restart_due else { return };
        if !chat.is_live() {
            // The chat had ended before the start, though no row of that had been seen.
            chat.restart_due = None;
            return;
        }
        if matches!(row.event, Event::ServerRestarted { .. }) {
            chat.restart_due = None;
        } else if row.appended > since {
            let what = format!("{} goes on after a start at {since}, untold: {row:?}", chat.id());
            self.fail(Check::RestartsAreTold, what);
        }
    }

    /// A chat that should have told of a start of the server by now.
    pub(super) fn untold_restart(&self) -> Option<(Check, String)> {
        let mut live = self.chats.values().filter(|chat| chat.is_live());
        live.find_map(|chat| {
            let since = chat.restart_due?;
            let by = self.trouble.max(since + TOLD_WITHIN) + WRITTEN_WITHIN;
            let what = || format!("{} does not tell of the start at {since}", chat.id());
            (self.now > by).then(|| (Check::RestartsAreTold, what()))
        })
    }
}
