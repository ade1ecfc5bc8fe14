//! The consoles that read an agent's feeds: how they come, show that they live, and go.

use std::ops::Bound;

use actix::{ActorFutureExt, AsyncContext, Context, WrapFuture};
use tokio::sync::{mpsc, oneshot};

use crate::domain::agent::FeedNumber;
use crate::domain::agent::command::AgentCommand;
use crate::domain::id::ConversationId;
use crate::engine::agent::AgentActor;
use crate::engine::agent::feeds::Beginning;
use crate::engine::agent::missed::MISSED_EVENTS_MAX;
use crate::engine::message::{OpenFeed, Reply, ToConversation};
use crate::engine::{Failure, Feed};
use crate::limits;

/// Conversations that a feed is shown at once, each in up to three events.
const SHOWN_AT_ONCE: usize = 500;

/// How soon it is shown the next: long enough for a console to read them.
const SHOWN_EVERY: std::time::Duration = std::time::Duration::from_millis(50);

impl AgentActor {
    pub(super) fn open_feed(&mut self, opening: OpenFeed, context: &mut Context<Self>) {
        let OpenFeed { after, watching, heartbeat, reply } = opening;
        // From now on conversations render what they tell; what they did not is shown below.
        self.shared.directory.note_heard(self.id());
        let (sender, events) = mpsc::channel(limits::FEED_WAITING_MAX + MISSED_EVENTS_MAX);
        let (alive, dropped) = oneshot::channel::<()>();
        let number = self.feeds.next_number();
        if !watching {
            // Opening is never refused. What changes by it is told before, to the others: this one
            // is shown how it is.
            let _never = self.perform(AgentCommand::OpenFeed { feed: number, heartbeat });
        }
        let beginning = self.feeds.open(sender, after.as_deref(), watching);
        self.close_ended();
        match beginning {
            Beginning::Shown => self.show_all(number, context),
            Beginning::ReadFrom(position) => {
                self.read_missed(number, position, Vec::new(), context);
            }
            Beginning::ToldAll => {}
        }
        context.spawn(dropped.into_actor(self).map(move |_, actor, context| {
            actor.close_feed(number);
            actor.rearm(context);
        }));
        let feed = Feed { id: self.feeds.name(number), heartbeat, events, alive };
        if reply.send(Ok(feed)).is_err() {
            self.close_feed(number);
        }
    }

    /// A console says that it is there. One whose feed has ended is told so, and opens another.
    pub(super) fn beat(&mut self, feed: &str, reply: Reply<()>) {
        let number = self.feeds.number(feed).filter(|number| self.feeds.is_running(*number));
        let answer = match number {
            Some(number) => {
                // A beat is never refused, and one of somebody who only watches changes nothing.
                let _never = self.perform(AgentCommand::Beat(number));
                Ok(())
            }
            None => Err(Failure::FeedEnded),
        };
        // Whoever has gone does not mind.
        drop(reply.send(answer));
    }

    /// Shows one feed the agent's present state.
    pub(super) fn show_all(&mut self, number: FeedNumber, context: &mut Context<Self>) {
        let next = self.ask_next_to_show(number, None, context);
        let told = vec![self.presence_told(), self.capacity_told()];
        self.feeds.show(&self.shared, number, told, false);
        self.send_show(number, &next);
        self.close_ended();
    }

    /// Which of the agent's conversations are to be shown next, and soon those after them: all of
    /// thousands at once would be more than a feed holds.
    fn ask_next_to_show(
        &mut self,
        number: FeedNumber,
        shown: Option<ConversationId>,
        context: &mut Context<Self>,
    ) -> Vec<ConversationId> {
        let after = shown.map_or(Bound::Unbounded, Bound::Excluded);
        let rest = self.agent.leases().range((after, Bound::Unbounded)).map(|(id, _)| *id);
        let next: Vec<_> = rest.take(SHOWN_AT_ONCE).collect();
        let last = next.last().copied().filter(|_| next.len() == SHOWN_AT_ONCE);
        self.feeds.note_asked(number, next.len(), last.is_some());
        if let Some(last) = last {
            context.run_later(SHOWN_EVERY, move |actor, context| {
                let next = actor.ask_next_to_show(number, Some(last), context);
                actor.send_show(number, &next);
                if next.is_empty() {
                    // There were no more, and those before may have shown themselves already.
                    actor.feeds.show(&actor.shared, number, Vec::new(), false);
                }
            });
        }
        next
    }

    /// Asks conversations to show themselves to a feed; there may be more.
    pub(super) fn ask_to_show(
        &mut self,
        number: FeedNumber,
        conversations: &[ConversationId],
        more: bool,
    ) {
        self.feeds.note_asked(number, conversations.len(), more);
        self.send_show(number, conversations);
    }

    fn send_show(&self, number: FeedNumber, conversations: &[ConversationId]) {
        for conversation in conversations {
            let show = ToConversation::ShowTo(self.id().clone(), Some(number));
            self.tell_conversation(*conversation, show);
        }
    }

    /// Those feeds are lost that we have ended, whether their consoles have noticed or not.
    pub(super) fn close_ended(&mut self) {
        for number in self.feeds.ended() {
            self.close_feed(number);
        }
    }

    fn close_feed(&mut self, number: FeedNumber) {
        if self.feeds.close(number) {
            // Closing is never refused.
            let _never = self.perform(AgentCommand::CloseFeed(number));
        }
    }
}
