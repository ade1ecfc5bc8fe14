//! What the agents know of their chats, put together from their feeds: who is in which chat, and
//! what has happened there that the run must be told.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::dialect::{Side, numbered};
use super::stream::Event;
use crate::watch::News;

/// The chats that agents have seen.
#[derive(Debug, Default)]
pub(super) struct Book {
    chats: HashMap<String, Known>,
    /// Chats in which an agent is, for the draw of the next reply.
    talking: Vec<String>,
}

/// What is known of one chat.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) customer: u32,
    /// The agent who holds it, as a place in the list of agents.
    pub(super) agent: usize,
    is_over: bool,
    is_talking: bool,
    /// The last message that was told.
    seq: u32,
    /// How many replies it has had.
    replies: u32,
}

/// The fields of a chat's event that matter here.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Data<'a> {
    conversation: Option<String>,
    id: Option<String>,
    state: Option<String>,
    phase: Option<String>,
    reason: Option<String>,
    seq: Option<u32>,
    customer: Option<Customer>,
    #[serde(borrow)]
    agent: Option<&'a RawValue>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Customer {
    name: Option<String>,
}

/// What comes of an event.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Read {
    /// What is to be told, and about which customer.
    pub(super) told: Option<(u32, News)>,
    /// A chat that was offered.
    pub(super) offered: Option<String>,
}

impl Book {
    /// Reads an event of an agent's feed. `is_again` says that the feed was opened again, so that
    /// it may repeat messages.
    pub(super) fn read(&mut self, agent: usize, event: &Event, is_again: bool) -> Read {
        // Some of the other events are long: a list of all leases.
        let name = event.name.as_str();
        if !matches!(name, "offer" | "conversation" | "message" | "away" | "back") {
            return Read::default();
        }
        let Ok(data) = serde_json::from_str::<Data<'_>>(&event.data) else {
            return Read::default();
        };
        match name {
            "offer" => self.offered(agent, data),
            "conversation" => self.changed(agent, data),
            "message" => self.said(&data, is_again),
            "away" => self.told(&data, News::Away),
            _ => self.told(&data, News::Back),
        }
    }

    fn told(&self, data: &Data<'_>, news: News) -> Read {
        let known = data.conversation.as_ref().and_then(|id| self.chats.get(id));
        Read { told: known.map(|known| (known.customer, news)), offered: None }
    }

    fn offered(&mut self, agent: usize, data: Data<'_>) -> Read {
        let (Some(id), Some(customer)) = (data.conversation, number(data.customer)) else {
            return Read::default();
        };
        let known = self.chats.entry(id.clone()).or_insert_with(|| Known::new(customer));
        known.agent = agent;
        Read { told: Some((customer, News::Offered)), offered: Some(id) }
    }

    fn changed(&mut self, agent: usize, data: Data<'_>) -> Read {
        let (Some(id), Some(customer)) = (data.id, number(data.customer)) else {
            return Read::default();
        };
        let known = self.chats.entry(id.clone()).or_insert_with(|| Known::new(customer));
        let state = data.state.as_deref().unwrap_or_default();
        let is_over = matches!(state, "wrapup" | "closed");
        let was_over = known.is_over;
        known.is_over |= is_over;
        let is_talking = state == "active" && data.phase.as_deref() == Some("talking");
        let was_talking = std::mem::replace(&mut known.is_talking, is_talking);
        if is_talking {
            known.agent = agent;
        }
        let is_gone = data.reason.is_some_and(|reason| reason.starts_with("customer_disconnected"));
        let news = match (is_over && !was_over && is_gone, is_talking && !was_talking) {
            (true, _) => Some(News::Gone),
            (_, true) => Some(News::Accepted),
            _ => None,
        };
        if news == Some(News::Accepted) {
            self.talking.push(id);
        }
        Read { told: news.map(|news| (customer, news)), offered: None }
    }

    fn said(&mut self, data: &Data<'_>, is_again: bool) -> Read {
        let known = data.conversation.as_ref().and_then(|id| self.chats.get_mut(id));
        let number = data.id.as_deref().and_then(numbered);
        let (Some(known), Some((side, number))) = (known, number) else { return Read::default() };
        let seq = data.seq.unwrap_or(0);
        // After a restart of the server some messages may come twice; a console tells by their
        // place.
        let is_known = is_again && seq <= known.seq;
        known.seq = known.seq.max(seq);
        let is_told = side == Side::Customer && !is_known;
        Read { told: is_told.then_some((known.customer, News::Message(number))), offered: None }
    }

    /// Draws a chat in which an agent is, and tells which reply in it comes next.
    pub(super) fn draw(&mut self, dice: &mut fastrand::Rng) -> Option<(String, Known, u32)> {
        while !self.talking.is_empty() {
            let at = dice.usize(..self.talking.len());
            let id = &self.talking[at];
            let known = self.chats.get_mut(id)?;
            if known.is_talking {
                known.replies += 1;
                return Some((id.clone(), known.clone(), known.replies));
            }
            self.talking.swap_remove(at);
        }
        None
    }
}

impl Known {
    const fn new(customer: u32) -> Self {
        Self { customer, agent: 0, is_over: false, is_talking: false, seq: 0, replies: 0 }
    }
}

/// The customer's number, from the name that the dialect gave them.
fn number(customer: Option<Customer>) -> Option<u32> {
    customer_number(&customer?.name?)
}

/// The customer's number, from the name.
pub(super) fn customer_number(name: &str) -> Option<u32> {
    name.strip_prefix('c')?.parse().ok()
}
