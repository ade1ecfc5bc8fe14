//! A session that comes back is told what it missed, page by page. Answers to what it says
//! meanwhile come at their places in between, because a lost session comes back after the highest
//! place it was told of.

use crate::behavior::conversation::Behavior;
use crate::behavior::conversation::audience::Pace;
use crate::behavior::conversation::news;
use crate::behavior::conversation::output::{Note, Output};
use crate::behavior::conversation::turn::Turn;
use crate::behavior::message::{Closing, ToSession, Trouble};
use crate::domain::conversation::event::Recorded;
use crate::domain::id::{Seq, SessionId};
use crate::domain::time::Span;
use crate::limits;

/// How long to wait for room in a socket before the next page of missed messages.
const PAGE_RETRY: Span = Span::from_millis(50);

impl Behavior {
    /// Answers a session. An answer that names a place waits until the session has been told
    /// everything before that place.
    pub(super) fn answer(&mut self, session: SessionId, answer: ToSession, turn: &mut Turn<'_>) {
        let answer = match &answer {
            ToSession::Posted { seq, .. } | ToSession::Done { seq, .. } => {
                self.audience.keep_answer(session, *seq, answer)
            }
            // After this answer the session begins another chat: all of this one comes before.
            ToSession::NotJoined { .. } => {
                self.audience.keep_answer(session, Seq::new(u32::MAX), answer)
            }
            _ => Some(answer),
        };
        if let Some(answer) = answer {
            turn.tell_session(session, answer);
        }
    }

    /// From now on a session is told everything after a place. A session that is being told already
    /// goes on where it is, whatever place it names: what was not sent yet is still to come.
    pub(super) fn hear_from(
        &mut self,
        session: SessionId,
        after: Seq,
        until: Option<Seq>,
        turn: &mut Turn<'_>,
    ) {
        if self.audience.add(session, after, until) {
            self.read_missed(session, turn);
        }
        if self.audience.is_over {
            self.dismiss_audience(turn);
        }
    }

    /// Asks for the next page of what a session has missed.
    fn read_missed(&mut self, session: SessionId, turn: &mut Turn<'_>) {
        let through = self.audience.seen;
        let Some(listener) = self.audience.find_mut(session) else { return };
        if matches!(listener.pace, Pace::CatchingUp { .. }) {
            turn.put(Output::ReadMissed { session, after: listener.heard, through });
        }
    }

    /// The socket of a session has no room for a page: looks again a little later.
    pub(super) fn stall(&mut self, session: SessionId, turn: &mut Turn<'_>) {
        let retry_at = turn.now + PAGE_RETRY;
        if !self.audience.stall(session, retry_at, limits::PAGE_RETRIES_MAX) {
            self.drop_slow(session, turn);
        }
    }

    /// Looks again for the sessions whose sockets had no room.
    pub(super) fn retry_pages(&mut self, turn: &mut Turn<'_>) {
        if self.audience.retry_at().is_some_and(|at| at <= turn.now) {
            for session in self.audience.take_retries(turn.now) {
                self.read_missed(session, turn);
            }
        }
    }

    /// Tells a session a page of what it has missed. Everything up to `through` was there to be
    /// read. Reads on until nothing is left.
    pub(super) fn catch_up(
        &mut self,
        session: SessionId,
        (after, through): (Seq, Seq),
        entries: Result<Vec<Recorded>, Trouble>,
        turn: &mut Turn<'_>,
    ) {
        let entries = match entries {
            Ok(entries) => entries,
            Err(trouble) => {
                turn.note(Note::MissedUnread(trouble));
                return turn.close_session(session, Closing::Restarted);
            }
        };
        let seen = self.audience.seen;
        let Some(listener) = self.audience.find_mut(session) else { return };
        let (heard, until) = (listener.heard, listener.until);
        if heard != after {
            // The session left after the page was asked for, and has come back meanwhile.
            return;
        }
        let is_new = |recorded: &&Recorded| recorded.seq > heard && recorded.seq <= until;
        for recorded in entries.iter().filter(is_new) {
            let Pace::CatchingUp { own, stalled, .. } = &mut listener.pace else { return };
            *stalled = 0;
            // The answer tells the session of what it said itself.
            let is_own = own.contains(&recorded.seq);
            listener.heard = listener.heard.max(recorded.seq);
            if !is_own {
                for text in news::for_customer(recorded, turn.facts) {
                    turn.show(session, recorded.seq, text);
                }
            }
            for answer in listener.take_answers(recorded.seq) {
                turn.tell_session(session, answer);
            }
        }
        if entries.last().is_none_or(|last| last.seq > until) {
            listener.heard = listener.heard.max(through);
        }
        if listener.heard < seen.min(until) {
            return self.read_missed(session, turn);
        }
        for answer in listener.take_answers(Seq::new(u32::MAX)) {
            turn.tell_session(session, answer);
        }
        listener.pace = Pace::Live;
        if self.audience.is_over {
            self.dismiss_audience(turn);
        }
    }
}
