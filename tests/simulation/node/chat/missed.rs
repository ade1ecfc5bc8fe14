//! A session that comes back to a simulated conversation is told what it missed, page by page.

use holdline::behavior::message::{Closing, ToSession};
use holdline::domain::conversation::event::Recorded;
use holdline::domain::id::{Seq, SessionId};
use holdline::domain::time::Span;

use crate::node::audience::{Listener, Pace};
use crate::node::chat::{Chat, Output, Turn, publish};

const PAGE_RETRY: Span = Span::from_millis(50);
const PAGE_RETRIES_MAX: u32 = 600;

impl Chat {
    /// Answers a session. What names a place waits until the session was told all before it.
    pub(super) fn answer(&mut self, turn: &mut Turn<'_>, session: SessionId, answer: ToSession) {
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
            turn.tell_session(session, answer);
        }
    }

    /// From now on a session is told everything after a place.
    pub(super) fn hear_from(
        &mut self,
        turn: &mut Turn<'_>,
        session: SessionId,
        after: Seq,
        until: Option<Seq>,
    ) {
        if self.audience.add(session, after, until) {
            self.read_missed(turn, session);
        }
        if self.audience.is_over {
            self.dismiss_audience(turn);
        }
    }

    /// Asks for the next page of what a session has missed.
    pub(super) fn read_missed(&mut self, turn: &mut Turn<'_>, session: SessionId) {
        let through = self.audience.seen;
        if let Some(Listener { heard, pace: Pace::CatchingUp { .. }, .. }) =
            self.audience.find_mut(session)
        {
            turn.out.push(Output::ReadMissed { session, after: *heard, through });
        }
    }

    /// There is no room for a page yet.
    pub(super) fn retry_later(&mut self, turn: &mut Turn<'_>, session: SessionId) {
        let Some(listener) = self.audience.find_mut(session) else { return };
        let Pace::CatchingUp { stalled, retry_at, .. } = &mut listener.pace else { return };
        *stalled += 1;
        if *stalled > PAGE_RETRIES_MAX {
            return self.drop_slow(turn, session);
        }
        *retry_at = Some(turn.now + PAGE_RETRY);
    }

    pub(super) fn catch_up(
        &mut self,
        turn: &mut Turn<'_>,
        session: SessionId,
        through: Seq,
        entries: &[Recorded],
    ) {
        let seen = self.audience.seen;
        let Some(listener) = self.audience.find_mut(session) else { return };
        let (heard, until) = (listener.heard, listener.until);
        if let Pace::CatchingUp { stalled, .. } = &mut listener.pace {
            *stalled = 0;
        }
        let is_new = |recorded: &&Recorded| recorded.seq > heard && recorded.seq <= until;
        for recorded in entries.iter().filter(is_new) {
            let Pace::CatchingUp { own, .. } = &listener.pace else { return };
            let is_own = own.contains(&recorded.seq);
            let texts = if is_own { Vec::new() } else { publish::frames(turn, recorded) };
            listener.heard = listener.heard.max(recorded.seq);
            for text in texts {
                let frame = ToSession::Frame { seq: recorded.seq, text };
                turn.tell_session(session, frame);
            }
            for answer in listener.take_answers(recorded.seq) {
                turn.tell_session(session, answer);
            }
        }
        if entries.last().is_none_or(|last| last.seq > until) {
            listener.heard = listener.heard.max(through);
        }
        if listener.heard < seen.min(until) {
            return self.read_missed(turn, session);
        }
        for answer in listener.take_answers(Seq::new(u32::MAX)) {
            turn.tell_session(session, answer);
        }
        listener.pace = Pace::Live;
        if self.audience.is_over {
            self.dismiss_audience(turn);
        }
    }

    pub(super) fn drop_slow(&mut self, turn: &mut Turn<'_>, session: SessionId) {
        self.audience.remove(session);
        turn.tell_session(session, ToSession::Close(Closing::Slow));
    }
}
