//! The gate of a simulated conversation: what was decided waits here for its receipt.

use std::collections::VecDeque;

use holdline::behavior::message::{Answered, Denial, FeedItem, RequestId, ToSession};
use holdline::domain::agent::FeedNumber;
use holdline::domain::agent::command::AgentCommand;
use holdline::domain::decision::{Pending, Receipt, Released};
use holdline::domain::id::{AgentId, Seq, SessionId};

/// What waits, in the order in which it was decided.
#[derive(Debug, Default)]
pub struct Gate {
    waiting: VecDeque<Waiting>,
    durable: Seq,
}

#[derive(Debug)]
enum Waiting {
    Decision(Pending, Option<SessionId>, Vec<(AgentId, Vec<FeedItem>)>),
    Then(Seq, Then),
}

/// What is done once everything before it is durable.
#[derive(Debug)]
pub enum Then {
    Answer(RequestId, Result<Answered, Denial>),
    Send(SessionId, ToSession),
    Joined(SessionId, Option<Seq>, ToSession),
    Hear { session: SessionId, after: Seq, until: Option<Seq>, is_over: bool },
    Tell(AgentId, Option<FeedNumber>, Vec<FeedItem>),
    Adjust(AgentId, AgentCommand),
    StateClaims(Option<RequestId>),
}

/// Who waits at the gate when what was decided is lost.
#[derive(Debug, Default)]
pub struct Waiters {
    /// The requests that get no good answer.
    pub requests: Vec<RequestId>,
    /// The sessions that get none.
    pub sessions: Vec<SessionId>,
    /// The agents whom it would have concerned.
    pub agents: Vec<AgentId>,
    /// Those for which claims were to be stated.
    pub stating: Vec<RequestId>,
}

/// What comes through the gate.
#[derive(Debug)]
pub enum Through {
    Decision(Released, Option<SessionId>, Vec<(AgentId, Vec<FeedItem>)>),
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
        told: Vec<(AgentId, Vec<FeedItem>)>,
    ) {
        self.waiting.push_back(Waiting::Decision(pending, author, told));
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
        let Waiters { mut requests, mut sessions, mut agents, mut stating } = Waiters::default();
        for waiting in self.waiting.drain(..) {
            match waiting {
                Waiting::Then(_, Then::Answer(request, _)) => requests.push(request),
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
                Waiting::Then(_, Then::StateClaims(request)) => stating.extend(request),
                Waiting::Then(..) => {}
            }
        }
        agents.sort_unstable();
        agents.dedup();
        Waiters { requests, sessions, agents, stating }
    }
}
