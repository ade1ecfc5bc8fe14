//! Takes in the sockets that other threads send to this one, because their conversations live
//! here.

use std::rc::Rc;
use std::sync::{Arc, RwLock};

use actix::{Actor, Addr, Context, Handler, Message};

use crate::domain::id::WidgetId;
use crate::domain::time::Span;
use crate::socket::line::Line;
use crate::socket::movement::{Carry, Movement};
use crate::socket::pump::Pump;
use crate::socket::session::guest::Guest;
use crate::socket::session::{Door, SocketSession};

/// The porters of all threads of a server, as far as they are at work yet.
#[derive(Clone, Debug, Default)]
pub struct Porters(Arc<RwLock<Vec<Option<Addr<Porter>>>>>);

/// One thread's porter.
#[derive(Debug)]
pub(super) struct Porter {
    door: Rc<Door>,
}

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

impl Porters {
    /// Begins to take in sockets on the thread that calls, which is the one of this door.
    pub(super) fn begin(&self, thread: usize, door: Rc<Door>) {
        let porter = Porter { door }.start();
        let mut porters = self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        if porters.len() <= thread {
            porters.resize(thread + 1, None);
        }
        porters[thread] = Some(porter);
    }

    /// The way for a socket to a thread; none while nobody takes in sockets there.
    #[expect(clippy::disallowed_methods, reason = "at most one message for each socket")]
    pub(super) fn way_to(&self, thread: usize, origin: Origin) -> Option<Carry> {
        let porters = self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let porter = porters.get(thread)?.clone()?;
        Some(Box::new(move |movement| porter.do_send(Arrival { movement, origin })))
    }
}

impl Actor for Porter {
    type Context = Context<Self>;
}

impl Handler<Arrival> for Porter {
    type Result = ();

    fn handle(&mut self, Arrival { movement, origin }: Arrival, _: &mut Self::Context) {
        let Movement { stream, unwritten, guard, first, rest } = movement;
        let line = Line::arrived(guard, first, rest);
        let session = SocketSession::arrived(self.door.clone(), line.clone(), origin);
        // A socket that cannot be registered is dropped, and its widget comes back.
        match Pump::arrived(stream, line, session, unwritten) {
            Ok(pump) => drop(actix::spawn(pump)),
            Err(error) => tracing::warn!(%error, "a socket could not change its thread"),
        }
    }
}
