//! What the floor answers: the upgrade, and the few frames that a widget of Holdline waits for.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use memchr::memmem;
use sha1::{Digest as _, Sha1};

use super::Peer;
use super::agent::Feed;
use crate::frame::{self, PONG, TEXT, cover};

/// RFC 6455 appends this to the key of a handshake.
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Answers what it can of these bytes; returns how many bytes that were.
pub(super) fn take(
    peer: &mut Peer,
    number: usize,
    bytes: &mut [u8],
    out: &mut Vec<u8>,
    feed: &mut Feed,
) -> usize {
    let mut taken = 0;
    if !peer.is_upgraded {
        let Some(end) = memmem::find(bytes, b"\r\n\r\n") else { return 0 };
        taken = end + 4;
        peer.is_upgraded = true;
        if bytes.starts_with(b"GET /agent") {
            feed.open(number);
            return taken;
        }
        upgrade(&bytes[..end], out);
    }
    while let Some(length) = take_frame(peer, &mut bytes[taken..], out, feed) {
        taken += length;
    }
    taken
}

fn upgrade(head: &[u8], out: &mut Vec<u8>) {
    let head = String::from_utf8_lossy(head);
    let field = |name: &str| {
        head.lines().find_map(|line| {
            let (field, value) = line.split_once(':')?;
            field.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    };
    let key = field("sec-websocket-key").unwrap_or_default();
    let accept = STANDARD.encode(Sha1::digest(format!("{key}{GUID}")));
    let subprotocol = field("sec-websocket-protocol")
        .map_or_else(String::new, |name| format!("Sec-WebSocket-Protocol: {name}\r\n"));
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n{subprotocol}\r\n"
    );
    out.extend_from_slice(answer.as_bytes());
}

/// Answers one frame; returns its length, or nothing if the frame is not complete.
fn take_frame(
    peer: &mut Peer,
    bytes: &mut [u8],
    out: &mut Vec<u8>,
    feed: &mut Feed,
) -> Option<usize> {
    let [first, second, ..] = *bytes else { return None };
    let (start, length) = match second & 0x7f {
        126 => (8, usize::from(u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?]))),
        127 => return None,
        length => (6, usize::from(length)),
    };
    let end = start + length;
    let mask = *bytes.get(start - 4..start)?.first_chunk()?;
    let payload = bytes.get_mut(start..end)?;
    cover(payload, mask);
    match first & 0xf {
        frame::PING => frame::write_bare(out, PONG, payload),
        TEXT => answer(peer, payload, out, feed),
        _ => {}
    }
    Some(end)
}

fn answer(peer: &mut Peer, said: &[u8], out: &mut Vec<u8>, feed: &mut Feed) {
    let Some(rest) = said.strip_prefix(br#"{"type":""#) else { return };
    match rest {
        [b'b', b'e', ..] if memmem::find(rest, b"padding").is_none() => {
            frame::write_bare(out, TEXT, br#"{"type":"beat","seq":1}"#);
        }
        [b'h', ..] => {
            let welcome: &[u8] = match memmem::find(rest, br#""token":"#) {
                Some(_) => br#"{"type":"welcome","conversation":{"token":"t"}}"#,
                None => br#"{"type":"welcome"}"#,
            };
            frame::write_bare(out, TEXT, welcome);
        }
        [b's', ..] => {
            let started = br#"{"type":"started","ref":1,"conversation":"c","token":"t","seq":1}"#;
            frame::write_bare(out, TEXT, started);
            peer.customer = after(rest, br#""name":"c"#).and_then(|it| u32::try_from(it).ok());
            if let Some(customer) = peer.customer {
                feed.enter(customer);
            }
        }
        [b'p', ..] => {
            let Some(number) = after(rest, br#""id":"p-"#) else { return };
            let posted = format!(r#"{{"type":"posted","ref":1,"id":"p-{number}","seq":2}}"#);
            frame::write_bare(out, TEXT, posted.as_bytes());
            feed.message(number);
        }
        [b'e', ..] => {
            frame::write_bare(out, TEXT, br#"{"type":"state","seq":3,"state":"closed"}"#);
        }
        _ => {}
    }
}

/// The number that stands after this text.
fn after(said: &[u8], text: &[u8]) -> Option<u64> {
    let start = memmem::find(said, text)? + text.len();
    let digits = said[start..].iter().take_while(|byte| byte.is_ascii_digit());
    Some(digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
}
