//! `start`: how a session asks for a chat.

use actix_web_actors::ws::WebsocketContext;

use crate::domain::conversation::command::StartRequest;
use crate::domain::id::{ConversationId, Seq};
use crate::domain::session::SessionCommand;
use crate::domain::time::Span;
use crate::socket::session::actor::SocketSession;
use crate::socket::session::codes::code_of;
use crate::socket::session::question::{Awaiting, Question};
use crate::strangers::{OverBudget, Use};
use crate::wire::client::Start;
use crate::wire::refusal::RefusalCode;
use crate::wire::server::{refused, refused_for};

/// How often a start is tried anew because the chat it led to had just ended.
const START_TRIES_MAX: u8 = 3;

impl SocketSession {
    pub(super) fn ask_to_start(&mut self, frame: Start, context: &mut WebsocketContext<Self>) {
        match self.decide(SessionCommand::Start) {
            Ok(Some(event)) => {
                let joined = self.session.conversation();
                self.apply(event);
                match joined {
                    Some(conversation) => self.start_again(frame, conversation, context),
                    None => self.start(frame, 1, context),
                }
            }
            Ok(None) => self.line.done(),
            Err(refusal) => {
                self.refuse(&refused(Some(&frame.reference), code_of(refusal)), context);
                self.line.done();
            }
        }
    }

    /// A start of a session that is in a chat is answered with that chat, unless it is over.
    fn start_again(
        &mut self,
        frame: Start,
        conversation: ConversationId,
        context: &mut WebsocketContext<Self>,
    ) {
        let entrance = self.entrance(Some(Seq::ZERO));
        let visit = self.visit.as_ref();
        if visit.is_some_and(|visit| visit.join_again(conversation, entrance)) {
            let to = Question::Start { frame: Box::new(frame), tries: 0 };
            self.rare.awaiting = Some(Awaiting { conversation, to });
        } else {
            let code = RefusalCode::Unavailable;
            self.refuse(&refused(Some(&frame.reference), code), context);
            self.settle(Some(conversation), context);
        }
    }

    fn start(&mut self, frame: Start, tries: u8, context: &mut WebsocketContext<Self>) {
        if self.needs_admission() {
            let code = RefusalCode::AdmissionRequired;
            self.refuse(&refused(Some(&frame.reference), code), context);
            return self.settle(None, context);
        }
        let request = StartRequest {
            widget: self.widget.clone(),
            visitor: self.rare.visitor(),
            start: frame.id.clone(),
            salt: self.door.mint_salt(),
            name: frame.name.clone(),
            form: frame.form.clone(),
            context: frame.context.clone(),
            page: self.rare.page.clone(),
            locale: self.rare.locale.clone(),
        };
        let entrance = self.entrance(Some(Seq::ZERO));
        // Whoever comes back into a chat begins none.
        let is_new = self.visit.as_ref().is_some_and(|it| it.chat_of(request.visitor).is_none());
        let keepsake = match is_new.then(|| self.rare.guest.ask_to_wait()).transpose() {
            Ok(keepsake) => keepsake.flatten(),
            Err(over) => return self.refuse_start(&frame, over, context),
        };
        let begun = match &self.visit {
            Some(visit) => visit.start_keeping(request, entrance, keepsake),
            None => Err(RefusalCode::Unavailable),
        };
        match begun {
            Ok(conversation) => {
                let to = Question::Start { frame: Box::new(frame), tries };
                self.rare.awaiting = Some(Awaiting { conversation, to });
            }
            Err(code) => {
                self.refuse(&refused(Some(&frame.reference), code), context);
                self.settle(None, context);
            }
        }
    }

    /// The chat that a start led to is over: it is tried anew, if it was not tried too often.
    pub(super) fn try_start_again(
        &mut self,
        frame: Start,
        tries: u8,
        context: &mut WebsocketContext<Self>,
    ) {
        if tries < START_TRIES_MAX {
            return self.start(frame, tries + 1, context);
        }
        let code = RefusalCode::Unavailable;
        self.refuse(&refused(Some(&frame.reference), code), context);
        self.settle(None, context);
    }

    fn refuse_start(
        &mut self,
        frame: &Start,
        over: OverBudget,
        context: &mut WebsocketContext<Self>,
    ) {
        let code = match over.of {
            Use::WaitingChat => RefusalCode::TooManyWaiting,
            _ => RefusalCode::TooManyStarts,
        };
        let wait = Some(Span::from_secs(over.retry_after_s()));
        self.refuse(&refused_for(Some(&frame.reference), code, wait), context);
        self.settle(None, context);
    }
}
