//! `start`: how a session asks for a chat.

use crate::behavior::message::FromSession;
use crate::behavior::session::codes::code_of;
use crate::behavior::session::dialogue::{Behavior, Turn};
use crate::behavior::session::input::NotStarted;
use crate::behavior::session::output::{ChatRequest, Output};
use crate::behavior::session::stage::{Question, Starting};
use crate::domain::id::{ConversationId, Seq};
use crate::domain::session::SessionCommand;
use crate::limits;
use crate::wire::client::Start;
use crate::wire::refusal::RefusalCode;
use crate::wire::server::{refused, refused_for};

impl Behavior {
    pub(super) fn ask_to_start(&mut self, frame: Start, turn: &mut Turn<'_>) {
        match self.decide(SessionCommand::Start, turn) {
            Ok(Some(event)) => {
                let joined = self.session.conversation();
                self.stage.unsettle(joined);
                self.apply(event, turn);
                match joined {
                    Some(conversation) => self.start_again(frame, conversation, turn),
                    None => self.start(frame, 1, turn),
                }
            }
            Ok(None) => turn.done(),
            Err(refusal) => {
                self.refuse(refused(Some(&frame.reference), code_of(refusal)), turn);
                turn.done();
            }
        }
    }

    /// A start of a session that is in a chat is answered with that chat, unless it is over.
    fn start_again(&mut self, frame: Start, conversation: ConversationId, turn: &mut Turn<'_>) {
        let again = FromSession::Again(Box::new(self.join(Some(Seq::ZERO))));
        let frame = Box::new(frame);
        let starting = Starting { frame, tries: 0, conversation: Some(conversation) };
        self.ask(Question::Start(starting));
        turn.put(Output::ToConversation(conversation, again));
    }

    /// Nobody heard that the session asks again for the chat that it is in.
    pub(super) fn not_started_again(&mut self, turn: &mut Turn<'_>) {
        let is_it = |question: &Question| matches!(question, Question::Start(_));
        let Some(Question::Start(starting)) = self.stage.answer(is_it) else { return };
        let reference = &starting.frame.reference;
        self.refuse(refused(Some(reference), RefusalCode::Unavailable), turn);
        self.settle(self.joined(), turn);
    }

    fn start(&mut self, frame: Start, tries: u8, turn: &mut Turn<'_>) {
        if self.needs_admission(turn) {
            let code = RefusalCode::AdmissionRequired;
            self.refuse(refused(Some(&frame.reference), code), turn);
            return self.settle(None, turn);
        }
        let request = ChatRequest {
            visitor: self.introduction.visitor(),
            start: frame.id.clone(),
            name: frame.name.clone(),
            form: frame.form.clone(),
            context: frame.context.clone(),
            page: self.introduction.page.clone(),
            locale: self.introduction.locale.clone(),
            heartbeat: self.heartbeat(),
            program: self.introduction.program.clone(),
        };
        self.ask(Question::Start(Starting { frame: Box::new(frame), tries, conversation: None }));
        turn.put(Output::Start(Box::new(request)));
    }

    /// It is known which conversation answers, or that none does.
    pub(super) fn started(
        &mut self,
        started: Result<ConversationId, NotStarted>,
        turn: &mut Turn<'_>,
    ) {
        match started {
            Ok(conversation) => {
                let settling = self.stage.settling_mut();
                let question = settling.and_then(|settling| settling.question.as_mut());
                if let Some(Question::Start(starting)) = question {
                    starting.conversation = Some(conversation);
                }
            }
            Err(NotStarted { code, retry_after }) => {
                let is_it = |question: &Question| matches!(question, Question::Start(_));
                let Some(Question::Start(starting)) = self.stage.answer(is_it) else { return };
                let reference = &starting.frame.reference;
                self.refuse(refused_for(Some(reference), code, retry_after), turn);
                self.settle(None, turn);
            }
        }
    }

    /// The chat that a start led to is over: the start is tried anew, unless it was tried too
    /// often.
    pub(super) fn try_start_again(&mut self, frame: Start, tries: u8, turn: &mut Turn<'_>) {
        if tries < limits::START_TRIES_MAX {
            return self.start(frame, tries + 1, turn);
        }
        let code = RefusalCode::Unavailable;
        self.refuse(refused(Some(&frame.reference), code), turn);
        self.settle(None, turn);
    }
}
