//! The second party: whoever must be told that a customer is away, is back, or is gone.

use std::sync::mpsc::Sender;
use std::time::Instant;

/// What the second party was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// Whom it is about: [`Link::customer`](crate::dialect::Link::customer).
    pub customer: u32,
    /// What was told.
    pub news: News,
    /// When it was read from the socket.
    pub at: Instant,
}

/// What there is to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// A chat was given to an agent.
    Offered,
    /// The connection is lost; the window runs.
    Away,
    /// They returned in time.
    Back,
    /// They did not: the chat is closed, or in wrap-up.
    Gone,
    /// A message of theirs, by its number.
    Message(u64),
}

/// A watcher that runs; it stops when it is dropped.
pub trait Watch: Send {
    /// What a refusal or a fault of the watcher was, should it have ended early.
    fn fault(&mut self) -> Option<String>;
}

/// Where a watcher puts what it is told.
pub type Ear = Sender<Told>;
