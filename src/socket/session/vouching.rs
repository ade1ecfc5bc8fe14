//! Visitors for whom a site's own server vouches.

use actix_web_actors::ws::WebsocketContext;

use crate::domain::id::ConversationId;
use crate::domain::settings::NotVouched;
use crate::socket::session::actor::SocketSession;
use crate::wire::client::{Token, VisitorSecret};
use crate::wire::refusal::RefusalCode;
use crate::wire::server::refused;

impl SocketSession {
    /// Learns who is there: by the secret that their browser keeps and, where the site's server
    /// vouches for somebody, by the name that it gives them.
    pub(super) fn introduce(
        &mut self,
        kept: Option<VisitorSecret>,
        admission: Option<&Token>,
    ) -> Result<(), NotVouched> {
        self.rare.browser = self.door.visitor(kept);
        if let Some(admission) = admission {
            let vouched = self.door.vouched(&self.widget, admission)?;
            self.rare.vouched = vouched.map(Box::new);
        }
        Ok(())
    }

    /// Says that nobody is vouched for, and goes on without. False if that was one too many.
    pub(super) fn may_go_on_without_admission(
        &mut self,
        why: NotVouched,
        context: &mut WebsocketContext<Self>,
    ) -> bool {
        let code = match why {
            NotVouched::Expired => RefusalCode::AdmissionExpired,
            _ => RefusalCode::AdmissionInvalid,
        };
        self.refuse(&refused(None, code), context);
        self.door.note_not_vouched(&self.widget, code, why);
        // Whoever has one that was good has guessed nothing.
        why == NotVouched::Expired || self.rare.guest.may_show_another_token()
    }

    /// Whether a chat can be begun here only by somebody who is vouched for, and nobody is.
    pub(super) fn needs_admission(&self) -> bool {
        self.rare.vouched.is_none() && self.door.requires_admission(&self.widget)
    }

    /// The live chat of whoever is there, as far as it is found without its token.
    pub(super) fn own_chat(&self) -> Option<ConversationId> {
        if self.needs_admission() {
            return None;
        }
        self.visit.as_ref()?.chat_of(self.rare.visitor())
    }
}
