//! What a conversation claims of others: an agent's units, a place in a line, its visitor.
//!
//! The claims follow from the state alone. What must be done after an event is the difference
//! between the claims before and after it, so no rule can forget to give something back, and a
//! conversation that was read from the journal only has to state its claims again.

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

impl Claims {
    /// What must be done when the claims were `before` and are now `after`.
    pub fn effects(before: &Self, after: &Self) -> Vec<Effect> {
        let mut effects = Vec::new();
        if before.lease != after.lease {
            let given_up = before.lease.as_ref().map(|lease| &lease.agent);
            let held = after.lease.as_ref().map(|lease| &lease.agent);
            effects.extend(
                given_up.filter(|agent| Some(*agent) != held).cloned().map(Effect::ReturnLease),
            );
            effects.extend(after.lease.clone().map(Effect::HoldLease));
        }
        if before.place != after.place {
            match (&before.place, &after.place) {
                (_, Some(place)) => effects.push(Effect::TakePlace(place.clone())),
                (Some(place), None) => effects.push(Effect::LeavePlace(place.queue.clone())),
                (None, None) => {}
            }
        }
        if before.visitor != after.visitor {
            let freed = before.visitor.clone();
            effects.extend(freed.map(|(widget, visitor)| Effect::FreeVisitor(widget, visitor)));
        }
        if after.is_over && !before.is_over {
            effects.push(Effect::Retire);
        }
        effects
    }
}

impl Conversation {
    /// What it claims of others now.
    pub fn claims(&self) -> Claims {
        Claims {
            lease: self.lease().cloned(),
            place: self.place(),
            visitor: self
                .opening()
                .filter(|_| self.is_live())
                .map(|opening| (opening.widget.clone(), opening.visitor)),
            is_over: self.is_closed(),
        }
    }

    fn place(&self) -> Option<Place> {
        let Phase::Open { .. } = self.phase else { return None };
        let opening = self.opening()?;
        Some(Place {
            queue: opening.queue.clone(),
            // Somebody who has waited before does not start at the end.
            since: self.started_at,
            excluded: self.excluded.to_vec(),
        })
    }
}
