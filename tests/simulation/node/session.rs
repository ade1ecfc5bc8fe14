//! The simulated behavior of a session: it reads frames with the real parser, asks the real machine
//! whether they may be said, passes them on, and says what comes back.

mod greet;
pub mod input;

use std::collections::VecDeque;

use holdline::behavior::message::{Closing, FromSession, ToSession};
use holdline::domain::cause::Cause;
use holdline::domain::conversation::command::Refusal;
use holdline::domain::id::{ConversationId, Seq, SessionId, VisitorId, WidgetId};
use holdline::domain::session::{
    Finish, Session, SessionCommand, SessionEvent, SessionRefusal, Stage,
};
use holdline::domain::time::{Span, Timestamp};
use holdline::wire::client::{ClientFrame, Reference, parse};
use holdline::wire::close::CloseCode;
use holdline::wire::refusal::RefusalCode;
use holdline::wire::server::{ServerFrame, refused};

use crate::node::facts::Facts;
use crate::node::session::greet::{Asking, Awaiting};
pub use crate::node::session::input::{Identified, Input, Output, Turn};

/// A session, as its actor has it.
#[derive(Debug)]
pub struct Visit {
    id: SessionId,
    widget: WidgetId,
    session: Session,
    visitor: VisitorId,
    joined: Option<ConversationId>,
    has_ended: bool,
    awaiting: Option<Awaiting>,
    asking: Option<Asking>,
    deferred: VecDeque<String>,
    seen: Seq,
    spoke_at: Timestamp,
    closed_with: Option<CloseCode>,
}

impl Visit {
    pub fn new(id: SessionId, widget: WidgetId, heartbeat: Span, now: Timestamp) -> Self {
        Self {
            id,
            widget,
            session: Session::new(now, heartbeat),
            visitor: VisitorId::from_bits(0),
            joined: None,
            has_ended: false,
            awaiting: None,
            asking: None,
            deferred: VecDeque::new(),
            seen: Seq::ZERO,
            spoke_at: now,
            closed_with: None,
        }
    }

    /// The widget that it is of.
    pub const fn widget(&self) -> &WidgetId {
        &self.widget
    }

    /// Up to which place it was told.
    pub const fn seen(&self) -> Seq {
        self.seen
    }

    /// Whether it waits for the answer of a conversation.
    pub const fn is_awaiting(&self) -> bool {
        self.awaiting.is_some()
    }

    /// When it wants to be woken.
    pub fn wake_at(&self) -> Option<Timestamp> {
        self.session.wake_at()
    }

    /// Deals with one input.
    pub fn handle(
        &mut self,
        input: Input,
        now: Timestamp,
        facts: &Facts<'_>,
        out: &mut Vec<Output>,
    ) {
        let turn = &mut Turn { now, facts, out };
        match input {
            Input::Text(text) => self.take_text(turn, text),
            Input::Pong => self.show_life(turn),
            Input::Told(told, token) => self.told(turn, told, token),
            Input::Identified(identified) => self.identified(turn, identified),
            Input::Found(chat) => self.found(turn, chat),
            Input::Started(started) => self.started(turn, started),
            Input::NoRoom => self.close(turn, CloseCode::SlowReader),
            Input::Wake => self.wake(turn),
            Input::Ended(cause) => return self.leave(turn, cause),
        }
        if let Some(code) = self.closed_with {
            self.leave(turn, code.cause());
        }
    }

    fn leave(&self, turn: &mut Turn<'_>, cause: Cause) {
        for left in self.telling().into_iter().chain(self.concerned()) {
            turn.tell(left, FromSession::Lost(cause));
        }
        turn.out.push(Output::Leave);
    }

    /// The conversation that it is in, or is about to enter.
    fn concerned(&self) -> Option<ConversationId> {
        let enters = |awaiting: &&Awaiting| !awaiting.is_for_missed();
        let awaited = self.awaiting.as_ref().filter(enters);
        awaited.map(|awaiting| awaiting.conversation).or(self.joined)
    }

    /// The conversation that is over, of which it is being told what it missed.
    fn telling(&self) -> Option<ConversationId> {
        let awaiting = self.awaiting.as_ref().filter(|awaiting| awaiting.is_for_missed())?;
        Some(awaiting.conversation)
    }

    fn apply(&mut self, turn: &Turn<'_>, event: SessionEvent) {
        self.session.apply(event, turn.now);
    }

    fn say(&mut self, turn: &mut Turn<'_>, text: String) {
        self.spoke_at = turn.now;
        turn.out.push(Output::Say(text));
    }

    fn take_text(&mut self, turn: &mut Turn<'_>, text: String) {
        if self.session.stage() == Stage::Settling {
            self.show_life_to_awaited(turn);
            return self.deferred.push_back(text);
        }
        match parse(text.as_bytes()) {
            Ok(ClientFrame::Hello(hello)) => self.greet(turn, hello),
            Ok(ClientFrame::Start(start)) => self.ask_to_start(turn, start),
            Ok(ClientFrame::Beat { seen }) => self.beat(turn, seen),
            Ok(ClientFrame::Post { reference, id, text }) => {
                let said = FromSession::Post(reference.clone(), id, text);
                self.speak(turn, Some(&reference), said);
            }
            Ok(ClientFrame::End { reference }) => {
                self.speak(turn, Some(&reference), FromSession::End(reference.clone()));
            }
            Ok(ClientFrame::Typing { on }) => self.speak(turn, None, FromSession::Typing(on)),
            Ok(ClientFrame::Read { seq }) => self.speak(turn, None, FromSession::Read(seq)),
            Ok(ClientFrame::Leaving { cause }) => {
                if self.session.conversation().is_some() {
                    self.speak(turn, None, FromSession::Leaving(cause));
                }
            }
            Err(malformed) => panic!("the world's widgets speak well: {malformed} in {text}"),
        }
    }

    fn speak(&mut self, turn: &mut Turn<'_>, reference: Option<&Reference>, said: FromSession) {
        let code = match self.session.decide(SessionCommand::Speak, turn.now) {
            Ok(Some(event @ SessionEvent::Spoke(conversation))) => {
                self.apply(turn, event);
                return turn.tell(conversation, said);
            }
            Ok(_) => return,
            Err(SessionRefusal::NotStarted) if self.has_ended => {
                RefusalCode::Conversation(Refusal::ConversationEnded)
            }
            Err(refusal) => code_of(refusal),
        };
        self.refuse(turn, refused(reference, code).to_string());
    }

    fn beat(&mut self, turn: &mut Turn<'_>, seen: Option<Seq>) {
        match self.session.decide(SessionCommand::Beat, turn.now) {
            Ok(event) => {
                self.heard(turn, event);
                let quiet = turn.now.since(self.spoke_at) >= self.session.heartbeat().divided_by(2);
                if quiet || seen.is_none_or(|seen| seen < self.seen) {
                    self.say(turn, ServerFrame::Beat { seq: self.seen }.render().to_string());
                }
            }
            Err(refusal) => self.refuse(turn, refused(None, code_of(refusal)).to_string()),
        }
    }

    fn heard(&mut self, turn: &mut Turn<'_>, event: Option<SessionEvent>) {
        let Some(event) = event else { return };
        match event {
            SessionEvent::Heard(Some(conversation)) => turn.out.push(Output::Beat(conversation)),
            _ => self.show_life_to_awaited(turn),
        }
        self.session.apply(event, turn.now);
    }

    /// A conversation may know of the session before the session knows that it is in there.
    fn show_life_to_awaited(&self, turn: &mut Turn<'_>) {
        if let Some(conversation) = self.concerned().filter(|_| self.awaiting.is_some()) {
            turn.out.push(Output::Beat(conversation));
        }
    }

    fn show_life(&mut self, turn: &mut Turn<'_>) {
        if let Ok(event) = self.session.decide(SessionCommand::Beat, turn.now) {
            self.heard(turn, event);
        }
    }

    fn refuse(&mut self, turn: &mut Turn<'_>, told: String) {
        self.say(turn, told);
        if let Ok(Some(event)) = self.session.decide(SessionCommand::Err, turn.now) {
            match event {
                SessionEvent::Finished(_) => self.close(turn, CloseCode::RefusedTooOften),
                event => self.apply(turn, event),
            }
        }
    }

    fn close(&mut self, turn: &mut Turn<'_>, code: CloseCode) {
        if self.closed_with.is_some() {
            return;
        }
        self.closed_with = Some(code);
        turn.out.push(Output::Close(code));
        self.apply(turn, SessionEvent::Finished(Finish::Asked));
    }

    fn wake(&mut self, turn: &mut Turn<'_>) {
        match self.session.decide(SessionCommand::Wake, turn.now) {
            Ok(Some(SessionEvent::Finished(finish))) => {
                self.close(turn, code_of_finish(finish));
            }
            Ok(Some(event)) => {
                if event == SessionEvent::Probed {
                    turn.out.push(Output::Ping);
                }
                self.apply(turn, event);
            }
            Ok(None) | Err(_) => {}
        }
    }

    fn told(&mut self, turn: &mut Turn<'_>, told: ToSession, token: Option<String>) {
        match told {
            ToSession::Frame { seq, text } => {
                if self.telling().is_some() {
                    self.session.apply(SessionEvent::Heard(None), turn.now);
                } else {
                    self.seen = self.seen.max(seq);
                }
                self.spoke_at = turn.now;
                turn.out.push(Output::PassOn(text.to_string()));
            }
            ToSession::Posted { reference, id, seq, at } => {
                self.seen = self.seen.max(seq);
                let posted = ServerFrame::Posted { reference: &reference, id: &id, seq, at };
                self.say(turn, posted.render().to_string());
            }
            ToSession::Done { reference, state, seq, reason } => {
                self.seen = self.seen.max(seq);
                let reference = Some(&reference);
                let frame = ServerFrame::State { reference, seq, state, reason };
                self.say(turn, frame.render().to_string());
            }
            ToSession::Refused { reference, code } => {
                self.refuse(turn, refused(Some(&reference), code).to_string());
            }
            ToSession::Joined { conversation, state, seq } => {
                let token = token.expect("it comes with a token");
                self.joined(turn, conversation, state, seq, &token);
            }
            ToSession::NotJoined { conversation, why } => {
                self.not_joined(turn, conversation, why);
            }
            ToSession::Over(conversation) => {
                if self.telling() == Some(conversation) {
                    return self.told_all(turn);
                }
                if self.session.conversation() == Some(conversation) {
                    self.joined = None;
                    self.has_ended = true;
                    self.apply(turn, SessionEvent::Left);
                }
            }
            ToSession::Probe => turn.out.push(Output::Ping),
            ToSession::Close(closing) => self.close(turn, code_of_closing(closing)),
        }
    }
}

fn code_of(refusal: SessionRefusal) -> RefusalCode {
    match refusal {
        SessionRefusal::AlreadyGreeted => RefusalCode::AlreadyGreeted,
        SessionRefusal::HelloFirst => RefusalCode::HelloFirst,
        SessionRefusal::AlreadyStarted => RefusalCode::Conversation(Refusal::AlreadyStarted),
        SessionRefusal::NotStarted => RefusalCode::Conversation(Refusal::NotStarted),
    }
}

fn close_code_of(denied: RefusalCode) -> CloseCode {
    match denied {
        RefusalCode::Conversation(Refusal::ConversationFull) => CloseCode::RefusedTooOften,
        _ => CloseCode::Overload,
    }
}

fn code_of_finish(finish: Finish) -> CloseCode {
    match finish {
        Finish::NoHello => CloseCode::HelloTimeout,
        Finish::RefusedTooOften => CloseCode::RefusedTooOften,
        Finish::Silent => CloseCode::Silent,
        Finish::Unanswered => CloseCode::Internal,
        Finish::Asked => CloseCode::Normal,
    }
}

fn code_of_closing(closing: Closing) -> CloseCode {
    match closing {
        Closing::Draining | Closing::Restarted => CloseCode::Restart,
        Closing::Replaced => CloseCode::Replaced,
        Closing::Silent => CloseCode::Silent,
        Closing::Slow => CloseCode::SlowReader,
    }
}
