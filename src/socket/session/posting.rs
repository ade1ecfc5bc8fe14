//! `post`: a message of the customer's, where their address may still post one.

use actix_web_actors::ws::WebsocketContext;

use crate::domain::id::MessageId;
use crate::domain::text::MessageText;
use crate::domain::time::Span;
use crate::socket::session::actor::SocketSession;
use crate::wire::client::Reference;
use crate::wire::refusal::RefusalCode;
use crate::wire::server::refused_for;

impl SocketSession {
    pub(super) fn post(
        &mut self,
        reference: Reference,
        id: MessageId,
        text: MessageText,
        context: &mut WebsocketContext<Self>,
    ) {
        if let Err(over) = self.rare.guest.ask_to_post(&text) {
            let wait = Some(Span::from_secs(over.retry_after_s()));
            let told = refused_for(Some(&reference), RefusalCode::RateLimited, wait);
            self.refuse(&told, context);
            return self.line.done();
        }
        let asked = reference.clone();
        self.speak(Some(&asked), true, context, |visit, conversation| {
            visit.post(conversation, reference, id, text)
        });
    }
}
