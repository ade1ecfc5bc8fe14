//! The second party: whoever must be told that a customer is away, is back, or is gone.

use std::sync::mpsc::Sender;

use crate::clock::Moment;

/// What the second party was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// Whom it is about: [`Link::customer`](crate::dialect::Link::customer).
    pub customer: u32,
    /// What was told.
    pub news: News,
    /// When it was read from the socket.
    pub at: Moment,
}

/// What there is to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// A chat was offered to an agent.
    Offered,
    /// An agent is in the chat; from here on they see its messages.
    Accepted,
    /// The connection is lost; the window runs.
    Away,
    /// They returned in time.
    Back,
    /// They did not: the chat is closed, or in wrap-up.
    Gone,
    /// A message of theirs, by its number.
    Message(u64),
    /// A message of an agent's to them is acknowledged, by its number.
    Replied(u64),
}

/// A watcher that runs; it stops when it is dropped.
pub trait Watch: Send {
    /// What a refusal or a fault of the watcher was, should it have ended early.
    fn fault(&mut self) -> Option<String>;

    /// Everybody is in; the workload begins now. What is planned for the second party counts from
    /// here.
    fn begin(&mut self) {}

    /// The numbers of a customer's messages (theirs first, then the agents' to them), each in the
    /// order of the transcript, read from the server itself; none where it keeps none.
    fn transcript(&mut self, _customer: u32) -> anyhow::Result<Option<Transcript>> {
        Ok(None)
    }

    /// Asks the server for its accounts of capacity; none where it has none.
    fn accounts(&mut self) -> anyhow::Result<Option<Accounts>> {
        Ok(None)
    }
}

/// The messages of one chat, as the server keeps them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transcript {
    /// Of the customer's, the numbers in order.
    pub posts: Vec<u64>,
    /// Of the agents', the numbers in order.
    pub replies: Vec<u64>,
}

/// Whether the accounts of capacity agree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accounts {
    /// Agents whose `used` is not the sum of their leases.
    pub unequal: u64,
    /// Leases of a conversation that does not name that agent, and the other way round.
    pub strayed: u64,
    /// What the server's own auditor has counted.
    pub drift: u64,
    /// Leases looked at.
    pub leases: u64,
}

/// Where a watcher puts what it is told.
pub type Ear = Sender<Told>;
