//! Where the signs of life of each session are found.

use std::sync::Arc;

use crate::behavior::conversation::Input;
use crate::behavior::message::Heard;
use crate::domain::id::{ConversationId, SessionId};
use crate::engine::directory::Directory;
use crate::engine::pulse::Pulse;

impl Directory {
    /// A session enters a conversation, to which this pulse shows its signs of life.
    pub(in crate::engine) fn enter_pulse(&self, session: SessionId, pulse: Arc<Pulse>) {
        if let Some(mut entry) = self.sessions.get_mut(&session) {
            entry.pulse = Some(pulse);
        }
    }

    /// Tells a conversation which signs of life it has not read of a session that leaves. A
    /// conversation that is not live need not be opened for it: once opened, it finds out who is
    /// there.
    pub(in crate::engine) fn tell_heard(&self, id: ConversationId, heard: Heard) {
        if let Some(live) = self.live(id) {
            super::send(&live, Input::Heard(heard));
        }
    }
}
