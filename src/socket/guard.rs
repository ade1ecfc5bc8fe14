//! Frames of RFC 6455 from a widget, read as they arrive and judged by their headers: whatever is
//! not allowed is refused before any of its payload is kept.
//!
//! The fragments of a text are put together here, within the limit of one frame, so that a session
//! only ever sees whole texts. Between two messages nothing is allocated.

use bytes::Bytes;
use bytestring::ByteString;

use crate::limits;
use crate::wire::close::CloseCode;

/// Something whole that a widget sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Incoming {
    /// A text, put together from its fragments.
    Text(ByteString),
    /// A ping, to be answered with a pong of the same payload.
    Ping(Bytes),
    /// A pong.
    Pong(Bytes),
    /// The close frame, with its code; 1005 when it has none.
    Close(u16),
}

/// Why a widget's bytes are refused.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
pub enum Breach {
    /// A frame that a client must mask is not masked.
    #[error("a frame is not masked")]
    Unmasked,
    /// A bit that is reserved for extensions is set, and none was agreed on.
    #[error("a reserved bit is set")]
    ReservedBit,
    /// An opcode that means nothing.
    #[error("the opcode is reserved")]
    ReservedOpcode,
    /// A control frame that is in fragments or longer than 125 bytes.
    #[error("a control frame is fragmented or longer than 125 bytes")]
    BadControl,
    /// A close frame with half a code, or with a code that must not be sent.
    #[error("the close frame is malformed")]
    BadClose,
    /// A continuation of nothing, or a new message within a fragmented one.
    #[error("fragments are out of order")]
    BadFragment,
    /// A frame or a message that is larger than the limit, or in too many fragments.
    #[error("a frame or message is too large")]
    TooBig,
    /// A message that is still not whole after many control frames.
    #[error("a message is sent too slowly")]
    TooSlow,
    /// A binary message.
    #[error("binary messages are not taken")]
    Binary,
    /// A text that is not UTF-8.
    #[error("a text is not UTF-8")]
    InvalidUtf8,
}

impl Breach {
    /// The code that the socket is closed with.
    pub const fn close_code(self) -> CloseCode {
        match self {
            Self::Unmasked
            | Self::ReservedBit
            | Self::ReservedOpcode
            | Self::BadControl
            | Self::BadClose
            | Self::BadFragment
            | Self::TooSlow => CloseCode::Protocol,
            Self::TooBig => CloseCode::TooBig,
            Self::Binary => CloseCode::Binary,
            Self::InvalidUtf8 => CloseCode::InvalidUtf8,
        }
    }
}

/// Reads a widget's frames, however they are cut into chunks.
#[derive(Debug, Default)]
pub struct Guard {
    header: [u8; limits::FRAME_HEADER_BYTES_MAX],
    header_len: u8,
    /// The frame whose payload is being read.
    frame: Option<Frame>,
    /// The text that is being put together.
    text: Vec<u8>,
    /// Fragments of that text so far; zero when no message is open.
    fragments: u16,
    /// Control frames that came between those fragments.
    controls: u16,
    /// The payload of the control frame that is being read.
    control: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
struct Frame {
    opcode: Opcode,
    is_last: bool,
    left: usize,
    mask: [u8; 4],
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Opcode {
    Continuation,
    Text,
    Close,
    Ping,
    Pong,
}

impl Guard {
    /// Whether the guard is between two messages, so that nothing is lost with it.
    pub const fn is_idle(&self) -> bool {
        self.header_len == 0 && self.frame.is_none() && self.fragments == 0
    }

    /// Takes bytes from the front of `chunk` until something is whole, or all are taken. After a
    /// breach nothing that follows has a meaning.
    pub fn next(&mut self, chunk: &mut &[u8]) -> Result<Option<Incoming>, Breach> {
        loop {
            let mut frame = match self.frame.take() {
                Some(frame) => frame,
                None => match self.take_header(chunk)? {
                    Some(frame) => frame,
                    None => return Ok(None),
                },
            };
            self.take_payload(&mut frame, chunk);
            if frame.left > 0 {
                self.frame = Some(frame);
                return Ok(None);
            }
            if let Some(incoming) = self.finish(frame)? {
                return Ok(Some(incoming));
            }
        }
    }

    fn take_header(&mut self, chunk: &mut &[u8]) -> Result<Option<Frame>, Breach> {
        loop {
            let known = &self.header[..usize::from(self.header_len)];
            let needed = header_len(known)?;
            if known.len() == needed {
                break;
            }
            let Some((byte, rest)) = chunk.split_first() else { return Ok(None) };
            self.header[usize::from(self.header_len)] = *byte;
            self.header_len += 1;
            *chunk = rest;
        }
        let header = &self.header[..usize::from(self.header_len)];
        let frame = parse_header(header)?;
        self.header_len = 0;
        self.admit(frame).map(Some)
    }

    /// Judges a frame by its header and by what came before it.
    fn admit(&mut self, frame: Frame) -> Result<Frame, Breach> {
        match frame.opcode {
            Opcode::Close | Opcode::Ping | Opcode::Pong => {
                self.controls += u16::from(self.fragments > 0);
                // A widget that shows life and never ends a message would have us keep it for ever.
                let is_too_slow = self.controls > limits::CONTROLS_IN_MESSAGE_MAX;
                return if is_too_slow { Err(Breach::TooSlow) } else { Ok(frame) };
            }
            Opcode::Continuation if self.fragments == 0 => return Err(Breach::BadFragment),
            Opcode::Text if self.fragments > 0 => return Err(Breach::BadFragment),
            Opcode::Continuation | Opcode::Text => {}
        }
        self.fragments += 1;
        let total = self.text.len().saturating_add(frame.left);
        if total > limits::FRAME_BYTES_MAX || self.fragments > limits::FRAGMENTS_MAX {
            return Err(Breach::TooBig);
        }
        Ok(frame)
    }

    fn take_payload(&mut self, frame: &mut Frame, chunk: &mut &[u8]) {
        let taken = frame.left.min(chunk.len());
        let (payload, rest) = chunk.split_at(taken);
        let kept = match frame.opcode {
            Opcode::Continuation | Opcode::Text => &mut self.text,
            Opcode::Close | Opcode::Ping | Opcode::Pong => &mut self.control,
        };
        // Room is made for what has come, never for what was only declared.
        kept.reserve_exact(taken);
        let start = kept.len();
        kept.extend_from_slice(payload);
        unmask(&mut kept[start..], frame.mask);
        frame.mask.rotate_left(taken % 4);
        frame.left -= taken;
        *chunk = rest;
    }

    fn finish(&mut self, frame: Frame) -> Result<Option<Incoming>, Breach> {
        let incoming = match frame.opcode {
            Opcode::Continuation | Opcode::Text if !frame.is_last => return Ok(None),
            Opcode::Continuation | Opcode::Text => {
                self.fragments = 0;
                self.controls = 0;
                let text = Bytes::from(std::mem::take(&mut self.text));
                Incoming::Text(ByteString::try_from(text).map_err(|_| Breach::InvalidUtf8)?)
            }
            Opcode::Ping => Incoming::Ping(std::mem::take(&mut self.control).into()),
            Opcode::Pong => Incoming::Pong(std::mem::take(&mut self.control).into()),
            Opcode::Close => Incoming::Close(close_code(&std::mem::take(&mut self.control))?),
        };
        Ok(Some(incoming))
    }
}

/// The length of a header, as far as its beginning tells. A wrong beginning is refused.
fn header_len(known: &[u8]) -> Result<usize, Breach> {
    let Some(first) = known.first() else { return Ok(2) };
    if first & 0x70 != 0 {
        return Err(Breach::ReservedBit);
    }
    let is_control = opcode(*first)?.is_control();
    let Some(second) = known.get(1) else { return Ok(2) };
    if second & 0x80 == 0 {
        return Err(Breach::Unmasked);
    }
    let length = usize::from(second & 0x7f);
    if is_control && (first & 0x80 == 0 || length > limits::CONTROL_FRAME_BYTES_MAX) {
        return Err(Breach::BadControl);
    }
    Ok(match second & 0x7f {
        126 => 8,
        127 => {
            // Too much is refused without waiting for the mask.
            known.get(2..10).map_or(Ok(0), bounded)?;
            limits::FRAME_HEADER_BYTES_MAX
        }
        _ => 6,
    })
}

/// A length of several bytes, if it is within the limit.
fn bounded(length: &[u8]) -> Result<usize, Breach> {
    let declared = length.iter().fold(0, |sum: u64, byte| sum << 8 | u64::from(*byte));
    let fits = usize::try_from(declared).ok().filter(|bytes| *bytes <= limits::FRAME_BYTES_MAX);
    fits.ok_or(Breach::TooBig)
}

fn parse_header(header: &[u8]) -> Result<Frame, Breach> {
    let (length, mask) = header[1..].split_at(header.len() - 5);
    let left = match length {
        [short] => usize::from(short & 0x7f),
        [_, extended @ ..] => bounded(extended)?,
        [] => 0,
    };
    let mut key = [0; 4];
    key.copy_from_slice(mask);
    Ok(Frame { opcode: opcode(header[0])?, is_last: header[0] & 0x80 != 0, left, mask: key })
}

fn opcode(first: u8) -> Result<Opcode, Breach> {
    match first & 0x0f {
        0 => Ok(Opcode::Continuation),
        1 => Ok(Opcode::Text),
        2 => Err(Breach::Binary),
        8 => Ok(Opcode::Close),
        9 => Ok(Opcode::Ping),
        10 => Ok(Opcode::Pong),
        _ => Err(Breach::ReservedOpcode),
    }
}

impl Opcode {
    const fn is_control(self) -> bool {
        match self {
            Self::Continuation | Self::Text => false,
            Self::Close | Self::Ping | Self::Pong => true,
        }
    }
}

fn close_code(payload: &[u8]) -> Result<u16, Breach> {
    match payload {
        [] => Ok(1005),
        [_] => Err(Breach::BadClose),
        [high, low, reason @ ..] => {
            let code = u16::from_be_bytes([*high, *low]);
            let may_be_sent = matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
            if may_be_sent && std::str::from_utf8(reason).is_ok() {
                Ok(code)
            } else {
                Err(Breach::BadClose)
            }
        }
    }
}

fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    for four in payload.chunks_mut(4) {
        for (byte, key) in four.iter_mut().zip(mask) {
            *byte ^= key;
        }
    }
}
