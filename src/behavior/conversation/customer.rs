//! What a conversation does with what its customer's sessions say.

use crate::behavior::conversation::Behavior;
use crate::behavior::conversation::gate::Deferred;
use crate::behavior::conversation::news;
use crate::behavior::conversation::output::Note;
use crate::behavior::conversation::turn::Turn;
use crate::behavior::message::{Closing, FromSession, Join, NotJoined, ToSession};
use crate::domain::cause::Cause;
use crate::domain::conversation::command::{Answer, Command, Refusal, StartRequest};
use crate::domain::conversation::event::{Author, Reason};
use crate::domain::id::{MessageId, Seq, SessionId, VisitorId};
use crate::domain::text::MessageText;
use crate::wire::client::Reference;
use crate::wire::refusal::RefusalCode;

impl Behavior {
    pub(super) fn session_said(
        &mut self,
        session: SessionId,
        said: FromSession,
        turn: &mut Turn<'_>,
    ) {
        match said {
            FromSession::Join(join) => return self.join(session, *join, turn),
            FromSession::Lost(cause) => return self.lose(session, cause, turn),
            _ => {}
        }
        let is_there = self.conversation.attendance().find(session).is_some();
        if self.conversation.is_live() && !is_there {
            // The session was given up before it said this. Its widget comes back and says it
            // again.
            let closing = Closing::Silent;
            return self.then(Deferred::Send(session, ToSession::Close(closing)), turn);
        }
        self.conversation.hear(session, turn.now);
        match said {
            FromSession::Post(reference, id, text) => {
                self.post(session, (reference, id, text), turn);
            }
            FromSession::End(reference) => self.end(session, reference, turn),
            FromSession::Typing(on) => {
                self.conversation.hear_leaving(session, None);
                self.audience.note_typing(session, on);
                self.tell_typing(turn);
            }
            FromSession::Read(seq) => {
                self.conversation.hear_leaving(session, None);
                // Nobody has read what is not there yet.
                let seq = seq.min(self.conversation.seen_by_customer());
                news::read(&self.conversation, seq, turn);
            }
            FromSession::Leaving(leaving) => {
                self.conversation.hear_leaving(session, leaving);
            }
            FromSession::Asleep(on) => {
                if self.conversation.hear_asleep(session, on) {
                    news::asleep(&self.conversation, turn);
                }
            }
            FromSession::Hear { after, until } => {
                let is_over = !self.conversation.is_live();
                let seen = self.conversation.seen_by_customer();
                let after = if after > seen { Seq::ZERO } else { after };
                self.then(Deferred::Hear { session, after, until, is_over }, turn);
                self.retire_if_over(turn.now);
            }
            FromSession::Again(join) => self.join(session, *join, turn),
            FromSession::Join(_) | FromSession::Lost(_) => {}
        }
    }

    fn post(
        &mut self,
        session: SessionId,
        (reference, id, text): (Reference, MessageId, MessageText),
        turn: &mut Turn<'_>,
    ) {
        self.conversation.hear_leaving(session, None);
        let (from, by) = (Author::Customer, None);
        let command = Command::Post { from, by, id: id.clone(), text };
        let answer = match self.perform_as(session, command, turn) {
            Ok(Answer::Posted { seq, at }) => ToSession::Posted { reference, id, seq, at },
            Ok(Answer::Done) => return,
            Err(code) => ToSession::Refused { reference, code },
        };
        self.then(Deferred::Send(session, answer), turn);
    }

    fn join(&mut self, session: SessionId, join: Join, turn: &mut Turn<'_>) {
        let Join { start, mut after, heartbeat, program, of } = join;
        if of.is_some_and(|of| !self.was_begun_by_one_of(&of)) {
            return self.not_let_in(session, NotJoined::Unknown, turn);
        }
        if let Some(request) = start
            && self.conversation.seq() == Seq::ZERO
        {
            if let Err(code) = self.start(request, turn) {
                return self.not_let_in(session, NotJoined::Denied(code), turn);
            }
            // The answer says all that there is to know of a chat that has only just begun.
            after = Some(self.conversation.seq());
        }
        let conversation = self.id();
        let command = Command::Join { session, heartbeat, program };
        let then = match self.perform(command, turn) {
            Ok(_) => {
                // A session that is there already shows by this that it still is.
                self.conversation.hear(session, turn.now);
                let state = self.conversation.state_for_customer();
                let Some(state) = state else { return };
                let seq = self.conversation.seen_by_customer();
                let joined = ToSession::Joined { conversation, state, seq };
                // Nobody has seen what is not there: a place beyond the end is of another history.
                let after = after.map(|after| if after > seq { Seq::ZERO } else { after });
                Deferred::Joined(session, after, joined)
            }
            Err(refusal) => {
                let why = self.not_joined(refusal, turn);
                Deferred::Send(session, ToSession::NotJoined { conversation, why })
            }
        };
        self.then(then, turn);
        self.retire_if_over(turn.now);
    }

    fn start(&mut self, request: StartRequest, turn: &mut Turn<'_>) -> Result<(), RefusalCode> {
        let settings = turn.facts.settings;
        let workstream = settings.workstream_of_widget(&request.widget);
        let workstream = workstream.ok_or(RefusalCode::UnknownWidget)?;
        if turn.facts.near.must_wait() {
            return Err(RefusalCode::Overloaded);
        }
        self.perform_by(Command::Start(request), None, workstream, turn)
            .map_err(|_| RefusalCode::Unavailable)?;
        turn.note(Note::Started);
        Ok(())
    }

    fn lose(&mut self, session: SessionId, cause: Cause, turn: &mut Turn<'_>) {
        self.audience.remove(session);
        self.tell_typing(turn);
        // Refused only while the conversation is new, and then there is nothing to lose.
        let _refused_when_new = self.perform(Command::Lose { session, cause }, turn);
        self.conversation.let_go();
    }

    fn end(&mut self, session: SessionId, reference: Reference, turn: &mut Turn<'_>) {
        let answer = match self.perform_as(session, Command::EndByCustomer, turn) {
            Ok(_) => {
                let Some(state) = self.conversation.state_for_customer() else { return };
                let seq = self.conversation.seen_by_customer();
                ToSession::Done { reference, state, seq, reason: self.conversation.reason() }
            }
            Err(code) => ToSession::Refused { reference, code },
        };
        self.then(Deferred::Send(session, answer), turn);
    }

    fn perform_as(
        &mut self,
        session: SessionId,
        command: Command,
        turn: &mut Turn<'_>,
    ) -> Result<Answer, RefusalCode> {
        if turn.facts.near.must_wait() {
            return Err(RefusalCode::Overloaded);
        }
        let workstream = self.workstream(turn);
        self.perform_by(command, Some(session), &workstream, turn)
            .map_err(RefusalCode::Conversation)
    }

    /// Whether one of these visitors has begun the conversation.
    fn was_begun_by_one_of(&self, visitors: &[VisitorId]) -> bool {
        self.conversation.opening().is_some_and(|opening| visitors.contains(&opening.visitor))
    }

    fn not_joined(&self, refusal: Refusal, turn: &Turn<'_>) -> NotJoined {
        let Some(state) = self.conversation.state() else { return NotJoined::Unknown };
        match refusal {
            Refusal::AlreadyClosed | Refusal::ConversationEnded => {
                let reason = self.conversation.reason();
                let was_lost = reason.is_some_and(Reason::is_loss);
                let redirect = self.workstream(turn).redirect.clone();
                NotJoined::Ended {
                    state,
                    reason,
                    seq: self.conversation.seen_by_customer(),
                    redirect: redirect.filter(|_| was_lost),
                    closed_at: self.conversation.closed_at(),
                }
            }
            other => NotJoined::Denied(RefusalCode::Conversation(other)),
        }
    }

    fn not_let_in(&mut self, session: SessionId, why: NotJoined, turn: &mut Turn<'_>) {
        let conversation = self.id();
        self.then(Deferred::Send(session, ToSession::NotJoined { conversation, why }), turn);
        self.retire_if_over(turn.now);
    }
}
