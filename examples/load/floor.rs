//! The floor: the least server that could hold such chats. One thread, one descriptor for each,
//! no state, no rules, no disk; it says what a widget waits for, and answers the beats that ours
//! would answer. What ours costs is shown as a multiple of it.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use rustix::buffer::spare_capacity;
use rustix::event::epoll;

use crate::load::broken;

/// A floor that runs as a process of its own. It is ended when this is dropped.
pub(crate) struct Floor {
    child: Child,
    address: SocketAddr,
}

impl Floor {
    /// Starts this program again as a floor; its `main` must call [`serve`] when asked to.
    pub(crate) fn start() -> io::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("floor=yes")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = child.stdout.take().ok_or_else(|| broken("it has no output"))?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let address = line.trim().parse().map_err(|_| broken("the floor did not start"))?;
        Ok(Self { child, address })
    }

    /// Where it listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Floor {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Serves until whoever started this is gone.
pub(crate) fn serve() -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    println!("{}", listener.local_addr()?);
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    let data = epoll::EventData::new_u64;
    epoll::add(&epoll, &listener, data(u64::MAX), epoll::EventFlags::IN)?;
    epoll::add(&epoll, io::stdin(), data(u64::MAX - 1), epoll::EventFlags::HUP)?;
    let mut sockets: Vec<TcpStream> = Vec::new();
    let mut events = Vec::with_capacity(1_024);
    let mut buffer = vec![0; 16_384];
    loop {
        events.clear();
        epoll::wait(&epoll, spare_capacity(&mut events), None)?;
        for event in &events {
            match event.data.u64() {
                u64::MAX => {
                    while let Ok((socket, _)) = listener.accept() {
                        socket.set_nonblocking(true)?;
                        socket.set_nodelay(true)?;
                        let number = sockets.len() as u64;
                        epoll::add(&epoll, &socket, data(number), epoll::EventFlags::IN)?;
                        sockets.push(socket);
                    }
                }
                number => match usize::try_from(number).ok().and_then(|at| sockets.get(at)) {
                    Some(socket) => answer(socket, &mut buffer),
                    None => return Ok(()),
                },
            }
        }
    }
}

fn answer(mut socket: &TcpStream, buffer: &mut [u8]) {
    let Ok(count) = socket.read(buffer) else { return };
    if count == 0 {
        // Level-triggered: it would be told of the end again and again.
        let _ = socket.shutdown(std::net::Shutdown::Both);
        return;
    }
    let mut bytes = &mut buffer[..count];
    if bytes.starts_with(b"GET") {
        let _ = socket.write_all(b"HTTP/1.1 101 Switching Protocols\r\n\r\n");
        return;
    }
    while let [_, length, ..] = *bytes {
        let (start, length) = match length & 0x7f {
            126 => (8, usize::from(u16::from_be_bytes([bytes[2], bytes[3]]))),
            length => (6, usize::from(length)),
        };
        let end = start + length;
        if bytes.len() < end {
            return;
        }
        let (frame, rest) = bytes.split_at_mut(end);
        let (head, payload) = frame.split_at_mut(start);
        for (byte, mask) in payload.iter_mut().zip(head[start - 4..].iter().cycle()) {
            *byte ^= mask;
        }
        let said: &[u8] = match payload {
            [.., b'0', b'}'] => b"\x81\x17{\"type\":\"beat\",\"seq\":2}",
            [b'{', b'"', b't', b'y', b'p', b'e', b'"', b':', b'"', b'h', ..] => {
                b"\x81\x12{\"type\":\"welcome\"}"
            }
            [b'{', b'"', b't', b'y', b'p', b'e', b'"', b':', b'"', b's', ..] => {
                b"\x81\x12{\"type\":\"started\"}"
            }
            _ => b"",
        };
        if !said.is_empty() {
            let _ = socket.write_all(said);
        }
        bytes = rest;
    }
}
