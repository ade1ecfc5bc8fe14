//! The opening handshake of RFC 6455: what a request must say, and both answers to it as bytes.

use actix_http::header::{self, HeaderMap, HeaderName};
use actix_http::{Method, Request, StatusCode, Version, ws};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;

use crate::socket::admission::Rejection;
use crate::wire::headers::{ALWAYS, OVER_TLS};
use crate::wire::problem::{
    MEDIA_TYPE, METHOD_NOT_ALLOWED, NOT_FOUND, SUBPROTOCOL_MISSING, UPGRADE_MALFORMED,
    VERSION_UNSUPPORTED,
};
use crate::wire::{SUBPROTOCOL, WIDGET_PATH};

/// Checks a request, and makes the answer that accepts it.
pub(super) fn accept(request: &Request) -> Result<Bytes, Rejection> {
    let head = request.head();
    let malformed = |message: &str| Err(Rejection::new(&UPGRADE_MALFORMED, message));
    if head.uri.path() != WIDGET_PATH {
        return Err(Rejection::new(&NOT_FOUND, format!("widgets connect to {WIDGET_PATH}")));
    }
    if head.method != Method::GET {
        return Err(Rejection::new(&METHOD_NOT_ALLOWED, "a WebSocket is opened with GET"));
    }
    if head.version != Version::HTTP_11 {
        return malformed("a WebSocket is opened with HTTP/1.1");
    }
    // Frames follow the request; a body would be read as frames.
    let length = only(&head.headers, &header::CONTENT_LENGTH)?;
    if length.is_some_and(|length| length != "0")
        || head.headers.contains_key(header::TRANSFER_ENCODING)
    {
        return malformed("a handshake has no body");
    }
    if !lists(&head.headers, &header::UPGRADE, "websocket") {
        return malformed("`Upgrade` must be `websocket`");
    }
    if !lists(&head.headers, &header::CONNECTION, "upgrade") {
        return malformed("`Connection` must be `Upgrade`");
    }
    if only(&head.headers, &header::SEC_WEBSOCKET_VERSION)? != Some("13") {
        return Err(Rejection::new(&VERSION_UNSUPPORTED, "`Sec-WebSocket-Version` must be 13"));
    }
    let key = only(&head.headers, &header::SEC_WEBSOCKET_KEY)?.unwrap_or_default();
    if !BASE64_STANDARD.decode(key).is_ok_and(|nonce| nonce.len() == 16) {
        return malformed("`Sec-WebSocket-Key` must be 16 bytes in base64");
    }
    if !lists(&head.headers, &header::SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL) {
        let message = format!("`Sec-WebSocket-Protocol` must offer `{SUBPROTOCOL}`");
        return Err(Rejection::new(&SUBPROTOCOL_MISSING, message));
    }
    let mut answer = Vec::with_capacity(192);
    answer.extend_from_slice(
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
          sec-websocket-protocol: ",
    );
    answer.extend_from_slice(SUBPROTOCOL.as_bytes());
    answer.extend_from_slice(b"\r\nsec-websocket-accept: ");
    answer.extend_from_slice(&ws::hash_key(key.as_bytes()));
    answer.extend_from_slice(b"\r\n\r\n");
    Ok(answer.into())
}

/// The answer that rejects a request, in the same form as every refusal over HTTP.
pub(super) fn reject(rejection: &Rejection, is_secured: bool) -> Bytes {
    let Rejection { kind, message, retry_after_s } = rejection;
    let status = StatusCode::from_u16(kind.status).unwrap_or(StatusCode::BAD_REQUEST);
    let problem = kind.document(message, &[], None);
    let more = match (status, retry_after_s) {
        (StatusCode::UPGRADE_REQUIRED, _) => "sec-websocket-version: 13\r\n".to_owned(),
        (StatusCode::METHOD_NOT_ALLOWED, _) => "allow: GET\r\n".to_owned(),
        (_, Some(seconds)) => format!("retry-after: {seconds}\r\n"),
        _ => String::new(),
    };
    let always = ALWAYS.into_iter().chain(is_secured.then_some(OVER_TLS));
    let lines: Vec<_> = always.flat_map(|(name, value)| [name, ": ", value, "\r\n"]).collect();
    let always = lines.concat();
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: {MEDIA_TYPE}\r\ncontent-length: {length}\r\n\
         connection: close\r\n{always}{more}\r\n{problem}",
        length = problem.len(),
    )
    .into()
}

/// The single value of a header, if it is there. It must be visible ASCII: a value that cannot be
/// read must not count as absent.
pub(super) fn only<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> Result<Option<&'a str>, Rejection> {
    let mut values = headers.get_all(name);
    let Some(value) = values.next() else { return Ok(None) };
    let malformed = |problem| {
        let message = format!("the header `{name}` {problem}");
        Err(Rejection::new(&UPGRADE_MALFORMED, message))
    };
    match value.to_str() {
        _ if values.next().is_some() => malformed("must be given once"),
        Ok(text) => Ok(Some(text)),
        Err(_) => malformed("must be visible ASCII"),
    }
}

/// Whether a header that is a list, possibly in several lines, has this entry.
fn lists(headers: &HeaderMap, name: &HeaderName, entry: &str) -> bool {
    headers
        .get_all(name)
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .any(|offered| offered.trim().eq_ignore_ascii_case(entry))
}
