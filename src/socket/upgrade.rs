//! From an HTTP request that asks for a WebSocket to a socket with its session.
//!
//! The request's stream is taken out of the HTTP machinery here, whose two buffers of 8 KiB are
//! dropped; only what the widget had already sent behind its request is kept.

use std::borrow::Cow;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use actix_codec::Framed;
use actix_http::header::{self, HeaderName};
use actix_http::{HttpMessage, Request, h1};
use actix_web::web::Query;
use bytes::Bytes;
use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::limits;
use crate::socket::handshake;
use crate::socket::line::Line;
use crate::socket::listener;
use crate::socket::pump::{Pump, SessionActor};
use crate::socket::strict::Strict;
use crate::socket::transport::Transport;
use crate::strangers::{Connection, NotTaken, Strangers};
use crate::tls::HandshakeFault;
use crate::wire::problem::{Kind, WIDGET_MISSING};

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

/// Decides who is let in, and makes the sessions of those who are. One for each thread.
pub trait Admission: 'static {
    /// The actor that a socket is given to.
    type Session: SessionActor;

    /// Judges a request whose handshake is in order. The session keeps the line: it is how it
    /// speaks, and how it learns how its socket ended.
    fn admit(&self, request: &UpgradeRequest, line: Line) -> Result<Self::Session, Rejection>;

    /// What is known of strangers.
    fn strangers(&self) -> &Strangers;

    /// Notes that a connection was not taken.
    fn note_not_taken(&self, _peer: Option<SocketAddr>, _why: &NotTaken) {}

    /// Notes that a connection could not be secured by TLS.
    fn note_not_secured(&self, _peer: Option<SocketAddr>, _why: &HandshakeFault) {}

    /// Notes that a request could not be read, and its connection was closed.
    fn note_unreadable(&self) {}

    /// Notes that somebody was not let in.
    fn note_rejected(&self, _asked: &Asked<'_>, _rejection: &Rejection) {}

    /// Notes that a connection was closed at once, because no descriptor was left for it.
    fn note_turned_away(&self) {}
}

/// What somebody asked for who was not let in, as it was written, cut to a bound.
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
    fn of(request: &'a Request, strangers: &Strangers) -> Self {
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

#[derive(Deserialize)]
struct Parameters {
    widget: String,
}

/// Answers an upgrade request; a widget that is let in gets a future of its own.
pub(super) async fn answer<A: Admission>(
    admission: &A,
    request: Request,
    framed: Framed<Strict<Transport>, h1::Codec>,
) -> Result<(), Infallible> {
    let parts = framed.into_parts();
    let (stream, leftover) = (parts.io.into_inner(), parts.read_buf);
    // An answer to an earlier request on this connection may not be written yet.
    let unwritten = parts.write_buf;
    match judge(admission, &request) {
        Ok((opening, line, session)) => {
            listener::bear_with(stream.socket());
            let opening = prefixed(&unwritten, opening);
            actix_rt::spawn(Pump::new(stream, line, session, opening, &leftover));
        }
        Err(rejection) => {
            drop(leftover);
            admission.note_rejected(&Asked::of(&request, admission.strangers()), &rejection);
            let answer = prefixed(&unwritten, handshake::reject(&rejection, stream.is_secured()));
            let limit = Duration::from_secs(limits::FAREWELL_SECONDS_MAX);
            // Nobody is left to be told when it could not be written in time.
            let _: Result<_, _> = tokio::time::timeout(limit, turn_away(stream, answer)).await;
        }
    }
    Ok(())
}

fn judge<A: Admission>(
    admission: &A,
    request: &Request,
) -> Result<(Bytes, Line, A::Session), Rejection> {
    let opening = handshake::accept(request)?;
    let query = request.uri().query().unwrap_or_default();
    let Query(Parameters { widget }) = Query::from_query(query).map_err(|_| {
        Rejection::new(&WIDGET_MISSING, "the address must name its widget: ?widget=ID")
    })?;
    let origin = handshake::only(request.headers(), &header::ORIGIN)?.map(str::to_owned);
    let mut user_agent = text_of(request, &header::USER_AGENT);
    if let Some(program) = &mut user_agent {
        // A header that is a text is ASCII, so any place is a boundary.
        program.truncate(limits::PAGE_BYTES_MAX);
    }
    let request = UpgradeRequest {
        path: request.path().to_owned(),
        widget,
        origin,
        user_agent,
        client: admission.strangers().client(request.peer_addr(), request.headers()),
        connection: request.conn_data::<Arc<Connection>>().cloned(),
    };
    let line = Line::new();
    let session = admission.admit(&request, line.clone())?;
    Ok((opening, line, session))
}

fn text_of(request: &Request, name: &HeaderName) -> Option<String> {
    Some(request.headers().get(name)?.to_str().ok()?.to_owned())
}

fn prefixed(unwritten: &[u8], answer: Bytes) -> Bytes {
    if unwritten.is_empty() { answer } else { [unwritten, &answer[..]].concat().into() }
}

/// Writes an answer and waits for the other end to close, so that a reset does not overtake it.
async fn turn_away(mut stream: Transport, answer: Bytes) -> std::io::Result<()> {
    stream.write_all(&answer).await?;
    stream.shutdown().await?;
    let mut ignored = [0; 1024];
    for _ in 0..64 {
        if stream.read(&mut ignored).await? == 0 {
            break;
        }
    }
    Ok(())
}
