//! The sockets of a simulated node, and what it does for the sessions at their ends.

use std::collections::VecDeque;

use holdline::access::{ConversationToken, visitor_id};
use holdline::behavior::message::{FromSession, Heard, Join, ToConversation, ToSession};
use holdline::domain::cause::Cause;
use holdline::domain::conversation::command::StartRequest;
use holdline::domain::id::{ConversationId, Seq, SessionId, VisitorId, WidgetId};
use holdline::domain::time::Span;
use holdline::wire::client::Token;
use holdline::wire::close::CloseCode;
use holdline::wire::server::ServerFrame;

use crate::node::mail::{Mail, Party};
use crate::node::session::{
    ChatRequest, Credentials, Facts, Identified, Input, Named, NotStarted, Output, Surroundings,
};
use crate::node::{Node, OUTBOX_FRAMES, PAGE_ENTRIES, chat};
use crate::server::Seen;

/// A socket that is open.
#[derive(Debug, Default)]
pub struct Socket {
    /// What the socket has not taken; unless it is stalled, it takes everything at once.
    outbox: VecDeque<Out>,
    is_stalled: bool,
    /// Frames that have reserved room and have not come yet.
    reserved: usize,
}

#[derive(Debug)]
enum Out {
    Frame(String),
    Ping,
}

impl Socket {
    /// How many frames are on their way to the socket.
    fn frames(&self) -> usize {
        self.outbox.len() + self.reserved
    }
}

impl Node {
    /// Tells a session something. False when its socket has no room for the frame.
    pub(super) fn tell_session(&mut self, session: SessionId, told: ToSession) -> bool {
        let Some(socket) = self.sockets.get_mut(&session) else { return true };
        if matches!(told, ToSession::Frame { .. }) {
            if socket.frames() >= OUTBOX_FRAMES {
                return false;
            }
            socket.reserved += 1;
        }
        self.send(Party::Session(session), Mail::Session(Input::Told(told, None)));
        true
    }

    pub(super) fn has_room_for_page(&self, session: SessionId) -> bool {
        let socket = self.sockets.get(&session);
        socket.is_some_and(|socket| socket.frames() + 2 * PAGE_ENTRIES < OUTBOX_FRAMES)
    }

    /// A socket takes what it is given, or no longer does.
    pub(super) fn stall_socket(&mut self, session: SessionId, stalled: bool) {
        if let Some(socket) = self.sockets.get_mut(&session) {
            socket.is_stalled = stalled;
            self.flush(session);
        }
    }

    fn flush(&mut self, session: SessionId) {
        let Some(socket) = self.sockets.get_mut(&session).filter(|it| !it.is_stalled) else {
            return;
        };
        self.seen.extend(socket.outbox.drain(..).map(|out| match out {
            Out::Frame(text) => Seen::Frame(session, text),
            Out::Ping => Seen::Ping(session),
        }));
    }

    fn put(&mut self, session: SessionId, out: Out) {
        let Some(socket) = self.sockets.get_mut(&session) else { return };
        if let (true, Out::Frame(text)) = (socket.is_stalled, &out) {
            self.seen.push(Seen::Unread(session, text.clone()));
        }
        socket.outbox.push_back(out);
        self.flush(session);
    }

    /// A session deals with one input, and with the inputs that follow at once.
    pub(super) fn turn_session(&mut self, id: SessionId, input: Input) {
        let Some(mut actor) = self.sessions.remove(&id) else { return };
        let (now, widget) = (self.clock(), actor.behavior.widget.clone());
        let workstream = self.settings.workstream_of_widget(&widget);
        let window = workstream.map_or(Span::ZERO, |workstream| workstream.window);
        let near = Surroundings { window };
        let facts = Facts { session: id, history: self.disk.history, near: &near };
        let (mut out, mut is_over) = (Vec::new(), false);
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let input = self.with_token(input, &widget);
            let input = self.doors.into_session(input);
            actor.behavior.dialogue.handle(input, now, &facts, &mut out);
            self.doors.out_of_session(&actor.behavior.dialogue, &mut out);
            for output in out.drain(..) {
                is_over |= matches!(output, Output::Leave(..));
                inputs.extend(self.perform_for_session(id, &widget, output));
            }
            if is_over {
                break;
            }
        }
        let due = actor.behavior.dialogue.wake_at().filter(|_| !is_over);
        self.rearm(&mut actor.alarm, due, Party::Session(id));
        if is_over {
            self.sockets.remove(&id);
        } else {
            self.sessions.insert(id, actor);
        }
    }

    /// Gives a session that is let in the token for its return.
    fn with_token(&self, input: Input, widget: &WidgetId) -> Input {
        let Input::Told(told, _) = input else { return input };
        let token = match &told {
            ToSession::Joined { conversation, .. } => {
                let (secret, history) = (&self.secret, self.disk.history);
                let token = ConversationToken::issue(secret, history, *conversation, widget);
                Some(token.into_boxed_str())
            }
            _ => None,
        };
        Input::Told(told, token)
    }

    /// Performs an output of a session, and returns what the session must hear at once.
    fn perform_for_session(
        &mut self,
        id: SessionId,
        widget: &WidgetId,
        output: Output,
    ) -> Option<Input> {
        match output {
            Output::Say(text) => {
                let is_full = self.sockets.get(&id).is_some_and(|it| it.frames() >= OUTBOX_FRAMES);
                if is_full {
                    self.close_socket(id, CloseCode::SlowReader);
                    return Some(Input::Ended(CloseCode::SlowReader.cause()));
                }
                self.put(id, Out::Frame(text.to_string()));
            }
            Output::PassOn(text) => {
                if let Some(socket) = self.sockets.get_mut(&id) {
                    socket.reserved -= 1;
                }
                self.put(id, Out::Frame(text.to_string()));
            }
            Output::Ping => self.put(id, Out::Ping),
            Output::Beat(conversation) => self.pulses.beat(id, conversation, self.clock()),
            Output::Identify(shown) => {
                return Some(Input::Identified(Box::new(self.identify(widget, *shown))));
            }
            Output::FindChat(visitor) => return Some(Input::Found(self.chat_of(widget, visitor))),
            Output::Spend(spending) => return Some(Input::Spent(spending)),
            Output::Start(asked) => {
                return Some(Input::Started(self.begin_chat(id, widget, *asked)));
            }
            Output::ToConversation(conversation, said) => {
                self.tell_chat(conversation, ToConversation::Session(id, said));
            }
            Output::Forget(visitor, conversation) => {
                self.free_visitor(widget.clone(), visitor, conversation);
            }
            Output::Close(code) => self.close_socket(id, code),
            Output::Leave(conversation, cause) => self.leave(id, conversation, cause),
            Output::Resume => return Some(Input::Resume),
            Output::Done | Output::Count(_) | Output::Note(_) => {}
            Output::Pong(_) | Output::Depart(..) => unreachable!("nobody asks for this"),
        }
        None
    }

    fn close_socket(&mut self, id: SessionId, code: CloseCode) {
        if self.sockets.get(&id).is_some_and(|socket| !socket.is_stalled) {
            let retry = if code.invites_back() { 500 } else { 0 };
            let bye = ServerFrame::bye(code, Span::from_millis(retry)).render();
            self.seen.push(Seen::Frame(id, bye.to_string()));
        }
        self.seen.push(Seen::Closed(id, code.number()));
    }

    /// A session is gone: its last signs of life are told before that.
    fn leave(&mut self, session: SessionId, conversation: Option<ConversationId>, cause: Cause) {
        let Some(conversation) = conversation else { return };
        if let Some(signs) = self.pulses.take_signs(session, conversation) {
            self.give_live(conversation, chat::Input::Heard(Heard { session, signs }));
        }
        let lost = ToConversation::Session(session, FromSession::Lost(cause));
        self.tell_chat(conversation, lost);
    }

    fn begin_chat(
        &mut self,
        session: SessionId,
        widget: &WidgetId,
        asked: ChatRequest,
    ) -> Result<ConversationId, NotStarted> {
        let ChatRequest { visitor, start, name, form, context, page, locale, heartbeat, program } =
            asked;
        let (widget, salt) = (widget.clone(), 0);
        let request =
            StartRequest { widget, visitor, start, salt, name, form, context, page, locale };
        let join = Join { start: None, after: Some(Seq::ZERO), heartbeat, program, of: None };
        let started = self.start_chat(session, request, join);
        started.map_err(|code| NotStarted { code, retry_after: None })
    }

    fn identify(&mut self, widget: &WidgetId, shown: Credentials) -> Identified {
        let browser = match shown.visitor {
            Some(kept) => {
                let digits = u128::from_be_bytes(kept.to_bytes());
                visitor_id(&self.secret, &format!("{digits:032x}"))
            }
            None => VisitorId::from_bits(self.mint()),
        };
        let verify =
            |token: &Token| ConversationToken::verify(&self.secret, token.reveal(), widget);
        let named = shown.token.as_ref().and_then(verify).map(|(conversation, history)| {
            let is_of_this_history = history.is_none_or(|history| history == self.disk.history);
            Named { conversation, is_of_this_history }
        });
        Identified { browser, vouched: Ok(None), named }
    }
}
