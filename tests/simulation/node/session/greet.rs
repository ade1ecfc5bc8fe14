//! `hello` and `start` at a simulated node: how a session comes into a conversation, or into none.

use holdline::behavior::message::{FromSession, Join, NotJoined};
use holdline::domain::conversation::State;
use holdline::domain::conversation::command::StartRequest;
use holdline::domain::conversation::event::Reason;
use holdline::domain::id::{ConversationId, Seq};
use holdline::domain::session::{SessionCommand, SessionEvent};
use holdline::domain::time::Span;
use holdline::wire::client::{Hello, Start};
use holdline::wire::refusal::RefusalCode;
use holdline::wire::server::{Ended, Limits, Live, ServerFrame, refused};

use crate::node::session::{Identified, Output, Turn, Visit, close_code_of, code_of};

const START_TRIES_MAX: u8 = 3;

/// What a session has asked, and is told in the same turn.
#[derive(Debug)]
pub enum Asking {
    Who { after: Option<Seq>, by_token: bool },
    Other { over: ConversationId, ended: Option<EndedChat> },
    ToStart { frame: Box<Start>, tries: u8 },
}

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

/// A chat that is over.
#[derive(Clone, Debug)]
pub struct EndedChat {
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
    pub(super) fn greet(&mut self, turn: &mut Turn<'_>, hello: Hello) {
        match self.session.decide(SessionCommand::Hello, turn.now) {
            Ok(Some(event)) => self.apply(turn, event),
            Ok(None) => return,
            Err(refusal) => {
                return self.refuse(turn, refused(None, code_of(refusal)).to_string());
            }
        }
        let Hello { visitor, token, after, .. } = hello;
        self.asking = Some(Asking::Who { after, by_token: token.is_some() });
        turn.out.push(Output::Identify { visitor, token });
    }

    pub(super) fn identified(&mut self, turn: &mut Turn<'_>, identified: Identified) {
        let Some(Asking::Who { after, by_token }) = self.asking.take() else { return };
        let Identified { visitor, named, is_of_now, chat } = identified;
        self.visitor = visitor;
        let after = after.filter(|_| is_of_now).unwrap_or(Seq::ZERO);
        if by_token && named.is_none() {
            self.refuse(turn, refused(None, RefusalCode::TokenInvalid).to_string());
        }
        match named.or(chat) {
            Some(conversation) => {
                let by_token = named.is_some();
                let after = if by_token { after } else { Seq::ZERO };
                let to = Question::Hello { after, by_token, ended: None };
                self.enter(turn, conversation, Some(after), to);
            }
            None => self.welcome_without(turn, None),
        }
    }

    pub(super) fn ask_to_start(&mut self, turn: &mut Turn<'_>, frame: Start) {
        match self.session.decide(SessionCommand::Start, turn.now) {
            Ok(Some(event)) => {
                let joined = self.session.conversation();
                self.apply(turn, event);
                let Some(conversation) = joined else { return self.start(turn, frame, 1) };
                let to = Question::Start { frame: Box::new(frame), tries: 0 };
                let join = self.join(Some(Seq::ZERO));
                self.awaiting = Some(Awaiting { conversation, to });
                turn.tell(conversation, FromSession::Again(Box::new(join)));
            }
            Ok(None) => {}
            Err(refusal) => {
                let told = refused(Some(&frame.reference), code_of(refusal));
                self.refuse(turn, told.to_string());
            }
        }
    }

    fn start(&mut self, turn: &mut Turn<'_>, frame: Start, tries: u8) {
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
        let join = self.join(Some(Seq::ZERO));
        turn.out.push(Output::Start(Box::new(request), join));
        self.asking = Some(Asking::ToStart { frame: Box::new(frame), tries });
    }

    pub(super) fn started(
        &mut self,
        turn: &mut Turn<'_>,
        started: Result<ConversationId, RefusalCode>,
    ) {
        let Some(Asking::ToStart { frame, tries }) = self.asking.take() else { return };
        match started {
            Ok(conversation) => {
                let to = Question::Start { frame, tries };
                self.awaiting = Some(Awaiting { conversation, to });
            }
            Err(code) => {
                self.refuse(turn, refused(Some(&frame.reference), code).to_string());
                self.settle(turn, None);
            }
        }
    }

    fn join(&self, after: Option<Seq>) -> Join {
        let heartbeat = self.session.heartbeat();
        Join { start: None, after, heartbeat, program: None, of: None }
    }

    fn enter(
        &mut self,
        turn: &mut Turn<'_>,
        conversation: ConversationId,
        after: Option<Seq>,
        to: Question,
    ) {
        let join = self.join(after);
        self.awaiting = Some(Awaiting { conversation, to });
        turn.tell(conversation, FromSession::Join(Box::new(join)));
    }

    pub(super) fn joined(
        &mut self,
        turn: &mut Turn<'_>,
        conversation: ConversationId,
        state: State,
        seq: Seq,
        token: &str,
    ) {
        let Some(awaiting) = self.awaiting.take() else { return };
        if self.joined != Some(conversation) {
            self.seen = Seq::ZERO;
        }
        let text = match &awaiting.to {
            Question::Hello { ended, .. } => {
                let live = Live { id: conversation, token, state, seq };
                self.welcome(turn, Some(live), ended.as_ref())
            }
            Question::Start { frame, .. } => {
                let reference = &frame.reference;
                ServerFrame::Started { reference, conversation, token, state, seq }
                    .render()
                    .to_string()
            }
            Question::Missed => return,
        };
        self.seen = self.seen.max(seq);
        self.say(turn, text);
        let ended = match awaiting.to {
            Question::Hello { ended, .. } => ended.filter(EndedChat::was_missed),
            Question::Start { .. } | Question::Missed => None,
        };
        self.joined = Some(conversation);
        match ended {
            Some(ended) => self.ask_what_was_missed(turn, &ended),
            None => self.settle(turn, Some(conversation)),
        }
    }

    fn ask_what_was_missed(&mut self, turn: &mut Turn<'_>, ended: &EndedChat) {
        let EndedChat { id: conversation, after, seq: until, .. } = *ended;
        self.awaiting = Some(Awaiting { conversation, to: Question::Missed });
        turn.tell(conversation, FromSession::Hear { after, until: Some(until) });
    }

    /// It was told all that it missed of a chat that is over.
    pub(super) fn told_all(&mut self, turn: &mut Turn<'_>) {
        self.awaiting = None;
        if let Some(joined) = self.joined {
            turn.tell(joined, FromSession::Hear { after: Seq::ZERO, until: None });
        }
        self.settle(turn, self.joined);
    }

    pub(super) fn not_joined(
        &mut self,
        turn: &mut Turn<'_>,
        conversation: ConversationId,
        why: NotJoined,
    ) {
        let Some(awaiting) = self.awaiting.take() else { return };
        if matches!(why, NotJoined::Ended { .. } | NotJoined::Unknown) {
            turn.out.push(Output::Forget(self.visitor, conversation));
        }
        match (awaiting.to, why) {
            (Question::Start { frame, .. }, NotJoined::Denied(code)) => {
                self.refuse(turn, refused(Some(&frame.reference), code).to_string());
                self.settle(turn, None);
            }
            (Question::Start { frame, tries }, _) if tries < START_TRIES_MAX => {
                self.start(turn, *frame, tries + 1);
            }
            (Question::Start { frame, .. }, _) => {
                let code = RefusalCode::Unavailable;
                self.refuse(turn, refused(Some(&frame.reference), code).to_string());
                self.settle(turn, None);
            }
            (Question::Hello { .. }, NotJoined::Denied(code)) => {
                self.refuse(turn, refused(None, code).to_string());
                self.close(turn, close_code_of(code));
            }
            (Question::Hello { after, by_token, ended }, why) => {
                let ended =
                    if by_token { self.ended(turn, conversation, after, why) } else { ended };
                self.try_visitor(turn, conversation, ended);
            }
            (Question::Missed, _) => {}
        }
    }

    fn try_visitor(&mut self, turn: &mut Turn<'_>, over: ConversationId, ended: Option<EndedChat>) {
        self.asking = Some(Asking::Other { over, ended });
        turn.out.push(Output::FindChat(self.visitor));
    }

    pub(super) fn found(&mut self, turn: &mut Turn<'_>, other: Option<ConversationId>) {
        let Some(Asking::Other { over, ended }) = self.asking.take() else { return };
        match other.filter(|other| *other != over) {
            Some(other) => {
                let was_missed = ended.as_ref().is_some_and(EndedChat::was_missed);
                let after = Some(Seq::ZERO).filter(|_| !was_missed);
                let to = Question::Hello { after: Seq::ZERO, by_token: false, ended };
                self.enter(turn, other, after, to);
            }
            None => self.welcome_without(turn, ended.as_ref()),
        }
    }

    fn ended(
        &mut self,
        turn: &mut Turn<'_>,
        id: ConversationId,
        after: Seq,
        why: NotJoined,
    ) -> Option<EndedChat> {
        let NotJoined::Ended { state, reason, seq, .. } = why else {
            self.refuse(turn, refused(None, RefusalCode::TokenInvalid).to_string());
            return None;
        };
        Some(EndedChat { id, state, reason: reason?, after, seq })
    }

    fn welcome_without(&mut self, turn: &mut Turn<'_>, ended: Option<&EndedChat>) {
        let text = self.welcome(turn, None, ended);
        self.say(turn, text);
        self.has_ended |= ended.is_some();
        match ended.filter(|ended| ended.was_missed()) {
            Some(ended) => self.ask_what_was_missed(turn, ended),
            None => self.settle(turn, None),
        }
    }

    fn welcome(
        &self,
        turn: &Turn<'_>,
        conversation: Option<Live<'_>>,
        ended: Option<&EndedChat>,
    ) -> String {
        let workstream = turn.facts.settings.workstream_of_widget(&self.widget);
        let window = workstream.map_or(Span::ZERO, |found| found.window);
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
            history: turn.facts.history,
            limits: Limits::NOW,
            conversation,
            ended,
        }
        .render()
        .to_string()
    }

    fn settle(&mut self, turn: &mut Turn<'_>, conversation: Option<ConversationId>) {
        self.joined = conversation;
        self.has_ended &= conversation.is_none();
        let event = match conversation {
            Some(conversation) => SessionEvent::Joined(conversation),
            None => SessionEvent::Left,
        };
        self.apply(turn, event);
        while self.session.stage() != holdline::domain::session::Stage::Settling {
            let Some(text) = self.deferred.pop_front() else { return };
            self.take_text(turn, text);
        }
    }
}
