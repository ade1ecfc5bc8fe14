//! How a session shows that it lives, and whether its page has stopped talking while its browser
//! still answers.

use bytes::Bytes;

use crate::behavior::message::FromSession;
use crate::behavior::session::dialogue::{Behavior, Turn};
use crate::behavior::session::output::Output;
use crate::domain::session::{SessionCommand, SessionEvent};
use crate::wire::close::CloseCode;

/// After how many heartbeats without a word a page whose browser answers counts as asleep. More
/// than a browser makes of one heartbeat of 25 s when it slows the timers of a hidden page down to
/// one in a minute.
const ASLEEP_AFTER_HEARTBEATS: u64 = 4;

impl Behavior {
    /// The browser asks, and is answered.
    pub(super) fn pinged(&mut self, payload: Bytes, turn: &mut Turn<'_>) {
        if self.admits_control(turn) {
            turn.put(Output::Pong(payload));
            self.show_life(turn);
        }
        turn.done();
    }

    /// The browser answers a ping, which says nothing of the page: where that has said nothing for
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

    /// It gave a sign of life.
    pub(super) fn heard(&mut self, event: Option<SessionEvent>, turn: &mut Turn<'_>) {
        self.be_heard(turn);
        if let Some(event) = event {
            self.apply(event, turn);
        }
    }

    /// Shows the conversation that it is there: one that it enters watches over it already.
    pub(super) fn be_heard(&self, turn: &mut Turn<'_>) {
        // Whoever is in one awaits nothing, and what it awaits lies elsewhere in memory.
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
