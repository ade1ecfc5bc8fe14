//! What a session's actor asks of the engine: to come in, to say things, to go.

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;

use actix::Recipient;

use crate::behavior::message::{FromSession, Heard, Join, ToConversation, ToSession};
use crate::domain::cause::{Cause, Leaving};
use crate::domain::conversation::command::StartRequest;
use crate::domain::id::{ConversationId, MessageId, Seq, SessionId, VisitorId, WidgetId};
use crate::domain::settings::Workstream;
use crate::domain::text::MessageText;
use crate::domain::time::{Span, Timestamp};
use crate::engine::directory::Outbox;
use crate::engine::failure::Failure;
use crate::engine::keepsake::Keepsake;
use crate::engine::post::{Claim, Delivery, Post as _};
use crate::engine::pulse::Pulse;
use crate::engine::requests::Engine;
use crate::limits;
use crate::wire::client::Reference;
use crate::wire::refusal::RefusalCode;

/// One session's way into the engine. It must be left with [`Visit::leave`].
pub struct Visit {
    engine: Engine,
    session: SessionId,
    widget: WidgetId,
    /// On which of the engine's threads the session lives; its new chats live there too.
    thread: usize,
    /// The signs of life that it shows to the conversation that it is in, or enters.
    pulse: Cell<Option<Arc<Pulse>>>,
}

/// How a session comes into a conversation.
#[derive(Clone, Debug)]
pub struct Entrance {
    /// The last place that the widget has seen; nothing when the session says later, by
    /// [`Visit::hear_from`], from where it wants to be told.
    pub after: Option<Seq>,
    /// How often it was asked to beat.
    pub heartbeat: Span,
    /// The program it says it is.
    pub program: Option<Arc<str>>,
    /// The visitors one of whom must have begun the conversation, which is not known to be there
    /// otherwise; anybody when absent.
    pub of: Option<[VisitorId; 2]>,
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

    /// Comes back into a conversation. The answer is [`ToSession::Joined`], followed by all that
    /// was missed, or [`ToSession::NotJoined`].
    pub fn join(&self, conversation: ConversationId, entrance: Entrance) -> Result<(), Failure> {
        self.send_join(conversation, None, entrance)
    }

    /// Asks again for the conversation that the session is in. The answer is as for
    /// [`Visit::join`]; a session that was given up meanwhile is closed.
    pub fn join_again(&self, conversation: ConversationId, entrance: Entrance) -> bool {
        self.say(conversation, FromSession::Again(Box::new(join(None, entrance))))
    }

    /// Asks for a chat; a visitor who has a live one comes back into it. The answer is as for
    /// [`Visit::join`], from the conversation that is given back.
    pub fn start(
        &self,
        request: StartRequest,
        entrance: Entrance,
    ) -> Result<ConversationId, RefusalCode> {
        self.start_keeping(request, entrance, None)
    }

    /// The same, with something that is dropped when the chat waits for its first agent no more, or
    /// does not begin.
    pub fn start_keeping(
        &self,
        request: StartRequest,
        entrance: Entrance,
        keepsake: Option<Keepsake>,
    ) -> Result<ConversationId, RefusalCode> {
        let (shared, directory) = (self.engine.shared(), self.engine.directory());
        let workstream = self.workstream().ok_or(RefusalCode::UnknownWidget)?;
        if shared.is_draining() {
            return Err(RefusalCode::Unavailable);
        }
        if shared.is_overloaded() {
            return Err(RefusalCode::Overloaded);
        }
        if directory.waiting_in(&workstream.queue) >= limits::QUEUE_WAITING_MAX {
            shared.metrics.mailbox_refusals.inc();
            return Err(RefusalCode::QueueFull);
        }
        if let Some(earlier) = self.chat_of(request.visitor) {
            return self.come_back(earlier, entrance);
        }
        // It is there before anybody can find it by its visitor: whoever did, and found nobody,
        // would read it from the journal, and then there were two of it.
        let id = shared.threads.mint_on(self.thread);
        let epoch = directory.enter_new(id);
        match directory.claim_visitor(self.widget.clone(), request.visitor, id) {
            Claim::Mine => {
                self.show_pulse(id);
                if let Some(keepsake) = keepsake {
                    shared.keep_while_waiting(id, keepsake);
                }
                let said = FromSession::Join(Box::new(join(Some(request), entrance)));
                let first = ToConversation::Session(self.session, said);
                directory.tell_live(id, first);
                Ok(id)
            }
            Claim::Theirs(earlier) => {
                directory.leave_unused(id, epoch);
                self.come_back(earlier, entrance)
            }
        }
    }

    fn come_back(
        &self,
        earlier: ConversationId,
        entrance: Entrance,
    ) -> Result<ConversationId, RefusalCode> {
        self.send_join(earlier, None, entrance)
            .map(|()| earlier)
            .map_err(|_| RefusalCode::Unavailable)
    }

    /// Asks for everything after a place of a conversation that the session is in.
    pub fn hear_from(&self, conversation: ConversationId, after: Seq) -> bool {
        self.say(conversation, FromSession::Hear { after, until: None })
    }

    /// Asks a conversation that is over for what comes after a place, up to another. The answer is
    /// its frames, and then [`ToSession::Over`].
    pub fn hear_rest(&self, conversation: ConversationId, after: Seq, until: Seq) -> bool {
        self.say(conversation, FromSession::Hear { after, until: Some(until) })
    }

    /// Has a conversation that is over, and told the session what it missed, know that the session
    /// is gone.
    pub fn hear_no_more(&self, conversation: ConversationId, cause: Cause) {
        self.say(conversation, FromSession::Lost(cause));
    }

    /// Gives up a visitor's claim that has turned out to be of a chat that is over.
    pub fn forget(&self, visitor: VisitorId, conversation: ConversationId) {
        let directory = self.engine.directory();
        directory.free_visitor(self.widget.clone(), visitor, conversation);
    }

    /// Posts a message. The answer is [`ToSession::Posted`] or [`ToSession::Refused`].
    pub fn post(
        &self,
        conversation: ConversationId,
        reference: Reference,
        id: MessageId,
        text: MessageText,
    ) -> bool {
        self.speak(conversation, FromSession::Post(reference, id, text))
    }

    /// Ends the chat. The answer is [`ToSession::Done`] or [`ToSession::Refused`].
    pub fn end(&self, conversation: ConversationId, reference: Reference) -> bool {
        self.speak(conversation, FromSession::End(reference))
    }

    /// Shows the conversation that it is in, or enters, that the session is there now. It is told
    /// by no message: it reads that before it decides anything.
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

    /// From now on it shows its life to this conversation.
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

    /// The conversation will not find this pulse any more: tells it what it has not read.
    fn tell_unread(&self, pulse: Option<Arc<Pulse>>) {
        let Some(pulse) = pulse else { return };
        let heard = Heard { session: self.session, signs: pulse.take() };
        self.engine.directory().tell_heard(pulse.conversation(), heard);
    }

    /// The customer types, or has stopped.
    pub fn typing(&self, conversation: ConversationId, on: bool) -> bool {
        self.speak(conversation, FromSession::Typing(on))
    }

    /// The customer has read up to a place.
    pub fn read(&self, conversation: ConversationId, seq: Seq) -> bool {
        self.speak(conversation, FromSession::Read(seq))
    }

    /// The page announced that it is being left, or, with nothing, that it is in front again.
    pub fn leaving(&self, conversation: ConversationId, how: Option<Leaving>) -> bool {
        self.speak(conversation, FromSession::Leaving(how))
    }

    /// The browser answers and the page has said nothing for long, or it has again.
    pub fn asleep(&self, conversation: ConversationId, on: bool) -> bool {
        self.say(conversation, FromSession::Asleep(on))
    }

    /// The session is gone.
    pub fn leave(&self, conversation: Option<ConversationId>, cause: Cause) {
        self.tell_unread(self.pulse.take());
        self.engine.directory().leave_session(self.session);
        if let Some(conversation) = conversation {
            self.say(conversation, FromSession::Lost(cause));
        }
    }

    /// Says something that shows that the session is there.
    fn speak(&self, conversation: ConversationId, said: FromSession) -> bool {
        self.with_pulse(conversation, |pulse| pulse.speak(self.engine.shared().clock.now()));
        self.say(conversation, said)
    }

    fn say(&self, conversation: ConversationId, said: FromSession) -> bool {
        let message = ToConversation::Session(self.session, said);
        self.engine.directory().tell(conversation, message) == Delivery::Sent
    }

    fn send_join(
        &self,
        conversation: ConversationId,
        start: Option<StartRequest>,
        entrance: Entrance,
    ) -> Result<(), Failure> {
        self.show_pulse(conversation);
        let said = FromSession::Join(Box::new(join(start, entrance)));
        if self.say(conversation, said) { Ok(()) } else { Err(Failure::Unavailable) }
    }
}

fn join(start: Option<StartRequest>, entrance: Entrance) -> Join {
    let Entrance { after, heartbeat, program, of } = entrance;
    Join { start, after, heartbeat, program, of }
}
