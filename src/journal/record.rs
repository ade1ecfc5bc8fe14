//! The stored form, version 1, of everything that a journal keeps: a `kind` and a JSON `body`.
//!
//! The forms are types of their own, converted by hand, so that the domain can change its shape
//! without touching what is on a disk. They only ever grow: a new field is optional, a new kind is
//! added, and nothing is renamed. Unknown fields are ignored; an unknown kind is unreadable.

mod append;
mod author;
mod body;
mod event;
mod forms;
mod pieces;
mod purge;
mod setting;
pub mod shared_row;
mod stream;
mod unreadable;

use serde::{Deserialize, Serialize};

use crate::domain::agent::Presence;
use crate::domain::conversation::event::Event;
use crate::domain::id::AgentId;
use crate::domain::settings::registry::SettingChange;
use crate::journal::record::body::{Sink, text};

pub use append::{Piece, read_append};
pub use body::Record;
pub use purge::TakenOut;
pub use setting::{Document, DocumentKind, changed_documents, digest_text, read_digest};
pub use shared_row::{Share, Shares, is_shared_row, read_shared_row};
pub use stream::{Stream, StreamName};
pub use unreadable::Unreadable;

/// What a record says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Entry {
    /// Something happened in a conversation.
    Event(Event),
    /// The presence of an agent, chosen by the agent or by somebody else.
    Presence(Presence, Option<AgentId>),
    /// The settings were changed, and by whom, where a person did it.
    Setting(SettingChange, Option<AgentId>),
    /// The retention took conversations out.
    TakenOut(TakenOut),
}

/// The kind of the record of a chosen presence.
const PRESENCE_CHOSEN: &str = "presence_chosen";

#[derive(Serialize, Deserialize)]
struct PresenceChosen<'a> {
    presence: pieces::PresenceName,
    // Later than the rest: absent in records of earlier releases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<pieces::Text<'a>>,
}

/// Writes the record of what happened together in a conversation: puts its body, which is UTF-8,
/// behind what stands in `body`, and returns its kind.
pub fn write_events(events: &[Event], body: &mut Vec<u8>) -> &'static str {
    match events {
        [event] => event::encode(event, Sink { body, is_named: false }),
        several => {
            append::encode(several, body);
            append::KIND
        }
    }
}

impl Record {
    /// The record of an event of a conversation.
    pub fn of_event(event: &Event) -> Self {
        Self::of_events(std::slice::from_ref(event))
    }

    /// The record of what happened together in a conversation: at least one event.
    pub fn of_events(events: &[Event]) -> Self {
        let mut body = Vec::new();
        let kind = write_events(events, &mut body);
        Self { kind, body: text(body) }
    }

    /// The record of a presence, which the agent chose, or somebody else for the agent.
    pub fn of_presence(presence: Presence, by: Option<&AgentId>) -> Self {
        let by = by.map(|by| by.as_str().into());
        Self::new(PRESENCE_CHOSEN, &PresenceChosen { presence: presence.into(), by })
    }

    /// The record of a change of the settings, and of who made it.
    pub fn of_setting(change: &SettingChange, by: Option<&AgentId>) -> Self {
        author::by(setting::encode(change), by)
    }

    /// The record of what the retention took out.
    pub fn of_taken_out(taken: &TakenOut) -> Self {
        purge::encode(taken)
    }

    /// The record of any entry.
    pub fn of(entry: &Entry) -> Self {
        match entry {
            Entry::Event(event) => Self::of_event(event),
            Entry::Presence(presence, by) => Self::of_presence(*presence, by.as_ref()),
            Entry::Setting(change, by) => Self::of_setting(change, by.as_ref()),
            Entry::TakenOut(taken) => Self::of_taken_out(taken),
        }
    }
}

impl Entry {
    /// What the record with this kind and this body says.
    pub fn read(kind: &str, body: &str) -> Result<Self, Unreadable> {
        if kind == PRESENCE_CHOSEN {
            let chosen: PresenceChosen<'_> = serde_json::from_str(body)?;
            let by = chosen.by.map(|by| by.parse()).transpose()?;
            return Ok(Self::Presence(chosen.presence.into(), by));
        }
        if kind == purge::KIND {
            return Ok(Self::TakenOut(purge::decode(body)?));
        }
        if let Some(event) = event::decode(kind, body)? {
            return Ok(Self::Event(event));
        }
        if let Some(change) = setting::decode(kind, body)? {
            return Ok(Self::Setting(change, author::read(body)?));
        }
        Err(Unreadable(format!("this version knows no record of the kind {kind:?}")))
    }

    /// The event of a conversation that the record with this kind and this body says.
    pub fn read_event(kind: &str, body: &str) -> Result<Event, Unreadable> {
        event::decode(kind, body)?
            .ok_or_else(|| Unreadable(format!("{kind:?} is no event of a conversation")))
    }
}
