//! What a session reads from its widget, what it passes on to its conversation, and how this shows
//! that it lives, even when the page has stopped talking and only its browser answers.

use bytes::Bytes;
use bytestring::ByteString;

use crate::behavior::message::FromSession;
use crate::behavior::session::codes::code_of;
use crate::behavior::session::dialogue::{Behavior, Turn};
use crate::behavior::session::output::{Output, Spending};
use crate::domain::conversation::command::Refusal;
use crate::domain::id::Seq;
use crate::domain::session::{SessionCommand, SessionEvent, SessionRefusal};
use crate::domain::time::Span;
use crate::wire::client::{ClientFrame, Malformed, Reference, parse};
use crate::wire::close::CloseCode;
use crate::wire::refusal::RefusalCode;
use crate::wire::server::{RefusedFrame, ServerFrame, refused, refused_for};

/// After how many heartbeats without a word a page whose browser answers counts as asleep. Browsers
/// slow the timers of a hidden page down to one in a minute; this is more than that makes of one
/// heartbeat of 25 s.
const ASLEEP_AFTER_HEARTBEATS: u64 = 4;

impl Behavior {
    /// Takes one text frame, or keeps it until an answer has come.
    pub(super) fn take_text(&mut self, text: ByteString, turn: &mut Turn<'_>) {
        self.hear_page(turn);
        if self.stage.must_wait() {
            self.be_heard(turn);
            return self.stage.defer(text);
        }
        self.read(text, turn);
    }

    /// Takes the next of the frames that were kept.
    pub(super) fn resume(&mut self, turn: &mut Turn<'_>) {
        if let Some(text) = self.stage.next_deferred() {
            self.hear_page(turn);
            self.read(text, turn);
        }
    }

    fn read(&mut self, text: ByteString, turn: &mut Turn<'_>) {
        if !self.pace.admit(turn.now) {
            self.refuse(refused(None, RefusalCode::RateLimited), turn);
            return turn.done();
        }
        match parse(text.as_bytes()) {
            Ok(frame) => self.take_frame(frame, text, turn),
            Err(malformed) => {
                self.refuse(told_of(&malformed), turn);
                turn.done();
            }
        }
    }

    fn take_frame(&mut self, frame: ClientFrame, text: ByteString, turn: &mut Turn<'_>) {
        match frame {
            ClientFrame::Hello(hello) => self.greet(hello, text, turn),
            ClientFrame::Start(start) => self.ask_to_start(start, turn),
            ClientFrame::Beat { seen } => self.beat(seen, turn),
            ClientFrame::Post { reference, id, text } => {
                turn.put(Output::Spend(Spending::Post(reference, id, text)));
            }
            ClientFrame::End { reference } => self.speak(FromSession::End(reference), turn),
            ClientFrame::Typing { on } => self.speak(FromSession::Typing(on), turn),
            ClientFrame::Read { seq } => self.speak(FromSession::Read(seq), turn),
            ClientFrame::Leaving { cause } => {
                if self.session.conversation().is_some() {
                    self.speak(FromSession::Leaving(cause), turn);
                } else {
                    // There is no conversation yet that it could concern.
                    turn.done();
                }
            }
        }
    }

    /// A message was more than the browser's budget allows.
    pub(super) fn posts_too_much(
        &mut self,
        reference: &Reference,
        wait: Span,
        turn: &mut Turn<'_>,
    ) {
        self.refuse(refused_for(Some(reference), RefusalCode::RateLimited, Some(wait)), turn);
        turn.done();
    }

    /// Passes something on to the conversation. A frame that gets an answer is done when the answer
    /// comes.
    pub(super) fn speak(&mut self, said: FromSession, turn: &mut Turn<'_>) {
        let refusal = match self.decide(SessionCommand::Speak, turn) {
            Ok(Some(event @ SessionEvent::Spoke(conversation))) => {
                self.apply(event, turn);
                let is_answered = reference_of(&said).is_some();
                turn.put(Output::ToConversation(conversation, said));
                if !is_answered {
                    turn.done();
                }
                return;
            }
            Ok(_) => return turn.done(),
            Err(SessionRefusal::NotStarted) if self.stage.has_ended() => {
                RefusalCode::Conversation(Refusal::ConversationEnded)
            }
            Err(refusal) => code_of(refusal),
        };
        self.refuse(refused(reference_of(&said), refusal), turn);
        turn.done();
    }

    fn beat(&mut self, seen: Option<Seq>, turn: &mut Turn<'_>) {
        match self.decide(SessionCommand::Beat, turn) {
            Ok(event) => {
                self.heard(event, turn);
                // A widget knows by this that it is heard. If it is told something else in the same
                // heartbeat, it knows it anyway.
                let quiet = turn.now.since(self.spoke_at) >= self.heartbeat().divided_by(2);
                if quiet || seen.is_none_or(|seen| seen < self.seen) {
                    self.say(ServerFrame::Beat { seq: self.seen }.render(), turn);
                }
            }
            Err(refusal) => self.refuse(refused(None, code_of(refusal)), turn),
        }
        turn.done();
    }

    /// The browser pings, and is answered.
    pub(super) fn pinged(&mut self, payload: Bytes, turn: &mut Turn<'_>) {
        if self.admits_control(turn) {
            turn.put(Output::Pong(payload));
            self.show_life(turn);
        }
        turn.done();
    }

    /// The browser answers a ping. That says nothing of the page: if the page has said nothing for
    /// long, the conversation is told.
    pub(super) fn hear_browser(&mut self, turn: &mut Turn<'_>) {
        if self.admits_control(turn) {
            self.show_life(turn);
            let quiet = self.pace.quiet(turn.now);
            let is_asleep = quiet > self.heartbeat().times(ASLEEP_AFTER_HEARTBEATS);
            if is_asleep && !self.is_asleep {
                self.tell_asleep(true, turn);
            }
        }
        turn.done();
    }

    fn admits_control(&mut self, turn: &mut Turn<'_>) -> bool {
        let admits = self.pace.admit_control(turn.now);
        if !admits {
            self.close(CloseCode::RefusedTooOften, turn);
        }
        admits
    }

    /// The page has said something.
    pub(super) fn hear_page(&mut self, turn: &mut Turn<'_>) {
        if self.is_asleep {
            self.tell_asleep(false, turn);
        }
    }

    /// The session gave a sign of life.
    pub(super) fn heard(&mut self, event: Option<SessionEvent>, turn: &mut Turn<'_>) {
        self.be_heard(turn);
        if let Some(event) = event {
            self.apply(event, turn);
        }
    }

    /// Shows the conversation that the session is there. One that the session is about to enter
    /// watches over it already.
    pub(super) fn be_heard(&self, turn: &mut Turn<'_>) {
        // A session in a conversation awaits nothing, and what it awaits lies elsewhere in memory.
        if let Some(conversation) = self.session.conversation().or_else(|| self.concerned()) {
            turn.put(Output::Beat(conversation));
        }
    }

    fn show_life(&mut self, turn: &mut Turn<'_>) {
        // Before hello it shows nothing that would count.
        if let Ok(event) = self.decide(SessionCommand::Beat, turn) {
            self.heard(event, turn);
        }
    }

    fn tell_asleep(&mut self, on: bool, turn: &mut Turn<'_>) {
        if let Some(conversation) = self.session.conversation() {
            self.is_asleep = on;
            turn.put(Output::ToConversation(conversation, FromSession::Asleep(on)));
        }
    }
}

/// The reference that names the frame to which an answer belongs, where there is an answer.
const fn reference_of(said: &FromSession) -> Option<&Reference> {
    match said {
        FromSession::Post(reference, ..) | FromSession::End(reference) => Some(reference),
        _ => None,
    }
}

fn told_of(malformed: &Malformed) -> RefusedFrame {
    let text = ServerFrame::malformed(malformed).render();
    RefusedFrame { code: malformed.code, text }
}
