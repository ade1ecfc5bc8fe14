//! A session that comes back to a simulated conversation is told what it missed, page by page.

use holdline::domain::conversation::event::Recorded;
use holdline::domain::id::{Seq, SessionId};
use holdline::engine::{Closing, ToSession};

use crate::node::audience::Pace;
use crate::node::chat::{Chat, close_session};
use crate::node::mail::Mail;
use crate::node::timers::Timer;
use crate::node::{Node, PAGE_ENTRIES};
use crate::server::Millis;

const PAGE_RETRY: Millis = 50;
const PAGE_RETRIES_MAX: u32 = 600;

impl Chat {
    /// Answers a session. What names a place waits until the session was told all before it.
    pub(super) fn answer(&mut self, node: &mut Node, session: SessionId, answer: ToSession) {
        let answer = match &answer {
            ToSession::Posted { seq, .. } | ToSession::Done { seq, .. } => {
                self.audience.keep_answer(session, *seq, answer)
            }
            ToSession::NotJoined { .. } => {
                self.audience.keep_answer(session, Seq::new(u32::MAX), answer)
            }
            _ => Some(answer),
        };
        if let Some(answer) = answer {
            node.tell_session(session, answer);
        }
    }

    /// From now on a session is told everything after a place.
    pub(super) fn hear_from(
        &mut self,
        node: &mut Node,
        session: SessionId,
        after: Seq,
        until: Option<Seq>,
    ) {
        if node.rules.trusts_the_session() {
            self.audience.remove(session);
        }
        if self.audience.add(session, after, until) {
            self.read_missed(node, session);
        }
        if self.audience.is_over {
            self.dismiss_audience(node);
        }
    }

    /// Asks the disk for the next page of what a session has missed.
    pub fn read_missed(&mut self, node: &mut Node, session: SessionId) {
        let seen = self.audience.seen;
        let Some(listener) = self.audience.find_mut(session) else { return };
        let Pace::CatchingUp { stalled, .. } = &mut listener.pace else { return };
        if !node.has_room_for_page(session) {
            *stalled += 1;
            if *stalled > PAGE_RETRIES_MAX {
                return self.drop_slow(node, session);
            }
            node.arm(node.now + PAGE_RETRY, Timer::Page(self.id, self.epoch, session));
            return;
        }
        *stalled = 0;
        let entries = node.disk.page(self.id, listener.heard, PAGE_ENTRIES);
        let entries = node.rules.page(entries);
        let mail = Mail::Page { session, through: seen, entries };
        node.send(self.party(), mail);
    }

    pub(super) fn catch_up(
        &mut self,
        node: &mut Node,
        session: SessionId,
        through: Seq,
        entries: &[Recorded],
    ) {
        let seen = self.audience.seen;
        let Some(listener) = self.audience.find_mut(session) else { return };
        let (heard, until) = (listener.heard, listener.until);
        let is_new = |recorded: &&Recorded| recorded.seq > heard && recorded.seq <= until;
        for recorded in entries.iter().filter(is_new) {
            let Pace::CatchingUp { own, .. } = &listener.pace else { return };
            let is_own = own.contains(&recorded.seq);
            let texts = if is_own { Vec::new() } else { node.frames(recorded) };
            listener.heard = listener.heard.max(recorded.seq);
            for text in texts {
                let frame = ToSession::Frame { seq: recorded.seq, text };
                if !node.tell_session(session, frame) {
                    return self.drop_slow(node, session);
                }
            }
            for answer in listener.take_answers(recorded.seq) {
                node.tell_session(session, answer);
            }
        }
        if entries.last().is_none_or(|last| last.seq > until) {
            listener.heard = listener.heard.max(through);
        }
        if listener.heard < seen.min(until) {
            return self.read_missed(node, session);
        }
        for answer in listener.take_answers(Seq::new(u32::MAX)) {
            node.tell_session(session, answer);
        }
        listener.pace = Pace::Live;
        if self.audience.is_over {
            self.dismiss_audience(node);
        }
    }

    pub(super) fn drop_slow(&mut self, node: &mut Node, session: SessionId) {
        self.audience.remove(session);
        close_session(node, session, Closing::Slow);
    }
}
