//! Frames as bytes, on their way to a socket.

use bytes::Bytes;

use crate::socket::line::Written;
use crate::wire::close::CloseCode;

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

    /// Keeps only what is left of the frame that has begun to be written, if one has.
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
