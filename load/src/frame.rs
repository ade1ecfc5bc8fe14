//! WebSocket frames (RFC 6455), as a client writes and reads them.

/// A whole text.
pub const TEXT: u8 = 0x1;
/// A whole binary message.
pub const BINARY: u8 = 0x2;
/// The socket is closed.
pub const CLOSE: u8 = 0x8;
/// A sign of life is asked for.
pub const PING: u8 = 0x9;
/// A sign of life.
pub const PONG: u8 = 0xa;

/// The key of the handshake. It may be the same each time: it only shows that both ends speak
/// WebSocket.
pub const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// The length bytes after which the real length follows, in two or eight bytes.
const TWO_BYTES: u8 = 0x7e;
const EIGHT_BYTES: u8 = 0x7f;

/// The mask of a frame's payload.
const MASK: [u8; 4] = [0x5a, 0xc3, 0x3c, 0xa5];

/// A frame that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// What it is.
    pub opcode: u8,
    /// Whether it is the last of its message.
    pub is_last: bool,
    /// Its payload, as it stands: a server's frames are not masked.
    pub payload: &'a [u8],
    /// The bytes of the whole.
    pub length: usize,
}

/// Writes a client's frame, which is masked, at the end of `out`.
pub fn write(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    out.push(0x80 | opcode);
    match payload.len() {
        length @ 0..126 => out.push(0x80 | u8::try_from(length).unwrap_or(0)),
        length => {
            if let Ok(length) = u16::try_from(length) {
                out.push(0x80 | TWO_BYTES);
                out.extend_from_slice(&length.to_be_bytes());
            } else {
                out.push(0x80 | EIGHT_BYTES);
                out.extend_from_slice(&(length as u64).to_be_bytes());
            }
        }
    }
    out.extend_from_slice(&MASK);
    let start = out.len();
    out.extend_from_slice(payload);
    cover(&mut out[start..], MASK);
}

/// Writes a server's frame, which is not masked, at the end of `out`.
pub fn write_bare(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    out.push(0x80 | opcode);
    if let (Ok(length), true) = (u8::try_from(payload.len()), payload.len() < 126) {
        out.push(length);
    } else {
        out.push(126);
        let length = u16::try_from(payload.len()).unwrap_or(u16::MAX);
        out.extend_from_slice(&length.to_be_bytes());
    }
    out.extend_from_slice(payload);
}

/// Applies a mask to a payload, or takes it off again.
pub fn cover(payload: &mut [u8], mask: [u8; 4]) {
    let (fours, rest) = payload.as_chunks_mut::<4>();
    for four in fours {
        *four = (u32::from_ne_bytes(*four) ^ u32::from_ne_bytes(mask)).to_ne_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip(mask) {
        *byte ^= mask;
    }
}

/// Reads a server's frame from the front; none if the frame is not complete yet.
pub fn next(bytes: &[u8]) -> Option<Frame<'_>> {
    let [first, second, ..] = *bytes else { return None };
    let (start, length): (usize, usize) = match second & 0x7f {
        126 => (4, usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?))),
        127 => {
            let length = u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?);
            (10, usize::try_from(length).ok()?)
        }
        length => (2, usize::from(length)),
    };
    let end = start.checked_add(length)?;
    let payload = bytes.get(start..end)?;
    Some(Frame { opcode: first & 0xf, is_last: first & 0x80 != 0, payload, length: end })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for length in [0, 1, 125, 126, 65_535, 65_536] {
            let said = vec![b'a'; length];
            let mut out = Vec::new();
            write(&mut out, TEXT, &said);
            let head = out.len() - length;
            cover(&mut out[head..], MASK);
            assert_eq!(&out[head..], said);
            // A server's frame is the same without its mask.
            out[1] &= 0x7f;
            out.drain(head - 4..head);
            let frame = next(&out).expect("it is whole");
            assert_eq!((frame.opcode, frame.payload.len()), (TEXT, length));
            assert_eq!(frame.length, out.len());
            assert!(next(&out[..out.len() - 1]).is_none());
        }
    }
}
