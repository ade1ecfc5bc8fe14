//! From an HTTP request that asks for a WebSocket to a socket with its session.
//!
//! The request's stream is taken out of the HTTP machinery here, whose two buffers of 8 KiB are
//! dropped; only what the widget had already sent behind its request is kept.

use std::convert::Infallible;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_codec::Framed;
use actix_http::header::{self, HeaderName};
use actix_http::{HttpMessage, Request, h1};
use actix_web::web::Query;
use bytes::Bytes;
use serde::Deserialize;
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::limits;
use crate::socket::admission::{Admission, Asked, Rejection, UpgradeRequest};
use crate::socket::handshake;
use crate::socket::line::Line;
use crate::socket::pump::Pump;
use crate::socket::strict::Strict;
use crate::socket::thread::Thread;
use crate::socket::transport::Transport;
use crate::strangers::Connection;
use crate::wire::problem::WIDGET_MISSING;

#[derive(Deserialize)]
struct Parameters {
    widget: String,
}

/// Answers an upgrade request; a widget that is let in gets a future of its own.
pub(super) async fn answer<A: Admission>(
    admission: &A,
    thread: &Rc<Thread>,
    request: Request,
    framed: Framed<Strict<Transport>, h1::Codec>,
) -> Result<(), Infallible> {
    let parts = framed.into_parts();
    let (stream, leftover) = (parts.io.into_inner(), parts.read_buf);
    // An answer to an earlier request on this connection may not be written yet.
    let unwritten = parts.write_buf;
    match judge(admission, &request) {
        Ok((opening, line, session)) => {
            bear_with(stream.socket());
            let opening = prefixed(&unwritten, opening);
            actix_rt::spawn(Pump::new(thread.clone(), stream, line, session, opening, &leftover));
        }
        Err(rejection) => {
            drop(leftover);
            admission.note_rejected(&Asked::of(&request, admission.strangers()), &rejection);
            let answer = prefixed(&unwritten, handshake::reject(&rejection, stream.is_secured()));
            let limit = Duration::from_secs(limits::FAREWELL_SECONDS_MAX);
            // If the answer could not be written in time, there is nobody left to tell.
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
        // A header value that is a text is ASCII, so any place is a boundary.
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

/// Lets a connection that becomes a widget's socket live through a longer silence of the network: a
/// customer's phone may be in a tunnel.
fn bear_with(stream: &TcpStream) {
    #[cfg(target_os = "linux")]
    {
        let limit = Duration::from_secs(limits::UNACKNOWLEDGED_SECONDS_MAX);
        // If this fails, the socket is given up sooner, and its widget comes back.
        let _: std::io::Result<()> = SockRef::from(stream).set_tcp_user_timeout(Some(limit));
    }
    #[cfg(not(target_os = "linux"))]
    let _ = stream;
}
