//! How customers come in: a socket of a source address of its own, the upgrade, the opening.

use std::net::{Ipv4Addr, SocketAddr};

use memchr::memmem;
use nix::sys::socket::{setsockopt, sockopt};
use rustix::event::epoll;
use rustix::fd::OwnedFd;
use socket2::{Domain, Protocol, Socket, Type};

use super::chat::{NEVER, State};
use super::fate::Purpose;
use super::{Driver, micros};
use crate::clock::{self, Moment};
use crate::frame::KEY;

/// Customers of one source address, far fewer than it has ports.
const PER_ADDRESS: u32 = 500;

/// The segment size of a slow reader, as outside of this machine. With the segments of loopback, of
/// 64 KiB, the server's kernel would take 2.6 MB for each before the server noticed anything.
const SLOW_SEGMENT: u32 = 1_460;

/// The longest head of an answer to an upgrade.
const HEAD_MAX: usize = 16_384;

impl Driver {
    /// Begins to connect a customer. `due` is when the connect was due.
    pub(super) fn connect(&mut self, place: u32, due: Moment) {
        let chat = &mut self.chats[place as usize];
        if chat.failures == 0 {
            chat.connect_due = due;
        }
        chat.life_due = NEVER;
        chat.is_told_to_go = false;
        chat.wants_room = true;
        chat.state = State::Upgrading;
        chat.link.stage = 0;
        chat.unread.clear();
        let upgrade = self.dialect.upgrade(&chat.link);
        let subprotocol = upgrade
            .subprotocol
            .map_or_else(String::new, |name| format!("Sec-WebSocket-Protocol: {name}\r\n"));
        let is_named = self.plan.workload.strangers.is_some();
        let client = if is_named { named(chat.link.customer) } else { String::new() };
        chat.unsent = format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n{subprotocol}{client}\r\n",
            upgrade.path, self.plan.address
        )
        .into_bytes();
        let customer = chat.link.customer;
        let slow_buffer = chat.is_slow.then_some(self.plan.workload.slow.buffer);
        match open(self.plan.address, customer, slow_buffer) {
            Ok(socket) => {
                let data = epoll::EventData::new_u64(place.into());
                let flags = epoll::EventFlags::IN | epoll::EventFlags::OUT;
                let added = epoll::add(&self.epoll, &socket, data, flags);
                self.chats[place as usize].socket = added.is_ok().then_some(socket);
                self.write_unsent(place);
            }
            Err(_) => self.fail(place),
        }
    }

    /// Takes the answer to the upgrade from the front of what was read, and keeps the rest.
    pub(super) fn take_upgrade(&mut self, place: u32) -> bool {
        let chat = &mut self.chats[place as usize];
        let Some(end) = memmem::find(&chat.unread, b"\r\n\r\n") else {
            if chat.unread.len() > HEAD_MAX {
                self.fail(place);
            }
            return false;
        };
        if !chat.unread.starts_with(b"HTTP/1.1 101") {
            let status = String::from_utf8_lossy(chat.unread.get(9..12).unwrap_or_default());
            let code = format!("http_{status}");
            *self.counts.refusals.entry(code).or_default() += 1;
            self.fail(place);
            return false;
        }
        chat.unread.drain(..end + 4);
        let now = clock::now();
        self.latencies.connect.saturating_record(micros(now.since(chat.connect_due)));
        chat.state = State::Opening;
        chat.opened = now;
        self.say(place, |dialect, link, mouth| dialect.open(link, mouth));
        true
    }

    /// A connect or an opening has failed: again later, with more patience each time.
    pub(super) fn fail(&mut self, place: u32) {
        self.counts.connects_failed += 1;
        let now = self.millisecond(clock::now());
        let chat = &mut self.chats[place as usize];
        chat.socket = None;
        chat.state = State::Away;
        (chat.beat_due, chat.read_due) = (NEVER, NEVER);
        let most = (500_u32 << chat.failures.min(6)).min(30_000);
        chat.failures = chat.failures.saturating_add(1);
        let key = u64::from(chat.link.customer) << 8 | u64::from(chat.failures);
        let wait = f64::from(most) * (0.5 + 0.5 * self.dice.share(Purpose::ConnectAgain, key));
        chat.life_due = now.saturating_add(wait as u32);
        self.arm(place);
    }
}

/// Opens a socket that is about to be connected.
fn open(server: SocketAddr, customer: u32, slow_buffer: Option<u32>) -> anyhow::Result<OwnedFd> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    if let Some(bytes) = slow_buffer {
        socket.set_recv_buffer_size(bytes as usize)?;
        socket.set_tcp_mss(SLOW_SEGMENT)?;
    }
    // The kernel then chooses the port when it knows the other end, and may share it among ends.
    setsockopt(&socket, sockopt::IpBindAddressNoPort, &true)?;
    socket.bind(&SocketAddr::from((source(customer), 0)).into())?;
    match socket.connect(&server.into()) {
        Ok(()) => {}
        Err(error) if error.raw_os_error() == Some(nix::libc::EINPROGRESS) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(socket.into())
}

/// The header with which a proxy would name a customer's address. Each customer has their own.
fn named(customer: u32) -> String {
    let address = Ipv4Addr::from_bits(Ipv4Addr::new(10, 0, 0, 1).to_bits() + customer);
    format!("X-Forwarded-For: {address}\r\n")
}

/// All of 127.0.0.0/8 is this machine; 127.0.x.x is left to others.
fn source(customer: u32) -> Ipv4Addr {
    let address = customer / PER_ADDRESS;
    let [_, high, middle, _] = (address / 250 % 60_000 + 256).to_be_bytes().map(|byte| byte);
    let low = u8::try_from(address % 250 + 1).unwrap_or(1);
    let second = u8::try_from(1 + u32::from(high) % 254).unwrap_or(1);
    Ipv4Addr::new(127, second, middle, low)
}
