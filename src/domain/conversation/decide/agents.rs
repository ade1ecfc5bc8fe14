//! What the agents' side may do: offer, accept, decline, give back, end, close.

use crate::domain::conversation::command::{Authority, Refusal};
use crate::domain::conversation::decide::{Moment, in_place_of};
use crate::domain::conversation::event::{Actor, Departure, Event, OfferEnd, Reason};
use crate::domain::conversation::{Conversation, Phase};
use crate::domain::decision::Decision;
use crate::domain::id::AgentId;
use crate::domain::lease::{Lease, Notice, Purpose};
use crate::domain::text::DisplayName;
use crate::domain::time::Timestamp;

impl Conversation {
    pub(super) fn offer(&self, agent: &AgentId, moment: Moment<'_>) -> Result<Decision, Refusal> {
        self.expect_not_over()?;
        let is_held = self.absence().is_some() && !moment.workstream.offers_absent;
        if !matches!(self.phase, Phase::Open { .. }) || is_held || self.excluded.contains(agent) {
            return Err(Refusal::NotWaiting);
        }
        Ok(Decision::of(vec![offered(agent.clone(), None, moment)]))
    }

    pub(super) fn assign(
        &self,
        agent: &AgentId,
        by: AgentId,
        moment: Moment<'_>,
    ) -> Result<Decision, Refusal> {
        self.expect_not_over()?;
        let offered = offered(agent.clone(), Some(by.clone()), moment);
        match &self.phase {
            Phase::Talking { .. } => Err(Refusal::AlreadyAccepted),
            Phase::Offered { lease, .. } if lease.agent == *agent => Ok(Decision::nothing()),
            Phase::Offered { lease, .. } => {
                let (former, by) = (&lease.agent, Some(by));
                let ended = self.offer_ended(former, OfferEnd::Reassigned, by, moment);
                Ok(Decision::of(vec![ended, offered]))
            }
            Phase::New | Phase::Open { .. } | Phase::Wrapup { .. } | Phase::Closed { .. } => {
                Ok(Decision::of(vec![offered]))
            }
        }
    }

    pub(super) fn accept(
        &self,
        agent: AgentId,
        name: DisplayName,
        by: Option<AgentId>,
        moment: Moment<'_>,
    ) -> Result<Decision, Refusal> {
        self.expect_not_over()?;
        match &self.phase {
            Phase::Offered { lease, .. } if lease.agent != agent => {
                return Err(Refusal::NotOffered);
            }
            Phase::Talking { lease, .. } if lease.agent != agent => return Err(Refusal::NotYours),
            Phase::Talking { .. } => return Err(Refusal::AlreadyAccepted),
            _ => {}
        }
        let by = in_place_of(&agent, by);
        let lease = match &self.phase {
            // The chat takes the units that were set aside for it: the agent may have no more.
            Phase::Offered { lease: offered, .. } => {
                Lease { units: offered.units, ..lease(agent, Purpose::Chat, moment) }
            }
            _ => lease(agent, Purpose::Chat, moment),
        };
        let close_at = moment.active_until();
        Ok(Decision::of(vec![Event::ChatAccepted { lease, name, by, close_at }]))
    }

    pub(super) fn decline(
        &self,
        agent: &AgentId,
        by: Option<AgentId>,
        moment: Moment<'_>,
    ) -> Result<Decision, Refusal> {
        self.expect_not_over()?;
        match &self.phase {
            Phase::Offered { lease, .. } if lease.agent == *agent => {
                Ok(Decision::of(vec![self.offer_ended(agent, OfferEnd::Declined, by, moment)]))
            }
            Phase::Talking { lease, .. } if lease.agent == *agent => Err(Refusal::AlreadyAccepted),
            _ => Err(Refusal::NotOffered),
        }
    }

    pub(super) fn release(&self, by: &Authority, moment: Moment<'_>) -> Result<Decision, Refusal> {
        self.expect_not_over()?;
        let holder = self.expect_held(by)?;
        let event = match (&self.phase, by) {
            (Phase::Offered { .. }, Authority::Agent(_)) => {
                self.offer_ended(holder, OfferEnd::Declined, None, moment)
            }
            // An offer that a supervisor takes away was not declined by the agent.
            (Phase::Offered { .. }, Authority::Supervisor(_)) => {
                self.offer_ended(holder, OfferEnd::Reassigned, by.supervisor(), moment)
            }
            _ => left(holder, Departure::Released, by.supervisor(), moment),
        };
        Ok(Decision::of(vec![event]))
    }

    pub(super) fn end_by_agent(
        &self,
        by: &Authority,
        moment: Moment<'_>,
    ) -> Result<Decision, Refusal> {
        self.expect_not_over()?;
        self.expect_held(by)?;
        if matches!(self.phase, Phase::Offered { .. }) {
            return Err(Refusal::NotAccepted);
        }
        Ok(Decision::of(self.end(Reason::AgentEnded, by.actor(), moment)))
    }

    pub(super) fn close(&self, by: &Authority) -> Result<Decision, Refusal> {
        match &self.phase {
            Phase::Wrapup { agent, reason, .. } if by.covers(agent) => {
                Ok(Decision::of(vec![Event::ConversationClosed {
                    reason: *reason,
                    by: by.actor(),
                }]))
            }
            Phase::Wrapup { .. } => Err(Refusal::NotYours),
            Phase::Closed { .. } => Err(Refusal::AlreadyClosed),
            Phase::New | Phase::Open { .. } | Phase::Offered { .. } | Phase::Talking { .. } => {
                Err(Refusal::NotInWrapup)
            }
        }
    }

    pub(super) fn force_close(&self, by: AgentId) -> Result<Decision, Refusal> {
        if self.is_closed() {
            return Err(Refusal::AlreadyClosed);
        }
        // A chat that had ended before keeps the reason of its end.
        let reason = self.reason().unwrap_or(Reason::ForceClosed);
        Ok(Decision::of(vec![Event::ConversationClosed { reason, by: Actor::Supervisor(by) }]))
    }

    pub(super) fn agent_gone(&self, agent: &AgentId, moment: Moment<'_>) -> Decision {
        match &self.phase {
            Phase::Offered { lease, .. } if lease.agent == *agent => {
                Decision::of(vec![self.offer_ended(agent, OfferEnd::AgentGone, None, moment)])
            }
            Phase::Talking { lease, .. } if lease.agent == *agent => {
                Decision::of(vec![left(agent, Departure::Gone, None, moment)])
            }
            _ => Decision::nothing(),
        }
    }

    pub(super) fn miss_agent(&self, agent: &AgentId, since: Timestamp) -> Decision {
        match &self.phase {
            Phase::Talking { lease, .. } if lease.agent == *agent && !lease.missed => {
                let (agent, until) = (agent.clone(), since + lease.grace);
                Decision::of(vec![Event::AgentAway { agent, since, until }])
            }
            _ => Decision::nothing(),
        }
    }

    pub(super) fn meet_agent(&self, agent: &AgentId) -> Decision {
        match &self.phase {
            Phase::Talking { lease, .. } if lease.agent == *agent && lease.missed => {
                Decision::of(vec![Event::AgentBack { agent: agent.clone() }])
            }
            _ => Decision::nothing(),
        }
    }

    pub(super) fn offer_ended(
        &self,
        agent: &AgentId,
        end: OfferEnd,
        by: Option<AgentId>,
        moment: Moment<'_>,
    ) -> Event {
        let before = self.declines.iter().find(|(declined, _)| declined == agent);
        let declines = before.map_or(0, |(_, count)| *count).saturating_add(1);
        Event::OfferEnded {
            agent: agent.clone(),
            end,
            by: in_place_of(agent, by),
            excluded: end.is_decline() && declines >= moment.workstream.decline_limit,
            close_at: moment.open_until(),
        }
    }

    /// The agent who has the chat, if `by` may act for them.
    fn expect_held(&self, by: &Authority) -> Result<&AgentId, Refusal> {
        let holder = match &self.phase {
            Phase::Offered { lease, .. } | Phase::Talking { lease, .. } => &lease.agent,
            _ => return Err(Refusal::NotAccepted),
        };
        if by.covers(holder) { Ok(holder) } else { Err(Refusal::NotYours) }
    }
}

fn offered(agent: AgentId, by: Option<AgentId>, moment: Moment<'_>) -> Event {
    Event::ChatOffered {
        lease: lease(agent, Purpose::Offer, moment),
        until: moment.now + moment.workstream.offer,
        by,
    }
}

fn left(agent: &AgentId, why: Departure, by: Option<AgentId>, moment: Moment<'_>) -> Event {
    let by = in_place_of(agent, by);
    Event::AgentLeft { agent: agent.clone(), why, by, close_at: moment.open_until() }
}

fn lease(agent: AgentId, purpose: Purpose, moment: Moment<'_>) -> Lease {
    let workstream = moment.workstream;
    let notice = workstream.agent_notice.filter(|_| purpose == Purpose::Chat);
    let lease = Lease::new(agent, workstream.units, purpose, workstream.grace_for(purpose));
    Lease { notice: notice.map(Notice::after), ..lease }
}
