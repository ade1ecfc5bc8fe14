//! Strangers who mean no good. From a few addresses they hold sockets without a chat, begin chats,
//! post without pause, guess tokens, and connect and say nothing, all through the trial. They go
//! straight to the server, on a thread of their own, and keep what they get.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::{LocalSet, spawn_local};
use tokio::time::{MissedTickBehavior, interval};

use super::budgets::{Accounts, Running, Runs, Spent};
use super::guest::{Guest, connect, guess};

/// How many attempts are under way at once.
const AT_ONCE: usize = 32;

/// How many connections of each kind the strangers hold. Together with the sockets and chats that
/// they may have, these are just about all that a trial's addresses may have.
const HELD_MAX: usize = 100;

/// How many posts are sent in one attempt.
const POSTS: u32 = 50;

/// What the strangers are to do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StrangersPlan {
    /// How many attempts they make in a second; 0 for no strangers.
    pub(crate) per_second: f64,
    /// From how many addresses they come.
    pub(crate) addresses: u8,
    /// The first of these addresses, as the server is told it.
    pub(crate) first: Ipv4Addr,
}

/// Strangers at work.
pub(crate) struct Strangers {
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<io::Result<Told>>,
}

/// What became of the strangers' attempts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    /// How often each outcome happened.
    pub(crate) outcomes: BTreeMap<String, u64>,
    /// The addresses that were given more than the budgets allow.
    pub(crate) excesses: Vec<String>,
}

impl Told {
    pub(crate) fn attempts(&self) -> u64 {
        self.outcomes.values().sum()
    }
}

impl Strangers {
    /// Lets the strangers begin.
    pub(crate) fn begin(
        server: SocketAddr,
        plan: StrangersPlan,
        runs: Arc<Runs>,
    ) -> io::Result<Self> {
        let is_over = Arc::<AtomicBool>::default();
        let over = Arc::clone(&is_over);
        let thread = std::thread::Builder::new().name("strangers".to_owned()).spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let crowd = Rc::new(Crowd {
                server,
                plan,
                runs,
                without_chat: RefCell::default(),
                in_chat: RefCell::default(),
                silent: RefCell::default(),
                outcomes: RefCell::default(),
                accounts: RefCell::default(),
            });
            LocalSet::new().block_on(&runtime, Rc::clone(&crowd).work(&over));
            let outcomes = crowd.outcomes.take();
            Ok(Told { outcomes, excesses: crowd.accounts.borrow().excesses() })
        })?;
        Ok(Self { is_over, thread })
    }

    /// Ends the strangers' work, and says what became of it.
    pub(crate) async fn end(self) -> io::Result<Told> {
        self.is_over.store(true, Ordering::Relaxed);
        let joined = tokio::task::spawn_blocking(|| self.thread.join()).await?;
        joined.map_err(|_| io::Error::other("the strangers have died"))?
    }
}

struct Crowd {
    server: SocketAddr,
    plan: StrangersPlan,
    runs: Arc<Runs>,
    without_chat: RefCell<VecDeque<Guest>>,
    in_chat: RefCell<VecDeque<Guest>>,
    silent: RefCell<VecDeque<TcpStream>>,
    outcomes: RefCell<BTreeMap<String, u64>>,
    accounts: RefCell<Accounts>,
}

impl Crowd {
    async fn work(self: Rc<Self>, is_over: &AtomicBool) {
        if self.plan.per_second <= 0.0 {
            return;
        }
        let places = Arc::new(Semaphore::new(AT_ONCE));
        let mut ticks = interval(Duration::from_secs_f64(1.0 / self.plan.per_second));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut number = 0;
        while !is_over.load(Ordering::Relaxed) {
            ticks.tick().await;
            let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                self.count("no attempt: too many are under way");
                continue;
            };
            let crowd = Rc::clone(&self);
            spawn_local(async move {
                crowd.attempt(number).await;
                drop(place);
            });
            number += 1;
        }
    }

    fn count(&self, what: impl Into<String>) {
        *self.outcomes.borrow_mut().entry(what.into()).or_default() += 1;
    }

    fn note(&self, by: Running, to: Ipv4Addr, spent: Spent) {
        self.accounts.borrow_mut().note(by, self.runs.now(), to, spent);
    }

    async fn attempt(&self, number: u32) {
        let which = number / 5 % u32::from(self.plan.addresses.max(1));
        let client = Ipv4Addr::from_bits(self.plan.first.to_bits() + which);
        match number % 5 {
            0 => self.hold(client).await,
            1 => self.start(client, number).await,
            2 => self.post(number).await,
            3 => self.guess(client, number).await,
            _ => self.say_nothing(client).await,
        }
    }

    async fn open(&self, client: Ipv4Addr) -> Result<Guest, String> {
        let by = self.runs.now();
        let guest = Guest::open(self.server, client, by).await?;
        self.note(by, client, Spent::Handshake);
        Ok(guest)
    }

    /// One of the held sockets. A socket that was held by a killed server is gone with it.
    fn take(&self, held: &RefCell<VecDeque<Guest>>) -> Option<Guest> {
        let now = self.runs.now().number;
        let mut held = held.borrow_mut();
        held.retain(|guest| guest.by.number == now);
        held.pop_front()
    }

    async fn hold(&self, client: Ipv4Addr) {
        match self.open(client).await {
            Ok(guest) => {
                self.count("a socket without a chat: let in");
                hold(&self.without_chat, guest);
            }
            Err(why) => self.count(format!("a socket without a chat: {why}")),
        }
    }

    async fn start(&self, client: Ipv4Addr, number: u32) {
        let opened = match self.take(&self.without_chat) {
            Some(guest) => Ok(guest),
            None => self.open(client).await,
        };
        let mut guest = match opened {
            Ok(guest) => guest,
            Err(why) => return self.count(format!("a chat: {why}")),
        };
        let outcome = guest.start(number).await;
        if outcome == "started" {
            self.note(guest.by, guest.client, Spent::Start);
            hold(&self.in_chat, guest);
        } else if outcome != "closed" {
            hold(&self.without_chat, guest);
        }
        self.count(format!("a chat: {outcome}"));
    }

    async fn post(&self, number: u32) {
        let Some(mut guest) = self.take(&self.in_chat) else {
            return self.count(format!("{POSTS} posts: no chat to post in"));
        };
        let heard = guest.hear();
        for _ in 0..heard {
            self.note(guest.by, guest.client, Spent::Post);
        }
        if guest.post(number, POSTS).await {
            hold(&self.in_chat, guest);
            self.count(format!("{POSTS} posts: sent"));
        } else {
            self.count(format!("{POSTS} posts: closed, or not read any more"));
        }
    }

    async fn guess(&self, client: Ipv4Addr, number: u32) {
        let by = self.runs.now();
        let outcome = guess(self.server, client, number).await;
        if outcome.starts_with("401") {
            self.note(by, client, Spent::Guess);
        }
        self.count(format!("a token guessed: {outcome}"));
    }

    async fn say_nothing(&self, client: Ipv4Addr) {
        match connect(self.server, client).await {
            Ok(stream) => {
                self.count("a connection that says nothing: taken");
                hold(&self.silent, stream);
            }
            Err(_) => self.count("a connection that says nothing: not taken"),
        }
    }
}

/// Holds one more, and lets the oldest go when there are too many.
fn hold<T>(held: &RefCell<VecDeque<T>>, one: T) {
    let mut held = held.borrow_mut();
    held.push_back(one);
    if held.len() > HELD_MAX {
        held.pop_front();
    }
}
