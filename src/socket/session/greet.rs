//! `hello` and `start`: how a session comes into a conversation, or into none.

use std::rc::Rc;

use actix::ActorContext;
use bytestring::ByteString;

use crate::domain::conversation::command::StartRequest;
use crate::domain::id::{ConversationId, Seq};
use crate::domain::session::{SessionCommand, SessionEvent};
use crate::domain::time::Span;
use crate::engine::{Entrance, NotJoined};
use crate::limits;
use crate::socket::WebsocketContext;
use crate::socket::line::Line;
use crate::socket::movement::{Carry, Departure};
use crate::socket::session::porter::Origin;
use crate::socket::session::question::{Awaiting, EndedChat, Question};
use crate::socket::session::{Door, SocketSession, code_of};
use crate::wire::client::{Hello, Start};
use crate::wire::close::CloseCode;
use crate::wire::refusal::RefusalCode;
use crate::wire::server::{Limits, Live, ServerFrame, refused};

/// How often a start is tried anew because the chat it led to had just ended.
const START_TRIES_MAX: u8 = 3;

impl SocketSession {
    pub(super) fn greet(
        &mut self,
        hello: Hello,
        text: ByteString,
        context: &mut WebsocketContext<Self>,
    ) {
        let event = match self.decide(SessionCommand::Hello) {
            Ok(Some(event)) => event,
            Ok(None) => return self.line.done(),
            Err(refusal) => {
                self.refuse(&refused(None, code_of(refusal)), context);
                return self.line.done();
            }
        };
        let Hello { visitor, token, after, page, locale } = hello;
        self.rare.visitor = self.door.visitor(visitor);
        let named = token.as_ref().and_then(|token| self.door.verify(token.reveal(), &self.widget));
        let known = named.or_else(|| self.visit.as_ref()?.chat_of(self.rare.visitor));
        if let Some(carry) = known.and_then(|known| self.way_to(known)) {
            // Nothing has been done yet: the session on the other thread begins anew.
            self.line.depart(Departure::new(text, carry));
            return context.stop();
        }
        self.apply(event);
        self.rare.page = page;
        self.rare.locale = locale;
        let after = after.unwrap_or(Seq::ZERO);
        if token.is_some() && named.is_none() {
            self.refuse(&refused(None, RefusalCode::TokenInvalid), context);
            self.door.note_invalid_token(&self.widget);
        }
        match known {
            Some(conversation) => {
                let by_token = named.is_some();
                let to = Question::Hello { after, by_token, ended: None };
                self.enter(conversation, after, to, context);
            }
            None => self.welcome_without(None, context),
        }
    }

    /// The way to the thread of its conversation, if that is another one and this is the first
    /// that it moves.
    fn way_to(&self, conversation: ConversationId) -> Option<Carry> {
        let origin = Origin {
            widget: self.widget.clone(),
            heartbeat: self.session.heartbeat(),
            program: self.rare.program.clone(),
        };
        if self.has_moved { None } else { self.door.way_to(conversation, origin) }
    }

    /// A session on the thread of its conversation, to which its socket was carried.
    pub(super) fn arrived(door: Rc<Door>, line: Line, origin: Origin) -> Self {
        let Origin { widget, heartbeat, program } = origin;
        let mut session = Self::new(door, line, widget, heartbeat, program);
        session.has_moved = true;
        session.door.engine().note_moved_socket();
        session
    }

    pub(super) fn ask_to_start(&mut self, frame: Start, context: &mut WebsocketContext<Self>) {
        match self.decide(SessionCommand::Start) {
            Ok(Some(event)) => {
                let joined = self.session.conversation();
                self.apply(event);
                self.start(frame, 1, joined, context);
            }
            Ok(None) => self.line.done(),
            Err(refusal) => {
                self.refuse(&refused(Some(&frame.reference), code_of(refusal)), context);
                self.line.done();
            }
        }
    }

    fn start(
        &mut self,
        frame: Start,
        tries: u8,
        joined: Option<ConversationId>,
        context: &mut WebsocketContext<Self>,
    ) {
        let request = StartRequest {
            widget: self.widget.clone(),
            visitor: self.rare.visitor,
            start: frame.id.clone(),
            name: frame.name.clone(),
            form: frame.form.clone(),
            context: frame.context.clone(),
            page: self.rare.page.clone(),
            locale: self.rare.locale.clone(),
        };
        // Whoever is in the chat already has seen what it was told of.
        let after = if joined.is_some() { self.seen } else { Seq::ZERO };
        let entrance = self.entrance(after);
        let begun = match &self.visit {
            Some(visit) => visit.start(request, entrance),
            None => Err(RefusalCode::Unavailable),
        };
        match begun {
            Ok(conversation) => {
                let to = Question::Start { frame: Box::new(frame), tries };
                self.rare.awaiting = Some(Awaiting { conversation, to });
            }
            Err(code) => {
                self.refuse(&refused(Some(&frame.reference), code), context);
                self.settle(joined, context);
            }
        }
    }

    fn enter(
        &mut self,
        conversation: ConversationId,
        after: Seq,
        to: Question,
        context: &mut WebsocketContext<Self>,
    ) {
        let entrance = self.entrance(after);
        self.rare.awaiting = Some(Awaiting { conversation, to });
        let sent = self.visit.as_ref().map(|visit| visit.join(conversation, entrance));
        if !matches!(sent, Some(Ok(()))) {
            self.rare.awaiting = None;
            self.close(CloseCode::Overload, context);
        }
    }

    /// The answer to `hello` or `start`: it is in the conversation.
    pub(super) fn joined(
        &mut self,
        conversation: ConversationId,
        state: crate::domain::conversation::State,
        seq: Seq,
        context: &mut WebsocketContext<Self>,
    ) {
        let Some(awaiting) = self.rare.awaiting.take() else { return };
        let token = self.door.token(conversation, &self.widget);
        let text = match &awaiting.to {
            Question::Hello { ended, .. } => {
                let live = Live { id: conversation, token: &token, state, seq };
                self.welcome(Some(live), ended.as_ref())
            }
            Question::Start { frame, .. } => {
                let reference = &frame.reference;
                ServerFrame::Started { reference, conversation, token: &token, state, seq }.render()
            }
        };
        self.seen = self.seen.max(seq);
        self.say(&text);
        self.settle(Some(conversation), context);
    }

    /// The answer to `hello` or `start`: it is not.
    pub(super) fn not_joined(
        &mut self,
        conversation: ConversationId,
        why: NotJoined,
        context: &mut WebsocketContext<Self>,
    ) {
        let Some(awaiting) = self.rare.awaiting.take() else { return };
        if let (NotJoined::Ended { .. } | NotJoined::Unknown, Some(visit)) = (&why, &self.visit) {
            visit.forget(self.rare.visitor, conversation);
        }
        match (awaiting.to, why) {
            (Question::Start { frame, .. }, NotJoined::Denied(code)) => {
                self.refuse(&refused(Some(&frame.reference), code), context);
                self.settle(None, context);
            }
            (Question::Start { frame, tries }, NotJoined::Ended { .. } | NotJoined::Unknown) => {
                if tries < START_TRIES_MAX {
                    return self.start(*frame, tries + 1, None, context);
                }
                let code = RefusalCode::Unavailable;
                self.refuse(&refused(Some(&frame.reference), code), context);
                self.settle(None, context);
            }
            (Question::Hello { .. }, NotJoined::Denied(_)) => {
                self.close(CloseCode::Overload, context);
            }
            (Question::Hello { after, by_token, ended }, why) => {
                let ended = if by_token { self.ended(conversation, why, context) } else { ended };
                self.try_visitor(conversation, after, by_token, ended, context);
            }
        }
    }

    /// The token's chat is over, but the visitor may have begun another in another tab.
    fn try_visitor(
        &mut self,
        over: ConversationId,
        after: Seq,
        by_token: bool,
        ended: Option<EndedChat>,
        context: &mut WebsocketContext<Self>,
    ) {
        let other = self.visit.as_ref().and_then(|visit| visit.chat_of(self.rare.visitor));
        match other.filter(|other| *other != over) {
            Some(other) => {
                // What the widget has seen was of the chat that is over.
                let after = if by_token { Seq::ZERO } else { after };
                let to = Question::Hello { after, by_token: false, ended };
                self.enter(other, after, to, context);
            }
            None => self.welcome_without(ended.as_ref(), context),
        }
    }

    fn ended(
        &mut self,
        id: ConversationId,
        why: NotJoined,
        context: &mut WebsocketContext<Self>,
    ) -> Option<EndedChat> {
        let NotJoined::Ended { state, reason, redirect, closed_at } = why else {
            self.refuse(&refused(None, RefusalCode::TokenInvalid), context);
            return None;
        };
        let remembered = Span::from_secs(limits::TOKEN_AFTER_CLOSE_SECONDS);
        if closed_at.is_some_and(|at| self.now().since(at) > remembered) {
            self.refuse(&refused(None, RefusalCode::TokenExpired), context);
            return None;
        }
        Some(EndedChat { id, state, reason: reason?, redirect })
    }

    fn welcome_without(&mut self, ended: Option<&EndedChat>, context: &mut WebsocketContext<Self>) {
        let text = self.welcome(None, ended);
        self.say(&text);
        self.settle(None, context);
    }

    fn welcome(&self, conversation: Option<Live<'_>>, ended: Option<&EndedChat>) -> ByteString {
        let workstream = self.visit.as_ref().and_then(crate::engine::Visit::workstream);
        let window = workstream.map_or(Span::ZERO, |workstream| workstream.window);
        ServerFrame::Welcome {
            session: self.id,
            heartbeat_ms: self.session.heartbeat(),
            window_ms: window,
            limits: Limits::NOW,
            conversation,
            ended: ended.map(EndedChat::frame),
        }
        .render()
    }

    /// The question is answered: the frame that asked it is done, and those behind it are taken.
    fn settle(
        &mut self,
        conversation: Option<ConversationId>,
        context: &mut WebsocketContext<Self>,
    ) {
        self.joined = conversation;
        self.has_ended &= conversation.is_none();
        let event = match conversation {
            Some(conversation) => SessionEvent::Joined(conversation),
            None => SessionEvent::Left,
        };
        self.apply(event);
        self.line.done();
        self.take_deferred(context);
    }

    fn entrance(&self, after: Seq) -> Entrance {
        let heartbeat = self.session.heartbeat();
        Entrance { after, heartbeat, program: self.rare.program.clone() }
    }
}
