//! How fast a widget may talk: [`limits::FRAMES_PER_SECOND_MAX`] for long, and
//! [`limits::FRAMES_BURST_MAX`] at once; and whether its page has stopped talking while its browser
//! still answers.

use crate::domain::session::SessionCommand;
use crate::domain::time::{Span, Timestamp};
use crate::limits;
use crate::socket::session::SocketSession;

/// After how many heartbeats without a word a page whose browser answers counts as asleep. More
/// than a browser makes of one heartbeat of 25 s when it slows the timers of a hidden page down to
/// one in a minute.
const ASLEEP_AFTER_HEARTBEATS: u64 = 4;

/// One session's account. It is one number, the time at which all of its frames would have come had
/// it kept to the rate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    kept_until: Timestamp,
    /// The same of pings and pongs, which are no words of the page.
    controls_kept_until: Timestamp,
    is_asleep: bool,
}

/// How far apart frames are at the rate.
const APART: Span = Span::from_millis(1_000 / limits::FRAMES_PER_SECOND_MAX as u64);

/// By how much a session may be ahead of the rate.
const AHEAD_MAX: Span = APART.times(limits::FRAMES_BURST_MAX as u64);

impl Pace {
    /// A session that has said nothing yet.
    pub(super) const fn new(now: Timestamp) -> Self {
        Self { kept_until: now, controls_kept_until: now, is_asleep: false }
    }

    /// Whether one more frame may come now; then it is counted.
    pub(super) fn admit(&mut self, now: Timestamp) -> bool {
        admit(&mut self.kept_until, now)
    }

    /// The same of a ping or a pong.
    pub(super) fn admit_control(&mut self, now: Timestamp) -> bool {
        admit(&mut self.controls_kept_until, now)
    }
}

fn admit(kept: &mut Timestamp, now: Timestamp) -> bool {
    let kept_until = (*kept).max(now) + APART;
    let is_admitted = kept_until.since(now) <= AHEAD_MAX;
    if is_admitted {
        *kept = kept_until;
    }
    is_admitted
}

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
        let quiet = self.now().since(self.pace.kept_until);
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
