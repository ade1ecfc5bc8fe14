//! What a conversation claims of others: an agent's units, a place in a line, its visitor.
//!
//! The claims follow from the state alone. What must be done after an event is the difference
//! between the claims before and after it. So no rule can forget to give something back, and a
//! conversation that was read from the journal only has to state its claims again.

use crate::domain::conversation::{Conversation, Phase};
use crate::domain::id::{AgentId, QueueId, VisitorId, WidgetId};
use crate::domain::lease::Lease;
use crate::domain::time::Timestamp;

pub use crate::domain::conversation::effect::{Effect, Effects, Place};

/// Everything that a conversation claims of others.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Claims {
    /// Units of an agent.
    pub lease: Option<Lease>,
    /// A place in a queue's line.
    pub place: Option<Place>,
    /// The visitor, who has no other live chat in this widget.
    pub visitor: Option<(WidgetId, VisitorId)>,
    /// Whether the conversation is over for ever, and needs no actor.
    pub is_over: bool,
}

/// What a conversation claims, borrowed from its state.
#[derive(Clone, Copy, Debug)]
struct Stake<'a> {
    lease: Option<&'a Lease>,
    place: Option<PlaceStake<'a>>,
    visitor: Option<(&'a WidgetId, VisitorId)>,
    is_over: bool,
}

/// A place in a line, borrowed from the conversation's state.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct PlaceStake<'a> {
    queue: &'a QueueId,
    since: Timestamp,
    waiting_since: Timestamp,
    is_away: bool,
    excluded: &'a [AgentId],
    declines: &'a [(AgentId, u8)],
}

/// The part of a conversation's claims that is kept while it changes; what never changes is not.
#[derive(Debug)]
pub(in crate::domain) struct Before {
    lease: Option<Lease>,
    place: Option<PlaceBefore>,
    is_live: bool,
    is_over: bool,
}

/// The part of a place that is kept; its queue and its beginning are not, as they never change.
#[derive(Debug)]
struct PlaceBefore {
    waiting_since: Timestamp,
    is_away: bool,
    excluded: Vec<AgentId>,
    declines: Vec<(AgentId, u8)>,
}

impl PlaceStake<'_> {
    fn to_place(self) -> Place {
        Place {
            queue: self.queue.clone(),
            since: self.since,
            waiting_since: self.waiting_since,
            is_away: self.is_away,
            excluded: self.excluded.to_vec(),
            declines: self.declines.to_vec(),
        }
    }
}

impl Claims {
    /// What must be done when the claims were `before` and are now `after`.
    pub fn effects(before: &Self, after: &Self) -> Effects {
        difference(before.stake(), after.stake())
    }

    fn stake(&self) -> Stake<'_> {
        Stake {
            lease: self.lease.as_ref(),
            place: self.place.as_ref().map(|place| PlaceStake {
                queue: &place.queue,
                since: place.since,
                waiting_since: place.waiting_since,
                is_away: place.is_away,
                excluded: &place.excluded,
                declines: &place.declines,
            }),
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
            (_, Some(place)) => effects.push(Effect::TakePlace(Box::new(place.to_place()))),
            (Some(place), None) => effects.push(Effect::LeavePlace(place.queue.clone())),
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
            place: place.map(PlaceStake::to_place),
            visitor: visitor.map(|(widget, visitor)| (widget.clone(), visitor)),
            is_over,
        }
    }

    /// What it claims now, to be compared with what it claims after a change.
    pub(in crate::domain) fn claims_before(&self) -> Before {
        let Stake { lease, place, visitor, is_over } = self.stake();
        Before {
            lease: lease.cloned(),
            place: place.map(|place| PlaceBefore {
                waiting_since: place.waiting_since,
                is_away: place.is_away,
                excluded: place.excluded.to_vec(),
                declines: place.declines.to_vec(),
            }),
            is_live: visitor.is_some(),
            is_over,
        }
    }

    /// What must be done since the claims were these.
    pub(in crate::domain) fn effects_since(&self, before: &Before) -> Effects {
        let Before { lease, place, is_live, is_over } = before;
        // Nothing is claimed before there is an opening, and the opening never changes.
        let before = self.opening().map_or(Stake::NONE, |opening| Stake {
            lease: lease.as_ref(),
            place: place.as_ref().map(|place| PlaceStake {
                queue: &opening.queue,
                since: self.started_at,
                waiting_since: place.waiting_since,
                is_away: place.is_away,
                excluded: &place.excluded,
                declines: &place.declines,
            }),
            visitor: is_live.then_some((&opening.widget, opening.visitor)),
            is_over: *is_over,
        });
        difference(before, self.stake())
    }

    fn stake(&self) -> Stake<'_> {
        let opening = self.opening();
        Stake {
            lease: self.lease(),
            place: self.place_stake(),
            visitor: opening
                .filter(|_| self.is_live())
                .map(|opening| (&opening.widget, opening.visitor)),
            is_over: self.is_closed(),
        }
    }

    fn place_stake(&self) -> Option<PlaceStake<'_>> {
        let Phase::Open { waiting_since, .. } = self.phase else { return None };
        Some(PlaceStake {
            queue: &self.opening()?.queue,
            since: self.started_at,
            waiting_since,
            is_away: self.absence().is_some(),
            excluded: &self.excluded,
            declines: &self.declines,
        })
    }
}

impl Stake<'_> {
    const NONE: Self = Self { lease: None, place: None, visitor: None, is_over: false };
}
