//! The gate of a simulated conversation: what was decided waits here for its receipt.

use std::collections::VecDeque;

use holdline::domain::agent::command::AgentCommand;
use holdline::domain::conversation::command::Answer;
use holdline::domain::conversation::event::Event;
use holdline::domain::decision::{Pending, Receipt, Released};
use holdline::domain::id::{AgentId, Seq, SessionId};
use holdline::engine::ToSession;

use crate::node::change::Outstanding;
use crate::server::Ticket;

/// What an agent's consoles are told: the name of the event, and its JSON.
pub type Told = (&'static str, String);

/// What waits, in the order in which it was decided.
#[derive(Debug, Default)]
pub struct Gate {
    waiting: VecDeque<Waiting>,
    durable: Seq,
}

#[derive(Debug)]
enum Waiting {
    Decision(Pending, Option<SessionId>, Vec<(AgentId, Vec<Told>)>),
    Then(Seq, Then),
}

/// What is done once everything before it is durable.
#[derive(Debug)]
pub enum Then {
    Answer(Ticket, Result<Answer, String>),
    Send(SessionId, ToSession),
    Joined(SessionId, Option<Seq>, ToSession),
    Hear { session: SessionId, after: Seq, until: Option<Seq>, is_over: bool },
    Tell(AgentId, Vec<Told>),
    Adjust(AgentId, AgentCommand),
    StateClaims(Option<Outstanding>),
}

/// Who waits at the gate when what was decided is lost.
#[derive(Debug, Default)]
pub struct Waiters {
    /// The calls that get no good answer.
    pub tickets: Vec<Ticket>,
    /// The sessions that get none.
    pub sessions: Vec<SessionId>,
    /// The agents whom it would have concerned.
    pub agents: Vec<AgentId>,
    /// For whom claims were to be stated.
    pub outstanding: Vec<Outstanding>,
}

/// What comes through the gate.
#[derive(Debug)]
pub enum Through {
    Decision(Released, Option<SessionId>, Vec<(AgentId, Vec<Told>)>),
    Then(Then),
}

impl Gate {
    pub fn new(durable: Seq) -> Self {
        Self { waiting: VecDeque::new(), durable }
    }

    pub fn is_open(&self) -> bool {
        self.waiting.is_empty()
    }

    pub fn hold(
        &mut self,
        pending: Pending,
        author: Option<SessionId>,
        told: Vec<(AgentId, Vec<Told>)>,
    ) {
        self.waiting.push_back(Waiting::Decision(pending, author, told));
    }

    /// Whether nothing but messages waits to be written.
    pub fn holds_messages_alone(&self) -> bool {
        let is_post = |event: &Event| matches!(event, Event::MessagePosted { .. });
        let mut waiting = self.waiting.iter();
        waiting.all(|it| match it {
            Waiting::Decision(pending, ..) => pending.events().iter().all(is_post),
            Waiting::Then(..) => true,
        })
    }

    /// Holds something back; gives it back at once when everything up to a place is durable.
    pub fn after(&mut self, through: Seq, then: Then) -> Option<Then> {
        if self.waiting.is_empty() && through <= self.durable {
            return Some(then);
        }
        self.waiting.push_back(Waiting::Then(through, then));
        None
    }

    /// Lets through whatever this receipt covers.
    pub fn open(&mut self, receipt: Receipt) -> Vec<Through> {
        self.durable = self.durable.max(receipt.through());
        let mut through = Vec::new();
        while let Some(first) = self.waiting.pop_front() {
            match first {
                Waiting::Then(seq, then) if seq <= self.durable => {
                    through.push(Through::Then(then));
                }
                Waiting::Decision(pending, author, told) => match pending.release(&receipt) {
                    Ok(released) => through.push(Through::Decision(released, author, told)),
                    Err(pending) => {
                        self.waiting.push_front(Waiting::Decision(pending, author, told));
                        break;
                    }
                },
                waiting @ Waiting::Then(..) => {
                    self.waiting.push_front(waiting);
                    break;
                }
            }
        }
        through
    }

    /// Everything that waits is lost.
    pub fn fail(&mut self) -> Waiters {
        let Waiters { mut tickets, mut sessions, mut agents, mut outstanding } = Waiters::default();
        for waiting in self.waiting.drain(..) {
            match waiting {
                Waiting::Then(_, Then::Answer(ticket, _)) => tickets.push(ticket),
                Waiting::Then(
                    _,
                    Then::Send(session, _) | Then::Joined(session, ..) | Then::Hear { session, .. },
                ) => {
                    sessions.push(session);
                }
                // The agent waits for it.
                Waiting::Then(_, Then::Adjust(agent, _)) => agents.push(agent),
                Waiting::Decision(.., told) => {
                    agents.extend(told.into_iter().map(|(agent, _)| agent));
                }
                Waiting::Then(_, Then::StateClaims(held)) => outstanding.extend(held),
                Waiting::Then(..) => {}
            }
        }
        agents.sort_unstable();
        agents.dedup();
        Waiters { tickets, sessions, agents, outstanding }
    }
}
