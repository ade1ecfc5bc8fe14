//! `hello`: how a session comes into a conversation, or into none.
//!
//! ```text
//!   hello ──> who is there? ──> which chat? ──> elsewhere: the socket is carried there
//!                                    │
//!                                    v
//!             refused tokens are charged ──> may it come in? ──> joined: welcome
//!                                    │              │ over            │
//!                                    v              v                 v
//!                             welcome, in none <── another chat?    what was missed of the other
//! ```

use bytestring::ByteString;

use crate::behavior::message::{FromSession, Join, NotJoined};
use crate::behavior::session::codes::{close_code_of, code_of};
use crate::behavior::session::dialogue::{Behavior, Turn};
use crate::behavior::session::input::Identified;
use crate::behavior::session::output::{Credentials, Note, Output, Presence, Spending};
use crate::behavior::session::stage::{EndedChat, Entrance, Greeting, Question};
use crate::domain::cause::Cause;
use crate::domain::id::{ConversationId, Seq};
use crate::domain::session::{SessionCommand, SessionEvent};
use crate::domain::settings::NotVouched;
use crate::domain::time::Span;
use crate::limits;
use crate::wire::client::Hello;
use crate::wire::close::CloseCode;
use crate::wire::refusal::RefusalCode;
use crate::wire::server::{Limits, Live, ServerFrame, refused};

impl Behavior {
    pub(super) fn greet(&mut self, hello: Hello, text: ByteString, turn: &mut Turn<'_>) {
        match self.decide(SessionCommand::Hello, turn) {
            Ok(Some(_)) => {}
            Ok(None) => return turn.done(),
            Err(refusal) => {
                self.refuse(refused(None, code_of(refusal)), turn);
                return turn.done();
            }
        }
        let Hello { visitor, token, admission, after, page, locale } = hello;
        self.ask(Question::Identity(Greeting {
            text,
            after: after.unwrap_or(Seq::ZERO),
            page,
            locale,
            shows_token: token.is_some(),
            by_token: false,
            not_vouched: None,
            known: None,
        }));
        turn.put(Output::Identify(Box::new(Credentials { visitor, token, admission })));
    }

    pub(super) fn identified(&mut self, identified: &Identified, turn: &mut Turn<'_>) {
        let is_it = |question: &Question| matches!(question, Question::Identity(_));
        let Some(Question::Identity(mut greeting)) = self.stage.answer(is_it) else { return };
        let Identified { browser, vouched, named } = *identified;
        self.introduction.browser = browser;
        match vouched {
            Ok(vouched) => self.introduction.vouched = vouched.map(Box::new),
            Err(why) => greeting.not_vouched = Some(why),
        }
        // A place of another history, or of another chat, means nothing here: then everything is
        // told.
        if !named.is_some_and(|named| named.is_of_this_history) {
            greeting.after = Seq::ZERO;
        }
        greeting.by_token = named.is_some();
        greeting.known = named.map(|named| named.conversation);
        if greeting.by_token || self.needs_admission(turn) {
            return self.receive(greeting, turn);
        }
        self.ask(Question::Chat(greeting));
        turn.put(Output::FindChat(self.introduction.visitor()));
    }

    /// It is known which live chat the visitor has, or that they have none.
    pub(super) fn found(&mut self, found: Option<ConversationId>, turn: &mut Turn<'_>) {
        let is_it =
            |question: &Question| matches!(question, Question::Chat(_) | Question::OtherChat(..));
        match self.stage.answer(is_it) {
            Some(Question::Chat(greeting)) => {
                self.receive(Greeting { known: found, ..greeting }, turn);
            }
            Some(Question::OtherChat(over, ended)) => {
                self.enter_other(found.filter(|other| *other != over), ended, turn);
            }
            _ => {}
        }
    }

    /// It is known who is there, and what they come back to.
    fn receive(&mut self, mut greeting: Greeting, turn: &mut Turn<'_>) {
        if let Some(known) = greeting.known
            && !self.has_moved
            && turn.facts.near.is_elsewhere(known)
        {
            // Nothing has been done yet: the session on the other thread begins anew.
            turn.put(Output::Depart(greeting.text, known));
            return self.leave(Cause::Reset, turn);
        }
        self.apply(SessionEvent::Greeted, turn);
        self.introduction.page = greeting.page.take();
        self.introduction.locale = greeting.locale.take();
        if !greeting.shows_token || greeting.by_token {
            return self.judge_admission(greeting, turn);
        }
        self.refuse(refused(None, RefusalCode::TokenInvalid), turn);
        turn.put(Output::Note(Note::InvalidToken));
        self.ask(Question::Token(greeting));
        turn.put(Output::Spend(Spending::RefusedToken));
    }

    /// Says that nobody is vouched for, where somebody should be, and goes on without.
    fn judge_admission(&mut self, greeting: Greeting, turn: &mut Turn<'_>) {
        let Some(why) = greeting.not_vouched else { return self.go_on(&greeting, turn) };
        let code = match why {
            NotVouched::Expired => RefusalCode::AdmissionExpired,
            _ => RefusalCode::AdmissionInvalid,
        };
        self.refuse(refused(None, code), turn);
        turn.put(Output::Note(Note::NotVouched(code, why)));
        if why == NotVouched::Expired {
            // An expired admission was good once: it was not guessed.
            return self.go_on(&greeting, turn);
        }
        self.ask(Question::Admission(greeting));
        turn.put(Output::Spend(Spending::RefusedToken));
    }

    /// A refused token was charged, and the budget allowed it.
    pub(super) fn may_show_another(&mut self, turn: &mut Turn<'_>) {
        let is_it =
            |question: &Question| matches!(question, Question::Token(_) | Question::Admission(_));
        let Some(question) = self.stage.answer(is_it) else { return };
        match question {
            Question::Token(greeting) => self.judge_admission(greeting, turn),
            Question::Admission(greeting) => self.go_on(&greeting, turn),
            _ => {}
        }
    }

    fn go_on(&mut self, greeting: &Greeting, turn: &mut Turn<'_>) {
        if self.stage.is_over() {
            return;
        }
        let Greeting { known, by_token, after, .. } = *greeting;
        match known {
            Some(conversation) => {
                let entrance = Entrance { conversation, after, by_token, ended: None };
                self.enter(entrance, Some(after), turn);
            }
            None => self.welcome_without(None, turn),
        }
    }

    fn enter(&mut self, entrance: Entrance, after: Option<Seq>, turn: &mut Turn<'_>) {
        let mut join = self.join(after);
        if entrance.by_token {
            let (vouched, browser) = (&self.introduction.vouched, self.introduction.browser);
            join.of = vouched.as_deref().map(|visitor| [*visitor, browser]);
        }
        let conversation = entrance.conversation;
        self.ask(Question::Entrance(entrance));
        turn.put(Output::ToConversation(conversation, FromSession::Join(Box::new(join))));
    }

    /// Nobody heard that the session wants to join.
    pub(super) fn not_let_in(&mut self, turn: &mut Turn<'_>) {
        let is_it = |question: &Question| matches!(question, Question::Entrance(_));
        if self.stage.answer(is_it).is_some() {
            self.close(CloseCode::Overload, turn);
        }
    }

    /// The answer to `hello` or `start`: the session is in the conversation.
    pub(super) fn come_in(&mut self, live: Live<'_>, turn: &mut Turn<'_>) {
        let Some(question) = self.stage.answer(is_of_entering) else { return };
        let Live { id: conversation, token, state, seq } = live;
        if self.joined() != Some(conversation) {
            // What it was told before was of another chat.
            self.seen = Seq::ZERO;
        }
        let (text, ended) = match question {
            Question::Entrance(Entrance { ended, .. }) => {
                let text = self.welcome(Some(live), ended.as_ref(), turn);
                (text, ended.filter(EndedChat::was_missed))
            }
            Question::Start(starting) => {
                let reference = &starting.frame.reference;
                let started = ServerFrame::Started { reference, conversation, token, state, seq };
                (started.render(), None)
            }
            _ => return,
        };
        self.seen = self.seen.max(seq);
        self.say(text, turn);
        if let Some(settling) = self.stage.settling_mut() {
            settling.joined = Some(conversation);
        }
        turn.put(Output::Count(Presence::InChat));
        match ended {
            Some(ended) => self.ask_what_was_missed(&ended, turn),
            None => self.settle(Some(conversation), turn),
        }
    }

    /// Asks the chat that is over for what the widget has not seen of it. Until all of it was told,
    /// the session takes no other frame and is told nothing of the chat that it is in. Frames do
    /// not name their chat, so they must come from one chat at a time.
    fn ask_what_was_missed(&mut self, ended: &EndedChat, turn: &mut Turn<'_>) {
        let EndedChat { id: conversation, after, seq: until, .. } = *ended;
        self.ask(Question::Missed(conversation));
        let hear = FromSession::Hear { after, until: Some(until) };
        turn.put(Output::ToConversation(conversation, hear));
    }

    /// The session was told all that it missed of a chat that is over.
    pub(super) fn told_all(&mut self, turn: &mut Turn<'_>) {
        self.stage.answer(|_| true);
        let joined = self.joined();
        if let Some(joined) = joined {
            let hear = FromSession::Hear { after: Seq::ZERO, until: None };
            turn.put(Output::ToConversation(joined, hear));
        }
        self.settle(joined, turn);
    }

    /// Nobody heard that the session wants to be told what it missed.
    pub(super) fn not_told_all(&mut self, turn: &mut Turn<'_>) {
        self.stage.answer(|question| matches!(question, Question::Missed(_)));
        self.close(CloseCode::Overload, turn);
    }

    /// The answer to `hello` or `start`: the session is not in the conversation.
    pub(super) fn stay_out(
        &mut self,
        conversation: ConversationId,
        why: NotJoined,
        turn: &mut Turn<'_>,
    ) {
        let Some(question) = self.stage.answer(is_of_entering) else { return };
        if let NotJoined::Ended { .. } | NotJoined::Unknown = why {
            turn.put(Output::Forget(self.introduction.visitor(), conversation));
        }
        match (question, why) {
            (Question::Start(starting), NotJoined::Denied(code)) => {
                self.refuse(refused(Some(&starting.frame.reference), code), turn);
                self.settle(None, turn);
            }
            (Question::Start(starting), NotJoined::Ended { .. } | NotJoined::Unknown) => {
                self.try_start_again(*starting.frame, starting.tries, turn);
            }
            (Question::Entrance(_), NotJoined::Denied(code)) => {
                self.refuse(refused(None, code), turn);
                self.close(close_code_of(code), turn);
            }
            (Question::Entrance(Entrance { after, by_token, ended, .. }), why) => {
                let ended =
                    if by_token { self.ended(conversation, after, why, turn) } else { ended };
                self.try_visitor(conversation, ended, turn);
            }
            _ => {}
        }
    }

    /// The token's chat is over, but the visitor may have begun another in another tab.
    fn try_visitor(&mut self, over: ConversationId, ended: Option<EndedChat>, turn: &mut Turn<'_>) {
        if self.stage.is_over() {
            return;
        }
        if self.needs_admission(turn) {
            return self.welcome_without(ended.as_ref(), turn);
        }
        self.ask(Question::OtherChat(over, ended));
        turn.put(Output::FindChat(self.introduction.visitor()));
    }

    fn enter_other(
        &mut self,
        other: Option<ConversationId>,
        ended: Option<EndedChat>,
        turn: &mut Turn<'_>,
    ) {
        let Some(conversation) = other else {
            return self.welcome_without(ended.as_ref(), turn);
        };
        // The widget has seen places of the chat that is over, and what it missed of that chat
        // comes first.
        let was_missed = ended.as_ref().is_some_and(EndedChat::was_missed);
        let after = Some(Seq::ZERO).filter(|_| !was_missed);
        let entrance = Entrance { conversation, after: Seq::ZERO, by_token: false, ended };
        self.enter(entrance, after, turn);
    }

    fn ended(
        &mut self,
        id: ConversationId,
        after: Seq,
        why: NotJoined,
        turn: &mut Turn<'_>,
    ) -> Option<EndedChat> {
        let NotJoined::Ended { state, reason, seq, redirect, closed_at } = why else {
            self.refuse(refused(None, RefusalCode::TokenInvalid), turn);
            return None;
        };
        let remembered = Span::from_secs(limits::TOKEN_AFTER_CLOSE_SECONDS);
        if closed_at.is_some_and(|at| turn.now.since(at) > remembered) {
            self.refuse(refused(None, RefusalCode::TokenExpired), turn);
            return None;
        }
        Some(EndedChat { id, state, reason: reason?, after, seq, redirect })
    }

    fn welcome_without(&mut self, ended: Option<&EndedChat>, turn: &mut Turn<'_>) {
        let text = self.welcome(None, ended, turn);
        self.say(text, turn);
        if ended.is_some() {
            self.stage.note_ended();
        }
        match ended.filter(|ended| ended.was_missed()) {
            Some(ended) => self.ask_what_was_missed(ended, turn),
            None => self.settle(None, turn),
        }
    }

    fn welcome(
        &self,
        conversation: Option<Live<'_>>,
        ended: Option<&EndedChat>,
        turn: &Turn<'_>,
    ) -> ByteString {
        ServerFrame::Welcome {
            session: turn.facts.session,
            heartbeat_ms: self.session.heartbeat(),
            window_ms: turn.facts.near.window(),
            history: turn.facts.history,
            limits: Limits::NOW,
            conversation,
            ended: ended.map(EndedChat::frame),
        }
        .render()
    }

    /// Whether a chat can be begun here only by somebody who is vouched for, and nobody is.
    pub(super) fn needs_admission(&self, turn: &Turn<'_>) -> bool {
        self.introduction.vouched.is_none() && turn.facts.near.requires_admission()
    }

    /// How the session joins.
    pub(super) fn join(&self, after: Option<Seq>) -> Join {
        let (heartbeat, program) = (self.heartbeat(), self.introduction.program.clone());
        Join { start: None, after, heartbeat, program, of: None }
    }
}

/// Whether the session asks to join a chat.
const fn is_of_entering(question: &Question) -> bool {
    matches!(question, Question::Entrance(_) | Question::Start(_))
}
