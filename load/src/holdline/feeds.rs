//! The agents' feeds, all read by one thread, which also decides when each agent accepts, says
//! something, leaves and returns.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use rustix::fd::OwnedFd;

use super::api::Api;
use super::book::Book;
use super::clerks::{Clerks, Job};
use super::stream::{Event, Stream};
use crate::clock::{self, Moment};
use crate::plan::number;
use crate::target::Agents;
use crate::watch::{Ear, Told};

/// How soon a console opens its feed again, as the server asks.
const REOPEN_AFTER: Duration = Duration::from_millis(500);

/// The longest wait, so that the thread notices what other threads set.
const WAIT_MAX: Duration = Duration::from_millis(20);

/// What the thread shares with the thread that started it.
#[derive(Debug, Default)]
pub(super) struct Signals {
    /// When the work began; 0 before.
    pub(super) begun: AtomicU64,
    pub(super) is_stopped: AtomicBool,
    /// Feeds that are open.
    pub(super) open: AtomicU64,
}

/// An agent at their console.
struct Console {
    token: String,
    api: Api,
    stream: Option<Stream>,
    /// The last event of the feed, from which it is resumed.
    last: Option<String>,
    is_again: bool,
    /// When the feed is opened next, while it is closed.
    open_due: Option<Moment>,
    has_left: bool,
}

/// The feeds of all agents.
pub(super) struct Feeds {
    server: SocketAddr,
    agents: Agents,
    consoles: Vec<Console>,
    epoll: OwnedFd,
    book: Book,
    clerks: Clerks,
    ear: Ear,
    /// Chats to accept: when, and by which agent, of which customer, in which chat.
    accepts: BinaryHeap<Reverse<(Moment, usize, u32, String)>>,
    replies_done: u64,
    dice: fastrand::Rng,
    signals: Arc<Signals>,
    buffer: Vec<u8>,
}

impl Feeds {
    /// Consoles of agents with these tokens; their feeds open once the thread runs.
    pub(super) fn new(
        server: SocketAddr,
        agents: Agents,
        tokens: Vec<String>,
        hands: (Api, Clerks),
        ear: Ear,
        signals: Arc<Signals>,
    ) -> anyhow::Result<Self> {
        let (api, clerks) = hands;
        let now = clock::now();
        let consoles = tokens.into_iter().map(|token| Console {
            api: api.with_token(&token),
            token,
            stream: None,
            last: None,
            is_again: false,
            open_due: Some(now),
            has_left: false,
        });
        Ok(Self {
            server,
            consoles: consoles.collect(),
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            book: Book::default(),
            clerks,
            ear,
            accepts: BinaryHeap::new(),
            replies_done: 0,
            dice: fastrand::Rng::with_seed(agents.seed),
            agents,
            signals,
            buffer: vec![0; 1 << 18],
        })
    }

    /// Works until the thread is stopped.
    pub(super) fn run(mut self) {
        let mut events = Vec::with_capacity(256);
        while !self.signals.is_stopped.load(Ordering::Relaxed) {
            self.open_what_is_due();
            let due = self.accepts.peek().map_or(Moment(u64::MAX), |Reverse((due, ..))| *due);
            let wait = due.since(clock::now()).min(WAIT_MAX);
            let wait = Timespec { tv_sec: 0, tv_nsec: wait.subsec_nanos().into() };
            // An error shows in the feeds.
            let _ = epoll::wait(&self.epoll, spare_capacity(&mut events), Some(&wait));
            for event in events.drain(..) {
                self.read(usize::try_from(event.data.u64()).unwrap_or(0));
            }
            self.accept_what_is_due();
            self.reply_what_is_due();
            self.leave_what_is_due();
        }
    }

    fn open_what_is_due(&mut self) {
        let now = clock::now();
        for (number, console) in self.consoles.iter_mut().enumerate() {
            if console.open_due.is_none_or(|due| due > now) {
                continue;
            }
            let stream = Stream::open(self.server, &console.token, console.last.clone());
            let data = epoll::EventData::new_u64(number as u64);
            let opened = stream.ok().filter(|stream| {
                epoll::add(&self.epoll, &stream.socket, data, epoll::EventFlags::IN).is_ok()
            });
            match opened {
                Some(stream) => {
                    console.stream = Some(stream);
                    console.open_due = None;
                    self.signals.open.fetch_add(1, Ordering::Relaxed);
                }
                None => console.open_due = Some(now.after(REOPEN_AFTER)),
            }
        }
    }

    fn read(&mut self, agent: usize) {
        let console = &mut self.consoles[agent];
        let Some(mut stream) = console.stream.take() else { return };
        let is_again = console.is_again;
        let mut buffer = std::mem::take(&mut self.buffer);
        let at = clock::now();
        let goes_on = stream.read(&mut buffer, &mut |event| self.heed(agent, event, is_again, at));
        self.buffer = buffer;
        let console = &mut self.consoles[agent];
        if goes_on {
            console.stream = Some(stream);
        } else {
            console.last = stream.last;
            console.is_again = true;
            console.open_due = Some(at.after(REOPEN_AFTER));
            self.signals.open.fetch_sub(1, Ordering::Relaxed);
        }
    }

    fn heed(&mut self, agent: usize, event: &Event, is_again: bool, at: Moment) {
        let read = self.book.read(agent, event, is_again);
        let Some((customer, news)) = read.told else { return };
        if let Some(conversation) = read.offered {
            let (least, most) = self.agents.accept;
            let after = least + most.saturating_sub(least).mul_f64(self.dice.f64());
            self.accepts.push(Reverse((at.after(after), agent, customer, conversation)));
        }
        // If nobody receives this any more, the thread will be stopped as well.
        let _ = self.ear.send(Told { customer, news, at });
    }

    fn accept_what_is_due(&mut self) {
        let now = clock::now();
        while let Some(Reverse((due, ..))) = self.accepts.peek()
            && *due <= now
            && let Some(Reverse((_, agent, customer, conversation))) = self.accepts.pop()
        {
            let api = &self.consoles[agent].api;
            self.clerks.give(api, customer, Job::Accept { conversation });
        }
    }

    fn begun(&self) -> Option<Moment> {
        match self.signals.begun.load(Ordering::Relaxed) {
            0 => None,
            begun => Some(Moment(begun)),
        }
    }

    fn reply_what_is_due(&mut self) {
        let Some(begun) = self.begun() else { return };
        let passed = clock::now().since(begun).min(self.agents.posts_for);
        let due = (passed.as_secs_f64() * self.agents.posts_per_s) as u64;
        while self.replies_done < due {
            self.replies_done += 1;
            let Some((conversation, known, which)) = self.book.draw(&mut self.dice) else {
                continue;
            };
            let (customer, bytes) = (known.customer, self.agents.post_bytes);
            let number = number(customer, which);
            let job = Job::Reply { conversation, customer, number, bytes };
            self.clerks.give(&self.consoles[known.agent].api, customer, job);
        }
    }

    fn leave_what_is_due(&mut self) {
        let (Some(begun), Some(leaving)) = (self.begun(), self.agents.leaving.clone()) else {
            return;
        };
        if clock::now() < begun.after(leaving.at) {
            return;
        }
        let count = (self.consoles.len() as f64 * leaving.share) as usize;
        for console in &mut self.consoles[..count] {
            if std::mem::replace(&mut console.has_left, true) {
                continue;
            }
            if let Some(stream) = console.stream.take() {
                console.last = stream.last;
                console.is_again = true;
                self.signals.open.fetch_sub(1, Ordering::Relaxed);
            }
            console.open_due = leaving.back_after.map(|after| begun.after(leaving.at + after));
        }
    }
}
