//! What the sessions of one thread have in common.

use std::cell::RefCell;
use std::sync::Arc;

use actix::Recipient;

use crate::access::Keys;
use crate::behavior::session::{Credentials, Identified, Named, Output};
use crate::domain::id::{ConversationId, SessionId, VisitorId, WidgetId};
use crate::domain::settings::NotVouched;
use crate::domain::time::Span;
use crate::engine::{Engine, ToSession, Visit};
use crate::limits;
use crate::socket::movement::Carry;
use crate::socket::outbox::Outbox;
use crate::socket::session::admission_keys::ReadKeys;
use crate::socket::session::routes::{Origin, Routes};
use crate::strangers::Strangers;
use crate::wire::client::{Token, VisitorSecret};
use crate::wire::close::CloseCode;
use crate::wire::refusal::RefusalCode;

/// The door of one thread.
#[derive(Debug)]
pub struct Door {
    pub(super) engine: Engine,
    keys: Arc<Keys>,
    thread: usize,
    routes: Routes,
    pub(super) strangers: Strangers,
    admissions: ReadKeys,
    /// The buffer for the outputs of a turn: between two turns it is empty.
    outputs: RefCell<Vec<Output>>,
}

impl Door {
    /// A door on this thread of the engine, without bounds for strangers. Conversation tokens are
    /// signed with `keys`.
    pub fn new(engine: Engine, keys: Arc<Keys>, thread: usize) -> Self {
        Self::beside(engine, keys, thread, Routes::default(), Strangers::default())
    }

    /// A door whose thread exchanges sockets with the other threads that `routes` knows.
    pub(super) fn beside(
        engine: Engine,
        keys: Arc<Keys>,
        thread: usize,
        routes: Routes,
        strangers: Strangers,
    ) -> Self {
        let (admissions, outputs) = (ReadKeys::default(), RefCell::default());
        Self { engine, keys, thread, routes, strangers, admissions, outputs }
    }

    /// Takes the buffer for the outputs of a turn.
    pub(super) fn take_outputs(&self) -> Vec<Output> {
        self.outputs.take()
    }

    /// Takes the buffer back when all outputs are performed.
    pub(super) fn give_back(&self, outputs: Vec<Output>) {
        *self.outputs.borrow_mut() = outputs;
    }

    /// Whether sockets of this conversation should be carried to another thread.
    pub(super) fn is_elsewhere(&self, conversation: ConversationId) -> bool {
        let thread = self.engine.thread_of(conversation);
        thread != self.thread && self.routes.lead_to(thread)
    }

    /// The way for a socket to the thread of this conversation, if that is another one.
    pub(super) fn way_to(&self, conversation: ConversationId, origin: Origin) -> Option<Carry> {
        let thread = self.engine.thread_of(conversation);
        if thread == self.thread { None } else { self.routes.way_to(thread, origin) }
    }

    pub(super) const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// An id that no session had before.
    #[expect(clippy::unused_self, reason = "minting belongs to the door")]
    pub(super) fn mint_session(&self) -> SessionId {
        let bits = uuid::Uuid::new_v4().as_u128();
        SessionId::from_bits(u64::try_from(bits >> 64).unwrap_or_default())
    }

    /// A random number that keys the digests of a chat's messages.
    #[expect(clippy::unused_self, reason = "minting belongs to the door")]
    pub(super) fn mint_salt(&self) -> u64 {
        uuid::Uuid::new_v4().as_u64_pair().1
    }

    pub(super) fn visit(
        &self,
        session: SessionId,
        widget: WidgetId,
        address: Recipient<ToSession>,
        outbox: Arc<Outbox>,
    ) -> Visit {
        self.engine.visit(session, widget, self.thread, address, outbox)
    }

    pub(super) fn token(&self, conversation: ConversationId, widget: &WidgetId) -> String {
        self.keys.issue(self.engine.journal_history(), conversation, widget)
    }

    /// Who the visitor is: by the secret that the browser keeps and, where the site's server
    /// vouches for the visitor, by the name that the server gives.
    pub(super) fn identify(&self, shown: Credentials, widget: &WidgetId) -> Identified {
        let Credentials { visitor, token, admission } = shown;
        let admission = admission.as_ref();
        Identified {
            browser: self.visitor(visitor),
            vouched: admission.map_or(Ok(None), |admission| self.vouched(widget, admission)),
            named: token.and_then(|token| self.verify(token.reveal(), widget)),
        }
    }

    /// The conversation of a token.
    fn verify(&self, token: &str, widget: &WidgetId) -> Option<Named> {
        let (conversation, history) = self.keys.verify(token, widget, self.engine.now())?;
        let now = self.engine.journal_history();
        let is_of_this_history = history.is_none_or(|history| history == now);
        Some(Named { conversation, is_of_this_history })
    }

    /// Notes that a widget has shown a token that is not ours.
    pub(super) fn note_invalid_token(&self, widget: &WidgetId) {
        self.engine.tell_invalid_token(widget);
    }

    /// The visitor for whom a site's server vouches in a widget; none if the widget does not ask.
    fn vouched(
        &self,
        widget: &WidgetId,
        admission: &Token,
    ) -> Result<Option<VisitorId>, NotVouched> {
        let Some(keys) = self.admissions.of(widget, &self.engine.settings()) else {
            return Ok(None);
        };
        let subject = keys.subject(admission.reveal(), widget, self.engine.now())?;
        Ok(Some(self.keys.vouched(widget, &subject)))
    }

    /// Whether only a visitor who is vouched for can begin a chat in a widget.
    pub(super) fn requires_admission(&self, widget: &WidgetId) -> bool {
        let settings = self.engine.settings();
        settings.widgets.get(widget).is_some_and(|widget| widget.requires_admission())
    }

    /// Notes that the admission that a widget has shown does not vouch for a visitor.
    pub(super) fn note_not_vouched(&self, widget: &WidgetId, code: RefusalCode, why: NotVouched) {
        self.engine.tell_not_vouched(widget, code.code(), why);
    }

    /// The visitor of the secret that a browser keeps; a new visitor without one.
    fn visitor(&self, kept: Option<VisitorSecret>) -> VisitorId {
        match kept {
            Some(kept) => {
                let digits = u128::from_be_bytes(kept.to_bytes());
                self.keys.visitor(&format!("{digits:032x}"))
            }
            None => VisitorId::from_bits(uuid::Uuid::new_v4().as_u128()),
        }
    }

    /// When a widget should come back. The times are spread over a span that grows with the number
    /// of returning widgets, so that they do not all come at once.
    pub(super) fn retry_after(&self, code: CloseCode, session: SessionId) -> Span {
        if !code.invites_back() {
            return Span::ZERO;
        }
        let (least, spread) = match code {
            CloseCode::Restart | CloseCode::Overload => {
                let returning = self.engine.live_sessions() as u64;
                (500, (returning * 1_000 / limits::RETURNS_PER_SECOND).max(1_000))
            }
            _ => (0, 1_000),
        };
        Span::from_millis(least + session.as_bits() % spread)
    }
}

impl crate::engine::Outbox for Outbox {
    fn take(&self, bytes: usize) -> bool {
        self.reserve(bytes).is_ok()
    }

    fn has_room_for_page(&self) -> bool {
        self.frames() + 2 * limits::CATCH_UP_ENTRIES_MAX < limits::OUTBOX_FRAMES_MAX
            && self.bytes() + limits::CATCH_UP_BYTES_MAX + limits::FRAME_BYTES_MAX
                < limits::OUTBOX_BYTES_MAX
    }
}
