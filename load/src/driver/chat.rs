//! One customer, as a driver holds them: small, because there are thousands.

use rustix::fd::OwnedFd;

use crate::clock::Moment;
use crate::dialect::Link;

/// A time that never comes.
pub(super) const NEVER: u32 = u32::MAX;

/// Where a customer is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum State {
    /// The customer has not come yet.
    #[default]
    Outside,
    /// The upgrade was asked for.
    Upgrading,
    /// The protocol's opening is under way.
    Opening,
    /// In the chat.
    Ready,
    /// The customer has asked for the end, and waits for the answer.
    Ending,
    /// The customer is lost, and may come back when the timer says so.
    Away,
    /// The socket is there, and nothing is said or answered.
    Silent,
    /// The customer will not be seen again.
    Gone,
}

/// One customer.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent, and small")]
pub(super) struct Chat {
    pub(super) socket: Option<OwnedFd>,
    pub(super) link: Link,
    pub(super) state: State,
    /// Whether the customer was in the chat at any time.
    pub(super) was_ready: bool,
    /// Whether they read slowly.
    pub(super) is_slow: bool,
    /// The server has said that it will close.
    pub(super) is_told_to_go: bool,
    /// Whether the socket is also watched for room to write.
    pub(super) wants_room: bool,
    /// Which loss is planned for them.
    pub(super) loss: Option<u8>,
    /// Connects that failed in a row.
    pub(super) failures: u8,
    /// Posts that were not acknowledged yet.
    pub(super) unposted: u16,
    /// Heartbeats that were not answered yet.
    pub(super) unanswered: u16,
    /// How often they were lost.
    pub(super) losses: u32,
    /// How many posts they have said.
    pub(super) posts: u32,
    /// When the next heartbeat is due.
    pub(super) beat_due: u32,
    /// When the next step of their life is due.
    pub(super) life_due: u32,
    /// When a slow reader is to read again.
    pub(super) read_due: u32,
    /// When the connect was due.
    pub(super) connect_due: Moment,
    /// When the opening began.
    pub(super) opened: Moment,
    /// When the last frame was sent: the last sign of life.
    pub(super) spoke: Moment,
    /// The beginning of a frame whose end has not come yet.
    pub(super) unread: Vec<u8>,
    /// What the socket has not taken yet.
    pub(super) unsent: Vec<u8>,
}

impl Chat {
    /// A customer who has not come yet.
    pub(super) fn new(customer: u32) -> Self {
        let link = Link { customer, ..Link::default() };
        Self { link, beat_due: NEVER, life_due: NEVER, read_due: NEVER, ..Self::default() }
    }

    /// The next time at which something is due.
    pub(super) fn due(&self) -> u32 {
        self.beat_due.min(self.life_due).min(self.read_due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The budget of the whole driver is 400 bytes; a token of about 100 is on the heap.
    #[test]
    fn a_chat_is_small() {
        assert!(size_of::<Chat>() <= 240, "a chat takes {} bytes", size_of::<Chat>());
    }
}
