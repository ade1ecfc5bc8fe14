//! The floor: the least server that could hold such chats. One thread, one descriptor for each, no
//! rules and no disk; it says what a widget waits for. A real server's cost is shown as a multiple
//! of the floor's. The floor can also do what a real server must not do.

mod agent;
mod answer;
pub mod target;

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use rustix::fd::OwnedFd;
use serde::{Deserialize, Serialize};

use crate::clock::{self, Moment};

/// How the floor behaves.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FloorOptions {
    /// How long the floor stands still each time.
    pub stall: Duration,
    /// How often the floor stands still.
    pub stall_every: Duration,
    /// What it does wrong with messages.
    pub tampering: Tampering,
}

/// What the floor does wrong with messages that it has acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Tampering {
    /// Nothing.
    #[default]
    None,
    /// Every tenth is not passed on.
    Lose,
    /// Every tenth is passed on twice.
    Duplicate,
    /// Every tenth is passed on after the next.
    Reorder,
}

/// Serves until standard input ends, that is, until the parent is gone.
struct Floor {
    options: FloorOptions,
    listener: TcpListener,
    epoll: OwnedFd,
    sockets: Vec<Option<Peer>>,
    buffer: Vec<u8>,
    out: Vec<u8>,
    feed: agent::Feed,
    stall_due: Moment,
}

/// One connection.
struct Peer {
    socket: TcpStream,
    is_upgraded: bool,
    /// The customer's number, once they have started.
    customer: Option<u32>,
    unread: Vec<u8>,
}

const LISTENER: u64 = u64::MAX;
const INPUT: u64 = u64::MAX - 1;

/// Serves on this address, which is written to standard output, until standard input ends.
///
/// # Errors
/// When the address is not available, or the kernel fails.
pub fn serve(listen: SocketAddr, options: FloorOptions) -> anyhow::Result<()> {
    let listener = listen_on(listen)?;
    writeln!(io::stdout(), "{}", listener.local_addr()?)?;
    io::stdout().flush()?;
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    let data = epoll::EventData::new_u64;
    epoll::add(&epoll, &listener, data(LISTENER), epoll::EventFlags::IN)?;
    // Epoll cannot watch a file or a terminal; then a signal ends the floor.
    let _ = epoll::add(&epoll, io::stdin(), data(INPUT), epoll::EventFlags::HUP);
    let stall_due = clock::now().after(options.stall_every);
    let floor = Floor {
        options,
        listener,
        epoll,
        sockets: Vec::new(),
        buffer: vec![0; 1 << 16],
        out: Vec::new(),
        feed: agent::Feed::default(),
        stall_due,
    };
    floor.run()
}

fn listen_on(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let socket = socket2::Socket::new(
        socket2::Domain::for_address(address),
        socket2::Type::STREAM,
        Some(socket2::Protocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(65_535)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

impl Floor {
    fn run(mut self) -> anyhow::Result<()> {
        let mut events = Vec::with_capacity(1_024);
        loop {
            self.wait(&mut events)?;
            for event in events.drain(..) {
                match event.data.u64() {
                    LISTENER => self.accept(),
                    INPUT => return Ok(()),
                    number => self.read(usize::try_from(number)?),
                }
            }
        }
    }

    fn wait(&mut self, events: &mut Vec<epoll::Event>) -> anyhow::Result<()> {
        let stalls = !self.options.stall.is_zero();
        if stalls && clock::now() >= self.stall_due {
            std::thread::park_timeout(self.options.stall);
            self.stall_due = self.stall_due.after(self.options.stall_every);
        }
        let wait = self.stall_due.since(clock::now());
        let wait = Timespec {
            tv_sec: i64::try_from(wait.as_secs()).unwrap_or(1),
            tv_nsec: wait.subsec_nanos().into(),
        };
        match epoll::wait(&self.epoll, spare_capacity(events), stalls.then_some(&wait)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn accept(&mut self) {
        while let Ok((socket, _)) = self.listener.accept() {
            let number = self.sockets.len();
            let data = epoll::EventData::new_u64(number as u64);
            let is_fine = socket.set_nonblocking(true).is_ok()
                && socket.set_nodelay(true).is_ok()
                && epoll::add(&self.epoll, &socket, data, epoll::EventFlags::IN).is_ok();
            let peer = Peer { socket, is_upgraded: false, customer: None, unread: Vec::new() };
            self.sockets.push(is_fine.then_some(peer));
        }
    }

    fn read(&mut self, number: usize) {
        let Some(Some(peer)) = self.sockets.get_mut(number) else { return };
        let count = match peer.socket.read(&mut self.buffer) {
            Ok(count) if count > 0 => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
            _ => {
                self.sockets[number] = None;
                return;
            }
        };
        let bytes = &mut self.buffer[..count];
        if peer.unread.is_empty() {
            let taken = answer::take(peer, number, bytes, &mut self.out, &mut self.feed);
            peer.unread.extend_from_slice(&bytes[taken..]);
        } else {
            let mut unread = std::mem::take(&mut peer.unread);
            unread.extend_from_slice(bytes);
            let taken = answer::take(peer, number, &mut unread, &mut self.out, &mut self.feed);
            unread.drain(..taken);
            peer.unread = unread;
        }
        if !self.out.is_empty() {
            // A floor keeps nothing: what a socket does not take is lost.
            let _ = peer.socket.write_all(&self.out);
            self.out.clear();
        }
        if let Some((to, said)) = self.feed.take(self.options.tampering)
            && let Some(Some(agent)) = self.sockets.get_mut(to)
        {
            let _ = agent.socket.write_all(&said);
        }
    }
}
