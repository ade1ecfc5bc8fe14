//! What a console missed when more has come than is kept. It is read from the journal page by page,
//! each when the console has taken the one before.

use crate::behavior::agent::catch_up::{GoesOn, Touched};
use crate::behavior::agent::commitment::Behavior;
use crate::behavior::agent::output::{Note, Output, Turn};
use crate::behavior::message::{FeedItem, Trouble};
use crate::domain::agent::FeedNumber;
use crate::domain::conversation::attendance::Absence;
use crate::domain::conversation::event::{Event, ForAgent};
use crate::domain::id::AgentId;
use crate::domain::position::{Located, Position};
use crate::domain::time::Timestamp;
use crate::wire::feed;

impl Behavior {
    /// Reads the next page of what a feed missed.
    pub(super) fn read_missed(&mut self, number: FeedNumber, turn: &mut Turn<'_>) {
        if let Some(after) = self.feeds.begin_read(number) {
            turn.out.push(Output::ReadMissed(number, after));
        }
    }

    /// Tells a feed a page of what it missed, and after the last page everything since it was read.
    pub(super) fn tell_missed(
        &mut self,
        number: FeedNumber,
        read: Result<Vec<Located>, Trouble>,
        turn: &mut Turn<'_>,
    ) {
        let located = match read {
            Ok(located) => located,
            Err(trouble) => {
                turn.note(Note::Unread(trouble));
                self.feeds.end(number, turn);
                return self.close_ended(turn);
            }
        };
        if let Some(last) = located.last() {
            let told = missed(self.id(), &located, turn.now);
            let touched = located.iter().map(|Located { position, conversation, recorded }| {
                (*conversation, Touched { seq: recorded.seq, position: *position })
            });
            self.feeds.tell_missed(number, told, touched, last.position, turn);
            self.feeds.show_touched(number, &self.agent, turn);
            return self.show_more_when_room(number, turn);
        }
        match self.feeds.go_on(number, &self.agent, turn) {
            GoesOn::Live => self.show_all(number, turn),
            GoesOn::Read => self.read_missed(number, turn),
            GoesOn::Gone => {}
        }
    }
}

/// What an agent's feed is told of a page of the journal. What the present state shows is shown
/// afterwards.
fn missed(agent: &AgentId, located: &[Located], now: Timestamp) -> Vec<(Position, FeedItem)> {
    let mut told = Vec::new();
    for Located { position, conversation, recorded } in located {
        let rendered = match (recorded.event.for_agent(agent, false, true), &recorded.event) {
            (ForAgent::Message, _) => feed::message(*conversation, recorded),
            (ForAgent::Withdrawn(why), _) => Some(feed::offer_withdrawn(*conversation, why)),
            (ForAgent::Away, Event::CustomerAway { since, until, cause }) => {
                let absence = Absence { since: *since, until: *until, cause: *cause };
                Some(feed::away(*conversation, &absence, now))
            }
            (ForAgent::Back(after), _) => Some(feed::back(*conversation, Some(after))),
            (ForAgent::Away | ForAgent::Offered | ForAgent::InState, _) => None,
        };
        told.extend(rendered.map(|rendered| (*position, FeedItem::from(rendered))));
    }
    told
}
