//! The consoles that read an agent's feeds: how they come, show that they live, and go.

use actix::{ActorFutureExt, AsyncContext, Context, WrapFuture};

use crate::behavior::message::{Answered, Denial, RequestId, ToConversation};
use crate::domain::agent::FeedNumber;
use crate::domain::agent::command::AgentCommand;
use crate::engine::agent::AgentActor;
use crate::engine::agent::feeds::{Beginning, Next};
use crate::engine::mailbox::OpenFeed;

/// How long a feed waits for conversations that were asked to show themselves. One that died with
/// the question never does.
const SHOWN_WITHIN: std::time::Duration = std::time::Duration::from_secs(10);

impl AgentActor {
    pub(super) fn open_feed(&mut self, opening: OpenFeed, context: &mut Context<Self>) {
        let OpenFeed { number, sender, closed, after, watching, heartbeat, request } = opening;
        // From now on conversations render what they tell; what they did not is shown below.
        self.shared.post.note_listening(self.id());
        if !watching {
            // Opening is never refused. What changes by it is told before, to the others: this one
            // is shown how it is.
            let _never = self.perform(AgentCommand::OpenFeed { feed: number, heartbeat });
        }
        let beginning = self.feeds.open(number, sender, after.as_deref(), watching);
        self.close_ended();
        match beginning {
            Beginning::Shown => self.show_all(number, context),
            Beginning::Read => self.read_missed(number, context),
            Beginning::ToldAll => {}
        }
        context.spawn(closed.into_actor(self).map(move |_, actor, context| {
            actor.close_feed(number);
            actor.rearm(context);
        }));
        self.shared.answer(request, Ok(Answered::Done));
    }

    /// A console says that it is there. One whose feed has ended is told so, and opens another.
    pub(super) fn beat(&mut self, feed: &str, request: RequestId) {
        let number = self.shared.feed_called(feed).filter(|number| self.feeds.is_running(*number));
        let answer = match number {
            Some(number) => {
                // A beat is never refused, and one of somebody who only watches changes nothing.
                let _never = self.perform(AgentCommand::Beat(number));
                Ok(Answered::Done)
            }
            None => Err(Denial::FeedEnded),
        };
        self.shared.answer(request, answer);
    }

    /// Shows one feed the agent's present state.
    pub(super) fn show_all(&mut self, number: FeedNumber, context: &mut Context<Self>) {
        self.feeds.begin_showing(number, &self.agent);
        let told = vec![self.presence_told(), self.capacity_told()];
        self.feeds.show(&self.shared, number, told, false);
        self.show_more_when_room(number, context);
    }

    /// Shows a feed more once its console has taken what it was shown.
    pub(super) fn show_more_when_room(&mut self, number: FeedNumber, context: &mut Context<Self>) {
        let Some(room) = self.feeds.room(number) else { return };
        let shown = room.into_actor(self).map(move |(), actor, context| {
            actor.show_more(number, context);
        });
        context.spawn(shown);
    }

    fn show_more(&mut self, number: FeedNumber, context: &mut Context<Self>) {
        match self.feeds.next_to_show(number, &self.agent) {
            Next::Ask(conversations, round) => {
                for conversation in conversations {
                    let show = ToConversation::ShowTo(self.id().clone(), Some(number));
                    self.tell_conversation(conversation, show);
                }
                context.run_later(SHOWN_WITHIN, move |actor, context| {
                    if actor.feeds.awaits(number, round) {
                        actor.show_more_when_room(number, context);
                    }
                });
            }
            Next::Read => self.read_missed(number, context),
            Next::Nothing => {}
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
