//! What an agent does with each thing that they are told: they set units aside, keep the copies of
//! their leases, tell queues whether there is room, and feed their consoles.
//!
//! ```text
//!   told, asked, ──> decide ──> apply ──> conversations hear that the agent has gone, and is back
//!   due                                   queues and feeds hear what is different from before
//!
//!   a presence:  chosen ──written──> in force ──> answered
//!                   └─────could not be written──> denied
//! ```
//!
//! How a feed goes on after what it missed is told with the feeds.

mod audit;
mod catching_up;
mod commitment;
mod consoles;
mod due;
mod event;
mod feeds;
mod input;
mod kept;
mod mark;
mod missed;
mod open_feed;
mod output;
mod presence;
mod report;
mod reserving;
mod telling;
mod turn;
mod waking;

pub mod name;

pub use crate::behavior::agent::commitment::Behavior;
pub use crate::behavior::agent::event::FeedEvent;
pub use crate::behavior::agent::input::{Choice, Facts, Input, Opening};
pub use crate::behavior::agent::output::{Note, Output};

use crate::behavior::agent::turn::Turn;
use crate::behavior::message::{Answered, Denial, RequestId, ToAgent, ToConversation};
use crate::domain::agent::command::AgentCommand;
use crate::domain::id::QueueId;
use crate::domain::queue::QueueCommand;
use crate::domain::time::Timestamp;

impl Behavior {
    /// Deals with one input.
    pub fn handle(&mut self, input: Input, now: Timestamp, facts: Facts, out: &mut Vec<Output>) {
        let turn = &mut Turn { now, facts, out };
        match input {
            Input::Begin => {
                self.tell_queues(turn);
                self.plan_audit(now);
            }
            Input::Told(told) => self.take(told, turn),
            Input::OpenFeed(opening) => self.open_feed(&opening, turn),
            Input::FeedSlow(feed) => self.give_up(feed, turn),
            Input::FeedClosed(feed) => self.close_feed(feed, turn),
            Input::Room(feed) => self.show_more(feed, turn),
            Input::Missed(feed, read) => self.tell_missed(feed, read, turn),
            Input::PresenceWritten(choice, written) => {
                self.note_presence_written(&choice, written, turn);
            }
            Input::Wake => self.wake(turn),
        }
        self.note_due(now);
    }

    fn take(&mut self, told: ToAgent, turn: &mut Turn<'_>) {
        match told {
            // What is refused here is asked with an answer elsewhere.
            ToAgent::Command(command) => drop(self.perform(command, turn)),
            ToAgent::ChoosePresence(presence, by, request) => {
                Self::choose_presence(Choice { presence, by, request }, turn);
            }
            ToAgent::Show(request) => {
                turn.answer(request, Ok(Answered::Agent(Box::new(self.view()))));
            }
            ToAgent::Reserve(queue, conversation, lease) => {
                self.reserve(queue, conversation, lease, turn);
            }
            ToAgent::Adjust { conversation, seq, lease, repeated } => {
                let command = AgentCommand::Adjust { conversation, seq, lease };
                if repeated {
                    self.check_repeated(command, turn);
                } else {
                    // An adjustment is never refused.
                    self.must_perform(command, turn);
                }
            }
            ToAgent::AskAbout(conversation) => self.ask_about(conversation, turn),
            ToAgent::Serve(queues) => self.serve(queues, turn),
            ToAgent::Several(told) => self.take_several(told, turn),
            ToAgent::Dismiss(request) => self.dismiss(request, turn),
            ToAgent::Tell(told) => self.tell_feeds(told, turn),
            ToAgent::Shown(feed, told) => self.show_asked(feed, told, turn),
            ToAgent::EndFeeds => self.feeds.end_all(turn),
            ToAgent::ForgetKept => self.feeds.forget_kept(),
            ToAgent::Beat(feed, request) => self.beat(&feed, request, turn),
            ToAgent::Expect(grace, request) => {
                let expected = self.agent.expected_by(grace, turn.now);
                let answer = expected.map(Answered::Expected).map_err(|_| Denial::AgentGone);
                turn.answer(request, answer);
            }
        }
    }

    /// Takes what conversations have said while very many spoke; what has changed is told once.
    fn take_several(&mut self, told: Vec<ToAgent>, turn: &mut Turn<'_>) {
        for told in told {
            match told {
                ToAgent::Command(command @ AgentCommand::Adjust { .. }) => {
                    // An adjustment is never refused.
                    let _never = self.decide(command, turn);
                }
                other => {
                    self.tell_changes(turn);
                    self.take(other, turn);
                }
            }
        }
        self.tell_changes(turn);
    }

    fn serve(&mut self, queues: Vec<QueueId>, turn: &mut Turn<'_>) {
        for left in self.queues.iter().filter(|queue| !queues.contains(queue)) {
            turn.tell_queue(left, QueueCommand::AgentLeft(self.id().clone()));
        }
        self.queues = queues;
        self.tell_queues(turn);
    }

    fn dismiss(&mut self, request: RequestId, turn: &mut Turn<'_>) {
        for queue in &self.queues {
            turn.tell_queue(queue, QueueCommand::AgentLeft(self.id().clone()));
        }
        for conversation in self.agent.leases().keys() {
            turn.tell_conversation(*conversation, ToConversation::AgentGone(self.id().clone()));
        }
        turn.note(Note::Leases(-i64::try_from(self.told.leases).unwrap_or(0)));
        turn.out.push(Output::Stop(request));
    }
}
