//! One feed, as its agent has it.

use crate::behavior::agent::catch_up::{Missed, Unshown};
use crate::behavior::agent::event::{FeedEvent, shown_again};
use crate::behavior::agent::output::{Output, Turn};
use crate::domain::agent::FeedNumber;

/// An open feed of an agent's.
#[derive(Debug)]
pub(super) struct OpenFeed {
    pub(super) number: FeedNumber,
    /// Whether the feed takes anything; it does not once it has ended.
    pub(super) is_running: bool,
    /// What the feed missed, while it is told that; meanwhile it is told of nothing else.
    pub(super) missed: Option<Missed>,
    /// Whether its console is somebody else's.
    pub(super) watching: bool,
    /// What it has yet to be shown of the present state.
    pub(super) unshown: Option<Unshown>,
}

impl OpenFeed {
    /// Tells the feed something that happens now. A feed that has no room for it ends; its console
    /// comes back for the rest.
    pub(super) fn tell(&self, event: FeedEvent, turn: &mut Turn<'_>) {
        self.put(event, false, turn);
    }

    /// Tells the feed a part of what it has yet to be told, for which there was room.
    pub(super) fn tell_part(&self, event: FeedEvent, turn: &mut Turn<'_>) {
        self.put(event, true, turn);
    }

    /// Ends the feed; its console comes back.
    pub(super) fn end(&mut self, turn: &mut Turn<'_>) {
        if self.is_running {
            self.is_running = false;
            turn.out.push(Output::EndFeed(self.number));
        }
    }

    fn put(&self, event: FeedEvent, is_part: bool, turn: &mut Turn<'_>) {
        if !self.is_running {
            return;
        }
        let FeedEvent { mut id, kind, data } = event;
        if self.unshown.is_some() {
            id = id.map(|id| shown_again(&id));
        }
        turn.out.push(Output::Feed { feed: self.number, is_part, id, kind, data });
    }
}
