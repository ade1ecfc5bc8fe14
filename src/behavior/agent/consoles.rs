//! The consoles that read an agent's feeds: how they come, show that they live, and go.

use crate::behavior::agent::catch_up::Next;
use crate::behavior::agent::commitment::Behavior;
use crate::behavior::agent::feeds::Beginning;
use crate::behavior::agent::input::Opening;
use crate::behavior::agent::output::{Output, Turn};
use crate::behavior::message::{Answered, Denial, FeedItem, RequestId, ToConversation};
use crate::domain::agent::FeedNumber;
use crate::domain::agent::command::AgentCommand;

impl Behavior {
    pub(super) fn open_feed(&mut self, opening: &Opening, turn: &mut Turn<'_>) {
        let Opening { feed, watching, heartbeat, request, .. } = *opening;
        // From now on conversations render what they tell; what they did not render is shown below.
        turn.out.push(Output::Listened);
        if !watching {
            // Opening is never refused. The others are told the change first; this feed is shown
            // the result.
            self.must_perform(AgentCommand::OpenFeed { feed, heartbeat }, turn);
        }
        let beginning = self.feeds.open(opening, turn);
        self.close_ended(turn);
        match beginning {
            Beginning::Shown => self.show_all(feed, turn),
            Beginning::Read => self.read_missed(feed, turn),
            Beginning::ToldAll => {}
        }
        turn.answer(request, Ok(Answered::Done));
    }

    /// A console says that it is there. One whose feed has ended is told so, and opens another.
    pub(super) fn beat(&mut self, feed: &str, request: RequestId, turn: &mut Turn<'_>) {
        let answer = match self.feeds.running(feed) {
            Some(number) => {
                // A beat is never refused, and one for a feed that only watches changes nothing.
                self.must_perform(AgentCommand::Beat(number), turn);
                Ok(Answered::Done)
            }
            None => Err(Denial::FeedEnded),
        };
        turn.answer(request, answer);
    }

    /// Tells all feeds what happens.
    pub(super) fn tell_feeds(&mut self, told: Vec<FeedItem>, turn: &mut Turn<'_>) {
        self.feeds.tell(told, turn);
        self.close_ended(turn);
    }

    /// Feeds may not have been told all that happened: they are told so, and shown the present
    /// state.
    pub(super) fn lose_place(&mut self, turn: &mut Turn<'_>) {
        for feed in self.feeds.lose_place(turn) {
            self.show_all(feed, turn);
        }
        self.close_ended(turn);
    }

    /// A conversation has shown itself to a feed, as it was asked to.
    pub(super) fn show_asked(
        &mut self,
        number: FeedNumber,
        told: Vec<FeedItem>,
        turn: &mut Turn<'_>,
    ) {
        if self.feeds.show(number, told, true, turn) {
            self.show_more_when_room(number, turn);
        }
        self.close_ended(turn);
    }

    /// Shows one feed the agent's present state.
    pub(super) fn show_all(&mut self, number: FeedNumber, turn: &mut Turn<'_>) {
        self.feeds.begin_showing(number, &self.agent);
        let told = vec![self.presence_told(), self.capacity_told()];
        self.feeds.show(number, told, false, turn);
        self.show_more_when_room(number, turn);
    }

    /// Shows a feed more once its console has taken what it was shown.
    pub(super) fn show_more_when_room(&mut self, number: FeedNumber, turn: &mut Turn<'_>) {
        if self.feeds.is_running(number) {
            turn.out.push(Output::AwaitRoom(number));
        }
    }

    /// A feed has room for more.
    pub(super) fn show_more(&mut self, number: FeedNumber, turn: &mut Turn<'_>) {
        match self.feeds.next_to_show(number, &self.agent, turn.now) {
            Next::Ask(conversations) => {
                for conversation in conversations {
                    let show = ToConversation::ShowTo(self.id().clone(), Some(number));
                    turn.tell_conversation(conversation, show);
                }
            }
            Next::Read => self.read_missed(number, turn),
            Next::Nothing => {}
        }
    }

    /// A feed had no room: its console comes back for what it was not told.
    pub(super) fn give_up(&mut self, number: FeedNumber, turn: &mut Turn<'_>) {
        self.feeds.note_ended(number);
        self.close_ended(turn);
    }

    /// Closes the feeds that the server has ended, whether their consoles have noticed or not.
    pub(super) fn close_ended(&mut self, turn: &mut Turn<'_>) {
        for number in self.feeds.ended() {
            self.close_feed(number, turn);
        }
    }

    pub(super) fn close_feed(&mut self, number: FeedNumber, turn: &mut Turn<'_>) {
        if self.feeds.close(number) {
            // Closing is never refused.
            self.must_perform(AgentCommand::CloseFeed(number), turn);
        }
    }
}
