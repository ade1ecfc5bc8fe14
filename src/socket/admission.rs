//! Which widgets are let in: what is known of a request, and the answer to it.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use actix_http::{HttpMessage as _, Request, header};

use crate::limits;
use crate::socket::line::Line;
use crate::socket::pump::SessionActor;
use crate::strangers::{Connection, NotTaken, Strangers};
use crate::tls::HandshakeFault;
use crate::wire::problem::Kind;

/// What is known of a widget that wants to connect.
#[derive(Clone, Debug)]
pub struct UpgradeRequest {
    /// The path, without its query.
    pub path: String,
    /// The widget's id, as the query names it.
    pub widget: String,
    /// The page's origin; a browser always names it.
    pub origin: Option<String>,
    /// The program it says it is, cut to [`limits::PAGE_BYTES_MAX`].
    pub user_agent: Option<String>,
    /// Where it comes from.
    pub client: Option<IpAddr>,
    /// The connection that it came on.
    pub connection: Option<Arc<Connection>>,
}

/// Why a widget is not let in, as an HTTP answer.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct Rejection {
    /// The kind of problem, with its status and its stable code.
    pub kind: &'static Kind,
    /// The sentence for people.
    pub message: String,
    /// After how many seconds to try again, where that is known.
    pub retry_after_s: Option<u64>,
}

impl Rejection {
    /// A rejection.
    pub fn new(kind: &'static Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), retry_after_s: None }
    }
}

/// Decides which widgets are let in, and makes their sessions. One for each thread.
pub trait Admission: 'static {
    /// The actor that a socket is given to.
    type Session: SessionActor;

    /// Judges a request whose handshake is in order. The session keeps the line: through it the
    /// session speaks, and learns how its socket ended.
    fn admit(&self, request: &UpgradeRequest, line: Line) -> Result<Self::Session, Rejection>;

    /// What is known of strangers.
    fn strangers(&self) -> &Strangers;

    /// Notes that a connection was not taken.
    fn note_not_taken(&self, _peer: Option<SocketAddr>, _why: &NotTaken) {}

    /// Notes that a connection could not be secured by TLS.
    fn note_not_secured(&self, _peer: Option<SocketAddr>, _why: &HandshakeFault) {}

    /// Notes that a request could not be read, and its connection was closed.
    fn note_unreadable(&self) {}

    /// Notes that a request was rejected.
    fn note_rejected(&self, _asked: &Asked<'_>, _rejection: &Rejection) {}

    /// Notes that a connection was closed at once, because no descriptor was left for it.
    fn note_turned_away(&self) {}
}

/// What a rejected request asked for, as it was written, cut to a bound.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Asked<'a> {
    /// The path and its query.
    pub address: Cow<'a, str>,
    /// The page's origin.
    pub origin: Option<Cow<'a, str>>,
    /// Where it comes from.
    pub client: Option<IpAddr>,
}

impl<'a> Asked<'a> {
    pub(super) fn of(request: &'a Request, strangers: &Strangers) -> Self {
        let cut = |bytes: &'a [u8]| {
            String::from_utf8_lossy(&bytes[..bytes.len().min(limits::PAGE_BYTES_MAX)])
        };
        let address = request.uri().path_and_query().map_or("/", |address| address.as_str());
        let origin = request.headers().get(header::ORIGIN);
        Self {
            address: cut(address.as_bytes()),
            origin: origin.map(|origin| cut(origin.as_bytes())),
            client: strangers.client(request.peer_addr(), request.headers()),
        }
    }
}
