//! Whether consoles are told the messages in the chats of their agents. Once a console is told of a
//! message of a chat, it is told each later one once and in order, as long as the chat is theirs.

use std::collections::BTreeMap;

use holdline::domain::conversation::event::Event;
use holdline::domain::id::{AgentId, ConversationId};

use crate::watch::Watch;
use crate::watch::chat::Chat;
use crate::watch::law::Check;

/// The last message that each console was told of each chat.
#[derive(Debug, Default)]
pub struct Feeds(BTreeMap<(AgentId, ConversationId), u32>);

impl Feeds {
    /// A console begins anew, or is gone.
    pub fn forget(&mut self, agent: &AgentId) {
        self.0.retain(|(of, _), _| of != agent);
    }

    /// Messages on their way may be lost.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

impl Watch {
    /// A console is told of a message.
    pub(super) fn message_told(&mut self, agent: &AgentId, id: ConversationId, seq: u32) {
        let Some(chat) = self.chats.get(&id) else { return };
        let key = (agent.clone(), id);
        let last = self.feeds.0.get(&key).copied().filter(|last| *last > chat.theirs_since);
        let is_theirs = chat.state.with() == Some(agent) && seq > chat.theirs_since;
        let wrong = last.and_then(|last| {
            let is_again = seq <= last;
            let skipped = said_between(chat, last, seq).next();
            is_again.then_some(seq).or(skipped)
        });
        if let Some(wrong) = wrong {
            let what = format!("{agent} was told {seq} of {id} after {last:?}, and not {wrong}");
            self.fail(Check::FeedsAreWhole, what);
        }
        if is_theirs {
            self.feeds.0.insert(key, seq);
        } else {
            self.feeds.0.remove(&key);
        }
    }

    /// Nothing is on its way: consoles know the last message of each chat.
    pub(super) fn audit_feeds(&mut self) {
        let untold = self.feeds.0.iter().find_map(|((agent, id), last)| {
            let chat = self.chats.get(id)?;
            let is_theirs = chat.state.with() == Some(agent) && *last > chat.theirs_since;
            let is_there = self.there_since(agent).is_some();
            let next = said_between(chat, *last, u32::MAX).next()?;
            (is_theirs && is_there)
                .then(|| format!("{agent} was told {last} of {id}, and never {next}"))
        });
        if let Some(what) = untold {
            self.fail(Check::FeedsAreWhole, what);
        }
    }
}

/// The places of messages in a chat between two places.
fn said_between(chat: &Chat, after: u32, before: u32) -> impl Iterator<Item = u32> {
    let rows = chat.rows.iter().skip(usize::try_from(after).unwrap_or(usize::MAX));
    let said = rows.filter(|row| matches!(row.event, Event::MessagePosted { .. }));
    said.map(|row| row.seq.number()).take_while(move |seq| *seq < before)
}
