//! How a session shows that it lives, and whether its page has stopped talking while its browser
//! still answers.

use crate::domain::session::SessionCommand;
use crate::domain::time::Timestamp;
use crate::socket::session::actor::SocketSession;

/// After how many heartbeats without a word a page whose browser answers counts as asleep. More
/// than a browser makes of one heartbeat of 25 s when it slows the timers of a hidden page down to
/// one in a minute.
const ASLEEP_AFTER_HEARTBEATS: u64 = 4;

impl SocketSession {
    /// Shows the conversation that it is there: one that it enters watches over it already.
    pub(super) fn be_heard(&self, now: Timestamp) {
        // Whoever is in one awaits nothing, and what it awaits lies elsewhere in memory.
        let conversation = self.session.conversation().or_else(|| self.concerned());
        if let (Some(conversation), Some(visit)) = (conversation, &self.visit) {
            visit.hear(conversation, now);
        }
    }

    pub(super) fn show_life(&mut self) {
        let now = self.now();
        // Before hello it shows nothing that would count.
        if let Ok(event) = self.session.decide(SessionCommand::Beat, now) {
            self.heard(event, now);
        }
    }

    /// The browser answers a ping, which says nothing of the page: where that has said nothing for
    /// long, the conversation is told.
    pub(super) fn hear_browser(&mut self) {
        self.show_life();
        let quiet = self.pace.quiet(self.now());
        let is_asleep = quiet > self.session.heartbeat().times(ASLEEP_AFTER_HEARTBEATS);
        if is_asleep && !self.pace.is_asleep {
            self.tell_asleep(true);
        }
    }

    /// The page has said something.
    pub(super) fn hear_page(&mut self) {
        if self.pace.is_asleep {
            self.tell_asleep(false);
        }
    }

    fn tell_asleep(&mut self, on: bool) {
        let conversation = self.session.conversation();
        if let (Some(conversation), Some(visit)) = (conversation, &self.visit) {
            self.pace.is_asleep = on;
            visit.asleep(conversation, on);
        }
    }
}
