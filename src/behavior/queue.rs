//! What a queue does with each input: it asks agents to take the chats that wait, and tells
//! customers where they stand.
//!
//! ```text
//!   told ──> decide ──> apply ──> match ──> agents are asked
//!                                   ^             │
//!                                   └──missing────┘
//! ```

use crate::behavior::message::{Answered, RequestId, ToQueue};
use crate::domain::id::{AgentId, ConversationId};
use crate::domain::lease::Lease;
use crate::domain::queue::{Queue, QueueCommand, QueueEvent};
use crate::domain::time::{Span, Timestamp};
use crate::limits;

/// How often customers are told where they stand, if that has changed.
const POSITIONS_EVERY: Span = Span::from_secs(10);

/// What a queue is given, one after the other.
#[derive(Debug)]
pub enum Input {
    /// The queue is told something.
    Told(ToQueue),
    /// There is no agent of this name who could set units aside for this chat.
    Missing(ConversationId, AgentId),
    /// The time has come at which the queue wanted to be woken.
    Wake,
}

/// What is to be done for the queue, in this order.
#[derive(Debug)]
pub enum Output {
    /// An agent is asked to set units aside for a chat; if there is no such agent the queue is
    /// given [`Input::Missing`].
    Reserve(AgentId, ConversationId, Lease),
    /// A chat, if it is live, is told its position in the line, from 1, and how long the wait may
    /// take.
    Position(ConversationId, usize, Option<Span>),
    /// So many chats wait now, for callers that must know it before a chat begins.
    Waiting(usize),
    /// A request is answered.
    Answer(RequestId, Answered),
    /// The queue stops.
    Stop,
}

/// A queue, as its actor has it.
#[derive(Debug)]
pub struct Behavior {
    queue: Queue,
    /// When the queue was made. Positions are told at whole multiples of [`POSITIONS_EVERY`] after
    /// this.
    made_at: Timestamp,
    /// When customers are told where they stand, if that has changed.
    positions_at: Option<Timestamp>,
}

impl Behavior {
    /// An empty queue. It serves nobody until it is told that every conversation and agent was
    /// heard.
    pub fn hearing(now: Timestamp) -> Self {
        Self { queue: Queue::hearing(), made_at: now, positions_at: None }
    }

    /// When it wants to be woken.
    pub const fn wake_at(&self) -> Option<Timestamp> {
        self.positions_at
    }

    /// Deals with one input.
    pub fn handle(&mut self, input: Input, now: Timestamp, out: &mut Vec<Output>) {
        match input {
            Input::Told(told) => self.take(told, now, out),
            Input::Missing(conversation, agent) => {
                self.note(QueueCommand::Refused(conversation, agent.clone()), now);
                self.note(QueueCommand::AgentLeft(agent), now);
                self.serve(now, out);
            }
            Input::Wake => self.wake(now, out),
        }
    }

    fn take(&mut self, told: ToQueue, now: Timestamp, out: &mut Vec<Output>) {
        match told {
            ToQueue::Command(command) => self.perform(command, now, out),
            ToQueue::Several(commands) => {
                for command in commands {
                    self.perform(command, now, out);
                }
            }
            ToQueue::Figures(request) => {
                let figures = Answered::Figures(self.queue.waiting(), self.queue.average_wait());
                out.push(Output::Answer(request, figures));
            }
            ToQueue::Explain(conversation, request) => {
                let standing = self.queue.standing(conversation, limits::POSITIONS_MOST);
                out.push(Output::Answer(request, Answered::Standing(standing)));
            }
            ToQueue::Dismiss(request) => {
                out.extend([Output::Answer(request, Answered::Done), Output::Stop]);
            }
        }
    }

    fn perform(&mut self, command: QueueCommand, now: Timestamp, out: &mut Vec<Output>) {
        if let QueueCommand::Locate(conversation) = command {
            return self.locate(conversation, out);
        }
        let may_match = command.may_match();
        let Some(event) = self.queue.decide(command) else { return };
        self.queue.apply(&event, now);
        if may_match {
            self.serve(now, out);
        }
        self.note_moved(now);
        out.push(Output::Waiting(self.queue.waiting()));
    }

    /// Tells a chat where it stands, unless it is far from both ends of a long line.
    fn locate(&self, conversation: ConversationId, out: &mut Vec<Output>) {
        if let Some(position) = self.queue.position_of(conversation, limits::POSITIONS_MOST) {
            out.push(Output::Position(conversation, position, self.queue.average_wait()));
        }
    }

    fn note(&mut self, command: QueueCommand, now: Timestamp) {
        if let Some(event) = self.queue.decide(command) {
            self.queue.apply(&event, now);
        }
    }

    /// Asks agents to take as many of the waiting chats as they have room for.
    fn serve(&mut self, now: Timestamp, out: &mut Vec<Output>) {
        while let Some(event) = self.queue.decide(QueueCommand::Match) {
            let QueueEvent::Asked(conversation, agent) = &event else { break };
            let (conversation, agent) = (*conversation, agent.clone());
            let lease = self.queue.provisional_lease(conversation, agent.clone());
            self.queue.apply(&event, now);
            out.push(Output::Reserve(agent, conversation, lease));
        }
    }

    /// Some position may have changed: sets the next time at which customers are told theirs.
    fn note_moved(&mut self, now: Timestamp) {
        let (every, since) = (POSITIONS_EVERY.as_millis(), now.since(self.made_at).as_millis());
        let next = Span::from_millis((since / every + 1) * every);
        self.positions_at.get_or_insert(self.made_at + next);
    }

    fn wake(&mut self, now: Timestamp, out: &mut Vec<Output>) {
        if self.positions_at.is_none_or(|at| at > now) {
            return;
        }
        self.positions_at = None;
        let wait = self.queue.average_wait();
        for (conversation, position) in self.queue.positions(limits::POSITIONS_MOST) {
            out.push(Output::Position(conversation, position, wait));
        }
    }
}
