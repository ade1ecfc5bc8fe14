//! What must be done for others because a conversation has changed.

use smallvec::SmallVec;

use crate::domain::id::{AgentId, QueueId, VisitorId, WidgetId};
use crate::domain::lease::Lease;
use crate::domain::queue::Waiting;
use crate::domain::time::Timestamp;

/// What must now be done.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Effect {
    /// Wait in a line, or state again how. It is on the heap, because most decisions take no place,
    /// and all of them keep room for their effects.
    TakePlace(Box<Place>),
    /// Leave a line.
    LeavePlace(QueueId),
    /// Hold units of the agent whom the lease names, in place of any held before.
    HoldLease(Lease),
    /// Hold no units of this agent any more.
    ReturnLease(AgentId),
    /// The visitor may begin another chat.
    FreeVisitor(WidgetId, VisitorId),
    /// The actor is not needed any more.
    Retire,
}

/// What must now be done, in order. There are seldom more than three effects, and three need no
/// heap: every decision waits for the disk with its effects.
pub type Effects = SmallVec<[Effect; 3]>;

/// A place in a line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Place {
    /// The queue.
    pub queue: QueueId,
    /// From when its place in the line counts: the beginning of the chat, because a chat that has
    /// waited before does not start at the end.
    pub since: Timestamp,
    /// From when its waiting counts: when it came into the line, or back into it.
    pub waiting_since: Timestamp,
    /// Whether its customer is away.
    pub is_away: bool,
    /// Agents who are not to be offered it, because they let it go too often.
    pub excluded: Vec<AgentId>,
    /// How often each agent declined it or let its offer lapse; zero for an agent who only gave it
    /// back. All of them are offered it only when nobody else can take it.
    pub declines: Vec<(AgentId, u8)>,
}

impl Place {
    /// The chat as its queue is told of it. From the settings that takes how many units a chat
    /// takes, and whether it is offered while its customer is away.
    pub fn waiting(self, units: u32, offers_absent: bool) -> Waiting {
        let Self { since, waiting_since, is_away, excluded, declines, .. } = self;
        let declined = declines.into_iter().map(|(agent, _)| agent);
        let not_first = declined.filter(|agent| !excluded.contains(agent)).collect();
        let is_held = is_away && !offers_absent;
        Waiting { since, entered_at: waiting_since, units, is_held, excluded, not_first }
    }
}
