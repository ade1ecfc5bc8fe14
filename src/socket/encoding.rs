//! Frames as bytes, on their way to a socket.

use actix_codec::Encoder;
use actix_http::ws::{CloseReason, Codec, Message, OpCode, Parser, ProtocolError};
use bytes::{Bytes, BytesMut};
use bytestring::ByteString;

use crate::limits;
use crate::socket::outbox::Outbox;
use crate::wire::close::CloseCode;

/// Encoded frames, and what they count for in the outbox.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) bytes: BytesMut,
    pub(super) frames: u32,
    pub(super) payload: u32,
}

/// What a session says in one turn before it is counted in the outbox. It is not counted at once:
/// nearly always the socket takes it immediately, and the outbox lies elsewhere in memory.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Light {
    frames: u8,
    bytes: u16,
}

impl Light {
    /// Adds one more frame of this many bytes; nothing if that is too much.
    pub(super) fn with(self, bytes: usize) -> Option<Self> {
        let bytes = self.bytes.checked_add(u16::try_from(bytes).ok()?)?;
        let more = Self { frames: self.frames + 1, bytes };
        let is_light =
            more.frames <= limits::LIGHT_FRAMES_MAX && more.bytes <= limits::LIGHT_BYTES_MAX;
        is_light.then_some(more)
    }
}

impl Written {
    /// Adds a frame.
    pub(super) fn say(&mut self, kind: OpCode, payload: &[u8]) {
        Parser::write_message(&mut self.bytes, payload, kind, true, false);
    }

    /// Counts what was not counted, because the socket has not taken it at once.
    pub(super) fn count(&mut self, light: Light, outbox: &Outbox) {
        let (frames, bytes) = (u32::from(light.frames), u32::from(light.bytes));
        outbox.add(frames, bytes);
        self.frames += frames;
        self.payload += bytes;
    }

    /// Adds the goodbye, which is beyond the account of the outbox.
    pub(super) fn put(&mut self, bye: &ByteString, code: CloseCode) {
        let reason = CloseReason { code: code.number().into(), description: None };
        let mut codec = Codec::new();
        for frame in [Message::Text(bye.clone()), Message::Close(Some(reason))] {
            // Encoding fails only for fragments out of order, and none is ever sent.
            let _: Result<(), ProtocolError> = codec.encode(frame, &mut self.bytes);
        }
    }
}

/// Bytes on their way, and what they count for in the outbox.
pub(super) struct Encoded {
    pub(super) bytes: Bytes,
    /// Bytes that are written already.
    pub(super) written: usize,
    pub(super) frames: u32,
    pub(super) payload: u32,
}

impl From<Written> for Encoded {
    fn from(written: Written) -> Self {
        let Written { bytes, frames, payload } = written;
        Self { bytes: bytes.freeze(), frames, payload, written: 0 }
    }
}

impl Encoded {
    /// What is not written yet.
    pub(super) fn rest(mut self) -> Bytes {
        self.bytes.split_off(self.written)
    }

    /// Keeps only the rest of the frame that is partly written, if there is one.
    pub(super) fn cut_to_frame(mut self) -> Option<Self> {
        let mut boundary = 0;
        while boundary < self.written {
            let length = match self.bytes.get(boundary..)? {
                [_, 126, high, low, ..] => 4 + usize::from(u16::from_be_bytes([*high, *low])),
                [_, 127, length @ ..] => {
                    let length = u64::from_be_bytes(*length.first_chunk()?);
                    10 + usize::try_from(length).ok()?
                }
                [_, length, ..] => 2 + usize::from(*length),
                _ => return None,
            };
            boundary += length;
        }
        self.bytes.truncate(boundary);
        (self.written < boundary).then_some(self)
    }
}

/// The answer to a widget's close frame repeats its code.
pub(super) fn close_frame(code: u16) -> [u8; 4] {
    let [high, low] = match code {
        1005 => CloseCode::Normal.number(),
        code => code,
    }
    .to_be_bytes();
    [0x88, 2, high, low]
}
