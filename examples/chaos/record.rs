//! What the driver remembers of a chat. It is little, because the driver remembers a million
//! messages.

use std::cell::{Cell, RefCell};

/// The author of a message, and the message's number among the author's: an id such as `c12` or
/// `a7`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct Mark(u32);

impl Mark {
    pub(crate) const fn of_customer(number: u32) -> Self {
        Self(number << 1)
    }

    pub(crate) const fn of_agent(number: u32) -> Self {
        Self(number << 1 | 1)
    }

    pub(crate) fn parse(id: &str) -> Option<Self> {
        let number = id.get(1..)?.parse().ok()?;
        match id.as_bytes()[0] {
            b'c' => Some(Self::of_customer(number)),
            b'a' => Some(Self::of_agent(number)),
            _ => None,
        }
    }

    pub(crate) const fn is_customers(self) -> bool {
        self.0 & 1 == 0
    }

    pub(crate) const fn number(self) -> u32 {
        self.0 >> 1
    }
}

impl std::fmt::Display for Mark {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let who = if self.is_customers() { 'c' } else { 'a' };
        write!(formatter, "{who}{}", self.number())
    }
}

/// The text of a message, which follows from its id.
pub(crate) fn text_of(mark: Mark) -> String {
    format!("My parcel left on Monday, says the page; this is the text of {mark}")
}

/// One chat.
#[derive(Debug, Default)]
pub(crate) struct Chat {
    pub(crate) id: String,
    /// The messages that were acknowledged to their authors, each with its place.
    pub(crate) answered: RefCell<Vec<(Mark, u32)>>,
    /// The places of all messages that the widget was told of, in the order in which it was told.
    /// Its own messages are among them.
    pub(crate) heard: RefCell<Vec<u32>>,
    /// The highest place of everything that the widget was told of.
    pub(crate) seen: Cell<u32>,
    /// How many messages the customer and the agents have begun to send.
    pub(crate) minted: Cell<(u32, u32)>,
    /// When the last frame was sent of which it is known that the server took it.
    pub(crate) proven_at: Cell<i64>,
    /// When the widget went away for good.
    pub(crate) gone_at: Cell<Option<i64>>,
    /// The agent who has joined the chat.
    pub(crate) agent: RefCell<Option<String>>,
}

impl Chat {
    pub(crate) fn new(id: &str) -> Self {
        Self { id: id.to_owned(), ..Self::default() }
    }

    /// Whether somebody has tried to say this message.
    pub(crate) fn was_minted(&self, mark: Mark) -> bool {
        let (customers, agents) = self.minted.get();
        mark.number() < if mark.is_customers() { customers } else { agents }
    }
}
