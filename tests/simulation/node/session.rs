//! The simulated actor of a session: it reads frames with the real parser, asks the real machine
//! whether they may be said, passes them on, and says what comes back.

mod greet;

use std::collections::VecDeque;

use holdline::domain::cause::Cause;
use holdline::domain::conversation::command::Refusal;
use holdline::domain::id::{ConversationId, Seq, SessionId, VisitorId, WidgetId};
use holdline::domain::session::{
    Finish, Session, SessionCommand, SessionEvent, SessionRefusal, Stage,
};
use holdline::domain::time::{Span, Timestamp};
use holdline::engine::{Closing, ToSession};
use holdline::wire::client::{ClientFrame, Reference, parse};
use holdline::wire::close::CloseCode;
use holdline::wire::refusal::RefusalCode;
use holdline::wire::server::{ServerFrame, refused};

use crate::node::mail::{FromSession, Mail};
use crate::node::session::greet::Awaiting;
use crate::node::timers::{Alarm, Timer};
use crate::node::{Node, OUTBOX_FRAMES};
use crate::server::Seen;

/// The actor of one session, and its end of the socket.
#[derive(Debug)]
pub struct Visit {
    id: SessionId,
    widget: WidgetId,
    session: Session,
    visitor: VisitorId,
    joined: Option<ConversationId>,
    has_ended: bool,
    awaiting: Option<Awaiting>,
    deferred: VecDeque<String>,
    seen: Seq,
    spoke_at: Timestamp,
    timer: Option<Alarm>,
    closed_with: Option<CloseCode>,
    /// What its socket has not taken; it takes everything at once unless it is stalled.
    outbox: VecDeque<Out>,
    pub is_stalled: bool,
    /// Frames that were given room and have not come yet.
    pub reserved: usize,
}

#[derive(Debug)]
enum Out {
    Frame(String),
    Ping,
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
            deferred: VecDeque::new(),
            seen: Seq::ZERO,
            spoke_at: now,
            timer: None,
            closed_with: None,
            outbox: VecDeque::new(),
            is_stalled: false,
            reserved: 0,
        }
    }

    /// How many frames are on their way to its socket.
    pub fn frames(&self) -> usize {
        self.outbox.len() + self.reserved
    }

    /// Whether it goes on after this message.
    pub fn handle(&mut self, node: &mut Node, mail: Mail) -> bool {
        match mail {
            Mail::Text(text) => self.take_text(node, text),
            Mail::Pong => self.show_life(node),
            Mail::Session(told) => self.told(node, told),
            Mail::Ended(cause) => {
                self.leave(node, cause);
                return false;
            }
            other => unreachable!("a session is never told {other:?}"),
        }
        self.goes_on(node)
    }

    pub fn goes_on(&mut self, node: &mut Node) -> bool {
        let Some(code) = self.closed_with else { return true };
        self.leave(node, code.cause());
        false
    }

    fn leave(&mut self, node: &mut Node, cause: Cause) {
        if let Some(alarm) = self.timer.take() {
            node.disarm(alarm);
        }
        if let Some(over) = self.telling() {
            let mail = Mail::Said(self.id, FromSession::Lost(cause));
            node.tell_chat(over, mail);
        }
        if let Some(conversation) = self.concerned() {
            let mail = Mail::Said(self.id, FromSession::Lost(cause));
            node.tell_chat(conversation, mail);
        }
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

    /// The socket takes what it is given, or does not any more.
    pub fn stall(&mut self, node: &mut Node, stalled: bool) {
        self.is_stalled = stalled;
        if !stalled {
            self.flush(node);
        }
    }

    fn flush(&mut self, node: &mut Node) {
        for out in self.outbox.drain(..) {
            node.seen.push(match out {
                Out::Frame(text) => Seen::Frame(self.id, text),
                Out::Ping => Seen::Ping(self.id),
            });
        }
    }

    fn put(&mut self, node: &mut Node, out: Out) {
        if let (true, Out::Frame(text)) = (self.is_stalled, &out) {
            node.seen.push(Seen::Unread(self.id, text.clone()));
        }
        self.outbox.push_back(out);
        if !self.is_stalled {
            self.flush(node);
        }
    }

    fn decide(
        &self,
        node: &Node,
        command: SessionCommand,
    ) -> Result<Option<SessionEvent>, SessionRefusal> {
        self.session.decide(command, node.clock())
    }

    fn apply(&mut self, node: &mut Node, event: SessionEvent) {
        self.session.apply(event, node.clock());
        self.rearm(node);
    }

    fn rearm(&mut self, node: &mut Node) {
        if let Some(alarm) = self.timer.take() {
            node.disarm(alarm);
        }
        if let Some(at) = self.session.wake_at() {
            self.timer = Some(node.arm_at(at, Timer::Session(self.id)));
        }
    }

    pub fn started(&mut self, node: &mut Node) {
        self.rearm(node);
    }

    fn say(&mut self, node: &mut Node, text: String) {
        self.spoke_at = node.clock();
        if self.frames() >= OUTBOX_FRAMES {
            return self.close(node, CloseCode::SlowReader);
        }
        self.put(node, Out::Frame(text));
    }

    fn take_text(&mut self, node: &mut Node, text: String) {
        if self.session.stage() == Stage::Settling {
            self.show_life_to_awaited(node);
            return self.deferred.push_back(text);
        }
        match parse(text.as_bytes()) {
            Ok(ClientFrame::Hello(hello)) => self.greet(node, hello),
            Ok(ClientFrame::Start(start)) => self.ask_to_start(node, start),
            Ok(ClientFrame::Beat { seen }) => self.beat(node, seen),
            Ok(ClientFrame::Post { reference, id, text }) => {
                let said = FromSession::Post(reference.clone(), id, text);
                self.speak(node, Some(&reference), said);
            }
            Ok(ClientFrame::End { reference }) => {
                self.speak(node, Some(&reference), FromSession::End(reference.clone()));
            }
            Ok(ClientFrame::Typing { .. } | ClientFrame::Read { .. }) => {
                self.speak(node, None, FromSession::Typing);
            }
            Ok(ClientFrame::Leaving { cause }) => {
                if self.session.conversation().is_some() {
                    self.speak(node, None, FromSession::Leaving(cause));
                }
            }
            Err(malformed) => panic!("the world's widgets speak well: {malformed} in {text}"),
        }
    }

    fn speak(&mut self, node: &mut Node, reference: Option<&Reference>, said: FromSession) {
        let code = match self.decide(node, SessionCommand::Speak) {
            Ok(Some(event @ SessionEvent::Spoke(conversation))) => {
                self.apply(node, event);
                return node.tell_chat(conversation, Mail::Said(self.id, said));
            }
            Ok(_) => return,
            Err(SessionRefusal::NotStarted) if self.has_ended => {
                RefusalCode::Conversation(Refusal::ConversationEnded)
            }
            Err(refusal) => code_of(refusal),
        };
        self.refuse(node, refused(reference, code).to_string());
    }

    fn beat(&mut self, node: &mut Node, seen: Option<Seq>) {
        match self.decide(node, SessionCommand::Beat) {
            Ok(event) => {
                self.heard(node, event);
                let quiet =
                    node.clock().since(self.spoke_at) >= self.session.heartbeat().divided_by(2);
                if quiet || seen.is_none_or(|seen| seen < self.seen) {
                    self.say(node, ServerFrame::Beat { seq: self.seen }.render().to_string());
                }
            }
            Err(refusal) => self.refuse(node, refused(None, code_of(refusal)).to_string()),
        }
    }

    fn heard(&mut self, node: &mut Node, event: Option<SessionEvent>) {
        let Some(event) = event else { return };
        match event {
            SessionEvent::Heard(Some(conversation)) => node.hear(conversation, self.id),
            _ => self.show_life_to_awaited(node),
        }
        self.session.apply(event, node.clock());
        if self.timer.is_none() {
            self.rearm(node);
        }
    }

    /// A conversation may know of the session before the session knows that it is in there.
    fn show_life_to_awaited(&self, node: &mut Node) {
        if let Some(conversation) = self.concerned()
            && self.awaiting.is_some()
            && !node.rules.is_deaf_while_settling()
        {
            node.hear(conversation, self.id);
        }
    }

    fn show_life(&mut self, node: &mut Node) {
        if let Ok(event) = self.decide(node, SessionCommand::Beat) {
            self.heard(node, event);
        }
    }

    fn refuse(&mut self, node: &mut Node, told: String) {
        self.say(node, told);
        if let Ok(Some(event)) = self.decide(node, SessionCommand::Err) {
            match event {
                SessionEvent::Finished(_) => self.close(node, CloseCode::RefusedTooOften),
                event => self.apply(node, event),
            }
        }
    }

    fn close(&mut self, node: &mut Node, code: CloseCode) {
        if self.closed_with.is_some() {
            return;
        }
        self.closed_with = Some(code);
        if !self.is_stalled {
            let retry = if code.invites_back() { 500 } else { 0 };
            let bye = ServerFrame::bye(code, Span::from_millis(retry)).render();
            node.seen.push(Seen::Frame(self.id, bye.to_string()));
        }
        node.seen.push(Seen::Closed(self.id, code.number()));
        self.apply(node, SessionEvent::Finished(Finish::Asked));
    }

    pub fn wake(&mut self, node: &mut Node) {
        self.timer = None;
        match self.decide(node, SessionCommand::Wake) {
            Ok(Some(SessionEvent::Finished(finish))) => {
                self.close(node, code_of_finish(finish));
            }
            Ok(Some(event)) => {
                if event == SessionEvent::Probed {
                    self.put(node, Out::Ping);
                }
                self.apply(node, event);
            }
            Ok(None) | Err(_) => self.rearm(node),
        }
    }

    fn told(&mut self, node: &mut Node, told: ToSession) {
        match told {
            ToSession::Frame { seq, text } => {
                self.reserved -= 1;
                if self.telling().is_some() {
                    self.session.apply(SessionEvent::Heard(None), node.clock());
                } else {
                    self.seen = self.seen.max(seq);
                }
                self.spoke_at = node.clock();
                self.put(node, Out::Frame(text.to_string()));
            }
            ToSession::Posted { reference, id, seq, at } => {
                self.seen = self.seen.max(seq);
                let posted = ServerFrame::Posted { reference: &reference, id: &id, seq, at };
                self.say(node, posted.render().to_string());
            }
            ToSession::Done { reference, state, seq, reason } => {
                self.seen = self.seen.max(seq);
                let reference = Some(&reference);
                let frame = ServerFrame::State { reference, seq, state, reason };
                self.say(node, frame.render().to_string());
            }
            ToSession::Refused { reference, code } => {
                self.refuse(node, refused(Some(&reference), code).to_string());
            }
            ToSession::Joined { conversation, state, seq } => {
                self.joined(node, conversation, state, seq);
            }
            ToSession::NotJoined { conversation, why } => {
                self.not_joined(node, conversation, why);
            }
            ToSession::Over(conversation) => {
                if self.telling() == Some(conversation) {
                    return self.told_all(node);
                }
                if self.session.conversation() == Some(conversation) {
                    self.joined = None;
                    self.has_ended = true;
                    self.apply(node, SessionEvent::Left);
                }
            }
            ToSession::Probe => self.put(node, Out::Ping),
            ToSession::Close(closing) => self.close(node, code_of_closing(closing)),
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
