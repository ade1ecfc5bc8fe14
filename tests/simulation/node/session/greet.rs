//! `hello` and `start` at a simulated node: how a session comes into a conversation, or into none.

use holdline::access::{ConversationToken, visitor_id};
use holdline::domain::conversation::State;
use holdline::domain::conversation::command::StartRequest;
use holdline::domain::conversation::event::Reason;
use holdline::domain::id::{ConversationId, Seq, VisitorId};
use holdline::domain::session::{SessionCommand, SessionEvent};
use holdline::domain::time::Span;
use holdline::engine::NotJoined;
use holdline::wire::client::{Hello, Start};
use holdline::wire::refusal::RefusalCode;
use holdline::wire::server::{Ended, Limits, Live, ServerFrame, refused};

use crate::node::Node;
use crate::node::mail::{FromSession, Join, Mail};
use crate::node::session::{Visit, close_code_of, code_of};

const START_TRIES_MAX: u8 = 3;

/// The answer that a session waits for.
#[derive(Debug)]
pub struct Awaiting {
    pub conversation: ConversationId,
    to: Question,
}

#[derive(Debug)]
enum Question {
    Hello { after: Seq, by_token: bool, ended: Option<EndedChat> },
    Missed,
    Start { frame: Box<Start>, tries: u8 },
}

#[derive(Clone, Debug)]
struct EndedChat {
    id: ConversationId,
    state: State,
    reason: Reason,
    after: Seq,
    seq: Seq,
}

impl Awaiting {
    pub fn is_for_missed(&self) -> bool {
        matches!(self.to, Question::Missed)
    }
}

impl EndedChat {
    fn was_missed(&self) -> bool {
        self.after < self.seq
    }
}

impl Visit {
    pub(super) fn greet(&mut self, node: &mut Node, hello: Hello) {
        match self.decide(node, SessionCommand::Hello) {
            Ok(Some(event)) => self.apply(node, event),
            Ok(None) => return,
            Err(refusal) => {
                return self.refuse(node, refused(None, code_of(refusal)).to_string());
            }
        }
        let Hello { visitor, token, after, .. } = hello;
        self.visitor = match visitor {
            Some(kept) => {
                let digits = u128::from_be_bytes(kept.to_bytes());
                visitor_id(&node.secret, &format!("{digits:032x}"))
            }
            None => VisitorId::from_bits(node.mint()),
        };
        let verify = |token: &str| ConversationToken::verify(&node.secret, token, &self.widget);
        let token_of = token.as_ref().and_then(|token| verify(token.reveal()));
        let history = token_of.and_then(|(_, history)| history);
        let is_place = history.is_none_or(|history| history == node.disk.history);
        let is_place = is_place || node.rules.trusts_other_histories();
        let after = after.filter(|_| is_place).unwrap_or(Seq::ZERO);
        let named = token_of.map(|(named, _)| named);
        if token.is_some() && named.is_none() {
            self.refuse(node, refused(None, RefusalCode::TokenInvalid).to_string());
        }
        match named.or_else(|| node.chat_of(&self.widget, self.visitor)) {
            Some(conversation) => {
                let by_token = named.is_some();
                let after = if by_token { after } else { Seq::ZERO };
                let to = Question::Hello { after, by_token, ended: None };
                self.enter(node, conversation, Some(after), to);
            }
            None => self.welcome_without(node, None),
        }
    }

    pub(super) fn ask_to_start(&mut self, node: &mut Node, frame: Start) {
        match self.decide(node, SessionCommand::Start) {
            Ok(Some(event)) => {
                let joined = self.session.conversation();
                self.apply(node, event);
                let Some(conversation) = joined else { return self.start(node, frame, 1) };
                let to = Question::Start { frame: Box::new(frame), tries: 0 };
                let after = if node.rules.trusts_the_session() { self.seen } else { Seq::ZERO };
                let after = Some(after);
                let join = Join { start: None, after, heartbeat: self.session.heartbeat() };
                self.awaiting = Some(Awaiting { conversation, to });
                let said = FromSession::Again(Box::new(join));
                node.tell_chat(conversation, Mail::Said(self.id, said));
            }
            Ok(None) => {}
            Err(refusal) => {
                let told = refused(Some(&frame.reference), code_of(refusal));
                self.refuse(node, told.to_string());
            }
        }
    }

    fn start(&mut self, node: &mut Node, frame: Start, tries: u8) {
        let request = StartRequest {
            widget: self.widget.clone(),
            visitor: self.visitor,
            start: frame.id.clone(),
            salt: 0,
            name: frame.name.clone(),
            form: frame.form.clone(),
            context: frame.context.clone(),
            page: None,
            locale: None,
        };
        let after = Some(Seq::ZERO);
        let join = Join { start: None, after, heartbeat: self.session.heartbeat() };
        match node.start_chat(self.id, request, join) {
            Ok(conversation) => {
                let to = Question::Start { frame: Box::new(frame), tries };
                self.awaiting = Some(Awaiting { conversation, to });
            }
            Err(code) => {
                self.refuse(node, refused(Some(&frame.reference), code).to_string());
                self.settle(node, None);
            }
        }
    }

    fn enter(
        &mut self,
        node: &mut Node,
        conversation: ConversationId,
        after: Option<Seq>,
        to: Question,
    ) {
        let join = Join { start: None, after, heartbeat: self.session.heartbeat() };
        self.awaiting = Some(Awaiting { conversation, to });
        node.join_chat(self.id, conversation, join);
    }

    pub(super) fn joined(
        &mut self,
        node: &mut Node,
        conversation: ConversationId,
        state: State,
        seq: Seq,
    ) {
        let Some(awaiting) = self.awaiting.take() else { return };
        if self.joined != Some(conversation) {
            self.seen = Seq::ZERO;
        }
        let token =
            ConversationToken::issue(&node.secret, node.disk.history, conversation, &self.widget);
        let text = match &awaiting.to {
            Question::Hello { ended, .. } => {
                let live = Live { id: conversation, token: &token, state, seq };
                self.welcome(node, Some(live), ended.as_ref())
            }
            Question::Start { frame, .. } => {
                let reference = &frame.reference;
                let token = &token;
                ServerFrame::Started { reference, conversation, token, state, seq }
                    .render()
                    .to_string()
            }
            Question::Missed => return,
        };
        self.seen = self.seen.max(seq);
        self.say(node, text);
        let ended = match awaiting.to {
            Question::Hello { ended, .. } => ended.filter(EndedChat::was_missed),
            Question::Start { .. } | Question::Missed => None,
        };
        self.joined = Some(conversation);
        match ended {
            Some(ended) => self.ask_what_was_missed(node, &ended),
            None => self.settle(node, Some(conversation)),
        }
    }

    fn ask_what_was_missed(&mut self, node: &mut Node, ended: &EndedChat) {
        let EndedChat { id: conversation, after, seq: until, .. } = *ended;
        self.awaiting = Some(Awaiting { conversation, to: Question::Missed });
        let said = FromSession::Hear { after, until: Some(until) };
        node.tell_chat(conversation, Mail::Said(self.id, said));
    }

    /// It was told all that it missed of a chat that is over.
    pub(super) fn told_all(&mut self, node: &mut Node) {
        self.awaiting = None;
        if let Some(joined) = self.joined {
            let said = FromSession::Hear { after: Seq::ZERO, until: None };
            node.tell_chat(joined, Mail::Said(self.id, said));
        }
        self.settle(node, self.joined);
    }

    pub(super) fn not_joined(
        &mut self,
        node: &mut Node,
        conversation: ConversationId,
        why: NotJoined,
    ) {
        let Some(awaiting) = self.awaiting.take() else { return };
        if matches!(why, NotJoined::Ended { .. } | NotJoined::Unknown) {
            node.free_visitor(self.widget.clone(), self.visitor, conversation);
        }
        match (awaiting.to, why) {
            (Question::Start { frame, .. }, NotJoined::Denied(code)) => {
                self.refuse(node, refused(Some(&frame.reference), code).to_string());
                self.settle(node, None);
            }
            (Question::Start { frame, tries }, _) if tries < START_TRIES_MAX => {
                self.start(node, *frame, tries + 1);
            }
            (Question::Start { frame, .. }, _) => {
                let code = RefusalCode::Unavailable;
                self.refuse(node, refused(Some(&frame.reference), code).to_string());
                self.settle(node, None);
            }
            (Question::Hello { .. }, NotJoined::Denied(code)) => {
                self.refuse(node, refused(None, code).to_string());
                self.close(node, close_code_of(code));
            }
            (Question::Hello { after, by_token, ended }, why) => {
                let ended =
                    if by_token { self.ended(node, conversation, after, why) } else { ended };
                self.try_visitor(node, conversation, ended);
            }
            (Question::Missed, _) => {}
        }
    }

    fn try_visitor(&mut self, node: &mut Node, over: ConversationId, ended: Option<EndedChat>) {
        let other = node.chat_of(&self.widget, self.visitor);
        match other.filter(|other| *other != over) {
            Some(other) => {
                let was_missed = ended.as_ref().is_some_and(EndedChat::was_missed);
                let after = Some(Seq::ZERO).filter(|_| !was_missed);
                let to = Question::Hello { after: Seq::ZERO, by_token: false, ended };
                self.enter(node, other, after, to);
            }
            None => self.welcome_without(node, ended.as_ref()),
        }
    }

    fn ended(
        &mut self,
        node: &mut Node,
        id: ConversationId,
        after: Seq,
        why: NotJoined,
    ) -> Option<EndedChat> {
        let NotJoined::Ended { state, reason, seq, .. } = why else {
            self.refuse(node, refused(None, RefusalCode::TokenInvalid).to_string());
            return None;
        };
        Some(EndedChat { id, state, reason: reason?, after, seq })
    }

    fn welcome_without(&mut self, node: &mut Node, ended: Option<&EndedChat>) {
        let text = self.welcome(node, None, ended);
        self.say(node, text);
        self.has_ended |= ended.is_some();
        let forgets = node.rules.forgets_what_ended();
        match ended.filter(|ended| ended.was_missed() && !forgets) {
            Some(ended) => self.ask_what_was_missed(node, ended),
            None => self.settle(node, None),
        }
    }

    fn welcome(
        &self,
        node: &Node,
        conversation: Option<Live<'_>>,
        ended: Option<&EndedChat>,
    ) -> String {
        let window = node
            .settings
            .workstream_of_widget(&self.widget)
            .map_or(Span::ZERO, |found| found.window);
        let ended = ended.map(|ended| Ended {
            id: ended.id,
            state: ended.state,
            reason: ended.reason,
            seq: ended.seq,
            redirect: None,
        });
        ServerFrame::Welcome {
            session: self.id,
            heartbeat_ms: self.session.heartbeat(),
            window_ms: window,
            history: node.disk.history,
            limits: Limits::NOW,
            conversation,
            ended,
        }
        .render()
        .to_string()
    }

    fn settle(&mut self, node: &mut Node, conversation: Option<ConversationId>) {
        self.joined = conversation;
        self.has_ended &= conversation.is_none();
        let event = match conversation {
            Some(conversation) => SessionEvent::Joined(conversation),
            None => SessionEvent::Left,
        };
        self.apply(node, event);
        while self.session.stage() != holdline::domain::session::Stage::Settling {
            let Some(text) = self.deferred.pop_front() else { return };
            self.take_text(node, text);
        }
    }
}
