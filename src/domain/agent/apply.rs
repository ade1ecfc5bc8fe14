//! What is true of an agent after an event. Total.

use crate::domain::agent::command::AgentEvent;
use crate::domain::agent::{Agent, Held, Link};
use crate::domain::id::{ConversationId, Seq};
use crate::domain::lease::Lease;
use crate::domain::time::{Span, Timestamp};

impl Agent {
    /// Makes the event true.
    pub fn apply(&mut self, event: &AgentEvent, at: Timestamp) {
        match event {
            AgentEvent::PresenceChosen(presence) => {
                self.chosen = *presence;
                if !matches!(self.link, Link::Feeds(_)) {
                    self.link = Link::Requests(at);
                }
            }
            AgentEvent::FeedOpened => {
                self.link = match self.link {
                    Link::Feeds(count) => Link::Feeds(count.saturating_add(1)),
                    Link::Requests(_) | Link::Gone(_) => Link::Feeds(1),
                };
                self.leases.values_mut().for_each(|held| held.forfeited = false);
                self.graces.clear();
                let graces: Vec<_> = self.forfeitable().map(|(_, held)| held.lease.grace).collect();
                for grace in graces {
                    self.count_grace(grace);
                }
            }
            AgentEvent::FeedClosed => {
                self.link = match self.link {
                    Link::Feeds(count) if count > 1 => Link::Feeds(count - 1),
                    Link::Feeds(_) => Link::Gone(at),
                    link @ (Link::Requests(_) | Link::Gone(_)) => link,
                };
            }
            AgentEvent::Heard => {
                // A request shows that the agent is there for the chats they have, not that they
                // want more of them: only a feed or a chosen presence brings them back to work.
                self.link = match self.link {
                    Link::Requests(_) => Link::Requests(at),
                    Link::Gone(_) => Link::Gone(at),
                    link @ Link::Feeds(_) => link,
                };
            }
            AgentEvent::LinkLost => {
                if let Link::Requests(last) = self.link {
                    self.link = Link::Gone(last);
                }
            }
            AgentEvent::LeaseReserved { conversation, lease } => {
                self.assigned_at = at;
                self.hold(*conversation, Seq::ZERO, Some(lease.clone()));
                if let Some(held) = self.leases.get_mut(conversation) {
                    held.reservation = Some(self.revision);
                }
            }
            AgentEvent::LeaseAdjusted { conversation, seq, lease } => {
                self.hold(*conversation, *seq, lease.clone());
            }
            AgentEvent::LeaseForfeited { conversation } => {
                let held = self.leases.get_mut(conversation).filter(|held| held.is_forfeitable());
                if let Some(held) = held {
                    held.forfeited = true;
                    let grace = held.lease.grace;
                    self.discount_grace(grace);
                }
            }
            AgentEvent::AllHeard => self.is_hearing = false,
            AgentEvent::Configured(settings) => self.settings = settings.clone(),
        }
    }

    /// The same without a copy of what the event holds: very many leases may change at once.
    pub(in crate::domain::agent) fn apply_owned(&mut self, event: AgentEvent, at: Timestamp) {
        match event {
            AgentEvent::LeaseAdjusted { conversation, seq, lease } => {
                self.hold(conversation, seq, lease);
            }
            other => self.apply(&other, at),
        }
    }

    fn hold(&mut self, conversation: ConversationId, seq: Seq, lease: Option<Lease>) {
        self.revision += 1;
        let held = lease.map(|lease| Held { lease, seq, reservation: None, forfeited: false });
        let taken = held.as_ref().map_or(0, |held| held.lease.units);
        if let Some(held) = held.as_ref().filter(|held| held.is_forfeitable()) {
            self.count_grace(held.lease.grace);
        }
        let before = match held {
            Some(held) => self.leases.insert(conversation, held),
            None => self.leases.remove(&conversation),
        };
        if let Some(held) = before.as_ref().filter(|held| held.is_forfeitable()) {
            self.discount_grace(held.lease.grace);
        }
        let given_back = before.map_or(0, |held| held.lease.units);
        self.used = self.used.saturating_sub(given_back).saturating_add(taken);
    }

    fn count_grace(&mut self, grace: Span) {
        *self.graces.entry(grace).or_default() += 1;
    }

    fn discount_grace(&mut self, grace: Span) {
        if let Some(count) = self.graces.get_mut(&grace) {
            *count -= 1;
            if *count == 0 {
                self.graces.remove(&grace);
            }
        }
    }
}
