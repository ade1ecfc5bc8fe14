//! Server-sent events from a socket that does not block: chunks, lines, events.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Event {
    /// Its name.
    pub(super) name: String,
    /// Its JSON.
    pub(super) data: String,
}

/// A feed that is open.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) socket: TcpStream,
    /// Bytes that were read and not parsed yet.
    raw: Vec<u8>,
    has_head: bool,
    /// Bytes that are left of the present chunk, with its line break.
    chunk: usize,
    lines: Vec<u8>,
    event: Event,
    /// The id of the last event.
    pub(super) last: Option<String>,
}

impl Stream {
    /// Asks for an agent's feed, from after this event.
    pub(super) fn open(server: SocketAddr, token: &str, last: Option<String>) -> io::Result<Self> {
        let mut socket = TcpStream::connect(server)?;
        socket.set_nodelay(true)?;
        let resumed =
            last.as_ref().map_or_else(String::new, |last| format!("Last-Event-ID: {last}\r\n"));
        let request = format!(
            "GET /v1/agents/me/feed HTTP/1.1\r\nHost: {server}\r\nAccept: text/event-stream\r\n\
             Authorization: Bearer {token}\r\n{resumed}\r\n"
        );
        socket.write_all(request.as_bytes())?;
        socket.set_nonblocking(true)?;
        Ok(Self {
            socket,
            raw: Vec::new(),
            has_head: false,
            chunk: 0,
            lines: Vec::new(),
            event: Event::default(),
            last,
        })
    }

    /// Takes what has come. False when the feed is over.
    pub(super) fn read(&mut self, buffer: &mut [u8], take: &mut dyn FnMut(&Event)) -> bool {
        match self.socket.read(buffer) {
            Ok(0) => return false,
            Ok(count) => self.raw.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return true,
            Err(_) => return false,
        }
        if !self.has_head {
            let Some(end) = memchr::memmem::find(&self.raw, b"\r\n\r\n") else { return true };
            if !self.raw.starts_with(b"HTTP/1.1 200") {
                return false;
            }
            self.raw.drain(..end + 4);
            self.has_head = true;
        }
        let goes_on = self.join_chunks();
        self.take_lines(take);
        goes_on
    }

    /// Moves the contents of the chunks to the lines. False once the last chunk has come.
    fn join_chunks(&mut self) -> bool {
        let mut at = 0;
        let mut goes_on = true;
        while at < self.raw.len() {
            if self.chunk == 0 {
                let Some(end) = memchr::memmem::find(&self.raw[at..], b"\r\n") else { break };
                let size = std::str::from_utf8(&self.raw[at..at + end]).unwrap_or_default();
                let size = usize::from_str_radix(size.trim(), 16).unwrap_or(0);
                at += end + 2;
                if size == 0 {
                    goes_on = false;
                    break;
                }
                self.chunk = size + 2;
            }
            let count = self.chunk.min(self.raw.len() - at);
            // The last two bytes of a chunk are its line break.
            let text = count.min(self.chunk.saturating_sub(2));
            self.lines.extend_from_slice(&self.raw[at..at + text]);
            self.chunk -= count;
            at += count;
        }
        self.raw.drain(..at);
        goes_on
    }

    fn take_lines(&mut self, take: &mut dyn FnMut(&Event)) {
        let mut start = 0;
        while let Some(length) = memchr::memchr(b'\n', &self.lines[start..]) {
            let line = String::from_utf8_lossy(&self.lines[start..start + length]);
            if line.is_empty() {
                if !self.event.name.is_empty() {
                    take(&self.event);
                }
                self.event = Event::default();
            } else if let Some(name) = line.strip_prefix("event: ") {
                name.clone_into(&mut self.event.name);
            } else if let Some(data) = line.strip_prefix("data: ") {
                self.event.data.push_str(data);
            } else if let Some(id) = line.strip_prefix("id: ") {
                self.last = Some(id.to_owned());
            }
            start += length + 1;
        }
        self.lines.drain(..start);
    }
}
