//! What a session's actor asks of the engine: to come in, to say things, to go.

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;

use actix::Recipient;

use crate::behavior::message::{FromSession, Heard, Join, ToConversation, ToSession};
use crate::domain::cause::Cause;
use crate::domain::conversation::command::StartRequest;
use crate::domain::id::{ConversationId, SessionId, VisitorId, WidgetId};
use crate::domain::settings::Workstream;
use crate::domain::time::Timestamp;
use crate::engine::directory::Outbox;
use crate::engine::keepsake::Keepsake;
use crate::engine::post::{Claim, Delivery, Post as _};
use crate::engine::pulse::Pulse;
use crate::engine::requests::Engine;
use crate::limits;
use crate::wire::refusal::RefusalCode;

/// One session's way into the engine. It ends with [`Visit::leave`]. If it is only dropped, the
/// session counts as one whose socket was reset.
pub struct Visit {
    engine: Engine,
    session: SessionId,
    widget: WidgetId,
    /// On which of the engine's threads the session lives; its new chats live there too.
    thread: usize,
    /// The signs of life that the session shows to the conversation that it is in, or enters.
    pulse: Cell<Option<Arc<Pulse>>>,
}

impl Engine {
    /// Lets a session in. What it is told goes to `address`; `outbox` says whether its socket has
    /// room.
    pub fn visit(
        &self,
        session: SessionId,
        widget: WidgetId,
        thread: usize,
        address: Recipient<ToSession>,
        outbox: Arc<dyn Outbox>,
    ) -> Visit {
        self.directory().enter_session(session, address, outbox);
        Visit { engine: self.clone(), session, widget, thread, pulse: Cell::default() }
    }
}

impl fmt::Debug for Visit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Visit").field("session", &self.session).finish_non_exhaustive()
    }
}

impl Visit {
    /// The session.
    pub const fn session(&self) -> SessionId {
        self.session
    }

    /// The engine.
    pub const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The settings that this session's chats are handled under; nothing once the widget or its
    /// workstream has been removed.
    pub fn workstream(&self) -> Option<Arc<Workstream>> {
        let settings = self.engine.shared().settings.load();
        settings.workstream_of_widget(&self.widget).cloned()
    }

    /// The live chat of a visitor in this widget.
    pub fn chat_of(&self, visitor: VisitorId) -> Option<ConversationId> {
        self.engine.directory().chat_of(&self.widget, visitor)
    }

    /// Asks for a chat; a visitor who has a live one comes back into it. The answer is
    /// [`ToSession::Joined`] or [`ToSession::NotJoined`] from the conversation that is returned.
    /// `join` says how the session comes in, and the request is put into it. `keepsake` is dropped
    /// when the chat no longer waits for its first agent, or does not begin.
    pub fn start(
        &self,
        request: StartRequest,
        join: Join,
        keepsake: Option<Keepsake>,
    ) -> Result<ConversationId, RefusalCode> {
        let (shared, directory) = (self.engine.shared(), self.engine.directory());
        let workstream = self.workstream().ok_or(RefusalCode::UnknownWidget)?;
        if shared.is_draining() {
            return Err(RefusalCode::Unavailable);
        }
        if shared.must_wait() {
            return Err(RefusalCode::Overloaded);
        }
        if directory.waiting_in(&workstream.queue) >= limits::QUEUE_WAITING_MAX {
            shared.metrics.mailbox_refusals.inc();
            return Err(RefusalCode::QueueFull);
        }
        if let Some(earlier) = self.chat_of(request.visitor) {
            return self.come_back(earlier, join);
        }
        // The chat is in the directory before it can be found by its visitor. Otherwise a session
        // that found it so, but no actor, would open it from the journal, and there would be two of
        // it.
        let id = shared.threads.mint_on(self.thread);
        let epoch = directory.enter_new(id);
        match directory.claim_visitor(self.widget.clone(), request.visitor, id) {
            Claim::Mine => {
                self.show_pulse(id);
                if let Some(keepsake) = keepsake {
                    shared.keep_while_waiting(id, keepsake);
                }
                let said = FromSession::Join(Box::new(Join { start: Some(request), ..join }));
                let first = ToConversation::Session(self.session, said);
                directory.tell_live(id, first);
                Ok(id)
            }
            Claim::Theirs(earlier) => {
                directory.leave_unused(id, epoch);
                self.come_back(earlier, join)
            }
        }
    }

    fn come_back(
        &self,
        earlier: ConversationId,
        join: Join,
    ) -> Result<ConversationId, RefusalCode> {
        let is_heard = self.say(earlier, FromSession::Join(Box::new(Join { start: None, ..join })));
        if is_heard { Ok(earlier) } else { Err(RefusalCode::Unavailable) }
    }

    /// Tells a conversation something. False if nobody hears it.
    pub fn say(&self, conversation: ConversationId, said: FromSession) -> bool {
        match &said {
            FromSession::Join(_) => self.show_pulse(conversation),
            FromSession::Post(..)
            | FromSession::End(_)
            | FromSession::Typing(_)
            | FromSession::Read(_)
            | FromSession::Leaving(_) => {
                // What was said shows that the session is there.
                let now = self.engine.shared().clock.now();
                self.with_pulse(conversation, |pulse| pulse.speak(now));
            }
            FromSession::Again(_)
            | FromSession::Hear { .. }
            | FromSession::Asleep(_)
            | FromSession::Lost(_) => {}
        }
        let message = ToConversation::Session(self.session, said);
        self.engine.directory().tell(conversation, message) == Delivery::Sent
    }

    /// Gives up a visitor's claim to a chat that has turned out to be over.
    pub fn forget(&self, visitor: VisitorId, conversation: ConversationId) {
        let directory = self.engine.directory();
        directory.free_visitor(self.widget.clone(), visitor, conversation);
    }

    /// Shows the conversation that the session is in, or enters, that the session is there now. No
    /// message says so: the conversation reads the pulse before it decides anything.
    pub fn hear(&self, conversation: ConversationId, now: Timestamp) {
        self.with_pulse(conversation, |pulse| pulse.beat(now));
    }

    fn with_pulse(&self, conversation: ConversationId, note: impl FnOnce(&Pulse)) {
        let pulse = self.pulse.take();
        if let Some(pulse) = pulse.as_deref().filter(|pulse| pulse.conversation() == conversation) {
            note(pulse);
        }
        self.pulse.set(pulse);
    }

    /// From now on the session shows its signs of life to this conversation.
    fn show_pulse(&self, conversation: ConversationId) {
        let pulse = self.pulse.take();
        if pulse.as_ref().is_some_and(|pulse| pulse.conversation() == conversation) {
            return self.pulse.set(pulse);
        }
        self.tell_unread(pulse);
        let new = Arc::new(Pulse::new(conversation, self.engine.now()));
        self.engine.directory().enter_pulse(self.session, Arc::clone(&new));
        self.pulse.set(Some(new));
    }

    /// Tells the conversation what it has not read of this pulse, which it will not find any more.
    fn tell_unread(&self, pulse: Option<Arc<Pulse>>) {
        let Some(pulse) = pulse else { return };
        let heard = Heard { session: self.session, signs: pulse.take() };
        self.engine.directory().tell_heard(pulse.conversation(), heard);
    }

    /// The session is gone. Only the first time counts.
    pub fn leave(&self, conversation: Option<ConversationId>, cause: Cause) {
        self.tell_unread(self.pulse.take());
        let was_here = self.engine.directory().leave_session(self.session);
        if let Some(conversation) = conversation.filter(|_| was_here) {
            self.say(conversation, FromSession::Lost(cause));
        }
    }
}

impl Drop for Visit {
    /// A session whose actor has died has gone, too, and its socket with it.
    fn drop(&mut self) {
        let conversation = self.pulse.get_mut().as_ref().map(|pulse| pulse.conversation());
        self.leave(conversation, Cause::Reset);
    }
}
