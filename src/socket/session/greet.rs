//! `hello`: how a session comes into a conversation, or into none.

use std::rc::Rc;
use std::sync::Arc;

use actix::ActorContext;
use actix_web_actors::ws::WebsocketContext;
use bytestring::ByteString;

use crate::domain::id::{ConversationId, Seq};
use crate::domain::session::{SessionCommand, SessionEvent};
use crate::domain::time::Span;
use crate::engine::{Entrance, NotJoined};
use crate::limits;
use crate::socket::line::Line;
use crate::socket::movement::{Carry, Departure};
use crate::socket::session::actor::SocketSession;
use crate::socket::session::codes::{close_code_of, code_of};
use crate::socket::session::door::Door;
use crate::socket::session::question::{Awaiting, EndedChat, Question};
use crate::socket::session::routes::Origin;
use crate::wire::client::Hello;
use crate::wire::close::CloseCode;
use crate::wire::refusal::RefusalCode;
use crate::wire::server::{Limits, Live, ServerFrame, refused};

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
        let Hello { visitor, token, admission, after, page, locale } = hello;
        let not_vouched = self.introduce(visitor, admission.as_ref()).err();
        let named = token.as_ref().and_then(|token| self.door.verify(token.reveal(), &self.widget));
        // A place of another history means nothing here: then all of it is told.
        let is_place = named.is_some_and(|(_, is_known)| is_known);
        let named = named.map(|(conversation, _)| conversation);
        let known = named.or_else(|| self.own_chat());
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
            if !self.rare.guest.may_show_another_token() {
                return self.close(CloseCode::RefusedTooOften, context);
            }
        }
        if !not_vouched.is_none_or(|why| self.may_go_on_without_admission(why, context)) {
            return self.close(CloseCode::RefusedTooOften, context);
        }
        match known {
            Some(conversation) => {
                let by_token = named.is_some();
                // What the widget has seen was of the token's chat.
                let after = if is_place { after } else { Seq::ZERO };
                let to = Question::Hello { after, by_token, ended: None };
                self.enter(conversation, Some(after), to, context);
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
            guest: Arc::clone(&self.rare.guest),
        };
        if self.has_moved { None } else { self.door.way_to(conversation, origin) }
    }

    /// A session on the thread of its conversation, to which its socket was carried.
    pub(super) fn arrived(door: Rc<Door>, line: Line, origin: Origin) -> Self {
        let Origin { widget, heartbeat, program, guest } = origin;
        let mut session = Self::new(door, line, widget, heartbeat, program, guest);
        session.has_moved = true;
        session.door.engine().note_moved_socket();
        session
    }

    fn enter(
        &mut self,
        conversation: ConversationId,
        after: Option<Seq>,
        to: Question,
        context: &mut WebsocketContext<Self>,
    ) {
        let mut entrance = self.entrance(after);
        if matches!(to, Question::Hello { by_token: true, .. }) {
            entrance.of = self.rare.vouched.as_deref().map(|visitor| [*visitor, self.rare.browser]);
        }
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
        if self.joined != Some(conversation) {
            // What it was told before was of another chat.
            self.seen = Seq::ZERO;
        }
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
            Question::Missed => return,
        };
        self.seen = self.seen.max(seq);
        self.say(&text);
        let ended = match awaiting.to {
            Question::Hello { ended, .. } => ended.filter(EndedChat::was_missed),
            Question::Start { .. } | Question::Missed => None,
        };
        self.joined = Some(conversation);
        self.rare.guest.enter_chat();
        match ended {
            Some(ended) => self.ask_what_was_missed(&ended, context),
            None => self.settle(Some(conversation), context),
        }
    }

    /// Asks the chat that is over for what the widget has not seen of it. Until all of it was told
    /// the session takes no other frame, and is told nothing of the chat that it is in: what
    /// carries no name of its chat must come from one at a time.
    fn ask_what_was_missed(&mut self, ended: &EndedChat, context: &mut WebsocketContext<Self>) {
        let EndedChat { id: conversation, after, seq: until, .. } = *ended;
        self.rare.awaiting = Some(Awaiting { conversation, to: Question::Missed });
        let visit = self.visit.as_ref();
        if !visit.is_some_and(|visit| visit.hear_rest(conversation, after, until)) {
            self.rare.awaiting = None;
            self.close(CloseCode::Overload, context);
        }
    }

    /// It was told all that it missed of a chat that is over.
    pub(super) fn told_all(&mut self, context: &mut WebsocketContext<Self>) {
        self.rare.awaiting = None;
        if let (Some(joined), Some(visit)) = (self.joined, &self.visit)
            && !visit.hear_from(joined, Seq::ZERO)
        {
            return self.close(CloseCode::Overload, context);
        }
        self.settle(self.joined, context);
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
            visit.forget(self.rare.visitor(), conversation);
        }
        match (awaiting.to, why) {
            (Question::Start { frame, .. }, NotJoined::Denied(code)) => {
                self.refuse(&refused(Some(&frame.reference), code), context);
                self.settle(None, context);
            }
            (Question::Start { frame, tries }, NotJoined::Ended { .. } | NotJoined::Unknown) => {
                self.try_start_again(*frame, tries, context);
            }
            (Question::Hello { .. }, NotJoined::Denied(code)) => {
                self.refuse(&refused(None, code), context);
                self.close(close_code_of(code), context);
            }
            (Question::Hello { after, by_token, ended }, why) => {
                let ended =
                    if by_token { self.ended(conversation, after, why, context) } else { ended };
                self.try_visitor(conversation, ended, context);
            }
            (Question::Missed, _) => {}
        }
    }

    /// The token's chat is over, but the visitor may have begun another in another tab.
    fn try_visitor(
        &mut self,
        over: ConversationId,
        ended: Option<EndedChat>,
        context: &mut WebsocketContext<Self>,
    ) {
        let other = self.own_chat();
        match other.filter(|other| *other != over) {
            Some(other) => {
                // What the widget has seen was of the chat that is over, and what it missed of that
                // comes first.
                let was_missed = ended.as_ref().is_some_and(EndedChat::was_missed);
                let after = Some(Seq::ZERO).filter(|_| !was_missed);
                let to = Question::Hello { after: Seq::ZERO, by_token: false, ended };
                self.enter(other, after, to, context);
            }
            None => self.welcome_without(ended.as_ref(), context),
        }
    }

    fn ended(
        &mut self,
        id: ConversationId,
        after: Seq,
        why: NotJoined,
        context: &mut WebsocketContext<Self>,
    ) -> Option<EndedChat> {
        let NotJoined::Ended { state, reason, seq, redirect, closed_at } = why else {
            self.refuse(&refused(None, RefusalCode::TokenInvalid), context);
            return None;
        };
        let remembered = Span::from_secs(limits::TOKEN_AFTER_CLOSE_SECONDS);
        if closed_at.is_some_and(|at| self.now().since(at) > remembered) {
            self.refuse(&refused(None, RefusalCode::TokenExpired), context);
            return None;
        }
        Some(EndedChat { id, state, reason: reason?, after, seq, redirect })
    }

    fn welcome_without(&mut self, ended: Option<&EndedChat>, context: &mut WebsocketContext<Self>) {
        let text = self.welcome(None, ended);
        self.say(&text);
        self.has_ended |= ended.is_some();
        match ended.filter(|ended| ended.was_missed()) {
            Some(ended) => self.ask_what_was_missed(ended, context),
            None => self.settle(None, context),
        }
    }

    fn welcome(&self, conversation: Option<Live<'_>>, ended: Option<&EndedChat>) -> ByteString {
        let workstream = self.visit.as_ref().and_then(crate::engine::Visit::workstream);
        let window = workstream.map_or(Span::ZERO, |workstream| workstream.window);
        ServerFrame::Welcome {
            session: self.id,
            heartbeat_ms: self.session.heartbeat(),
            window_ms: window,
            history: self.door.engine().journal_history(),
            limits: Limits::NOW,
            conversation,
            ended: ended.map(EndedChat::frame),
        }
        .render()
    }

    /// The question is answered: the frame that asked it is done, and those behind it are taken.
    pub(super) fn settle(
        &mut self,
        conversation: Option<ConversationId>,
        context: &mut WebsocketContext<Self>,
    ) {
        self.joined = conversation;
        if conversation.is_none() {
            self.rare.guest.leave_chat();
        }
        self.has_ended &= conversation.is_none();
        let event = match conversation {
            Some(conversation) => SessionEvent::Joined(conversation),
            None => SessionEvent::Left,
        };
        self.apply(event);
        self.line.done();
        self.take_deferred(context);
    }

    pub(super) fn entrance(&self, after: Option<Seq>) -> Entrance {
        let heartbeat = self.session.heartbeat();
        Entrance { after, heartbeat, program: self.rare.program.clone(), of: None }
    }
}
