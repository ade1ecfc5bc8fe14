//! What an agent's actor does with each input: it sets units aside, keeps copies of the agent's
//! leases, tells queues whether there is room, and feeds the agent's consoles.
//!
//! ```text
//!   told, asked, ──> decide ──> apply ──> conversations hear that the agent has gone, and is back
//!   due                                   queues and feeds hear what is different from before
//!
//!   a presence:  chosen ──written──> in force ──> answered
//!                   └─────could not be written──> denied
//! ```
//!
//! The module `feeds` tells how a feed goes on after what it missed.

mod catch_up;
mod commitment;
mod consoles;
mod event;
mod feeds;
mod input;
mod lease;
mod open_feed;
mod output;
mod replay;
mod report;
mod ring;

pub use crate::behavior::agent::commitment::Behavior;
pub use crate::behavior::agent::event::{FeedEvent, name_of_feed};
pub use crate::behavior::agent::input::{Choice, Facts, Input, Opening};
pub use crate::behavior::agent::output::{Note, Output};

use crate::behavior::agent::commitment::Due;
use crate::behavior::agent::output::Turn;
use crate::behavior::message::{
    AgentView, Answered, Denial, RequestId, ToAgent, ToConversation, Trouble,
};
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
                self.feeds.begin(now);
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
            // A refusal is dropped: a command whose answer matters is asked elsewhere.
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
            ToAgent::LosePlace => self.lose_place(turn),
            ToAgent::Beat(feed, request) => self.beat(&feed, request, turn),
            ToAgent::Expect(grace, request) => {
                let expected = self.agent.expected_by(grace, turn.now);
                let answer = expected.map(Answered::Expected).map_err(|_| Denial::AgentGone);
                turn.answer(request, answer);
            }
        }
    }

    /// Takes a batch of messages from conversations. What their adjustments have changed is told
    /// once.
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

    fn choose_presence(choice: Choice, turn: &mut Turn<'_>) {
        turn.out.push(Output::WritePresence(choice, turn.now));
    }

    /// A choice is on the disk, or could not be written.
    fn note_presence_written(
        &mut self,
        choice: &Choice,
        written: Result<(), Trouble>,
        turn: &mut Turn<'_>,
    ) {
        let answer = match written {
            Ok(()) => {
                // Choosing is never refused.
                let command = match choice.by {
                    None => AgentCommand::ChoosePresence(choice.presence),
                    Some(_) => AgentCommand::SetPresence(choice.presence),
                };
                self.must_perform(command, turn);
                Ok(Answered::Agent(Box::new(self.view())))
            }
            Err(trouble) => Err(Denial::Trouble(trouble)),
        };
        turn.answer(choice.request, answer);
    }

    fn view(&self) -> AgentView {
        let leases = self.agent.leases().iter();
        AgentView {
            settings: self.agent.settings().clone(),
            presence: self.agent.presence(),
            chosen: self.agent.chosen(),
            link: self.agent.link(),
            used: self.agent.used(),
            leases: leases.map(|(id, held)| (*id, held.lease.clone())).collect(),
        }
    }

    /// When the agent wants to be woken.
    pub fn wake_at(&self, facts: Facts) -> Option<Timestamp> {
        // When the server stops it ends the feeds itself: no agent is given up, or missed, for
        // that.
        let due = self.due.filter(|_| !facts.is_draining).map(|due| due.served_at);
        let sorted_out = self.sorted_out.front().map(|(at, _)| *at);
        let all = [due, sorted_out, self.feeds.shown_by(), self.audit_at];
        all.into_iter().flatten().min()
    }

    fn wake(&mut self, turn: &mut Turn<'_>) {
        self.tell_sorted_out(turn);
        for feed in self.feeds.take_overdue(turn.now) {
            self.show_more_when_room(feed, turn);
        }
        self.serve_due(turn);
        self.audit_if_due(turn);
    }

    /// Notes when the agent must be looked at next.
    fn note_due(&mut self, now: Timestamp) {
        let at = self.agent.wake_at().into_iter().chain(self.capacity_at).min();
        if self.due.map(|due| due.at) != at {
            self.due = at.map(|at| Due::at(at, now));
        }
    }

    fn serve_due(&mut self, turn: &mut Turn<'_>) {
        let is_due = |due: &Due| due.served_at <= turn.now && !turn.facts.is_draining;
        let Some(due) = self.due.filter(is_due) else { return };
        self.due = due.put_off(turn.now);
        if self.due.is_some() {
            return;
        }
        self.must_perform(AgentCommand::Wake, turn);
        self.close_ended(turn);
        self.tell_capacity_if_due(turn);
    }
}
