//! What a session does with what the engine tells it.

use bytestring::ByteString;

use crate::behavior::message::ToSession;
use crate::behavior::session::codes::code_of_closing;
use crate::behavior::session::dialogue::{Behavior, Turn};
use crate::behavior::session::input::Unheard;
use crate::behavior::session::output::Output;
use crate::domain::session::SessionEvent;
use crate::wire::refusal::RefusalCode;
use crate::wire::server::{Live, ServerFrame, refused};

impl Behavior {
    /// The session is told something; `token` is that of the chat that it is in now.
    pub(super) fn told(&mut self, told: ToSession, token: Option<&str>, turn: &mut Turn<'_>) {
        match told {
            ToSession::Frame { seq, text } => {
                if self.telling().is_some() {
                    // What it waits for is on its way.
                    self.apply(SessionEvent::Heard(None), turn);
                } else {
                    self.seen = self.seen.max(seq);
                }
                self.spoke_at = turn.now;
                turn.put(Output::PassOn(text));
            }
            ToSession::Posted { reference, id, seq, at } => {
                self.seen = self.seen.max(seq);
                let posted = ServerFrame::Posted { reference: &reference, id: &id, seq, at };
                self.answer(posted.render(), turn);
            }
            ToSession::Done { reference, state, seq, reason } => {
                self.seen = self.seen.max(seq);
                let reference = Some(&reference);
                self.answer(ServerFrame::State { reference, seq, state, reason }.render(), turn);
            }
            ToSession::Refused { reference, code } => {
                self.refuse(refused(Some(&reference), code), turn);
                turn.done();
            }
            ToSession::Joined { conversation, state, seq } => {
                let token = token.unwrap_or_default();
                self.come_in(Live { id: conversation, token, state, seq }, turn);
            }
            ToSession::NotJoined { conversation, why } => self.stay_out(conversation, why, turn),
            ToSession::Over(conversation) => {
                if self.telling() == Some(conversation) {
                    return self.told_all(turn);
                }
                if self.session.conversation() == Some(conversation) {
                    if let Some(settling) = self.stage.settling_mut() {
                        settling.joined = None;
                    }
                    self.stage.note_ended();
                    self.apply(SessionEvent::Left, turn);
                }
            }
            ToSession::Probe => turn.put(Output::Ping),
            ToSession::Close(closing) => self.close(code_of_closing(closing), turn),
        }
    }

    /// Says the answer to a frame; the frame is done with it.
    fn answer(&mut self, text: ByteString, turn: &mut Turn<'_>) {
        self.say(text, turn);
        turn.done();
    }

    /// Nobody heard what the session said to a conversation.
    pub(super) fn unheard(&mut self, unheard: Unheard, turn: &mut Turn<'_>) {
        match unheard {
            Unheard::Join => self.not_let_in(turn),
            Unheard::Again => self.not_started_again(turn),
            Unheard::Hear => self.not_told_all(turn),
            Unheard::Request(reference) => {
                self.refuse(refused(Some(&reference), RefusalCode::Unavailable), turn);
                turn.done();
            }
            Unheard::Word => self.refuse(refused(None, RefusalCode::Unavailable), turn),
        }
    }
}
