//! The actor of a session: it gives the behavior its inputs, and performs its outputs.

use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;

use actix::{Actor, ActorContext, AsyncContext, Handler, StreamHandler};
use actix_web_actors::ws::{Message, ProtocolError, WebsocketContext};
use bytestring::ByteString;

use crate::behavior::message::Join;
use crate::behavior::session::{
    Behavior, ChatRequest, Facts, Input, Nearby, NotStarted, Note, Output, Presence, Spending,
    Unheard,
};
use crate::domain::cause::Cause;
use crate::domain::conversation::command::StartRequest;
use crate::domain::id::{ConversationId, Seq, SessionId, WidgetId};
use crate::domain::time::{Span, Timestamp};
use crate::engine::{ToSession, Visit};
use crate::socket::line::{Line, SocketEnd};
use crate::socket::movement::Departure;
use crate::socket::session::door::Door;
use crate::socket::session::guest::Guest;
use crate::socket::session::routes::Origin;
use crate::strangers::{OverBudget, Use};
use crate::wire::refusal::RefusalCode;

/// Drives one session.
pub struct SocketSession {
    door: Rc<Door>,
    line: Line,
    id: SessionId,
    widget: WidgetId,
    guest: Arc<Guest>,
    visit: Option<Visit>,
    behavior: Behavior,
}

const _: () = assert!(size_of::<SocketSession>() <= 184, "every socket has one");

impl std::fmt::Debug for SocketSession {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("SocketSession")
            .field("id", &self.id)
            .field("behavior", &self.behavior)
            .finish_non_exhaustive()
    }
}

impl SocketSession {
    pub(super) fn new(door: Rc<Door>, line: Line, origin: Origin) -> Self {
        Self::begun_as(Behavior::new, door, line, origin)
    }

    /// A session on the thread of its conversation, to which its socket was carried.
    pub(super) fn arrived(door: Rc<Door>, line: Line, origin: Origin) -> Self {
        door.engine().note_moved_socket();
        Self::begun_as(Behavior::arrived, door, line, origin)
    }

    fn begun_as(
        begin: impl FnOnce(Timestamp, Span, Option<Arc<str>>) -> Behavior,
        door: Rc<Door>,
        line: Line,
        origin: Origin,
    ) -> Self {
        let Origin { widget, heartbeat, program, guest } = origin;
        let behavior = begin(door.engine().now(), heartbeat, program);
        Self { id: door.mint_session(), door, line, widget, guest, visit: None, behavior }
    }

    /// Gives the behavior one input, and the inputs that follow from it.
    fn turn(&mut self, input: Input, context: &mut WebsocketContext<Self>) {
        // The clock is read once in a turn, also for a heartbeat.
        let now = self.door.engine().now();
        let (mut inputs, mut outputs) = (Inputs::of(input), self.door.take_outputs());
        while let Some(input) = inputs.take() {
            let near =
                Surroundings { door: &self.door, widget: &self.widget, visit: self.visit.as_ref() };
            let history = self.door.engine().journal_history();
            let facts = Facts { session: self.id, history, near: &near };
            self.behavior.handle(input, now, &facts, &mut outputs);
            for output in outputs.drain(..) {
                if let Some(input) = self.perform(output, now, context) {
                    inputs.add(input);
                }
            }
        }
        self.door.give_back(outputs);
        self.rearm();
    }

    /// Performs one output; returns the input that the behavior must have at once, if any.
    fn perform(
        &mut self,
        output: Output,
        now: Timestamp,
        context: &mut WebsocketContext<Self>,
    ) -> Option<Input> {
        match output {
            Output::Say(text) => self.line.text(&text),
            Output::PassOn(text) => self.line.pass_on(&text),
            Output::Ping => self.line.ping(),
            Output::Pong(payload) => self.line.pong(&payload),
            Output::Done => self.line.done(),
            Output::Beat(conversation) => {
                if let Some(visit) = &self.visit {
                    visit.hear(conversation, now);
                }
            }
            Output::Identify(shown) => {
                let identified = self.door.identify(*shown, &self.widget);
                return Some(Input::Identified(Box::new(identified)));
            }
            Output::FindChat(visitor) => {
                let found = self.visit.as_ref().and_then(|visit| visit.chat_of(visitor));
                return Some(Input::Found(found));
            }
            Output::Spend(spending) => return Some(self.spend(spending)),
            Output::Start(request) => return Some(Input::Started(self.begin(*request))),
            Output::ToConversation(conversation, said) => {
                let unheard = Unheard::of(&said);
                let is_heard = |visit: &Visit| visit.say(conversation, said);
                let is_heard = self.visit.as_ref().is_some_and(is_heard);
                return unheard.filter(|_| !is_heard).map(Input::Unheard);
            }
            Output::Forget(visitor, conversation) => {
                if let Some(visit) = &self.visit {
                    visit.forget(visitor, conversation);
                }
            }
            Output::Count(Presence::InChat) => self.guest.enter_chat(),
            Output::Count(Presence::WithoutChat) => self.guest.leave_chat(),
            Output::Depart(text, conversation) => {
                self.depart(text, conversation);
                context.stop();
            }
            Output::Close(code) => {
                self.line.close(code, self.door.retry_after(code, self.id));
                context.stop();
            }
            Output::Leave(conversation, cause) => self.leave(conversation, cause),
            Output::Resume => return Some(Input::Resume),
            Output::Note(note) => self.note(note),
        }
        None
    }

    fn spend(&self, spending: Spending) -> Input {
        let spent = match &spending {
            Spending::Post(.., text) => self.guest.ask_to_post(text.as_str().len()),
            Spending::RefusedToken => self.guest.ask_to_show_another_token(),
        };
        match spent {
            Ok(()) => Input::Spent(spending),
            Err(over) => Input::OverBudget(spending, Span::from_secs(over.retry_after_s())),
        }
    }

    /// Begins a chat, if the budgets of the guest allow it, or brings the visitor back into their
    /// present chat.
    fn begin(&self, asked: ChatRequest) -> Result<ConversationId, NotStarted> {
        let Some(visit) = &self.visit else {
            return Err(NotStarted { code: RefusalCode::Unavailable, retry_after: None });
        };
        let ChatRequest { visitor, start, name, form, context, page, locale, heartbeat, program } =
            asked;
        // A visitor who comes back into a chat begins none.
        let is_new = visit.chat_of(visitor).is_none();
        let keepsake = is_new.then(|| self.guest.ask_to_wait()).transpose();
        let keepsake = keepsake.map_err(|over| denied(&over))?.flatten();
        let (widget, salt) = (self.widget.clone(), self.door.mint_salt());
        let request =
            StartRequest { widget, visitor, start, salt, name, form, context, page, locale };
        let join = Join { start: None, after: Some(Seq::ZERO), heartbeat, program, of: None };
        visit.start(request, join, keepsake).map_err(|code| NotStarted { code, retry_after: None })
    }

    /// Has the socket carried to the thread of this conversation.
    fn depart(&self, text: ByteString, conversation: ConversationId) {
        let origin = Origin {
            widget: self.widget.clone(),
            heartbeat: self.behavior.heartbeat(),
            program: self.behavior.program().cloned(),
            guest: Arc::clone(&self.guest),
        };
        if let Some(carry) = self.door.way_to(conversation, origin) {
            self.line.depart(Departure::new(text, carry));
        }
    }

    fn leave(&mut self, conversation: Option<ConversationId>, cause: Cause) {
        let (session, conversation_id) = (self.id, conversation.map(tracing::field::display));
        let why = cause.name();
        tracing::debug!(
            %session, conversation = conversation_id, why,
            "session {session} has gone"
        );
        if let Some(visit) = self.visit.take() {
            visit.leave(conversation, cause);
        }
    }

    fn note(&self, note: Note) {
        match note {
            Note::Refused(code) => self.door.engine().note_refused_frame(code.code()),
            Note::InvalidToken => self.door.note_invalid_token(&self.widget),
            Note::NotVouched(code, why) => self.door.note_not_vouched(&self.widget, code, why),
        }
    }

    fn rearm(&self) {
        let instant = self.behavior.wake_at().map(|at| self.door.engine().instant(at));
        self.line.wake_at(instant);
    }
}

fn denied(over: &OverBudget) -> NotStarted {
    let code = match over.of {
        Use::WaitingChat => RefusalCode::TooManyWaiting,
        _ => RefusalCode::TooManyStarts,
    };
    NotStarted { code, retry_after: Some(Span::from_secs(over.retry_after_s())) }
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

    fn stopped(&mut self, context: &mut Self::Context) {
        let cause = self.line.end().map_or(Cause::Reset, SocketEnd::cause);
        self.turn(Input::Ended(cause), context);
    }
}

impl StreamHandler<Result<Message, ProtocolError>> for SocketSession {
    fn handle(&mut self, item: Result<Message, ProtocolError>, context: &mut Self::Context) {
        match item {
            Ok(Message::Text(text)) => self.turn(Input::Text(text), context),
            Ok(Message::Ping(payload)) => self.turn(Input::Ping(payload), context),
            Ok(Message::Pong(_)) => self.turn(Input::Pong, context),
            // Not a frame: the time that the session asked for has come.
            Ok(Message::Nop) => self.turn(Input::Wake, context),
            Ok(Message::Binary(_) | Message::Continuation(_) | Message::Close(_)) | Err(_) => {
                self.line.done();
            }
        }
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
        let token = match told {
            ToSession::Joined { conversation, .. } => {
                Some(self.door.token(conversation, &self.widget).into_boxed_str())
            }
            _ => None,
        };
        self.turn(Input::Told(told, token), context);
    }
}

/// What a session reads of its surroundings.
#[derive(Debug)]
struct Surroundings<'a> {
    door: &'a Door,
    widget: &'a WidgetId,
    visit: Option<&'a Visit>,
}

impl Nearby for Surroundings<'_> {
    fn window(&self) -> Span {
        let workstream = self.visit.and_then(Visit::workstream);
        workstream.map_or(Span::ZERO, |workstream| workstream.window)
    }

    fn requires_admission(&self) -> bool {
        self.door.requires_admission(self.widget)
    }

    fn is_elsewhere(&self, conversation: ConversationId) -> bool {
        self.door.is_elsewhere(conversation)
    }
}

/// The inputs that a session is still to be given in this turn. Nearly always there is one, which
/// needs no room of its own.
#[derive(Debug)]
struct Inputs {
    first: Option<Input>,
    others: VecDeque<Input>,
}

impl Inputs {
    /// A turn that begins with this input.
    const fn of(input: Input) -> Self {
        Self { first: Some(input), others: VecDeque::new() }
    }

    /// Adds an input that is given after all others.
    fn add(&mut self, input: Input) {
        if self.first.is_none() && self.others.is_empty() {
            self.first = Some(input);
        } else {
            self.others.push_back(input);
        }
    }

    /// Takes the next input.
    fn take(&mut self) -> Option<Input> {
        self.first.take().or_else(|| self.others.pop_front())
    }
}
