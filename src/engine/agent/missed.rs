//! What a console missed that comes back after more than is kept: it is read from the journal.

use actix::{ActorFutureExt, AsyncContext, Context, WrapFuture};

use crate::domain::agent::FeedNumber;
use crate::domain::conversation::attendance::Absence;
use crate::domain::conversation::event::Event;
use crate::domain::id::{AgentId, ConversationId};
use crate::domain::time::Timestamp;
use crate::engine::FeedEvent;
use crate::engine::agent::AgentActor;
use crate::engine::agent::feeds::FROM_THE_JOURNAL;
use crate::engine::message::Told;
use crate::journal::{Fault, Located, Position};
use crate::wire::feed::{self, Withdrawal};

/// Events that are read from the journal at once for a feed that comes back.
pub(super) const MISSED_EVENTS_MAX: usize = 10_000;

impl AgentActor {
    /// Reads what a feed missed after a position; `touched` is what it was about so far.
    pub(super) fn read_missed(
        &mut self,
        number: FeedNumber,
        after: Position,
        touched: Vec<ConversationId>,
        context: &mut Context<Self>,
    ) {
        let agent = self.id().clone();
        let reading = self.shared.journal.of_agent(agent, after, MISSED_EVENTS_MAX, usize::MAX);
        let read = reading.into_actor(self).map(move |read, actor, context| {
            actor.tell_missed(number, read, touched, context);
        });
        context.spawn(read);
    }

    /// A feed is told a stretch of what it missed, and after the last everything since it came
    /// back.
    fn tell_missed(
        &mut self,
        number: FeedNumber,
        read: Result<Vec<Located>, Fault>,
        mut touched: Vec<ConversationId>,
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
        let missed = missed(self.id(), &located, self.shared.clock.now(), &mut touched);
        let feeds = &self.feeds;
        let events = missed.into_iter().map(|(position, Told { event, data, .. })| {
            let id = feeds.mark(FROM_THE_JOURNAL, position);
            FeedEvent { id: Some(id), event, data }
        });
        let events: Vec<_> = events.collect();
        if !self.feeds.send_to(number, events.into_iter()) {
            return self.close_ended();
        }
        if let Some(last) = located.last().filter(|_| located.len() == MISSED_EVENTS_MAX) {
            return self.read_missed(number, last.position, touched, context);
        }
        if !self.feeds.go_on(number) {
            return self.close_ended();
        }
        touched.retain(|conversation| !self.agent.leases().contains_key(conversation));
        self.ask_to_show(number, &touched, true);
        self.show_all(number, context);
    }
}

/// What of a stretch of the journal an agent's feed tells; which conversations it was about is
/// added to `touched`.
fn missed(
    agent: &AgentId,
    located: &[Located],
    now: Timestamp,
    touched: &mut Vec<ConversationId>,
) -> Vec<(Position, Told)> {
    let mut told = Vec::new();
    for Located { position, conversation, recorded } in located {
        if !touched.contains(conversation) {
            touched.push(*conversation);
        }
        let rendered = match &recorded.event {
            Event::MessagePosted { .. } => feed::message(*conversation, recorded),
            Event::OfferEnded { agent: offered, end, .. } if offered == agent => {
                Some(feed::offer_withdrawn(*conversation, Withdrawal::Ended(*end)))
            }
            Event::CustomerAway { since, until, cause } => {
                let absence = Absence { since: *since, until: *until, cause: *cause };
                Some(feed::away(*conversation, &absence, now))
            }
            Event::CustomerReturned { after, .. } => Some(feed::back(*conversation, Some(*after))),
            _ => None,
        };
        told.extend(rendered.map(|rendered| (*position, Told::from(rendered))));
    }
    told
}
