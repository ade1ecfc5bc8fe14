//! Live figures for supervisors.

use crate::behavior::message::AgentView;
use crate::domain::id::QueueId;
use crate::domain::time::Span;

/// Live figures for supervisors.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Sockets that are open.
    pub sessions: u64,
    /// Conversations by state, in the order of
    /// [`State::ALL`](crate::domain::conversation::State::ALL); those that are closed are not
    /// counted.
    pub conversations: [u64; 5],
    /// Customers who are away.
    pub away: u64,
    /// Each queue: how many wait, and how long those served lately had waited.
    pub queues: Vec<(QueueId, usize, Option<Span>)>,
    /// Every agent.
    pub agents: Vec<AgentView>,
}
