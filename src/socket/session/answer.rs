//! What a session does with what the engine tells it.

use actix_web_actors::ws::WebsocketContext;

use crate::domain::session::SessionEvent;
use crate::engine::{Closing, ToSession};
use crate::socket::session::actor::SocketSession;
use crate::wire::close::CloseCode;
use crate::wire::server::{ServerFrame, refused};

impl SocketSession {
    pub(super) fn told(&mut self, told: ToSession, context: &mut WebsocketContext<Self>) {
        match told {
            ToSession::Frame { seq, text } => {
                let now = self.now();
                if self.telling().is_some() {
                    // What it waits for is on its way.
                    self.session.apply(SessionEvent::Heard(None), now);
                } else {
                    self.seen = self.seen.max(seq);
                }
                self.spoke_at = now;
                self.line.pass_on(&text);
            }
            ToSession::Posted { reference, id, seq, at } => {
                self.seen = self.seen.max(seq);
                let posted = ServerFrame::Posted { reference: &reference, id: &id, seq, at };
                self.answer(&posted.render());
            }
            ToSession::Done { reference, state, seq, reason } => {
                self.seen = self.seen.max(seq);
                let reference = Some(&reference);
                self.answer(&ServerFrame::State { reference, seq, state, reason }.render());
            }
            ToSession::Refused { reference, code } => {
                self.refuse(&refused(Some(&reference), code), context);
                self.line.done();
            }
            ToSession::Joined { conversation, state, seq } => {
                self.joined(conversation, state, seq, context);
            }
            ToSession::NotJoined { conversation, why } => {
                self.not_joined(conversation, why, context);
            }
            ToSession::Over(conversation) => {
                if self.telling() == Some(conversation) {
                    return self.told_all(context);
                }
                if self.session.conversation() == Some(conversation) {
                    self.joined = None;
                    self.has_ended = true;
                    self.apply(SessionEvent::Left);
                }
            }
            ToSession::Probe => self.line.ping(),
            ToSession::Close(closing) => self.close(code_of(closing), context),
        }
    }

    /// Says the answer to a frame, which is done with it.
    fn answer(&mut self, text: &bytestring::ByteString) {
        self.say(text);
        self.line.done();
    }
}

fn code_of(closing: Closing) -> CloseCode {
    match closing {
        Closing::Draining | Closing::Restarted => CloseCode::Restart,
        Closing::Replaced => CloseCode::Replaced,
        Closing::Silent => CloseCode::Silent,
        Closing::Slow => CloseCode::SlowReader,
    }
}
