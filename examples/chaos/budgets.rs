//! What each address of strangers may use in a trial, and whether one was given more.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The budgets that the server is given. They are small, so that a few strangers use all of them
/// between two kills. What a widget needs is far below them, except for the posts.
pub(crate) const BUDGETS: [(&str, u32); 7] = [
    ("HOLDLINE_CONNECTIONS_PER_ADDRESS", 60),
    ("HOLDLINE_SOCKETS_WITHOUT_CHAT_PER_ADDRESS", 20),
    ("HOLDLINE_WAITING_CHATS_PER_ADDRESS", 16),
    (Spent::Handshake.variable(), Spent::Handshake.most()),
    (Spent::Start.variable(), Spent::Start.most()),
    (Spent::Guess.variable(), Spent::Guess.most()),
    (Spent::Post.variable(), Spent::Post.most()),
];

/// What the budgets count by the minute.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Spent {
    Handshake,
    Start,
    Guess,
    Post,
}

impl Spent {
    const fn variable(self) -> &'static str {
        match self {
            Self::Handshake => "HOLDLINE_UPGRADES_PER_ADDRESS",
            Self::Start => "HOLDLINE_STARTS_PER_ADDRESS",
            Self::Guess => "HOLDLINE_REFUSED_TOKENS_PER_ADDRESS",
            Self::Post => "HOLDLINE_POSTS_PER_ADDRESS",
        }
    }

    /// The budget of a minute, all of which may come at once.
    const fn most(self) -> u32 {
        match self {
            Self::Handshake => 45,
            // This is used up before too many chats wait; a little later too many do.
            Self::Start => 15,
            Self::Guess => 30,
            Self::Post => 3_000,
        }
    }
}

/// A run of the server. When it starts, every budget is whole.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Running {
    pub(crate) number: u32,
    since: Instant,
}

/// Which run of the server goes on. The trial says so whenever it starts the server.
#[derive(Debug)]
pub(crate) struct Runs(Mutex<Running>);

impl Default for Runs {
    fn default() -> Self {
        Self(Mutex::new(Running { number: 0, since: Instant::now() }))
    }
}

impl Runs {
    /// Notes that the server is about to be started.
    pub(crate) fn begin(&self) {
        let mut running = self.lock();
        *running = Running { number: running.number + 1, since: Instant::now() };
    }

    pub(crate) fn now(&self) -> Running {
        *self.lock()
    }

    fn lock(&self) -> MutexGuard<'_, Running> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one address was given in one run.
#[derive(Clone, Copy, Debug)]
struct Given {
    count: u32,
    within: Duration,
}

/// What all addresses were given.
#[derive(Debug, Default)]
pub(crate) struct Accounts(HashMap<(u32, Ipv4Addr, Spent), Given>);

impl Accounts {
    /// Notes that this run gave an address something, if it is still the run `now`.
    pub(crate) fn note(&mut self, by: Running, now: Running, to: Ipv4Addr, spent: Spent) {
        if by.number == now.number {
            let within = by.since.elapsed();
            let key = (by.number, to, spent);
            let given = self.0.entry(key).or_insert(Given { count: 0, within });
            *given = Given { count: given.count + 1, within };
        }
    }

    /// The addresses that were given more than the budgets allow.
    pub(crate) fn excesses(&self) -> Vec<String> {
        let mut found = Vec::new();
        for ((run, address, spent), given) in &self.0 {
            let most = f64::from(spent.most());
            // The whole budget at once, and what comes back while it is used.
            let allowed = most + (most * given.within.as_secs_f64() / 60.0) + 1.0;
            if f64::from(given.count) > allowed {
                let Given { count, within } = given;
                found.push(format!(
                    "run {run}: {address} was given {count} {spent:?} in {within:?}"
                ));
            }
        }
        found.sort();
        found
    }
}
