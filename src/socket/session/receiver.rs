//! Takes in the sockets that other threads send to this one, because their conversations live
//! here.

use std::rc::Rc;
use std::sync::Arc;

use actix::{Actor, Context, Handler};

use crate::access::Keys;
use crate::engine::Engine;
use crate::socket::line::Line;
use crate::socket::movement::Movement;
use crate::socket::pump::Pump;
use crate::socket::session::actor::SocketSession;
use crate::socket::session::door::Door;
use crate::socket::session::routes::{Arrival, Routes};
use crate::socket::thread::Thread;
use crate::strangers::Strangers;

/// One thread's receiver.
#[derive(Debug)]
pub(super) struct Receiver {
    door: Rc<Door>,
    thread: Rc<Thread>,
}

impl Door {
    /// A door whose thread exchanges sockets with the other threads that `routes` knows. It must
    /// be called on that thread.
    pub fn among(
        engine: Engine,
        keys: Arc<Keys>,
        thread: usize,
        routes: &Routes,
        strangers: Strangers,
    ) -> Rc<Self> {
        let door = Rc::new(Self::beside(engine, keys, thread, routes.clone(), strangers));
        let receiver = Receiver { door: door.clone(), thread: Thread::new() }.start();
        routes.enter(thread, receiver.recipient());
        door
    }
}

impl Actor for Receiver {
    type Context = Context<Self>;
}

impl Handler<Arrival> for Receiver {
    type Result = ();

    fn handle(&mut self, Arrival { movement, origin }: Arrival, _: &mut Self::Context) {
        let Movement { stream, unwritten, guard, first, rest } = movement;
        let line = Line::arrived(guard, first, rest);
        let session = SocketSession::arrived(self.door.clone(), line.clone(), origin);
        // A socket that cannot be registered is dropped, and its widget comes back.
        match Pump::arrived(self.thread.clone(), stream, line, session, unwritten) {
            Ok(pump) => drop(actix::spawn(pump)),
            Err(error) => tracing::warn!(%error, "a socket could not change its thread"),
        }
    }
}
