//! What a conversation claims of others: an agent's units, a place in a line, its visitor.
//!
//! The claims follow from the state alone. What must be done after an event is the difference
//! between the claims before and after it, so no rule can forget to give something back, and a
//! conversation that was read from the journal only has to state its claims again.

use smallvec::SmallVec;

use crate::domain::conversation::{Conversation, Phase};
use crate::domain::id::{AgentId, QueueId, VisitorId, WidgetId};
use crate::domain::lease::Lease;
use crate::domain::time::Timestamp;

/// Everything that a conversation claims of others.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Claims {
    /// Units of an agent.
    pub lease: Option<Lease>,
    /// A place in a queue's line.
    pub place: Option<Place>,
    /// The visitor, who has no other live chat in this widget.
    pub visitor: Option<(WidgetId, VisitorId)>,
    /// Whether it is over for ever, and needs no actor.
    pub is_over: bool,
}

/// A place in a line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Place {
    /// Whose line.
    pub queue: QueueId,
    /// From when the waiting counts.
    pub since: Timestamp,
    /// Agents who are not to be offered it, because they let it go too often.
    pub excluded: Vec<AgentId>,
}

/// What must now be done.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Effect {
    /// Wait in a line, or say again how.
    TakePlace(Place),
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

/// What must now be done, in order. More than three things seldom are, and those take nothing from
/// the heap: everything that is decided waits for the disk with its effects.
pub type Effects = SmallVec<[Effect; 3]>;

/// What a conversation claims, looked at where it stands.
#[derive(Clone, Copy, Debug)]
struct Stake<'a> {
    lease: Option<&'a Lease>,
    place: Option<(&'a QueueId, Timestamp, &'a [AgentId])>,
    visitor: Option<(&'a WidgetId, VisitorId)>,
    is_over: bool,
}

/// What is kept of the claims of a conversation while it changes: not what never does.
#[derive(Debug)]
pub(in crate::domain) struct Before {
    lease: Option<Lease>,
    place: Option<(Timestamp, Vec<AgentId>)>,
    is_live: bool,
    is_over: bool,
}

impl Claims {
    /// What must be done when the claims were `before` and are now `after`.
    pub fn effects(before: &Self, after: &Self) -> Effects {
        difference(before.stake(), after.stake())
    }

    fn stake(&self) -> Stake<'_> {
        let place = self.place.as_ref();
        Stake {
            lease: self.lease.as_ref(),
            place: place.map(|place| (&place.queue, place.since, place.excluded.as_slice())),
            visitor: self.visitor.as_ref().map(|(widget, visitor)| (widget, *visitor)),
            is_over: self.is_over,
        }
    }
}

fn difference(before: Stake<'_>, after: Stake<'_>) -> Effects {
    let mut effects = Effects::new();
    if before.lease != after.lease {
        let given_up = before.lease.map(|lease| &lease.agent);
        let held = after.lease.map(|lease| &lease.agent);
        let given_up = given_up.filter(|agent| Some(*agent) != held);
        if let Some(agent) = given_up {
            effects.push(Effect::ReturnLease(agent.clone()));
        }
        if let Some(lease) = after.lease {
            effects.push(Effect::HoldLease(lease.clone()));
        }
    }
    if before.place != after.place {
        match (before.place, after.place) {
            (_, Some((queue, since, excluded))) => {
                let (queue, excluded) = (queue.clone(), excluded.to_vec());
                effects.push(Effect::TakePlace(Place { queue, since, excluded }));
            }
            (Some((queue, ..)), None) => effects.push(Effect::LeavePlace(queue.clone())),
            (None, None) => {}
        }
    }
    if before.visitor != after.visitor
        && let Some((widget, visitor)) = before.visitor
    {
        effects.push(Effect::FreeVisitor(widget.clone(), visitor));
    }
    if after.is_over && !before.is_over {
        effects.push(Effect::Retire);
    }
    effects
}

impl Conversation {
    /// What it claims of others now.
    pub fn claims(&self) -> Claims {
        let Stake { lease, place, visitor, is_over } = self.stake();
        Claims {
            lease: lease.cloned(),
            place: place.map(|(queue, since, excluded)| Place {
                queue: queue.clone(),
                since,
                excluded: excluded.to_vec(),
            }),
            visitor: visitor.map(|(widget, visitor)| (widget.clone(), visitor)),
            is_over,
        }
    }

    /// What it claims now, to be compared with what it claims after a change.
    pub(in crate::domain) fn claims_before(&self) -> Before {
        let Stake { lease, place, visitor, is_over } = self.stake();
        Before {
            lease: lease.cloned(),
            place: place.map(|(_, since, excluded)| (since, excluded.to_vec())),
            is_live: visitor.is_some(),
            is_over,
        }
    }

    /// What must be done since the claims were these.
    pub(in crate::domain) fn effects_since(&self, before: &Before) -> Effects {
        let Before { lease, place, is_live, is_over } = before;
        // Nothing is claimed before there is an opening, and then it stays as it is.
        let before = self.opening().map_or(Stake::NONE, |opening| Stake {
            lease: lease.as_ref(),
            place: place
                .as_ref()
                .map(|(since, excluded)| (&opening.queue, *since, excluded.as_slice())),
            visitor: is_live.then_some((&opening.widget, opening.visitor)),
            is_over: *is_over,
        });
        difference(before, self.stake())
    }

    fn stake(&self) -> Stake<'_> {
        let opening = self.opening();
        Stake {
            lease: self.lease(),
            // Somebody who has waited before does not start at the end.
            place: opening
                .filter(|_| matches!(self.phase, Phase::Open { .. }))
                .map(|opening| (&opening.queue, self.started_at, &*self.excluded)),
            visitor: opening
                .filter(|_| self.is_live())
                .map(|opening| (&opening.widget, opening.visitor)),
            is_over: self.is_closed(),
        }
    }
}

impl Stake<'_> {
    const NONE: Self = Self { lease: None, place: None, visitor: None, is_over: false };
}
