//! Many chats on bare descriptors: one thread, one buffer, frames made by hand.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use rustix::fd::OwnedFd;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::time::Instant;

use crate::load::broken;

/// Chats of one source address, far fewer than it has ports.
const PER_ADDRESS: usize = 1_000;

/// Chats that are on their way in at once, fewer than the kernel lets wait.
const AT_ONCE: usize = 256;

const UPGRADE: &[u8] = b"GET /v1/widget?widget=load HTTP/1.1\r\nHost: load\r\n\
    Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Protocol: holdline.v1\r\n\r\n";

/// Many chats.
pub(crate) struct Chats {
    epoll: OwnedFd,
    chats: Vec<Chat>,
    open: usize,
    buffer: Vec<u8>,
    events: Vec<epoll::Event>,
}

struct Chat {
    socket: TcpStream,
    stage: Stage,
    /// The beginning of a frame whose end has not come.
    rest: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Stage {
    Upgrading,
    Greeting,
    Starting,
    Open,
}

impl Chats {
    /// Opens this many chats, each with a visitor of its own, and waits until all have started.
    pub(crate) fn open(server: SocketAddr, count: usize) -> io::Result<Self> {
        let mut chats = Self {
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            chats: Vec::with_capacity(count),
            open: 0,
            buffer: vec![0; 1 << 16],
            events: Vec::with_capacity(1_024),
        };
        let patience = Instant::now() + Duration::from_secs(120);
        while chats.open < count {
            while chats.chats.len() < count && chats.chats.len() - chats.open < AT_ONCE {
                chats.connect(server)?;
            }
            chats.turn(Duration::from_millis(100), |_, _| {})?;
            if Instant::now() > patience {
                return Err(broken(format!("only {} of {count} chats opened", chats.open)));
            }
        }
        Ok(chats)
    }

    fn connect(&mut self, server: SocketAddr) -> io::Result<()> {
        let number = self.chats.len();
        let host = u8::try_from(number / PER_ADDRESS + 1).map_err(|_| broken("too many chats"))?;
        let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
        socket.bind(&SocketAddr::from((Ipv4Addr::new(127, 83, 1, host), 0)).into())?;
        socket.connect(&server.into())?;
        socket.set_tcp_nodelay(true)?;
        socket.set_nonblocking(true)?;
        let socket = TcpStream::from(socket);
        (&socket).write_all(UPGRADE)?;
        let data = epoll::EventData::new_u64(number as u64);
        epoll::add(&self.epoll, &socket, data, epoll::EventFlags::IN)?;
        self.chats.push(Chat { socket, stage: Stage::Upgrading, rest: Vec::new() });
        Ok(())
    }

    /// Sends a frame on one of them.
    pub(crate) fn send(&self, number: usize, frame: &[u8]) -> io::Result<()> {
        (&self.chats[number].socket).write_all(frame)
    }

    /// Waits for at most this long, and takes whatever came; `take` is given the texts that came
    /// on chats that had started.
    pub(crate) fn turn(
        &mut self,
        wait: Duration,
        mut take: impl FnMut(usize, &[u8]),
    ) -> io::Result<()> {
        let wait = Timespec {
            tv_sec: i64::try_from(wait.as_secs()).unwrap_or(1),
            tv_nsec: wait.subsec_nanos().into(),
        };
        self.events.clear();
        match epoll::wait(&self.epoll, spare_capacity(&mut self.events), Some(&wait)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let events = std::mem::take(&mut self.events);
        for event in &events {
            let number = usize::try_from(event.data.u64()).map_err(|_| broken("odd event"))?;
            self.read(number, &mut take)?;
        }
        self.events = events;
        Ok(())
    }

    fn read(&mut self, number: usize, take: &mut impl FnMut(usize, &[u8])) -> io::Result<()> {
        let chat = &mut self.chats[number];
        let count = match (&chat.socket).read(&mut self.buffer) {
            Ok(0) => return Err(broken(format!("chat {number} was closed at {:?}", chat.stage))),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        };
        let mut joined = std::mem::take(&mut chat.rest);
        let mut bytes = &self.buffer[..count];
        if !joined.is_empty() {
            joined.extend_from_slice(bytes);
            bytes = &joined;
        }
        if chat.stage == Stage::Upgrading {
            let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
                chat.rest = bytes.to_vec();
                return Ok(());
            };
            if !bytes.starts_with(b"HTTP/1.1 101") {
                return Err(broken(String::from_utf8_lossy(bytes)));
            }
            bytes = &bytes[end + 4..];
            chat.stage = Stage::Greeting;
            let hello = format!(r#"{{"type":"hello","visitor":"{:032x}"}}"#, number + 1);
            (&chat.socket).write_all(&text(&hello))?;
        }
        while let Some((kind, payload, length)) = next_frame(bytes) {
            bytes = &bytes[length..];
            match (kind, chat.stage) {
                (0x9, _) => (&chat.socket).write_all(&frame(0xa, payload))?,
                (0x1, Stage::Greeting) if is(payload, "welcome") => {
                    chat.stage = Stage::Starting;
                    let start = r#"{"type":"start","ref":0,"id":"start","name":"Ada"}"#;
                    (&chat.socket).write_all(&text(start))?;
                }
                (0x1, Stage::Starting) if is(payload, "started") => {
                    chat.stage = Stage::Open;
                    self.open += 1;
                }
                (0x1, Stage::Open) => take(number, payload),
                (0x1, _) => return Err(broken(String::from_utf8_lossy(payload))),
                (kind, _) => return Err(broken(format!("an unexpected frame: {kind}"))),
            }
        }
        if !bytes.is_empty() {
            chat.rest = bytes.to_vec();
        }
        Ok(())
    }
}

/// Whether a text is a frame of this type. The server writes `type` first.
pub(crate) fn is(text: &[u8], kind: &str) -> bool {
    let rest = text.strip_prefix(b"{\"type\":\"");
    rest.and_then(|rest| rest.strip_prefix(kind.as_bytes()))
        .is_some_and(|rest| rest.starts_with(b"\""))
}

/// A text frame of a client's, masked with zeros.
pub(crate) fn text(payload: &str) -> Vec<u8> {
    frame(0x1, payload.as_bytes())
}

fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | kind];
    match u8::try_from(payload.len()) {
        Ok(length) if length < 126 => frame.push(0x80 | length),
        _ => {
            frame.push(0x80 | 126);
            let length = u16::try_from(payload.len()).unwrap_or(u16::MAX);
            frame.extend_from_slice(&length.to_be_bytes());
        }
    }
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(payload);
    frame
}

/// The kind and the payload of a server's frame, and the length of the whole.
fn next_frame(bytes: &[u8]) -> Option<(u8, &[u8], usize)> {
    let (start, length) = match *bytes {
        [_, 126, high, low, ..] => (4, usize::from(u16::from_be_bytes([high, low]))),
        [_, 126 | 127, ..] => return None,
        [_, length, ..] => (2, usize::from(length)),
        _ => return None,
    };
    let payload = bytes.get(start..start + length)?;
    Some((bytes[0] & 0xf, payload, start + length))
}
