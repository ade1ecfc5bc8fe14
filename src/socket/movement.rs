//! A socket on its way to another thread. Any thread may accept a widget that returns, and its
//! heartbeats would then cross to the thread of its conversation for as long as it stays.
//!
//! The session asks for the move when it has read `hello` and done nothing else ([`Departure`]).
//! The pump gives its connection away, with the bytes that it has read and not used, and ends. On
//! the other thread a new pump and a new session begin with the same `hello`.

use std::fmt;

use bytes::Bytes;
use bytestring::ByteString;

use crate::socket::guard::Guard;
use crate::socket::transport::Carried;

/// A connection between two threads.
#[derive(Debug)]
pub struct Movement {
    pub(super) stream: Carried,
    /// What the widget has not been sent yet.
    pub(super) unwritten: Bytes,
    /// Holds a message that has come in part, if there is one.
    pub(super) guard: Option<Box<Guard>>,
    /// The text that the session on the other thread is given first.
    pub(super) first: ByteString,
    /// The bytes that came behind that text.
    pub(super) rest: Bytes,
}

/// What a session leaves with its line when it goes.
pub struct Departure {
    pub(super) first: ByteString,
    pub(super) carry: Carry,
}

/// Takes a connection to its new thread.
pub type Carry = Box<dyn FnOnce(Movement)>;

impl Departure {
    /// Has the socket carried away; its next session is given `first` before anything else.
    pub fn new(first: ByteString, carry: Carry) -> Self {
        Self { first, carry }
    }
}

impl fmt::Debug for Departure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Departure").finish_non_exhaustive()
    }
}
