//! What the parent and its driver processes say to each other: one line of JSON each.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::clock::Moment;
use crate::dialect::Spoken;
use crate::driver::tally::{Counts, Packed};
use crate::workload::Workload;

/// What a driver is to do; the first line that it reads.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// The server.
    pub address: SocketAddr,
    /// Its protocol.
    pub spoken: Spoken,
    /// The first of its customers.
    pub first: u32,
    /// How many customers it has.
    pub customers: u32,
    /// Connects in a second of this driver.
    pub connects_per_s: f64,
    /// Posts in a second of this driver.
    pub posts_per_s: f64,
    /// When the first connect is due; all times of the plan count from here.
    pub epoch: Moment,
    /// What is to be done.
    pub workload: Workload,
}

/// What a driver is told later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Everybody is in: the work begins at this moment.
    Begin(Moment),
    /// From here on nothing is measured: the server is being asked for its accounts.
    Rest,
    /// It is over: say what was measured, and end.
    Stop,
}

/// What a driver says.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Line {
    /// What it has counted so far.
    pub counts: Counts,
    /// What has happened since the last line.
    pub tidings: Tidings,
    /// What it has measured; in the last line alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latencies: Option<Packed>,
}

/// What has happened to customers, for the ledger. Short names, for there are many.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tidings {
    /// Customers who are in a chat for the first time, and since when.
    pub entered: Vec<(u32, Moment)>,
    /// Customers who were lost, their last sign of life, and whether the loss was planned.
    pub lost: Vec<(u32, Moment, bool)>,
    /// Customers who came back, when they were told so, and whether the chat was still theirs.
    pub back: Vec<(u32, Moment, bool)>,
    /// Customers who have ended their chat, and when.
    pub ended: Vec<(u32, Moment)>,
    /// Posts that were acknowledged.
    pub posted: Vec<u64>,
    /// Posts that were said for the first time, and when they were due.
    pub posting: Vec<(u64, Moment)>,
    /// Messages that a customer has heard: the customer, the number.
    pub heard: Vec<(u32, u64)>,
}

impl Tidings {
    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The number of a message: the customer, and its number among that customer's, from 1.
pub const fn number(customer: u32, which: u32) -> u64 {
    (customer as u64) << 32 | which as u64
}

/// The customer whose message a number stands for.
pub const fn customer_of(number: u64) -> u32 {
    (number >> 32) as u32
}
