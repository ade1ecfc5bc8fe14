//! What comes into the mailboxes of actors: messages, and what the engine itself has to say.

use actix::dev::channel::{AddressReceiver, channel};
use actix::{Actor, Addr, Message};
use tokio::sync::oneshot;

use crate::behavior::agent::Opening;
use crate::behavior::conversation;
use crate::behavior::message::{ToAgent, ToConversation, ToQueue, ToSession, Trouble};
use crate::engine::feed::FeedSender;
use crate::journal::Fault;
use crate::limits;

/// The two ends of a mailbox, for an actor that is yet to be made. Callers with the address can
/// already send to it.
pub(super) fn mailbox<A: Actor>() -> (Addr<A>, AddressReceiver<A>) {
    let (sender, receiver) = channel(limits::MAILBOX);
    (Addr::new(sender), receiver)
}

/// How a request opens a feed.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) struct OpenFeed {
    /// What the agent must know of the feed.
    pub opening: Opening,
    /// The end into which the feed's events go.
    pub sender: FeedSender,
    /// Resolves when the console takes nothing any more.
    pub closed: oneshot::Receiver<()>,
}

impl Message for conversation::Input {
    type Result = ();
}

impl Message for ToConversation {
    type Result = ();
}

impl Message for ToAgent {
    type Result = ();
}

impl Message for ToQueue {
    type Result = ();
}

impl Message for ToSession {
    type Result = ();
}

impl From<&Fault> for Trouble {
    fn from(fault: &Fault) -> Self {
        let is_of_writing = matches!(fault, Fault::Write(_));
        Self { is_of_writing, text: fault.to_string().into() }
    }
}
