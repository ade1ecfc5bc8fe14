//! A blocking WebSocket client for a second party.

use std::fmt;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, bail};
use memchr::memmem;

use crate::clock;
use crate::dialect::{Message, Say, Upgrade};
use crate::frame;

/// How long the server may take to answer the upgrade.
const UPGRADE_PATIENCE: Duration = Duration::from_secs(10);

/// A WebSocket, open.
#[derive(Debug)]
pub struct Client {
    stream: TcpStream,
    unread: Vec<u8>,
    mouth: Mouth,
    buffer: Vec<u8>,
}

/// Frames what is said, until it is sent.
#[derive(Debug, Default)]
struct Mouth(Vec<u8>);

impl Say for Mouth {
    fn text(&mut self, body: fmt::Arguments<'_>) {
        frame::write(&mut self.0, frame::TEXT, body.to_string().as_bytes());
    }

    fn binary(&mut self, body: &[u8]) {
        frame::write(&mut self.0, frame::BINARY, body);
    }

    fn ping(&mut self, body: &[u8]) {
        frame::write(&mut self.0, frame::PING, body);
    }
}

impl Client {
    /// Connects and upgrades.
    ///
    /// # Errors
    /// When the server takes no connection or refuses the upgrade.
    pub fn open(address: SocketAddr, upgrade: &Upgrade) -> anyhow::Result<Self> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(UPGRADE_PATIENCE))?;
        let subprotocol = upgrade
            .subprotocol
            .map_or_else(String::new, |name| format!("Sec-WebSocket-Protocol: {name}\r\n"));
        let request = format!(
            "GET {} HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {}\r\n{subprotocol}\r\n",
            upgrade.path,
            frame::KEY
        );
        stream.write_all(request.as_bytes())?;
        let mut unread = Vec::new();
        let mut buffer = vec![0; 1 << 16];
        let end = loop {
            if let Some(end) = memmem::find(&unread, b"\r\n\r\n") {
                break end + 4;
            }
            let count = stream.read(&mut buffer).context("the upgrade is not answered")?;
            if count == 0 {
                bail!("the socket is closed instead of upgraded");
            }
            unread.extend_from_slice(&buffer[..count]);
        };
        if !unread.starts_with(b"HTTP/1.1 101") {
            bail!("the upgrade is refused: {}", String::from_utf8_lossy(&unread[..end]).trim());
        }
        unread.drain(..end);
        Ok(Self { stream, unread, mouth: Mouth::default(), buffer })
    }

    /// The blocking socket, and the bytes that were read but not heard yet.
    pub fn into_parts(self) -> (TcpStream, Vec<u8>) {
        (self.stream, self.unread)
    }

    /// Says something, and sends it.
    ///
    /// # Errors
    /// When the socket is lost.
    pub fn say(&mut self, what: impl FnOnce(&mut dyn Say)) -> anyhow::Result<()> {
        what(&mut self.mouth);
        self.send()
    }

    /// Reads what comes within this time, and has `heard` take each message. Answers are sent at
    /// once.
    ///
    /// # Errors
    /// When the socket is closed or lost, or hearing fails.
    pub fn hear(
        &mut self,
        patience: Duration,
        mut heard: impl FnMut(Message<'_>, &mut dyn Say) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        if frame::next(&self.unread).is_none() && !self.fill(patience)? {
            return Ok(());
        }
        let mut taken = 0;
        while let Some(frame) = frame::next(&self.unread[taken..]) {
            let message = match frame.opcode {
                frame::TEXT => Some(Message::Text(frame.payload)),
                frame::BINARY => Some(Message::Binary(frame.payload)),
                frame::PING => {
                    frame::write(&mut self.mouth.0, frame::PONG, frame.payload);
                    None
                }
                frame::CLOSE => bail!("the server has closed the socket"),
                _ => None,
            };
            if let Some(message) = message {
                heard(message, &mut self.mouth)?;
            }
            taken += frame.length;
        }
        self.unread.drain(..taken);
        self.send()
    }

    /// Hears messages until one says that it is enough.
    ///
    /// # Errors
    /// When the socket is lost before, hearing fails, or it takes longer than this.
    pub fn hear_until(
        &mut self,
        patience: Duration,
        mut heard: impl FnMut(Message<'_>, &mut dyn Say) -> anyhow::Result<bool>,
    ) -> anyhow::Result<()> {
        let until = clock::now().after(patience);
        let mut is_enough = false;
        while !is_enough {
            let left = until.since(clock::now());
            if left.is_zero() {
                bail!("what was waited for did not come within {patience:?}");
            }
            self.hear(left, |message, say| {
                is_enough |= heard(message, say)?;
                Ok(())
            })?;
        }
        Ok(())
    }

    fn fill(&mut self, patience: Duration) -> anyhow::Result<bool> {
        self.stream.set_read_timeout(Some(patience.max(Duration::from_millis(1))))?;
        match self.stream.read(&mut self.buffer) {
            Ok(0) => bail!("the server has closed the socket"),
            Ok(count) => {
                self.unread.extend_from_slice(&self.buffer[..count]);
                Ok(true)
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn send(&mut self) -> anyhow::Result<()> {
        if !self.mouth.0.is_empty() {
            self.stream.write_all(&self.mouth.0)?;
            self.mouth.0.clear();
        }
        Ok(())
    }
}
