//! What a widget sends on its socket: frames of RFC 6455, and the texts in them.

use holdline::limits;
use holdline::socket::Breach;
use holdline::socket::guard::{Guard, Incoming};
use holdline::wire::client;

/// The first byte says how the rest is cut into chunks.
pub(crate) fn run(bytes: &[u8]) {
    let Some((cut, frames)) = bytes.split_first() else { return };
    let whole = read([frames]);
    let pieces = usize::from(*cut) % 16 + 1;
    let cut = read(frames.chunks(pieces));
    assert_eq!(whole, cut, "frames are read the same however they are cut");
    for incoming in whole.0 {
        match incoming {
            Incoming::Text(text) => {
                assert!(text.len() <= limits::FRAME_BYTES_MAX, "a text is within its bound");
                let _judged = client::parse(text.as_bytes());
            }
            Incoming::Ping(payload) | Incoming::Pong(payload) => assert!(payload.len() <= 125),
            Incoming::Close(code) => assert!(code >= 1_000, "{code} is no code"),
        }
    }
    // The text alone, without the frame, which a fuzzer would have to guess.
    let _judged = client::parse(frames);
}

fn read<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Incoming>, Option<Breach>) {
    let mut guard = Guard::default();
    let mut found = Vec::new();
    for mut chunk in chunks {
        loop {
            match guard.next(&mut chunk) {
                Ok(Some(incoming)) => {
                    // Nothing that follows a close frame is read.
                    let is_last = matches!(incoming, Incoming::Close(_));
                    found.push(incoming);
                    if is_last {
                        return (found, None);
                    }
                }
                Ok(None) => break,
                Err(breach) => return (found, Some(breach)),
            }
        }
    }
    (found, None)
}
