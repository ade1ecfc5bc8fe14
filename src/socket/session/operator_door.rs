//! The door of the operators' address, which lets no socket in.

use std::net::SocketAddr;

use crate::engine::{Engine, Face};
use crate::socket::admission::{Admission, Rejection, UpgradeRequest};
use crate::socket::line::Line;
use crate::socket::session::actor::SocketSession;
use crate::socket::session::entry::tell_not_secured;
use crate::strangers::{NotTaken, Strangers};
use crate::tls::HandshakeFault;
use crate::wire::problem::NOT_FOUND;

/// Lets no widget in, and knows of no strangers.
#[derive(Debug)]
pub struct OperatorDoor {
    engine: Engine,
    strangers: Strangers,
}

impl OperatorDoor {
    /// A door of this engine.
    pub fn new(engine: Engine) -> Self {
        Self { engine, strangers: Strangers::default() }
    }
}

impl Admission for OperatorDoor {
    type Session = SocketSession;

    fn admit(&self, _: &UpgradeRequest, _: Line) -> Result<SocketSession, Rejection> {
        Err(Rejection::new(&NOT_FOUND, "no widget connects to the operators' address"))
    }

    fn strangers(&self) -> &Strangers {
        &self.strangers
    }

    fn note_not_taken(&self, _: Option<SocketAddr>, _: &NotTaken) {}

    fn note_not_secured(&self, peer: Option<SocketAddr>, why: &HandshakeFault) {
        tell_not_secured(&self.engine, peer, why);
    }

    fn note_unreadable(&self) {
        self.engine.note_refused(Face::Http, "unreadable_request");
    }

    fn note_turned_away(&self) {
        self.engine.note_turned_away();
    }
}
