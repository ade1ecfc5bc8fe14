//! The way of a socket to the thread of its conversation.

use std::sync::{Arc, PoisonError, RwLock};

use actix::{Message, Recipient};

use crate::domain::id::WidgetId;
use crate::domain::time::Span;
use crate::socket::movement::{Carry, Movement};
use crate::socket::session::guest::Guest;

/// The routes to those threads of a server that are already at work.
#[derive(Clone, Debug, Default)]
pub struct Routes(Arc<RwLock<Vec<Option<Recipient<Arrival>>>>>);

/// A socket that arrives, and what its session knew before `hello`.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) struct Arrival {
    pub(super) movement: Movement,
    pub(super) origin: Origin,
}

/// What a session knows from its upgrade.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    pub(super) widget: WidgetId,
    pub(super) heartbeat: Span,
    pub(super) program: Option<Arc<str>>,
    pub(super) guest: Arc<Guest>,
}

impl Routes {
    /// From now on this receiver takes in the sockets of a thread.
    pub(super) fn enter(&self, thread: usize, receiver: Recipient<Arrival>) {
        let mut routes = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if routes.len() <= thread {
            routes.resize(thread + 1, None);
        }
        routes[thread] = Some(receiver);
    }

    /// Whether a receiver takes in sockets on a thread.
    pub(super) fn lead_to(&self, thread: usize) -> bool {
        let routes = self.0.read().unwrap_or_else(PoisonError::into_inner);
        routes.get(thread).is_some_and(Option::is_some)
    }

    /// The way for a socket to a thread; none while no receiver takes in sockets there.
    #[expect(clippy::disallowed_methods, reason = "at most one message for each socket")]
    pub(super) fn way_to(&self, thread: usize, origin: Origin) -> Option<Carry> {
        let routes = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let receiver = routes.get(thread)?.clone()?;
        Some(Box::new(move |movement| receiver.do_send(Arrival { movement, origin })))
    }
}
