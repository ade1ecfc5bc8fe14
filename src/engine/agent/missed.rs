//! What a console missed that comes back after more than is kept: it is read from the journal, page
//! by page, the next when the console has taken the last.

use actix::{ActorFutureExt, AsyncContext, Context, WrapFuture};

use crate::behavior::message::FeedItem;
use crate::domain::agent::FeedNumber;
use crate::domain::conversation::attendance::Absence;
use crate::domain::conversation::event::{Event, ForAgent};
use crate::domain::id::AgentId;
use crate::domain::time::Timestamp;
use crate::engine::agent::AgentActor;
use crate::engine::agent::catching_up::Touched;
use crate::engine::agent::feeds::GoesOn;
use crate::journal::{Fault, Located, Position};
use crate::limits;
use crate::wire::feed;

impl AgentActor {
    /// Reads the next page of what a feed missed.
    pub(super) fn read_missed(&mut self, number: FeedNumber, context: &mut Context<Self>) {
        let Some(after) = self.feeds.begin_read(number) else { return };
        let (agent, journal) = (self.id().clone(), &self.shared.journal);
        let (most, bytes) = (limits::FEED_PART_MAX, limits::FEED_PART_BYTES_MAX);
        let reading = journal.of_agent(agent, after, most, bytes);
        let read = reading.into_actor(self).map(move |read, actor, context| {
            actor.tell_missed(number, read, context);
        });
        context.spawn(read);
    }

    /// A feed is told a page of what it missed, and after the last everything since it was read.
    fn tell_missed(
        &mut self,
        number: FeedNumber,
        read: Result<Vec<Located>, Fault>,
        context: &mut Context<Self>,
    ) {
        let located = match read {
            Ok(located) => located,
            Err(fault) => {
                let agent = self.id();
                tracing::error!(
                    %agent, %fault,
                    "what a feed of agent {agent} has missed cannot be read"
                );
                self.feeds.end(number);
                return self.close_ended();
            }
        };
        if let Some(last) = located.last() {
            let told = missed(self.id(), &located, self.shared.clock.now());
            let touched = located.iter().map(|Located { position, conversation, recorded }| {
                (*conversation, Touched { seq: recorded.seq, position: *position })
            });
            self.feeds.tell_missed(number, told, touched, last.position);
            self.feeds.show_touched(&self.shared, number, &self.agent);
            return self.show_more_when_room(number, context);
        }
        match self.feeds.go_on(number, &self.agent) {
            GoesOn::Live => self.show_all(number, context),
            GoesOn::Read => self.read_missed(number, context),
            GoesOn::Gone => {}
        }
    }
}

/// What of a page of the journal an agent's feed tells. What the state shows is shown afterwards.
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
