//! One feed, as its agent's actor has it.

use crate::domain::agent::FeedNumber;
use crate::engine::agent::catching_up::{Missed, Unshown};
use crate::engine::agent::mark::shown_again;
use crate::engine::feed::{FeedEvent, FeedSender, NotTold};

/// An open feed of an agent's.
#[derive(Debug)]
pub(super) struct OpenFeed {
    pub(super) number: FeedNumber,
    /// Nothing once we have ended it.
    pub(super) sender: Option<FeedSender>,
    /// While it is told what it missed; then it is told of nothing else.
    pub(super) missed: Option<Missed>,
    /// Whether it is somebody else's.
    pub(super) watching: bool,
    /// What it has yet to be shown of the present state.
    pub(super) unshown: Option<Unshown>,
}

impl OpenFeed {
    pub(super) fn is_running(&self) -> bool {
        self.sender.is_some()
    }

    /// Tells it something that happens now. One that has no room for it ends; its console comes
    /// back for the rest.
    pub(super) fn tell(&mut self, event: FeedEvent) -> Result<(), NotTold> {
        let event = self.marked(event);
        let sender = self.sender.as_ref().ok_or(NotTold::Closed)?;
        sender.tell(event).inspect_err(|_| self.sender = None)
    }

    /// Tells it a part of what it has yet to be told, for which there was room.
    pub(super) fn tell_part(&mut self, event: FeedEvent) -> bool {
        let event = self.marked(event);
        self.sender.as_ref().is_some_and(|sender| sender.tell_part(event).is_ok())
    }

    fn marked(&self, mut event: FeedEvent) -> FeedEvent {
        if self.unshown.is_some() {
            event.id = event.id.map(|id| shown_again(&id));
        }
        event
    }
}
