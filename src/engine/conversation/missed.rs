//! A session that comes back is told what it missed, page by page, and with it the answers to what
//! it says meanwhile: each in its place, because it comes back after the highest it was told of.

use actix::{ActorFutureExt, AsyncContext, WrapFuture};

use crate::behavior::message::{Closing, ToSession};
use crate::domain::conversation::event::{Audience, Recorded};
use crate::domain::id::{Seq, SessionId};
use crate::engine::context::Context;
use crate::engine::conversation::ConversationActor;
use crate::engine::conversation::audience::Pace;
use crate::engine::conversation::publish::{close_session, frames};
use crate::engine::post::Delivery;
use crate::journal::Fault;
use crate::limits;

/// How long to wait for room in a socket before the next page of missed messages.
const PAGE_RETRY: std::time::Duration = std::time::Duration::from_millis(50);

/// How often to wait for that before the reader counts as slow: 30 seconds in all.
const PAGE_RETRIES_MAX: u32 = 600;

impl ConversationActor {
    /// Answers a session. What names a place waits until the session has been told everything
    /// before it.
    pub(super) fn answer(&mut self, session: SessionId, answer: ToSession) {
        let answer = match &answer {
            ToSession::Posted { seq, .. } | ToSession::Done { seq, .. } => {
                self.audience.keep_answer(session, *seq, answer)
            }
            // Whoever is told this begins another chat: all of this one comes before.
            ToSession::NotJoined { .. } => {
                self.audience.keep_answer(session, Seq::new(u32::MAX), answer)
            }
            _ => Some(answer),
        };
        if let Some(answer) = answer {
            self.thread.shared.post.tell_session(session, answer);
        }
    }

    /// From now on a session is told everything after a place. One that is being told already goes
    /// on where it is, whatever it says that it has seen: what was not sent yet is still to come.
    pub(super) fn hear_from(
        &mut self,
        session: SessionId,
        after: Seq,
        until: Option<Seq>,
        context: &mut Context<Self>,
    ) {
        if self.audience.add(session, after, until) {
            self.read_missed(session, context);
        }
        if self.audience.is_over {
            self.dismiss_audience();
        }
    }

    /// Asks the journal for the next page of what a session has missed.
    pub(super) fn read_missed(&mut self, session: SessionId, context: &mut Context<Self>) {
        let (id, seen) = (self.id(), self.audience.seen);
        let Some(listener) = self.audience.find_mut(session) else { return };
        let Pace::CatchingUp { stalled, .. } = &mut listener.pace else { return };
        if !self.thread.shared.post.has_room_for_page(session) {
            *stalled += 1;
            if *stalled > PAGE_RETRIES_MAX {
                return self.drop_slow(session);
            }
            context
                .run_later(PAGE_RETRY, move |actor, context| actor.read_missed(session, context));
            return;
        }
        *stalled = 0;
        let reading = self.thread.shared.journal.read(
            id,
            listener.heard,
            Audience::Customer,
            limits::CATCH_UP_ENTRIES_MAX,
            limits::CATCH_UP_BYTES_MAX,
        );
        let read = reading.into_actor(self).map(move |entries, actor, context| {
            actor.catch_up(session, seen, entries, context);
        });
        context.spawn(read);
    }

    /// Sends what a session has missed, of which everything up to `through` was read; reads on
    /// until nothing is left.
    fn catch_up(
        &mut self,
        session: SessionId,
        through: Seq,
        entries: Result<Vec<Recorded>, Fault>,
        context: &mut Context<Self>,
    ) {
        let entries = match entries {
            Ok(entries) => entries,
            Err(fault) => {
                let conversation = self.id();
                tracing::error!(
                    %conversation, %fault,
                    "what a session of conversation {conversation} has missed cannot be read"
                );
                return close_session(&self.thread.shared, session, Closing::Restarted);
            }
        };
        let seen = self.audience.seen;
        let Some(listener) = self.audience.find_mut(session) else { return };
        let (heard, until) = (listener.heard, listener.until);
        let is_new = |recorded: &&Recorded| recorded.seq > heard && recorded.seq <= until;
        for recorded in entries.iter().filter(is_new) {
            let Pace::CatchingUp { own, .. } = &listener.pace else { return };
            // It is told of its own by the answer.
            let is_own = own.contains(&recorded.seq);
            let texts = if is_own { Vec::new() } else { frames(&self.thread.shared, recorded) };
            listener.heard = listener.heard.max(recorded.seq);
            for text in texts {
                let frame = ToSession::Frame { seq: recorded.seq, text };
                if self.thread.shared.post.tell_session(session, frame) == Delivery::Full {
                    return self.drop_slow(session);
                }
            }
            for answer in listener.take_answers(recorded.seq) {
                self.thread.shared.post.tell_session(session, answer);
            }
        }
        if entries.last().is_none_or(|last| last.seq > until) {
            listener.heard = listener.heard.max(through);
        }
        if listener.heard < seen.min(until) {
            return self.read_missed(session, context);
        }
        for answer in listener.take_answers(Seq::new(u32::MAX)) {
            self.thread.shared.post.tell_session(session, answer);
        }
        listener.pace = Pace::Live;
        if self.audience.is_over {
            self.dismiss_audience();
        }
    }
}
