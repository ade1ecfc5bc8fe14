//! Every rule of an agent. Nothing changes here.

use crate::domain::agent::command::{AgentCommand, AgentEvent, AgentRefusal};
use crate::domain::agent::{Agent, Link, REQUEST_LINKS_FOR};
use crate::domain::id::{ConversationId, Seq};
use crate::domain::lease::Lease;
use crate::domain::time::Timestamp;

impl Agent {
    /// What `command` means at `now`.
    pub fn decide(
        &self,
        command: AgentCommand,
        now: Timestamp,
    ) -> Result<Vec<AgentEvent>, AgentRefusal> {
        match command {
            AgentCommand::ChoosePresence(presence) => {
                Ok(vec![AgentEvent::PresenceChosen(presence)])
            }
            AgentCommand::OpenFeed => Ok(vec![AgentEvent::FeedOpened]),
            AgentCommand::CloseFeed => Ok(vec![AgentEvent::FeedClosed]),
            AgentCommand::Touch => Ok(match self.link {
                Link::Feeds(_) => Vec::new(),
                Link::Requests(_) | Link::Gone(_) => vec![AgentEvent::Heard],
            }),
            AgentCommand::Reserve { conversation, lease } => self.reserve(conversation, lease),
            AgentCommand::Adjust { conversation, seq, lease } => {
                Ok(self.adjust(conversation, seq, lease))
            }
            AgentCommand::TurnDown { conversation, reservation } => {
                let held = self.leases.get(&conversation);
                let is_it = held.is_some_and(|held| held.reservation == Some(reservation));
                let gone = AgentEvent::LeaseAdjusted { conversation, seq: Seq::ZERO, lease: None };
                Ok(if is_it { vec![gone] } else { Vec::new() })
            }
            AgentCommand::AllHeard if self.is_hearing => Ok(vec![AgentEvent::AllHeard]),
            AgentCommand::AllHeard => Ok(Vec::new()),
            AgentCommand::Configure(settings) => Ok(vec![AgentEvent::Configured(settings)]),
            AgentCommand::Wake => Ok(self.wake(now)),
        }
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
        let is_known = held.map(|held| &held.lease) == lease.as_ref()
            && held.is_none_or(|held| held.seq == seq);
        if is_stale || is_known || is_from_before {
            return Vec::new();
        }
        vec![AgentEvent::LeaseAdjusted { conversation, seq, lease }]
    }

    fn wake(&self, now: Timestamp) -> Vec<AgentEvent> {
        match self.link {
            Link::Requests(last) if now > last + REQUEST_LINKS_FOR => vec![AgentEvent::LinkLost],
            Link::Feeds(_) | Link::Requests(_) => Vec::new(),
            Link::Gone(since) => self
                .forfeitable()
                .filter(|(_, held)| now > since + held.lease.grace)
                .map(|(conversation, _)| AgentEvent::LeaseForfeited { conversation: *conversation })
                .collect(),
        }
    }
}
