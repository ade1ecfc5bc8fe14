//! The gate behind which everything waits that a conversation has decided and not yet written.

use std::collections::VecDeque;

use tokio::time::Instant;

use crate::domain::agent::command::AgentCommand;
use crate::domain::conversation::command::Answer;
use crate::domain::conversation::view::View;
use crate::domain::decision::{Pending, Receipt, Released};
use crate::domain::id::{AgentId, Seq, SessionId};
use crate::engine::Failure;
use crate::engine::message::{Reply, ToSession, Told};
use crate::journal::Fault;

/// What waits, in the order in which it was decided.
#[derive(Debug)]
pub(super) struct Gate {
    /// Nothing while nothing waits, as in nearly every chat at any moment.
    #[expect(clippy::box_collection, reason = "so that an empty one is a pointer")]
    waiting: Option<Box<VecDeque<Waiting>>>,
    durable: Seq,
}

#[derive(Debug)]
enum Waiting {
    Decision(Seq, Box<Held>),
    Then(Seq, Then),
}

/// A decision, and what is told of it.
#[derive(Debug)]
struct Held {
    /// When it was given to the journal.
    appended: Instant,
    pending: Pending,
    author: Option<SessionId>,
    for_agents: Vec<ForAgent>,
}

/// What an agent's feeds are told once it is durable.
pub(super) type ForAgent = (AgentId, Vec<Told>);

/// What is done once everything before it is durable. All of it was made at the moment of the
/// decision, so none of it can tell of anything later.
#[derive(Debug)]
pub(super) enum Then {
    /// A request is answered.
    Answer(Reply<Answer>, Result<Answer, Failure>),
    /// A request is shown the conversation.
    Show(Reply<View>, Result<Box<View>, Failure>),
    /// A session is told something.
    Send(SessionId, ToSession),
    /// A session has joined, and has seen everything up to a place.
    Joined(SessionId, Seq, ToSession),
    /// An agent's feeds are told something.
    Tell(AgentId, Vec<Told>),
    /// An agent is told what is held of them.
    Adjust(AgentId, AgentCommand),
    /// All claims are stated again.
    StateClaims,
}

/// What comes through the gate.
#[derive(Debug)]
pub(super) enum Through {
    /// A decision is durable; the session that it came from knows of it otherwise.
    Decision {
        /// When it was given to the journal.
        appended: Instant,
        /// What was decided.
        released: Released,
        /// Whose word it was.
        author: Option<SessionId>,
        /// What agents are told.
        for_agents: Vec<ForAgent>,
    },
    /// Something that follows.
    Then(Then),
}

impl Gate {
    pub(super) const fn new(durable: Seq) -> Self {
        Self { waiting: None, durable }
    }

    /// Whether nothing waits.
    pub(super) const fn is_open(&self) -> bool {
        self.waiting.is_none()
    }

    fn keep(&mut self, waiting: Waiting) {
        let all = self.waiting.get_or_insert_default();
        if all.is_empty() {
            // Nearly always it stays alone; a queue that grows by itself makes room for four.
            all.reserve_exact(1);
        }
        all.push_back(waiting);
    }

    /// Holds a decision back, up to and including a place.
    pub(super) fn hold(
        &mut self,
        pending: Pending,
        through: Seq,
        author: Option<SessionId>,
        for_agents: Vec<ForAgent>,
    ) {
        let held = Held { appended: Instant::now(), pending, author, for_agents };
        self.keep(Waiting::Decision(through, Box::new(held)));
    }

    /// Holds something back that follows from what was decided up to a place; gives it back at
    /// once when that is durable.
    pub(super) fn after(&mut self, through: Seq, then: Then) -> Option<Then> {
        if self.is_open() && through <= self.durable {
            return Some(then);
        }
        self.keep(Waiting::Then(through, then));
        None
    }

    /// Lets through whatever this receipt covers.
    pub(super) fn open(&mut self, receipt: Receipt) -> Vec<Through> {
        self.durable = self.durable.max(receipt.through());
        let mut through = Vec::new();
        let Some(mut all) = self.waiting.take() else { return through };
        while let Some(first) = all.pop_front() {
            match first {
                Waiting::Then(seq, then) if seq <= self.durable => {
                    through.push(Through::Then(then));
                }
                Waiting::Decision(seq, held) => {
                    let Held { appended, pending, author, for_agents } = *held;
                    match pending.release(&receipt) {
                        Ok(released) => {
                            through.push(Through::Decision {
                                appended,
                                released,
                                author,
                                for_agents,
                            });
                        }
                        Err(pending) => {
                            let held = Box::new(Held { appended, pending, author, for_agents });
                            all.push_front(Waiting::Decision(seq, held));
                            break;
                        }
                    }
                }
                waiting @ Waiting::Then(..) => {
                    all.push_front(waiting);
                    break;
                }
            }
        }
        if !all.is_empty() {
            self.waiting = Some(all);
        }
        through
    }

    /// Tells every request that waits for an answer that there is none, and gives back the
    /// sessions that wait for one, and the agents whom a decision would have concerned.
    pub(super) fn fail(&mut self, fault: &Fault) -> (Vec<SessionId>, Vec<AgentId>) {
        let (mut sessions, mut agents) = (Vec::new(), Vec::new());
        for waiting in self.waiting.take().into_iter().flat_map(|all| *all) {
            let then = match waiting {
                Waiting::Then(_, then) => then,
                Waiting::Decision(_, held) => {
                    agents.extend(held.for_agents.into_iter().map(|(agent, _)| agent));
                    continue;
                }
            };
            let failure = Failure::Fault(fault.clone());
            match then {
                // Whoever has gone does not mind.
                Then::Answer(reply, _) => drop(reply.send(Err(failure))),
                Then::Show(reply, _) => drop(reply.send(Err(failure))),
                Then::Send(session, _) | Then::Joined(session, ..) => sessions.push(session),
                Then::Tell(..) | Then::Adjust(..) | Then::StateClaims => {}
            }
        }
        agents.sort_unstable();
        agents.dedup();
        (sessions, agents)
    }
}
