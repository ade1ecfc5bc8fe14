//! The opening handshake of RFC 6455: what a request must say, and both answers to it as bytes.

use actix_http::header::{self, HeaderMap, HeaderName};
use actix_http::{Method, Request, StatusCode, Version, ws};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use serde_json::json;

use crate::socket::upgrade::Rejection;
use crate::wire::{SUBPROTOCOL, WIDGET_PATH};

/// Checks a request, and makes the answer that accepts it.
pub(super) fn accept(request: &Request) -> Result<Bytes, Rejection> {
    let head = request.head();
    if head.uri.path() != WIDGET_PATH {
        return Err(Rejection::new(404, "not_found", "widgets connect to /v1/widget"));
    }
    if head.method != Method::GET {
        return Err(Rejection::new(405, "method_not_allowed", "a WebSocket is opened with GET"));
    }
    if head.version < Version::HTTP_11 {
        let message = "a WebSocket is opened with HTTP/1.1";
        return Err(Rejection::new(400, "upgrade_malformed", message));
    }
    if !lists(&head.headers, &header::UPGRADE, "websocket") {
        return Err(Rejection::new(400, "upgrade_malformed", "`Upgrade` must be `websocket`"));
    }
    if !lists(&head.headers, &header::CONNECTION, "upgrade") {
        return Err(Rejection::new(400, "upgrade_malformed", "`Connection` must be `Upgrade`"));
    }
    if head.headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        let message = "`Sec-WebSocket-Version` must be 13";
        return Err(Rejection::new(426, "version_unsupported", message));
    }
    let key = head.headers.get(header::SEC_WEBSOCKET_KEY).map_or(&b""[..], |key| key.as_bytes());
    if !BASE64_STANDARD.decode(key).is_ok_and(|nonce| nonce.len() == 16) {
        let message = "`Sec-WebSocket-Key` must be 16 bytes in base64";
        return Err(Rejection::new(400, "upgrade_malformed", message));
    }
    if !lists(&head.headers, &header::SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL) {
        let message = "`Sec-WebSocket-Protocol` must offer `holdline.v1`";
        return Err(Rejection::new(400, "subprotocol_missing", message));
    }
    let mut answer = Vec::with_capacity(192);
    answer.extend_from_slice(
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
          sec-websocket-protocol: ",
    );
    answer.extend_from_slice(SUBPROTOCOL.as_bytes());
    answer.extend_from_slice(b"\r\nsec-websocket-accept: ");
    answer.extend_from_slice(&ws::hash_key(key));
    answer.extend_from_slice(b"\r\n\r\n");
    Ok(answer.into())
}

/// The answer that rejects a request: a problem document (RFC 9457).
pub(super) fn reject(rejection: &Rejection) -> Bytes {
    let status = StatusCode::from_u16(rejection.status).unwrap_or(StatusCode::BAD_REQUEST);
    let title = status.canonical_reason().unwrap_or("Refused");
    let problem = json!({
        "type": "about:blank",
        "title": title,
        "status": status.as_u16(),
        "code": rejection.code,
        "detail": rejection.message,
    })
    .to_string();
    let version = match status {
        StatusCode::UPGRADE_REQUIRED => "sec-websocket-version: 13\r\n",
        _ => "",
    };
    format!(
        "HTTP/1.1 {status} {title}\r\ncontent-type: application/problem+json\r\n\
         content-length: {length}\r\nconnection: close\r\n{version}\r\n{problem}",
        status = status.as_str(),
        length = problem.len(),
    )
    .into()
}

/// Whether a header that is a list, possibly in several lines, has this entry.
fn lists(headers: &HeaderMap, name: &HeaderName, entry: &str) -> bool {
    headers
        .get_all(name)
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .any(|offered| offered.trim().eq_ignore_ascii_case(entry))
}
