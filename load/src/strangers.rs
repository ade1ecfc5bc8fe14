//! Hostile strangers: from a few addresses they hold sockets without a chat, begin chats, post
//! without pause, guess tokens, and connect and say nothing. Meanwhile a probe asks all the time
//! whether operators and agents are still answered.
//!
//! Each attempt has its due time. They know Holdline's protocol and use the sockets as they are, so
//! that nothing of a well-behaved client is in their way.

mod socket;

use std::collections::{BTreeMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::clock::{self, Moment};
use crate::strangers::socket::{Socket, guess};
use crate::target::Probe;
use crate::workload;

/// Threads, and so the number of attempts at once.
const THREADS: u32 = 8;

/// How many sockets each thread holds of each kind: without a chat, in a chat, and silent.
const HELD_MAX: usize = 300;

/// Posts that are sent in one attempt.
const POSTS: usize = 50;

/// How often operators and agents ask.
const PROBE_EVERY: Duration = Duration::from_millis(50);

/// How late an attempt may be. A later one is not made.
const LATE_MAX: Duration = Duration::from_secs(5);

/// The outcome under which those are counted.
const LATE: &str = "too late to be made";
const CHAT_STARTED: &str = "a chat: started";

/// Strangers at work.
#[derive(Debug)]
pub struct Strangers {
    is_over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<BTreeMap<String, u64>>>,
    probing: Option<JoinHandle<Probed>>,
    attempts: u32,
}

/// What became of the strangers.
#[derive(Debug, Default)]
pub struct Told {
    /// How often each outcome happened.
    pub outcomes: BTreeMap<String, u64>,
    /// Attempts that were not made, because the strangers were behind.
    pub missed: u64,
    /// How often operators and agents were answered.
    pub answered: u64,
    /// How often operators and agents were not answered.
    pub unanswered: u64,
    /// How long the slowest answer took, in microseconds.
    pub slowest_us: u64,
}

#[derive(Debug, Default)]
struct Probed {
    answered: u64,
    unanswered: u64,
    slowest: Duration,
}

impl Told {
    /// How many chats they have begun.
    pub fn chats(&self) -> u64 {
        self.outcomes.get(CHAT_STARTED).copied().unwrap_or(0)
    }
}

impl Strangers {
    /// Starts the strangers. All attempts are due within `lasts`.
    pub fn begin(
        server: SocketAddr,
        plan: &workload::Strangers,
        lasts: Duration,
        probe: Option<Probe>,
    ) -> Self {
        let is_over = Arc::<AtomicBool>::default();
        let order = Arc::new(Order {
            began: clock::now(),
            // The last attempts, too, are made before the work ends.
            apart: lasts.mul_f64(0.9).checked_div(plan.attempts).unwrap_or(lasts),
            plan: plan.clone(),
            next: AtomicU32::new(0),
        });
        let one = |_| {
            let (order, is_over) = (Arc::clone(&order), Arc::clone(&is_over));
            std::thread::spawn(move || Stranger::new(server).work(&order, &is_over))
        };
        let threads = (0..THREADS).map(one).collect();
        let probing = probe.map(|probe| {
            let is_over = Arc::clone(&is_over);
            std::thread::spawn(move || ask_on(&probe, &is_over))
        });
        Self { is_over, threads, probing, attempts: plan.attempts }
    }

    /// Stops the strangers, and tells what became of them.
    pub fn end(self) -> Told {
        self.is_over.store(true, Ordering::Relaxed);
        let mut told = Told::default();
        for thread in self.threads {
            // A thread that has died has made no attempts, and that is counted.
            for (what, count) in thread.join().unwrap_or_default() {
                *told.outcomes.entry(what).or_default() += count;
            }
        }
        let made: u64 = told.outcomes.values().sum();
        let late = told.outcomes.remove(LATE).unwrap_or(0);
        told.missed = u64::from(self.attempts).saturating_sub(made) + late;
        let probed = self.probing.and_then(|probing| probing.join().ok()).unwrap_or_default();
        (told.answered, told.unanswered) = (probed.answered, probed.unanswered);
        told.slowest_us = u64::try_from(probed.slowest.as_micros()).unwrap_or(u64::MAX);
        told
    }
}

/// What all threads share.
#[derive(Debug)]
struct Order {
    began: Moment,
    apart: Duration,
    plan: workload::Strangers,
    next: AtomicU32,
}

fn ask_on(probe: &Probe, is_over: &AtomicBool) -> Probed {
    let mut probed = Probed::default();
    while !is_over.load(Ordering::Relaxed) {
        let asked = clock::now();
        match probe() {
            Ok(()) => probed.answered += 1,
            Err(_) => probed.unanswered += 1,
        }
        let took = clock::now().since(asked);
        probed.slowest = probed.slowest.max(took);
        std::thread::park_timeout(PROBE_EVERY.saturating_sub(took));
    }
    probed
}

/// One thread of them.
struct Stranger {
    server: SocketAddr,
    without_chat: VecDeque<Socket>,
    in_chat: VecDeque<Socket>,
    silent: VecDeque<TcpStream>,
    outcomes: BTreeMap<String, u64>,
}

impl Stranger {
    const fn new(server: SocketAddr) -> Self {
        Self {
            server,
            without_chat: VecDeque::new(),
            in_chat: VecDeque::new(),
            silent: VecDeque::new(),
            outcomes: BTreeMap::new(),
        }
    }

    /// Makes attempts as long as there are some, and holds its sockets until the end.
    fn work(mut self, order: &Order, is_over: &AtomicBool) -> BTreeMap<String, u64> {
        while !is_over.load(Ordering::Relaxed) {
            let number = order.next.fetch_add(1, Ordering::Relaxed);
            let (due, now) = (order.began.after(order.apart.saturating_mul(number)), clock::now());
            if number >= order.plan.attempts {
                std::thread::park_timeout(PROBE_EVERY);
            } else if now > due.after(LATE_MAX) {
                self.count(LATE);
            } else {
                std::thread::park_timeout(due.since(now));
                self.attempt(number, order.plan.addresses);
            }
        }
        self.outcomes
    }

    fn count(&mut self, what: impl Into<String>) {
        *self.outcomes.entry(what.into()).or_default() += 1;
    }

    fn attempt(&mut self, number: u32, addresses: u8) {
        let host = u8::try_from(number / 5 % u32::from(addresses)).unwrap_or(0) + 1;
        let client = Ipv4Addr::new(192, 0, 2, host);
        match number % 5 {
            0 => self.hold(client),
            1 => self.start(client, number),
            2 => self.post(number),
            3 => {
                let outcome = guess(self.server, client, number);
                self.count(format!("a token guessed: {outcome}"));
            }
            _ => self.say_nothing(),
        }
    }

    fn hold(&mut self, client: Ipv4Addr) {
        match Socket::open(self.server, client) {
            Ok(socket) => {
                self.count("a socket without a chat: let in");
                self.without_chat.push_back(socket);
                if self.without_chat.len() > HELD_MAX {
                    self.without_chat.pop_front();
                }
            }
            Err(why) => self.count(format!("a socket without a chat: {why}")),
        }
    }

    fn start(&mut self, client: Ipv4Addr, number: u32) {
        let socket = self.without_chat.pop_front();
        let mut socket = match socket.map_or_else(|| Socket::open(self.server, client), Ok) {
            Ok(socket) => socket,
            Err(why) => return self.count(format!("a chat: {why}")),
        };
        let outcome = format!("a chat: {}", socket.start(number));
        if outcome == CHAT_STARTED {
            self.in_chat.push_back(socket);
            if self.in_chat.len() > HELD_MAX {
                self.in_chat.pop_front();
            }
        } else if outcome != "a chat: closed" {
            self.without_chat.push_back(socket);
        }
        self.count(outcome);
    }

    fn post(&mut self, number: u32) {
        let Some(mut socket) = self.in_chat.pop_front() else {
            return self.count(format!("{POSTS} posts: no chat to post in"));
        };
        if socket.post(number, POSTS) {
            self.in_chat.push_back(socket);
            self.count(format!("{POSTS} posts: sent"));
        } else {
            self.count(format!("{POSTS} posts: closed, or not read any more"));
        }
    }

    fn say_nothing(&mut self) {
        match TcpStream::connect_timeout(&self.server, socket::PATIENCE) {
            Ok(stream) => {
                self.count("a connection that says nothing: taken");
                self.silent.push_back(stream);
                if self.silent.len() > HELD_MAX {
                    self.silent.pop_front();
                }
            }
            Err(_) => self.count("a connection that says nothing: not taken"),
        }
    }
}
