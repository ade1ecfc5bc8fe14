//! What a conversation is given.

use crate::behavior::message::{Heard, ToConversation, Trouble};
use crate::domain::conversation::Conversation;
use crate::domain::conversation::event::Recorded;
use crate::domain::decision::Receipt;
use crate::domain::id::{Seq, SessionId};

/// What a conversation is given, one after the other.
#[derive(Debug)]
pub enum Input {
    /// Its actor runs from now on.
    Begin,
    /// The conversation is told something.
    Told(ToConversation),
    /// A departing session has shown these signs of life.
    Heard(Heard),
    /// The journal confirms that the conversation is durable up to a place.
    Durable(Receipt),
    /// The journal may have lost what it was given and has not confirmed.
    Lost(Trouble),
    /// What the journal has of the conversation, if it has anything.
    Loaded(Result<Option<Box<Conversation>>, Trouble>),
    /// What a session has missed.
    Page {
        /// Which session.
        session: SessionId,
        /// The place after which the page was read.
        after: Seq,
        /// Everything up to this place that a customer may see was there to be read.
        through: Seq,
        /// What was read, in order, up to the bound of a page.
        entries: Result<Vec<Recorded>, Trouble>,
    },
    /// The socket of a session has no room for a page.
    NoRoom(SessionId),
    /// The socket of a session had no room for a frame, and the session was told nothing since.
    Slow(SessionId),
    /// The time has come at which the conversation wanted to be woken.
    Wake,
}

// It is moved once for each message.
const _: () = assert!(size_of::<Input>() <= 80);
