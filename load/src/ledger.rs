//! The ledger compares what was done to customers with what the second party was told of them, and
//! so finds the counts that must be zero.

mod findings;
mod messages;

use std::collections::HashMap;
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::clock::Moment;
use crate::driver::tally::histogram;
use crate::plan::{Tidings, customer_of};
use crate::watch::{News, Told};

pub use findings::Findings;
pub use messages::Wrong;

/// The account of a run.
#[derive(Debug)]
pub struct Ledger {
    window: Duration,
    customers: Vec<Customer>,
    /// From the due time of a post to the moment at which an agent has it.
    pub feed: Histogram<u64>,
    /// The due times of posts that no agent has yet.
    dues: HashMap<u64, Moment>,
    /// When agents had posts that the driver has not reported yet.
    told_early: HashMap<u64, Moment>,
    /// When the server was away.
    restarts: Vec<(Moment, Moment)>,
    /// Notices so far that a customer is gone.
    pub notices: u64,
    /// Chats in which an agent is, or was.
    pub accepted: u64,
}

/// What is known of one customer.
#[derive(Clone, Debug, Default)]
struct Customer {
    entered: bool,
    /// The last sign of life before each loss, and whether the loss was planned.
    lost: Vec<(Moment, bool)>,
    /// When the customer was back, and whether the chat was still theirs.
    back: Vec<(Moment, bool)>,
    ended: Option<Moment>,
    gone: Vec<Moment>,
    /// When an agent was first told of the customer.
    known: Option<Moment>,
    /// When an agent was in the chat, each time.
    accepted: Vec<Moment>,
    talk: Option<Box<Talk>>,
}

/// The messages of one customer, each by its number among that customer's messages.
#[derive(Clone, Debug, Default)]
struct Talk {
    /// Acknowledged to the customer.
    posted: Vec<u32>,
    /// When each was due, in the order in which they were said.
    dues: Vec<Moment>,
    /// Posts, as the agents' feeds have told them.
    fed: Vec<u32>,
    /// Replies that were acknowledged to the agents, and when.
    replied: Vec<(u32, Moment)>,
    /// Replies, as the customer has heard them.
    heard: Vec<u32>,
}

/// Which of a customer's messages a number stands for.
const fn which(number: u64) -> u32 {
    number as u32
}

impl Ledger {
    /// An account of this many customers, each with this window.
    pub fn new(customers: u32, window: Duration) -> Self {
        Self {
            window,
            customers: vec![Customer::default(); customers as usize],
            feed: histogram(),
            dues: HashMap::new(),
            told_early: HashMap::new(),
            restarts: Vec::new(),
            notices: 0,
            accepted: 0,
        }
    }

    /// Takes what drivers report.
    pub fn take(&mut self, tidings: Tidings) {
        for (customer, _) in tidings.entered {
            self.customer(customer).entered = true;
        }
        for (customer, at, is_planned) in tidings.lost {
            self.customer(customer).lost.push((at, is_planned));
        }
        for (customer, at, is_resumed) in tidings.back {
            self.customer(customer).back.push((at, is_resumed));
        }
        for (customer, at) in tidings.ended {
            self.customer(customer).ended = Some(at);
        }
        for (number, due) in tidings.posting {
            self.talk(customer_of(number)).dues.push(due);
            match self.told_early.remove(&number) {
                Some(at) => self.feed.saturating_record(micros(at.since(due))),
                None => drop(self.dues.insert(number, due)),
            }
        }
        for number in tidings.posted {
            self.talk(customer_of(number)).posted.push(which(number));
        }
        for (customer, number) in tidings.heard {
            self.talk(customer).heard.push(which(number));
        }
    }

    /// Takes what the second party was told.
    pub fn told(&mut self, told: Told) {
        if told.customer as usize >= self.customers.len() {
            return;
        }
        let customer = self.customer(told.customer);
        match told.news {
            News::Offered => drop(customer.known.get_or_insert(told.at)),
            News::Accepted => {
                customer.known.get_or_insert(told.at);
                customer.accepted.push(told.at);
                self.accepted += u64::from(customer.accepted.len() == 1);
            }
            News::Away | News::Back => {}
            News::Gone => {
                customer.gone.push(told.at);
                self.notices += 1;
            }
            News::Message(number) => {
                self.talk(told.customer).fed.push(which(number));
                match self.dues.remove(&number) {
                    Some(due) => self.feed.saturating_record(micros(told.at.since(due))),
                    None => drop(self.told_early.insert(number, told.at)),
                }
            }
            News::Replied(number) => {
                self.talk(told.customer).replied.push((which(number), told.at));
            }
        }
    }

    /// The server was away between these two moments.
    pub fn restarted(&mut self, from: Moment, to: Moment) {
        self.restarts.push((from, to));
    }

    /// Whether the second party was told of every customer that it must be told of.
    pub fn is_settled(&self) -> bool {
        self.customers.iter().all(|customer| match customer.open_absence() {
            Some(from) => customer.known.is_none() || customer.gone.iter().any(|at| *at >= from),
            None => true,
        })
    }

    /// The moment at which the last window ends.
    pub fn last_deadline(&self) -> Option<Moment> {
        let up = self.restarts.last().map_or(Moment(0), |(_, up)| *up);
        let ends = self.customers.iter().filter_map(Customer::open_absence);
        ends.map(|from| from.max(up).after(self.window)).max()
    }

    fn customer(&mut self, customer: u32) -> &mut Customer {
        &mut self.customers[customer as usize]
    }

    fn talk(&mut self, customer: u32) -> &mut Talk {
        self.customer(customer).talk.get_or_insert_default()
    }
}

impl Customer {
    /// Since when the customer is away, if they are away and have not come back.
    fn open_absence(&self) -> Option<Moment> {
        let (lost, _) = self.lost.last()?;
        let is_back = self.back.last().is_some_and(|(back, _)| back > lost);
        (!is_back && self.ended.is_none()).then_some(*lost)
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
