//! Visitors for whom a site's own server vouches.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use crate::access::AdmissionKeys;
use crate::domain::id::{ConversationId, VisitorId, WidgetId};
use crate::domain::settings::registry::Registry;
use crate::domain::settings::{NotVouched, WidgetSettings};
use crate::socket::WebsocketContext;
use crate::socket::session::SocketSession;
use crate::wire::client::{Token, VisitorSecret};
use crate::wire::refusal::RefusalCode;
use crate::wire::server::refused;

/// The keys of the widgets that vouch for visitors on one thread: read once for each change of a
/// widget's settings, and not for each visitor.
#[derive(Debug, Default)]
pub(super) struct ReadKeys(RefCell<BTreeMap<WidgetId, Read>>);

#[derive(Debug)]
struct Read {
    of: Arc<WidgetSettings>,
    keys: Rc<AdmissionKeys>,
}

impl ReadKeys {
    /// The keys of a widget as it is set now, if anybody vouches for its visitors.
    pub(super) fn of(&self, widget: &WidgetId, settings: &Registry) -> Option<Rc<AdmissionKeys>> {
        let now = settings.widgets.get(widget)?;
        let rule = now.admission.as_ref()?;
        let mut read = self.0.borrow_mut();
        if let Some(known) = read.get(widget).filter(|known| Arc::ptr_eq(&known.of, now)) {
            return Some(known.keys.clone());
        }
        // Those of widgets that are there no more need not be kept.
        read.retain(|id, _| settings.widgets.contains_key(id));
        let keys = Rc::new(AdmissionKeys::of(rule));
        read.insert(widget.clone(), Read { of: now.clone(), keys: keys.clone() });
        Some(keys)
    }
}

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
            self.rare.vouched = self.door.vouched(&self.widget, admission)?;
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

impl super::question::Rare {
    /// Who is there.
    pub(super) fn visitor(&self) -> VisitorId {
        self.vouched.unwrap_or(self.browser)
    }
}
