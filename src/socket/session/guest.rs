//! What a widget's socket counts as among strangers, and what it holds of their budgets.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::settings::WidgetSettings;
use crate::engine::Keepsake;
use crate::limits;
use crate::socket::admission::{Rejection, UpgradeRequest};
use crate::strangers::{Connection, Held, OverBudget, Parties, Strangers, Use};
use crate::wire::problem::{
    Kind, TOO_MANY_CONNECTIONS, TOO_MANY_SOCKETS, TOO_MANY_UPGRADES, UNAVAILABLE,
};

/// After how many seconds a client should come back when no descriptor is left for it.
const NO_ROOM_WAIT_S: u64 = 10;

/// A socket among strangers. It is carried with the socket from thread to thread.
#[derive(Debug)]
pub(super) struct Guest {
    strangers: Strangers,
    parties: Parties,
    /// The connection, where it is counted for its address.
    _connection: Option<Arc<Connection>>,
    /// The same for an address that a proxy names.
    _named: Option<Held>,
    without_chat: Mutex<Option<Box<Held>>>,
}

impl Guest {
    /// The guest of a request to a widget, if the request is within every budget.
    pub(super) fn admit(
        strangers: &Strangers,
        request: &UpgradeRequest,
        widget: &WidgetSettings,
    ) -> Result<Self, Rejection> {
        let over = |kind: &'static Kind| {
            move |over: OverBudget| Rejection {
                kind,
                message: over.to_string(),
                retry_after_s: Some(over.retry_after_s()),
            }
        };
        let connection = request.connection.as_ref();
        if connection.is_some_and(|connection| connection.is_of_reserve()) {
            let message = "the server has as many connections as it can; try again in a moment";
            let retry_after_s = Some(NO_ROOM_WAIT_S);
            return Err(Rejection { retry_after_s, ..Rejection::new(&UNAVAILABLE, message) });
        }
        let site = request.origin.as_deref();
        let parties = strangers.parties(request.client, site, Some(&widget.id));
        let connection = connection.filter(|connection| connection.is_counted()).cloned();
        let named = if connection.is_some() {
            None
        } else {
            let held = strangers.hold(Use::Connection, &parties.address());
            held.map_err(over(&TOO_MANY_CONNECTIONS))?
        };
        strangers.spend(Use::Upgrade, &parties).map_err(over(&TOO_MANY_UPGRADES))?;
        let without_chat = strangers.hold(Use::SocketWithoutChat, &parties);
        let without_chat = without_chat.map_err(over(&TOO_MANY_SOCKETS))?;
        Ok(Self {
            strangers: strangers.clone(),
            parties,
            _connection: connection,
            _named: named,
            without_chat: Mutex::new(without_chat.map(Box::new)),
        })
    }

    /// Asks whether the guest may begin a chat; returns what is to be kept while it waits, if any.
    pub(super) fn ask_to_wait(&self) -> Result<Option<Keepsake>, OverBudget> {
        let held = self.strangers.hold(Use::WaitingChat, &self.parties)?;
        self.strangers.spend(Use::Start, &self.parties)?;
        Ok(held.map(Keepsake::new))
    }

    /// Notes that the guest is in a chat now.
    pub(super) fn enter_chat(&self) {
        *self.lock() = None;
    }

    /// Notes that the chat is over. The guest stays, even where others have used the budget up.
    pub(super) fn leave_chat(&self) {
        let mut without_chat = self.lock();
        if without_chat.is_none() {
            let held = self.strangers.hold(Use::SocketWithoutChat, &self.parties);
            *without_chat = held.ok().flatten().map(Box::new);
        }
    }

    /// Notes that the guest has shown a useless token; asks whether it may show another.
    pub(super) fn ask_to_show_another_token(&self) -> Result<(), OverBudget> {
        self.strangers.spend(Use::RefusedToken, &self.parties.address())
    }

    /// Asks whether the guest may post a text of this many bytes. It counts as one message, and as
    /// one more for each KiB.
    pub(super) fn ask_to_post(&self, bytes: usize) -> Result<(), OverBudget> {
        let more = bytes / limits::POST_BYTES_COUNTED;
        let count = NonZeroU32::MIN.saturating_add(u32::try_from(more).unwrap_or(u32::MAX));
        self.strangers.spend_several(Use::Post, &self.parties.address(), count)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Box<Held>>> {
        // No code that holds this lock can panic half-way.
        self.without_chat.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
