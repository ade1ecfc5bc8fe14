//! The second party, which must be told that a customer is away, is back, or is gone.

use std::sync::mpsc::Sender;

use crate::clock::Moment;

/// What the second party was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// The customer that it is about: [`Link::customer`](crate::dialect::Link::customer).
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
    /// The customer returned in time.
    Back,
    /// The customer did not return in time: the chat is closed, or in wrap-up.
    Gone,
    /// A message of the customer's, by its number.
    Message(u64),
    /// A message of an agent's to the customer is acknowledged, by its number.
    Replied(u64),
}

/// A watcher that runs; it stops when it is dropped.
pub trait Watch: Send {
    /// The refusal or fault that ended the watcher, if it ended early.
    fn fault(&mut self) -> Option<String>;

    /// Everybody is in; the workload begins now. What is planned for the second party counts from
    /// here.
    fn begin(&mut self) {}

    /// The numbers of the messages in a customer's chat, the customer's first, then the agents',
    /// each in the order of the transcript. They are read from the server itself; none if it keeps
    /// no transcript.
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
    /// The numbers of the customer's messages, in order.
    pub posts: Vec<u64>,
    /// The numbers of the agents' messages, in order.
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
