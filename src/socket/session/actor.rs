//! The actor of a session.

use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;

use actix::{Actor, ActorContext, AsyncContext, Handler, StreamHandler};
use actix_web_actors::ws::{Message, ProtocolError, WebsocketContext};
use bytestring::ByteString;

use crate::domain::cause::Cause;
use crate::domain::conversation::command::Refusal;
use crate::domain::id::{ConversationId, Seq, SessionId, WidgetId};
use crate::domain::session::{
    Finish, Session, SessionCommand, SessionEvent, SessionRefusal, Stage,
};
use crate::domain::time::{Span, Timestamp};
use crate::engine::{ToSession, Visit};
use crate::socket::line::Line;
use crate::socket::session::codes::{code_of, code_of_finish};
use crate::socket::session::door::Door;
use crate::socket::session::guest::Guest;
use crate::socket::session::pace::Pace;
use crate::socket::session::question::{Awaiting, Question, Rare};
use crate::wire::client::{ClientFrame, Malformed, Reference, parse};
use crate::wire::close::CloseCode;
use crate::wire::refusal::RefusalCode;
use crate::wire::server::{RefusedFrame, ServerFrame, refused};

/// Drives one session.
pub struct SocketSession {
    pub(super) door: Rc<Door>,
    pub(super) line: Line,
    pub(super) id: SessionId,
    pub(super) widget: WidgetId,
    pub(super) visit: Option<Visit>,
    pub(super) session: Session,
    /// The conversation it is in, which must learn of its end whatever the session's own end is.
    pub(super) joined: Option<ConversationId>,
    /// Whether a chat that it was in is over, and it is in no other.
    pub(super) has_ended: bool,
    /// Whether its socket has changed its thread, which is done once at most.
    pub(super) has_moved: bool,
    /// What it awaits, and how it introduced itself.
    pub(super) rare: Box<Rare>,
    /// The latest place that it was told of.
    pub(super) seen: Seq,
    pub(super) spoke_at: Timestamp,
    pub(super) pace: Pace,
    /// Why we closed it, if we did.
    pub(super) closed_with: Option<CloseCode>,
}

impl std::fmt::Debug for SocketSession {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("SocketSession")
            .field("id", &self.id)
            .field("session", &self.session)
            .finish_non_exhaustive()
    }
}

impl SocketSession {
    pub(super) fn new(
        door: Rc<Door>,
        line: Line,
        widget: WidgetId,
        heartbeat: Span,
        program: Option<Arc<str>>,
        guest: Arc<Guest>,
    ) -> Self {
        let now = door.engine().now();
        Self {
            line,
            id: door.mint_session(),
            widget,
            visit: None,
            session: Session::new(now, heartbeat),
            joined: None,
            has_ended: false,
            has_moved: false,
            rare: Box::new(Rare::of(program, guest)),
            seen: Seq::ZERO,
            spoke_at: now,
            pace: Pace::new(now),
            closed_with: None,
            door,
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.door.engine().now()
    }

    pub(super) fn decide(
        &self,
        command: SessionCommand,
    ) -> Result<Option<SessionEvent>, SessionRefusal> {
        self.session.decide(command, self.now())
    }

    pub(super) fn apply(&mut self, event: SessionEvent) {
        let now = self.now();
        self.session.apply(event, now);
        self.rearm();
    }

    /// Says a frame.
    pub(super) fn say(&mut self, text: &ByteString) {
        self.say_at(text, self.now());
    }

    pub(super) fn say_at(&mut self, text: &ByteString, now: Timestamp) {
        self.spoke_at = now;
        self.line.text(text);
    }

    /// Takes one text frame, or keeps it until an answer has come.
    pub(super) fn take_text(&mut self, text: ByteString, context: &mut WebsocketContext<Self>) {
        // A heartbeat takes the time once.
        let now = self.now();
        self.hear_page();
        if self.session.stage() == Stage::Settling {
            self.be_heard(now);
            return self.rare.deferred.push_back(text);
        }
        if !self.pace.admit(now) {
            let told = refused(None, RefusalCode::RateLimited);
            self.refuse(&told, context);
            return self.line.done();
        }
        match parse(text.as_bytes()) {
            Ok(frame) => self.take_frame(frame, text, now, context),
            Err(malformed) => {
                self.refuse_malformed(&malformed, context);
                self.line.done();
            }
        }
    }

    pub(super) fn take_frame(
        &mut self,
        frame: ClientFrame,
        text: ByteString,
        now: Timestamp,
        context: &mut WebsocketContext<Self>,
    ) {
        match frame {
            ClientFrame::Hello(hello) => self.greet(hello, text, context),
            ClientFrame::Start(start) => self.ask_to_start(start, context),
            ClientFrame::Beat { seen } => self.beat(seen, now, context),
            ClientFrame::Post { reference, id, text } => {
                self.post(reference, id, text, context);
            }
            ClientFrame::End { reference } => {
                let asked = reference.clone();
                self.speak(Some(&asked), true, context, |visit, conversation| {
                    visit.end(conversation, reference)
                });
            }
            ClientFrame::Typing { on } => {
                self.speak(None, false, context, |visit, conversation| {
                    visit.typing(conversation, on)
                });
            }
            ClientFrame::Read { seq } => {
                self.speak(None, false, context, |visit, conversation| {
                    visit.read(conversation, seq)
                });
            }
            ClientFrame::Leaving { cause } => {
                if self.session.conversation().is_some() {
                    self.speak(None, false, context, |visit, conversation| {
                        visit.leaving(conversation, cause)
                    });
                } else {
                    // There is nobody yet whom it could concern.
                    self.line.done();
                }
            }
        }
    }

    /// Passes something on to the conversation. What is answered is done when the answer comes.
    pub(super) fn speak(
        &mut self,
        reference: Option<&Reference>,
        is_answered: bool,
        context: &mut WebsocketContext<Self>,
        say: impl FnOnce(&Visit, ConversationId) -> bool,
    ) {
        let passed = match self.decide(SessionCommand::Speak) {
            Ok(Some(event @ SessionEvent::Spoke(conversation))) => {
                self.apply(event);
                let said = self.visit.as_ref().is_some_and(|visit| say(visit, conversation));
                if said { Ok(()) } else { Err(RefusalCode::Unavailable) }
            }
            Ok(_) => Ok(()),
            Err(SessionRefusal::NotStarted) if self.has_ended => {
                Err(RefusalCode::Conversation(Refusal::ConversationEnded))
            }
            Err(refusal) => Err(code_of(refusal)),
        };
        match passed {
            Ok(()) if is_answered && self.session.conversation().is_some() => {}
            Ok(()) => self.line.done(),
            Err(code) => {
                self.refuse(&refused(reference, code), context);
                self.line.done();
            }
        }
    }

    pub(super) fn beat(
        &mut self,
        seen: Option<Seq>,
        now: Timestamp,
        context: &mut WebsocketContext<Self>,
    ) {
        match self.session.decide(SessionCommand::Beat, now) {
            Ok(event) => {
                self.heard(event, now);
                // A widget knows by this that it is heard; one that is told something else in the
                // same heartbeat knows it anyway.
                let quiet = now.since(self.spoke_at) >= self.session.heartbeat().divided_by(2);
                if quiet || seen.is_none_or(|seen| seen < self.seen) {
                    let beat = ServerFrame::Beat { seq: self.seen }.render();
                    self.say_at(&beat, now);
                }
            }
            Err(refusal) => self.refuse(&refused(None, code_of(refusal)), context),
        }
        self.line.done();
    }

    pub(super) fn heard(&mut self, event: Option<SessionEvent>, now: Timestamp) {
        let Some(event) = event else { return };
        self.be_heard(now);
        self.session.apply(event, now);
        self.rearm();
    }

    pub(super) fn refuse_malformed(
        &mut self,
        malformed: &Malformed,
        context: &mut WebsocketContext<Self>,
    ) {
        let text = ServerFrame::malformed(malformed).render();
        let told = RefusedFrame { code: malformed.code, text };
        self.refuse(&told, context);
    }

    /// Says that something was refused. A widget that is refused too often is closed.
    pub(super) fn refuse(&mut self, told: &RefusedFrame, context: &mut WebsocketContext<Self>) {
        self.door.engine().note_refused_frame(told.code.code());
        self.say(&told.text);
        // That something was refused is never refused.
        if let Ok(Some(event)) = self.decide(SessionCommand::Err) {
            match event {
                SessionEvent::Finished(_) => self.close(CloseCode::RefusedTooOften, context),
                event => self.apply(event),
            }
        }
    }

    pub(super) fn close(&mut self, code: CloseCode, context: &mut WebsocketContext<Self>) {
        if self.closed_with.is_some() {
            return;
        }
        self.closed_with = Some(code);
        self.line.close(code, self.door.retry_after(code, self.id));
        self.apply(SessionEvent::Finished(Finish::Asked));
        context.stop();
    }

    pub(super) fn rearm(&mut self) {
        let instant = self.session.wake_at().map(|at| self.door.engine().instant(at));
        self.line.wake_at(instant);
    }

    pub(super) fn wake(&mut self, context: &mut WebsocketContext<Self>) {
        // A wake is never refused.
        match self.decide(SessionCommand::Wake) {
            Ok(Some(SessionEvent::Finished(finish))) => self.close(code_of_finish(finish), context),
            Ok(Some(event)) => {
                if event == SessionEvent::Probed {
                    self.line.ping();
                }
                self.apply(event);
            }
            Ok(None) | Err(_) => self.rearm(),
        }
    }

    /// Takes what was kept while an answer was awaited.
    pub(super) fn take_deferred(&mut self, context: &mut WebsocketContext<Self>) {
        while self.session.stage() != Stage::Settling {
            let Some(text) = self.rare.deferred.pop_front() else {
                self.rare.deferred = VecDeque::new();
                return;
            };
            self.take_text(text, context);
        }
    }

    /// The conversation that must learn that this session is gone: the one that it is in, or the
    /// one that it was about to enter.
    pub(super) fn concerned(&self) -> Option<ConversationId> {
        let enters = |awaiting: &&Awaiting| !matches!(awaiting.to, Question::Missed);
        let awaited = self.rare.awaiting.as_ref().filter(enters);
        awaited.map(|awaiting| awaiting.conversation).or(self.joined)
    }

    /// The conversation that is over, of which it is being told what it missed.
    pub(super) fn telling(&self) -> Option<ConversationId> {
        let awaiting = self.rare.awaiting.as_ref()?;
        matches!(awaiting.to, Question::Missed).then_some(awaiting.conversation)
    }
}

impl Actor for SocketSession {
    type Context = WebsocketContext<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        let address = context.address().recipient::<ToSession>();
        let outbox = self.line.outbox();
        let visit = self.door.visit(self.id, self.widget.clone(), address, outbox);
        self.visit = Some(visit);
        self.rearm();
        let (session, widget) = (self.id, &self.widget);
        tracing::debug!(%session, %widget, "session {session} of widget {widget} has come");
    }

    fn stopped(&mut self, _: &mut Self::Context) {
        let cause = match (self.closed_with, self.line.end()) {
            (Some(code), _) => code.cause(),
            (None, Some(end)) => end.cause(),
            (None, None) => Cause::Reset,
        };
        let (session, conversation) = (self.id, self.concerned());
        let conversation_id = conversation.map(tracing::field::display);
        let why = cause.name();
        tracing::debug!(
            %session, conversation = conversation_id, why,
            "session {session} has gone"
        );
        if let Some(visit) = self.visit.take() {
            if let Some(over) = self.telling() {
                visit.hear_no_more(over, cause);
            }
            visit.leave(conversation, cause);
        }
    }
}

impl StreamHandler<Result<Message, ProtocolError>> for SocketSession {
    fn handle(&mut self, item: Result<Message, ProtocolError>, context: &mut Self::Context) {
        match item {
            Ok(Message::Text(text)) => return self.take_text(text, context),
            Ok(Message::Ping(_) | Message::Pong(_)) if !self.pace.admit_control(self.now()) => {
                self.close(CloseCode::RefusedTooOften, context);
            }
            Ok(Message::Ping(payload)) => {
                self.line.pong(&payload);
                self.show_life();
            }
            Ok(Message::Pong(_)) => self.hear_browser(),
            // Not a frame: the time that it asked for has come.
            Ok(Message::Nop) => return self.wake(context),
            Ok(Message::Binary(_) | Message::Continuation(_) | Message::Close(_)) | Err(_) => {}
        }
        self.line.done();
    }

    fn finished(&mut self, context: &mut Self::Context) {
        if self.line.has_given_all() {
            context.stop();
        }
    }
}

impl Handler<ToSession> for SocketSession {
    type Result = ();

    fn handle(&mut self, told: ToSession, context: &mut Self::Context) {
        self.told(told, context);
    }
}
