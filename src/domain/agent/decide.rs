//! Every rule of an agent. Nothing changes here.

use crate::domain::agent::command::{AgentCommand, AgentEvent, AgentRefusal};
use crate::domain::agent::{Agent, Link};
use crate::domain::id::{ConversationId, Seq};
use crate::domain::lease::Lease;
use crate::domain::time::{Span, Timestamp};

impl Agent {
    /// What `command` means at `now`.
    pub fn decide(
        &self,
        command: AgentCommand,
        now: Timestamp,
    ) -> Result<Vec<AgentEvent>, AgentRefusal> {
        match command {
            AgentCommand::ChoosePresence(presence) => {
                Ok(self.returning(AgentEvent::PresenceChosen(presence)))
            }
            AgentCommand::SetPresence(presence) => Ok(vec![AgentEvent::PresenceSet(presence)]),
            AgentCommand::OpenFeed { feed, heartbeat } => {
                Ok(self.returning(AgentEvent::FeedOpened { feed, heartbeat }))
            }
            AgentCommand::Beat(feed) if self.has_feed(feed) => Ok(vec![AgentEvent::FeedBeat(feed)]),
            AgentCommand::CloseFeed(feed) if self.has_feed(feed) => {
                Ok(vec![AgentEvent::FeedClosed(feed)])
            }
            AgentCommand::AllHeard if self.is_hearing => Ok(vec![AgentEvent::AllHeard]),
            AgentCommand::Beat(_) | AgentCommand::CloseFeed(_) | AgentCommand::AllHeard => {
                Ok(Vec::new())
            }
            AgentCommand::Touch => Ok(match self.link {
                Link::Feeds(_) => Vec::new(),
                Link::Requests(_) | Link::Looking(_) => vec![AgentEvent::Heard],
                Link::Started(_) | Link::Gone(_) => self.returning(AgentEvent::Heard),
            }),
            AgentCommand::Reserve { conversation, lease } => self.reserve(conversation, lease),
            AgentCommand::Adjust { conversation, seq, lease } => {
                Ok(self.adjust(conversation, seq, lease))
            }
            AgentCommand::Withdraw { conversation } => {
                let held = self.leases.get(&conversation);
                let is_new = held.is_some_and(|held| held.reservation.is_some() && !held.withdrawn);
                let withdrawn = AgentEvent::ReservationWithdrawn { conversation };
                Ok(if is_new { vec![withdrawn] } else { Vec::new() })
            }
            AgentCommand::TurnDown { conversation, reservation } => {
                let held = self.leases.get(&conversation);
                let is_it = held.is_some_and(|held| held.reservation == Some(reservation));
                let gone = AgentEvent::LeaseAdjusted { conversation, seq: Seq::ZERO, lease: None };
                Ok(if is_it { vec![gone] } else { Vec::new() })
            }
            AgentCommand::Configure(settings) => Ok(vec![AgentEvent::Configured(settings)]),
            AgentCommand::Wake => Ok(self.wake(now)),
        }
    }

    /// The event, and a notice for each customer who was told that the agent is away.
    fn returning(&self, event: AgentEvent) -> Vec<AgentEvent> {
        let mut events = vec![event];
        if self.link.is_silent() {
            let told = |conversation: &ConversationId| AgentEvent::ReturnNoticed {
                conversation: *conversation,
            };
            events.extend(self.missed().map(told));
        }
        events
    }

    fn reserve(
        &self,
        conversation: ConversationId,
        lease: Lease,
    ) -> Result<Vec<AgentEvent>, AgentRefusal> {
        if self.leases.contains_key(&conversation) {
            return Err(AgentRefusal::AlreadyHeld);
        }
        if !self.is_ready() {
            return Err(AgentRefusal::NotAvailable);
        }
        if self.used.saturating_add(lease.units) > self.settings.units {
            return Err(AgentRefusal::NoCapacity);
        }
        Ok(vec![AgentEvent::LeaseReserved { conversation, lease }])
    }

    fn adjust(
        &self,
        conversation: ConversationId,
        seq: Seq,
        lease: Option<Lease>,
    ) -> Vec<AgentEvent> {
        let held = self.leases.get(&conversation);
        let is_stale = held.is_some_and(|held| held.seq > seq);
        let is_from_before = lease.is_none() && held.is_some_and(|held| held.reservation.is_some());
        // A conversation that was told of an absence and says that all is as before has lost it.
        let is_known = held.map(|held| &held.lease) == lease.as_ref()
            && held.is_none_or(|held| held.seq == seq && !held.forfeited && !held.noticed);
        let is_missed = lease.as_ref().is_some_and(|lease| lease.missed);
        if is_stale || is_from_before {
            return Vec::new();
        }
        let mut events = Vec::new();
        if !is_known {
            events.push(AgentEvent::LeaseAdjusted { conversation, seq, lease });
        }
        if is_missed && !self.link.is_silent() {
            // The customer was told of an absence that is over.
            events.push(AgentEvent::ReturnNoticed { conversation });
        }
        events
    }

    fn wake(&self, now: Timestamp) -> Vec<AgentEvent> {
        if self.link.lasts_until().is_some_and(|until| now > until) {
            return vec![AgentEvent::LinkLost];
        }
        let Some(since) = self.link.silent_since() else {
            let hung = self
                .feeds
                .iter()
                .filter(|(_, console)| console.beats_by().is_some_and(|by| now > by));
            return hung.map(|(feed, _)| AgentEvent::FeedHung(*feed)).collect();
        };
        let is_past = |length: Option<Span>| length.is_some_and(|length| now > since + length);
        let mut events = Vec::new();
        for (conversation, held) in &self.leases {
            let conversation = *conversation;
            if is_past(held.grace()) {
                events.push(AgentEvent::LeaseForfeited { conversation });
            } else if is_past(held.notice()) && self.link.is_silent() {
                events.push(AgentEvent::AbsenceNoticed { conversation, since });
            }
        }
        events
    }
}
