//! What is true of an agent after an event. Total.

use crate::domain::agent::command::AgentEvent;
use crate::domain::agent::feed::Console;
use crate::domain::agent::{Agent, Held, Lengths, Link};
use crate::domain::id::{ConversationId, Seq};
use crate::domain::lease::Lease;
use crate::domain::time::Timestamp;

impl Agent {
    /// Makes the event true.
    pub fn apply(&mut self, event: AgentEvent, at: Timestamp) {
        match event {
            AgentEvent::PresenceChosen(presence) => {
                self.chosen = presence;
                self.has_chosen = true;
                if !matches!(self.link, Link::Feeds(_)) {
                    self.link_by(Link::Requests(at));
                }
            }
            AgentEvent::PresenceSet(presence) => {
                self.chosen = presence;
                self.has_chosen = true;
            }
            AgentEvent::FeedOpened { .. }
            | AgentEvent::FeedBeat(_)
            | AgentEvent::FeedClosed(_)
            | AgentEvent::FeedHung(_)
            | AgentEvent::Heard
            | AgentEvent::LinkLost => self.apply_to_link(&event, at),
            AgentEvent::LeaseReserved { conversation, lease } => {
                self.assigned_at = at;
                self.hold(conversation, Seq::ZERO, Some(lease));
                if let Some(held) = self.leases.get_mut(&conversation) {
                    held.reservation = Some(self.revision);
                }
            }
            AgentEvent::LeaseAdjusted { conversation, seq, lease } => {
                self.hold(conversation, seq, lease);
            }
            AgentEvent::ReservationWithdrawn { conversation } => {
                if let Some(held) = self.leases.get_mut(&conversation) {
                    held.withdrawn = true;
                }
            }
            AgentEvent::LeaseForfeited { conversation } => {
                let held = self.leases.get_mut(&conversation).filter(|held| held.is_forfeitable());
                if let Some(held) = held {
                    let (grace, notice) = (held.grace(), held.notice());
                    held.forfeited = true;
                    self.graces.remove(grace);
                    self.notices.remove(notice);
                }
            }
            AgentEvent::AllHeard => self.is_hearing = false,
            AgentEvent::AbsenceNoticed { conversation, .. } => {
                if let Some(held) = self.leases.get_mut(&conversation) {
                    let notice = held.notice();
                    held.noticed = true;
                    self.notices.remove(notice);
                }
            }
            // The conversation itself says so once the customer is told.
            AgentEvent::ReturnNoticed { .. } => {}
            AgentEvent::Configured(settings) => self.settings = settings,
        }
    }

    /// Applies an event about what links the agent.
    fn apply_to_link(&mut self, event: &AgentEvent, at: Timestamp) {
        match event {
            AgentEvent::FeedOpened { feed, heartbeat } => {
                let console = Console { heartbeat: *heartbeat, beat_at: None };
                self.feeds.insert(*feed, console);
                self.link_by(Link::Feeds(self.count_feeds()));
            }
            AgentEvent::FeedBeat(feed) => {
                if let Some(console) = self.feeds.get_mut(feed) {
                    console.beat_at = Some(at);
                }
            }
            AgentEvent::FeedClosed(feed) | AgentEvent::FeedHung(feed) => {
                self.feeds.remove(feed);
                self.link = match (self.link, self.count_feeds()) {
                    (Link::Feeds(_), 0) => Link::Gone(at),
                    (Link::Feeds(_), count) => Link::Feeds(count),
                    (link, _) => link,
                };
            }
            AgentEvent::Heard => {
                // A request shows that the agent is there for the chats they have, not that they
                // want more of them: only a feed or a chosen presence brings them back to work.
                // After a start it is not known whether they had been there. An agent who had
                // chosen a presence, and asks within the time for which a request links, had been.
                match self.link {
                    Link::Requests(_) => self.link = Link::Requests(at),
                    Link::Looking(_) => self.link = Link::Looking(at),
                    Link::Started(_) if self.has_chosen => self.link_by(Link::Requests(at)),
                    Link::Started(_) | Link::Gone(_) => self.link_by(Link::Looking(at)),
                    Link::Feeds(_) => {}
                }
            }
            AgentEvent::LinkLost => {
                if let Link::Requests(last) | Link::Looking(last) | Link::Started(last) = self.link
                {
                    self.link = Link::Gone(last);
                }
            }
            _ => {}
        }
    }

    fn hold(&mut self, conversation: ConversationId, seq: Seq, lease: Option<Lease>) {
        self.revision += 1;
        let held = lease.map(|lease| Held {
            lease,
            seq,
            reservation: None,
            withdrawn: false,
            forfeited: false,
            noticed: false,
        });
        let taken = held.as_ref().map_or(0, |held| held.lease.units);
        if let Some(held) = &held {
            self.graces.add(held.grace());
            self.notices.add(held.notice());
        }
        let before = match held {
            Some(held) => self.leases.insert(conversation, held),
            None => self.leases.remove(&conversation),
        };
        if let Some(held) = &before {
            self.graces.remove(held.grace());
            self.notices.remove(held.notice());
        }
        let given_back = before.map_or(0, |held| held.lease.units);
        self.used = self.used.saturating_sub(given_back).saturating_add(taken);
    }

    /// Links the agent, and forgets what their absence has led to.
    fn link_by(&mut self, link: Link) {
        self.link = link;
        (self.graces, self.notices) = (Lengths::default(), Lengths::default());
        for held in self.leases.values_mut() {
            (held.forfeited, held.noticed) = (false, false);
            self.graces.add(held.grace());
            self.notices.add(held.notice());
        }
    }

    fn count_feeds(&self) -> u32 {
        u32::try_from(self.feeds.len()).unwrap_or(u32::MAX)
    }
}
