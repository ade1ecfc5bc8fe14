//! The sockets of a simulated node, and what it does for the sessions at their ends.

use std::collections::VecDeque;

use holdline::access::{ConversationToken, visitor_id};
use holdline::behavior::message::{ToConversation, ToSession};
use holdline::domain::id::{SessionId, VisitorId, WidgetId};
use holdline::domain::time::Span;
use holdline::wire::client::{Token, VisitorSecret};
use holdline::wire::server::ServerFrame;

use crate::node::facts::Facts;
use crate::node::mail::{Mail, Party};
use crate::node::session::{Identified, Input, Output};
use crate::node::{Node, OUTBOX_FRAMES, PAGE_ENTRIES};
use crate::server::Seen;

/// A socket that is open.
#[derive(Debug, Default)]
pub struct Socket {
    /// What it has not taken; it takes everything at once unless it is stalled.
    outbox: VecDeque<Out>,
    is_stalled: bool,
    /// Frames that were given room and have not come yet.
    reserved: usize,
}

#[derive(Debug)]
enum Out {
    Frame(String),
    Ping,
}

impl Socket {
    /// How many frames are on their way to it.
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

    /// A socket takes what it is given, or does not any more.
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

    /// A session deals with one input, and with those that follow at once.
    pub(super) fn turn_session(&mut self, id: SessionId, input: Input) {
        let Some(mut actor) = self.sessions.remove(&id) else { return };
        let (now, settings, widget) =
            (self.clock(), self.settings.clone(), actor.behavior.widget().clone());
        let (mut out, mut is_over) = (Vec::new(), false);
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let input = self.with_token(input, &widget);
            let input = self.doors.into_session(input);
            let facts = Facts { settings: &settings, history: self.disk.history };
            actor.behavior.handle(input, now, &facts, &mut out);
            self.doors.out_of_session(&actor.behavior, &mut out);
            for output in out.drain(..) {
                is_over |= matches!(output, Output::Leave);
                inputs.extend(self.perform_for_session(id, &widget, output));
            }
            if is_over {
                break;
            }
        }
        let due = actor.behavior.wake_at().filter(|_| !is_over);
        self.rearm(&mut actor.alarm, due, Party::Session(id));
        if is_over {
            self.sockets.remove(&id);
        } else {
            self.sessions.insert(id, actor);
        }
    }

    /// Who is let in is given the token to come back with.
    fn with_token(&self, input: Input, widget: &WidgetId) -> Input {
        let Input::Told(told, _) = input else { return input };
        let token = match &told {
            ToSession::Joined { conversation, .. } => {
                let (secret, history) = (&self.secret, self.disk.history);
                Some(ConversationToken::issue(secret, history, *conversation, widget))
            }
            _ => None,
        };
        Input::Told(told, token)
    }

    /// Does what is to be done for a session; what it must hear of at once is given back.
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
                    return Some(Input::NoRoom);
                }
                self.put(id, Out::Frame(text));
            }
            Output::PassOn(text) => {
                if let Some(socket) = self.sockets.get_mut(&id) {
                    socket.reserved -= 1;
                }
                self.put(id, Out::Frame(text));
            }
            Output::Ping => self.put(id, Out::Ping),
            Output::Beat(conversation) => self.pulses.beat(id, conversation, self.clock()),
            Output::Identify { visitor, token } => {
                let identified = self.identify(widget, visitor, token.as_ref());
                return Some(Input::Identified(identified));
            }
            Output::FindChat(visitor) => return Some(Input::Found(self.chat_of(widget, visitor))),
            Output::Start(request, join) => {
                return Some(Input::Started(self.start_chat(id, *request, join)));
            }
            Output::ToConversation(conversation, said) => {
                self.tell_chat(conversation, ToConversation::Session(id, said));
            }
            Output::Forget(visitor, conversation) => {
                self.free_visitor(widget.clone(), visitor, conversation);
            }
            Output::Close(code) => {
                if self.sockets.get(&id).is_some_and(|socket| !socket.is_stalled) {
                    let retry = if code.invites_back() { 500 } else { 0 };
                    let bye = ServerFrame::bye(code, Span::from_millis(retry)).render();
                    self.seen.push(Seen::Frame(id, bye.to_string()));
                }
                self.seen.push(Seen::Closed(id, code.number()));
            }
            Output::Leave => {}
        }
        None
    }

    fn identify(
        &mut self,
        widget: &WidgetId,
        visitor: Option<VisitorSecret>,
        token: Option<&Token>,
    ) -> Identified {
        let visitor = match visitor {
            Some(kept) => {
                let digits = u128::from_be_bytes(kept.to_bytes());
                visitor_id(&self.secret, &format!("{digits:032x}"))
            }
            None => VisitorId::from_bits(self.mint()),
        };
        let verify =
            |token: &Token| ConversationToken::verify(&self.secret, token.reveal(), widget);
        let token_of = token.and_then(verify);
        let history = token_of.and_then(|(_, history)| history);
        let is_of_now = history.is_none_or(|history| history == self.disk.history);
        let named = token_of.map(|(named, _)| named);
        Identified { visitor, named, is_of_now, chat: self.chat_of(widget, visitor) }
    }
}
