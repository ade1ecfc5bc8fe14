//! A stranger's socket: only as much of the protocol as an attack needs.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use memchr::memmem;

use crate::frame;

/// How long any step may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// The longest answer that is read.
const ANSWER_MAX: usize = 1 << 16;

/// A socket that was let in.
pub(super) struct Socket {
    stream: TcpStream,
    has_greeted: bool,
}

fn connect(server: SocketAddr) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&server, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Reads until one of these has come: returns its place in the list, and all that was read. The
/// place is missing if the connection ends or falls silent before.
fn read_until(stream: &mut TcpStream, ends: &[&str]) -> (Option<usize>, Vec<u8>) {
    let mut read = Vec::new();
    let mut buffer = [0; 4_096];
    while read.len() < ANSWER_MAX {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(count) => read.extend_from_slice(&buffer[..count]),
        }
        let found = ends.iter().position(|end| memmem::find(&read, end.as_bytes()).is_some());
        if found.is_some() {
            return (found, read);
        }
    }
    (None, read)
}

/// The status of an answer, and the code of its problem.
fn refusal(answer: &[u8]) -> String {
    let text = String::from_utf8_lossy(answer);
    let status = text.get(9..12).unwrap_or("no answer");
    let code = text.split(r#""code":""#).nth(1).and_then(|rest| rest.split('"').next());
    match code {
        Some(code) => format!("{status} {code}"),
        None => status.to_owned(),
    }
}

/// Shows a token that was never issued; returns how the server answered.
pub(super) fn guess(server: SocketAddr, client: Ipv4Addr, number: u32) -> String {
    let Ok(mut stream) = connect(server) else { return "not taken".to_owned() };
    let asked = format!(
        "GET /v1/agents/me HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n\
         Authorization: Bearer hlt_{number:043}\r\nX-Forwarded-For: {client}\r\n\r\n"
    );
    if stream.write_all(asked.as_bytes()).is_err() {
        return "not taken".to_owned();
    }
    refusal(&read_until(&mut stream, &["}"]).1)
}

impl Socket {
    /// Connects and shakes hands; the error says why that failed.
    pub(super) fn open(server: SocketAddr, client: Ipv4Addr) -> Result<Self, String> {
        let not_taken = |_| "not taken".to_owned();
        let mut stream = connect(server).map_err(not_taken)?;
        let asked = format!(
            "GET /v1/widget?widget=load HTTP/1.1\r\nHost: {server}\r\nUpgrade: websocket\r\n\
             Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: {}\r\n\
             Sec-WebSocket-Protocol: holdline.v1\r\nX-Forwarded-For: {client}\r\n\r\n",
            frame::KEY
        );
        stream.write_all(asked.as_bytes()).map_err(not_taken)?;
        let (found, answer) = read_until(&mut stream, &["101 Switching Protocols", "}"]);
        match found {
            Some(0) => Ok(Self { stream, has_greeted: false }),
            _ => Err(refusal(&answer)),
        }
    }

    /// Asks for a chat: `started`, `closed`, or the code of the refusal.
    pub(super) fn start(&mut self, number: u32) -> String {
        let mut said = Vec::new();
        if !std::mem::replace(&mut self.has_greeted, true) {
            frame::write(&mut said, frame::TEXT, br#"{"type":"hello"}"#);
        }
        let start = format!(r#"{{"type":"start","ref":1,"id":"s-{number}","name":"stranger"}}"#);
        frame::write(&mut said, frame::TEXT, start.as_bytes());
        if self.stream.write_all(&said).is_err() {
            return "closed".to_owned();
        }
        let ends = [r#""type":"started""#, r#""type":"refused""#, r#""type":"bye""#];
        let (found, read) = read_until(&mut self.stream, &ends);
        match found {
            Some(0) => "started".to_owned(),
            Some(1) => {
                let text = String::from_utf8_lossy(&read);
                let code =
                    text.rsplit(r#""code":""#).next().and_then(|rest| rest.split('"').next());
                code.unwrap_or("refused").to_owned()
            }
            _ => "closed".to_owned(),
        }
    }

    /// Posts without a pause, and reads only what is there. False if the server does not take the
    /// posts.
    pub(super) fn post(&mut self, number: u32, times: usize) -> bool {
        let mut said = Vec::new();
        for which in 0..times {
            let id = format!("p-{number}-{which}");
            let post = format!(r#"{{"type":"post","ref":2,"id":"{id}","text":"all of it"}}"#);
            frame::write(&mut said, frame::TEXT, post.as_bytes());
        }
        self.stream.set_nonblocking(true).is_ok() && self.send_what_goes(&said) && {
            let is_back = self.stream.set_nonblocking(false);
            is_back.is_ok()
        }
    }

    /// Writes what the server takes at once, and throws away what the server has said.
    fn send_what_goes(&mut self, said: &[u8]) -> bool {
        let mut buffer = [0; 16_384];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return false,
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => return false,
            }
        }
        // A frame written in part would end the socket, so unless all is written, no more is sent.
        self.stream.write(said).is_ok_and(|count| count == said.len())
    }
}
