//! Customers who post as fast as they are acknowledged, but no faster than one person may, on one
//! thread and one epoll.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::fmt::{self, Write as _};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::bail;
use hdrhistogram::Histogram;
use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use rustix::fd::OwnedFd;

use crate::clock::{self, Moment};
use crate::dialect::{Dialect, Heard, Link, Message, Say, Upgrade};
use crate::dialects::speak;
use crate::driver::tally::histogram;
use crate::frame;
use crate::peer::client::Client;
use crate::plan::number;
use crate::target::Running;

/// How long everybody may take to come in.
const PATIENCE: Duration = Duration::from_secs(30);

/// The longest wait for a socket.
const WAIT: Duration = Duration::from_millis(50);

/// The result of one pour.
pub(super) struct Poured {
    /// From the sending of each post to its acknowledgement, in microseconds.
    pub times: Histogram<u64>,
    /// What was refused, by code.
    pub refused: BTreeMap<String, u64>,
}

/// How much is poured, and for how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Amount {
    /// Customers.
    pub customers: u32,
    /// Posts that each has outstanding.
    pub outstanding: u32,
    /// The least time between two posts of a customer.
    pub pause: Duration,
    /// The time at the beginning that is not counted.
    pub warm: Duration,
    /// The time that is counted.
    pub time: Duration,
}

/// Has customers post this text.
pub(super) fn pour(running: &dyn Running, amount: Amount, text: &str) -> anyhow::Result<Poured> {
    let mut spout = Spout {
        dialect: speak(&running.dialect())?,
        epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
        taps: Vec::new(),
        sent: HashMap::new(),
        text,
        pause: amount.pause,
        waiting: BinaryHeap::new(),
        counted: None,
        poured: Poured { times: histogram(), refused: BTreeMap::new() },
    };
    let upgrades = (0..amount.customers).map(|customer| Link { customer, ..Link::default() });
    let upgrades: Vec<Upgrade> = upgrades.map(|link| spout.dialect.upgrade(&link)).collect();
    for (customer, client) in (0..).zip(open(running.address(), &upgrades)?) {
        spout.enter(client, customer)?;
    }
    let until = clock::now().after(PATIENCE);
    while spout.taps.iter().any(|tap| !tap.is_ready) {
        if clock::now() > until {
            bail!("not everybody was in after {PATIENCE:?}");
        }
        spout.turn()?;
    }
    for place in 0..spout.taps.len() {
        // Spread over one pause, as people are.
        let share = place as f64 / spout.taps.len() as f64;
        let due = clock::now().after(amount.pause.mul_f64(share));
        (0..amount.outstanding).for_each(|_| spout.waiting.push(Reverse((due, place))));
    }
    let from = clock::now().after(amount.warm);
    let to = from.after(amount.time);
    spout.counted = Some((from, to));
    while clock::now() < to {
        spout.turn()?;
    }
    Ok(spout.poured)
}

/// How many connect at the same time; it matters because some servers look after a new connection
/// only ten times a second.
const AT_ONCE: usize = 64;

/// Opens a socket for each, several at a time, in order.
fn open(address: SocketAddr, upgrades: &[Upgrade]) -> anyhow::Result<Vec<Client>> {
    std::thread::scope(|scope| {
        let parts: Vec<_> = upgrades
            .chunks(upgrades.len().div_ceil(AT_ONCE).max(1))
            .map(|part| {
                scope.spawn(|| {
                    part.iter().map(|upgrade| Client::open(address, upgrade)).collect::<Vec<_>>()
                })
            })
            .collect();
        let joined = parts.into_iter().flat_map(|part| part.join().unwrap_or_default());
        joined.collect()
    })
}

/// All customers.
struct Spout<'a> {
    dialect: Box<dyn Dialect>,
    epoll: OwnedFd,
    taps: Vec<Tap>,
    /// When each post that is not acknowledged yet was sent.
    sent: HashMap<u64, Moment>,
    text: &'a str,
    pause: Duration,
    /// The customers who may post again, and when.
    waiting: BinaryHeap<Reverse<(Moment, usize)>>,
    counted: Option<(Moment, Moment)>,
    poured: Poured,
}

/// One customer.
struct Tap {
    link: Link,
    socket: TcpStream,
    is_ready: bool,
    posts: u32,
    unread: Vec<u8>,
    mouth: Mouth,
}

/// Frames what is said.
#[derive(Default)]
struct Mouth {
    out: Vec<u8>,
    text: String,
}

impl Say for Mouth {
    fn text(&mut self, body: fmt::Arguments<'_>) {
        self.text.clear();
        // Writing to memory does not fail.
        let _ = self.text.write_fmt(body);
        frame::write(&mut self.out, frame::TEXT, self.text.as_bytes());
    }

    fn binary(&mut self, body: &[u8]) {
        frame::write(&mut self.out, frame::BINARY, body);
    }

    fn ping(&mut self, body: &[u8]) {
        frame::write(&mut self.out, frame::PING, body);
    }
}

impl Spout<'_> {
    fn enter(&mut self, client: Client, customer: u32) -> anyhow::Result<()> {
        let mut link = Link { customer, ..Link::default() };
        let (socket, unread) = client.into_parts();
        socket.set_nonblocking(true)?;
        let data = epoll::EventData::new_u64(self.taps.len() as u64);
        epoll::add(&self.epoll, &socket, data, epoll::EventFlags::IN)?;
        let mut mouth = Mouth::default();
        self.dialect.open(&mut link, &mut mouth);
        self.taps.push(Tap { link, socket, is_ready: false, posts: 0, unread, mouth });
        let place = self.taps.len() - 1;
        self.hear(place);
        self.send(place)
    }

    /// Waits for sockets, and hears what they say.
    fn turn(&mut self) -> anyhow::Result<()> {
        let mut events = Vec::with_capacity(256);
        let due = self.waiting.peek().map_or(WAIT, |Reverse((due, _))| due.since(clock::now()));
        let wait = Timespec { tv_sec: 0, tv_nsec: due.min(WAIT).subsec_nanos().into() };
        match epoll::wait(&self.epoll, spare_capacity(&mut events), Some(&wait)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let mut buffer = [0; 1 << 14];
        for event in events {
            let place = usize::try_from(event.data.u64())?;
            let tap = &mut self.taps[place];
            match tap.socket.read(&mut buffer) {
                Ok(0) => bail!("the server has closed a socket"),
                Ok(count) => tap.unread.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
                Err(error) => return Err(error.into()),
            }
            self.hear(place);
            self.send(place)?;
        }
        while let Some(Reverse((due, place))) = self.waiting.peek().copied() {
            if due > clock::now() {
                break;
            }
            self.waiting.pop();
            self.post(place);
            self.send(place)?;
        }
        Ok(())
    }

    fn hear(&mut self, place: usize) {
        let tap = &mut self.taps[place];
        let unread = std::mem::take(&mut tap.unread);
        let mut taken = 0;
        let mut heard = Vec::new();
        while let Some(frame) = frame::next(&unread[taken..]) {
            taken += frame.length;
            let message = match frame.opcode {
                frame::TEXT => Message::Text(frame.payload),
                frame::BINARY => Message::Binary(frame.payload),
                frame::PING => {
                    frame::write(&mut tap.mouth.out, frame::PONG, frame.payload);
                    continue;
                }
                _ => continue,
            };
            let tell = &mut |what| heard.push(what);
            self.dialect.hear(&mut tap.link, message, &mut tap.mouth, tell);
        }
        tap.unread.extend_from_slice(&unread[taken..]);
        for what in heard {
            self.heed(place, what);
        }
    }

    fn heed(&mut self, place: usize, what: Heard) {
        match what {
            Heard::Ready { .. } => self.taps[place].is_ready = true,
            Heard::Posted { number } => {
                let now = clock::now();
                let Some(sent) = self.sent.remove(&number) else { return };
                if self.counted.is_some_and(|(from, to)| (from..to).contains(&now)) {
                    let time = u64::try_from(now.since(sent).as_micros()).unwrap_or(u64::MAX);
                    self.poured.times.saturating_record(time);
                }
                self.waiting.push(Reverse((sent.after(self.pause), place)));
            }
            Heard::Refused { code } => {
                *self.poured.refused.entry(code).or_default() += 1;
                self.waiting.push(Reverse((clock::now().after(Duration::from_secs(1)), place)));
            }
            _ => {}
        }
    }

    fn post(&mut self, place: usize) {
        let tap = &mut self.taps[place];
        tap.posts += 1;
        let number = number(tap.link.customer, tap.posts);
        self.sent.insert(number, clock::now());
        self.dialect.post(&mut tap.link, number, self.text, &mut tap.mouth);
    }

    /// Sends what was said. The socket always has room for posts that wait for an acknowledgement.
    fn send(&mut self, place: usize) -> anyhow::Result<()> {
        let tap = &mut self.taps[place];
        if !tap.mouth.out.is_empty() {
            tap.socket.write_all(&tap.mouth.out)?;
            tap.mouth.out.clear();
        }
        Ok(())
    }
}
