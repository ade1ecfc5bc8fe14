//! The gate that holds back what a conversation has decided until it is durable.

use std::collections::VecDeque;

use smallvec::SmallVec;

use crate::behavior::message::{Answered, Denial, FeedItem, RequestId, ToSession};
use crate::domain::agent::FeedNumber;
use crate::domain::agent::command::AgentCommand;
use crate::domain::decision::{Pending, Receipt, Released};
use crate::domain::id::{AgentId, Seq, SessionId};

/// What waits, in the order in which it was decided. It is empty while nothing is in flight, as in
/// nearly every chat at any moment.
#[derive(Debug, Default)]
pub(super) struct Gate(Option<Box<Closed>>);

/// The state of the gate while something is not durable.
#[derive(Debug)]
struct Closed {
    /// The last place that is durable.
    durable: Seq,
    /// The last place that was given to the journal.
    appended: Seq,
    /// The first item that waits: nearly always the only one, and then nothing else is on the heap.
    /// While very many chats wait, memory elsewhere leaves the caches before its receipt comes.
    first: Option<Waiting>,
    /// What waits behind it.
    more: VecDeque<Waiting>,
}

#[derive(Debug)]
enum Waiting {
    Decision(Seq, Held),
    Deferred(Seq, Deferred),
}

impl Waiting {
    /// What must be durable before it is let through.
    const fn through(&self) -> Seq {
        match self {
            Self::Decision(through, _) | Self::Deferred(through, _) => *through,
        }
    }
}

/// A decision, and what is told of it.
#[derive(Debug)]
struct Held {
    pending: Pending,
    author: Option<SessionId>,
    for_agents: ForAgents,
}

/// What an agent's feeds are told once it is durable.
pub(super) type ForAgent = (AgentId, Vec<FeedItem>);

/// The same for every agent whom a decision concerns: the one who has the chat, and seldom another.
pub(super) type ForAgents = SmallVec<[ForAgent; 1]>;

/// What is done once everything before it is durable. All of it was made at the moment of the
/// decision, so none of it can tell of anything later.
#[derive(Debug)]
pub(super) enum Deferred {
    /// A request is answered.
    Answer(RequestId, Result<Answered, Denial>),
    /// A session is told something.
    Send(SessionId, ToSession),
    /// A session has joined, and has seen everything up to a place; without a place the session
    /// says later what it has seen.
    Joined(SessionId, Option<Seq>, ToSession),
    /// A session is told what comes after a place.
    Hear {
        /// The session.
        session: SessionId,
        /// The place.
        after: Seq,
        /// The last place that it is told of, if there is one.
        until: Option<Seq>,
        /// Whether the chat was over when it asked.
        is_over: bool,
    },
    /// An agent's feeds are told something.
    Tell(AgentId, Vec<FeedItem>),
    /// One feed of an agent's is shown the conversation.
    ShowTo(AgentId, FeedNumber, Vec<FeedItem>),
    /// An agent is told what is held of them.
    Adjust(AgentId, AgentCommand),
    /// All claims are stated again; this request, if there is one, waits until all conversations
    /// have done so.
    StateClaims(Option<RequestId>),
}

/// Who waits at the gate when decisions are lost.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    /// The sessions that wait for an answer.
    pub(super) sessions: Vec<SessionId>,
    /// The agents whom a decision would have concerned.
    pub(super) agents: Vec<AgentId>,
    /// The requests that wait for an answer.
    pub(super) requests: Vec<RequestId>,
    /// The requests that wait for claims to be stated.
    pub(super) stating: Vec<RequestId>,
}

/// What comes through the gate.
#[derive(Debug)]
pub(super) enum Through {
    /// A decision is durable. The session that it came from knows of it by the answer.
    Decision {
        /// What was decided.
        released: Released,
        /// The session that it came from.
        author: Option<SessionId>,
        /// What agents are told.
        for_agents: ForAgents,
    },
    /// Something that follows from what was decided.
    Deferred(Deferred),
}

impl Gate {
    /// Whether nothing waits.
    pub(super) fn is_open(&self) -> bool {
        self.0.as_ref().is_none_or(|closed| closed.first.is_none())
    }

    /// Whether the journal was given something that is not known to be durable.
    pub(super) const fn is_in_flight(&self) -> bool {
        self.0.is_some()
    }

    /// Notes that the events from one place up to another are given to the journal.
    pub(super) fn note_append(&mut self, first: Seq, through: Seq) {
        if let Some(closed) = &mut self.0 {
            closed.appended = through;
            return;
        }
        // Whatever is not in flight is durable.
        let durable = Seq::new(first.number().saturating_sub(1));
        let more = VecDeque::new();
        self.0 = Some(Box::new(Closed { durable, appended: through, first: None, more }));
    }

    fn keep(&mut self, waiting: Waiting) {
        let Some(closed) = &mut self.0 else { return };
        if closed.first.is_none() {
            closed.first = Some(waiting);
        } else {
            closed.more.push_back(waiting);
        }
    }

    /// Holds a decision back until this place is durable, which was noted as given to the journal.
    pub(super) fn hold(
        &mut self,
        pending: Pending,
        through: Seq,
        author: Option<SessionId>,
        for_agents: ForAgents,
    ) {
        self.keep(Waiting::Decision(through, Held { pending, author, for_agents }));
    }

    /// Holds back something that follows from what was decided up to a place. Gives it back at once
    /// when that is durable.
    pub(super) fn after(&mut self, through: Seq, then: Deferred) -> Option<Deferred> {
        let is_durable = self.0.as_ref().is_none_or(|closed| through <= closed.durable);
        if is_durable && self.is_open() {
            return Some(then);
        }
        self.keep(Waiting::Deferred(through, then));
        None
    }

    /// Lets through the next item that this receipt covers. What is done with it may put more into
    /// the gate.
    pub(super) fn open(&mut self, receipt: Receipt) -> Option<Through> {
        let closed = self.0.as_mut()?;
        closed.durable = closed.durable.max(receipt.through());
        let through = closed.let_through(receipt);
        if closed.first.is_none() && closed.appended <= closed.durable {
            self.0 = None;
        }
        through
    }

    /// Forgets what was decided, and returns the sessions, agents and requests that wait for it.
    pub(super) fn fail(&mut self) -> Waiters {
        let Waiters { mut sessions, mut agents, mut requests, mut stating } = Waiters::default();
        let closed = self.0.take().into_iter();
        for waiting in closed.flat_map(|closed| closed.first.into_iter().chain(closed.more)) {
            let then = match waiting {
                Waiting::Deferred(_, then) => then,
                Waiting::Decision(_, held) => {
                    agents.extend(held.for_agents.into_iter().map(|(agent, _)| agent));
                    continue;
                }
            };
            match then {
                Deferred::Answer(request, _) => requests.push(request),
                Deferred::Send(session, _)
                | Deferred::Joined(session, ..)
                | Deferred::Hear { session, .. } => {
                    sessions.push(session);
                }
                // An agent who set units aside waits for this.
                Deferred::Adjust(agent, _) => agents.push(agent),
                Deferred::StateClaims(request) => stating.extend(request),
                Deferred::Tell(..) | Deferred::ShowTo(..) => {}
            }
        }
        agents.sort_unstable();
        agents.dedup();
        Waiters { sessions, agents, requests, stating }
    }
}

impl Closed {
    fn let_through(&mut self, receipt: Receipt) -> Option<Through> {
        let is_covered = self.first.as_ref().is_some_and(|first| first.through() <= self.durable);
        match if is_covered { self.take_first() } else { None }? {
            Waiting::Deferred(_, then) => Some(Through::Deferred(then)),
            Waiting::Decision(seq, held) => {
                let Held { pending, author, for_agents } = held;
                match pending.release(&receipt) {
                    Ok(released) => Some(Through::Decision { released, author, for_agents }),
                    Err(pending) => {
                        let held = Held { pending, author, for_agents };
                        self.put_back(Waiting::Decision(seq, held));
                        None
                    }
                }
            }
        }
    }

    fn take_first(&mut self) -> Option<Waiting> {
        let next = self.more.pop_front();
        std::mem::replace(&mut self.first, next)
    }

    fn put_back(&mut self, waiting: Waiting) {
        if let Some(next) = self.first.replace(waiting) {
            self.more.push_front(next);
        }
    }
}
