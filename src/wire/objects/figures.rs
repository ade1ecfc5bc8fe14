//! Live figures for supervisors.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::conversation::State;
use crate::domain::id::QueueId;
use crate::domain::time::Span;
use crate::wire::objects::agent::AgentObject;
use crate::wire::time::Seconds;

/// How the whole engine is doing.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Figures)]
pub struct FiguresObject {
    /// Sockets that are open.
    pub sessions: u64,
    /// Conversations by state.
    pub conversations: StateFigures,
    /// Customers who are away.
    pub away: u64,
    /// Every queue.
    pub queues: Vec<QueueFigures>,
    /// Every agent.
    pub agents: Vec<AgentObject>,
}

/// Conversations by state.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, ToSchema)]
pub struct StateFigures {
    /// Waiting in a queue.
    pub open: u64,
    /// With an agent, or offered to one.
    pub active: u64,
    /// Between two talks.
    pub waiting: u64,
    /// Over, but for the agent's notes.
    pub wrapup: u64,
    /// Over.
    pub closed: u64,
}

impl From<[u64; 5]> for StateFigures {
    fn from(counts: [u64; 5]) -> Self {
        let mut figures = Self::default();
        for (state, count) in State::ALL.into_iter().zip(counts) {
            match state {
                State::Open => figures.open = count,
                State::Active => figures.active = count,
                State::Waiting => figures.waiting = count,
                State::Wrapup => figures.wrapup = count,
                State::Closed => figures.closed = count,
            }
        }
        figures
    }
}

/// How one queue is doing.
#[derive(Debug, Serialize, ToSchema)]
pub struct QueueFigures {
    /// Which queue.
    pub id: String,
    /// How many wait.
    pub waiting: usize,
    /// How long those who were served lately had waited; null when nobody was.
    pub average_wait_s: Option<Seconds>,
}

impl QueueFigures {
    /// A queue in which `waiting` wait.
    pub fn new(id: &QueueId, waiting: usize, average_wait: Option<Span>) -> Self {
        Self { id: id.to_string(), waiting, average_wait_s: average_wait.map(Seconds) }
    }
}
