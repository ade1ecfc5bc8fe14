//! The stored form, version 1, of everything that a journal keeps: a `kind` and a JSON `body`.
//!
//! The forms are types of their own, converted by hand, so that the domain can change its shape
//! without touching what is on a disk. They only ever grow: a new field is optional, a new kind is
//! added, and nothing is renamed. Unknown fields are ignored; an unknown kind is unreadable.

mod caused;
mod event;
mod forms;
mod pieces;
mod setting;
pub mod several;
mod taken_out;
mod together;

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use uuid::fmt::Hyphenated;

use crate::domain::agent::Presence;
use crate::domain::conversation::event::Event;
use crate::domain::id::{AgentId, ConversationId, MalformedId};
use crate::domain::settings::registry::{Registry, SettingChange};
use crate::domain::text::TextRefusal;

pub use setting::{Document, DocumentKind, digest_text, read_digest};
pub use several::{Share, Shares};
pub use taken_out::TakenOut;
pub use together::Piece;

/// A record: what stands in the columns `kind` and `body`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Record {
    /// What it is, in the words of the domain: `message_posted`.
    pub kind: &'static str,
    /// The rest of it, a JSON object.
    pub body: String,
}

/// What a record says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Entry {
    /// Something happened in a conversation.
    Event(Event),
    /// An agent chose a presence, or somebody else did for them.
    Presence(Presence, Option<AgentId>),
    /// The settings were changed, and by whom, where a person did it.
    Setting(SettingChange, Option<AgentId>),
    /// The retention took conversations out.
    TakenOut(TakenOut),
}

/// Whose record it is: what stands in the column `stream`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Stream {
    /// A conversation's: its id.
    Conversation(ConversationId),
    /// An agent's: `agent:` and their id.
    Agent(AgentId),
    /// The settings': `settings`.
    Settings,
    /// The retention's: `retention`.
    Retention,
    /// Those of several conversations, which the record names: `several`.
    Several,
}

/// Why a record cannot be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(pub String);

/// The kind of the record of a chosen presence.
const PRESENCE_CHOSEN: &str = "presence_chosen";

/// The stream of the settings.
const SETTINGS: &str = "settings";

/// The stream of the retention.
const RETENTION: &str = "retention";

/// The stream of what happened to several conversations.
const SEVERAL: &str = "several";

/// What the stream of an agent begins with. No id holds a colon, so no two streams read the same.
const AGENT: &str = "agent:";

#[derive(Serialize, Deserialize)]
struct PresenceChosen<'a> {
    presence: pieces::PresenceName,
    // Later than the rest: absent in records of earlier releases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<pieces::Text<'a>>,
}

/// Where the record of an event is written to.
struct Sink<'a> {
    body: &'a mut Vec<u8>,
    /// Whether its kind stands around the body, because no column holds it.
    is_named: bool,
}

impl Sink<'_> {
    /// Writes a record, and says its kind.
    fn put(self, kind: &'static str, body: &impl Serialize) -> &'static str {
        if self.is_named {
            self.body.extend_from_slice(b"{\"kind\":\"");
            self.body.extend_from_slice(kind.as_bytes());
            self.body.extend_from_slice(b"\",\"body\":");
        }
        write_json(self.body, body);
        if self.is_named {
            self.body.push(b'}');
        }
        kind
    }
}

/// Writes the body of the record of what happened in a conversation at once behind what stands in
/// `body`, and says its kind. It is UTF-8.
pub fn write_events(events: &[Event], body: &mut Vec<u8>) -> &'static str {
    match events {
        [event] => event::encode(event, Sink { body, is_named: false }),
        several => {
            together::encode(several, body);
            together::KIND
        }
    }
}

/// The events in the record with this kind and this body, each as it would stand alone, if it is
/// one of several events.
pub fn read_together<'a>(kind: &str, body: &'a str) -> Option<Result<Vec<Piece<'a>>, Unreadable>> {
    (kind == together::KIND).then(|| together::decode(body))
}

/// What happened to several conversations at one time, if the record with this kind and this body
/// says that.
pub fn read_several<'a>(kind: &str, body: &'a str) -> Option<Result<Shares<'a>, Unreadable>> {
    tells_of_several(kind).then(|| several::decode(body))
}

/// Whether a record of this kind says what happened to several conversations.
pub fn tells_of_several(kind: &str) -> bool {
    kind == several::KIND
}

impl Record {
    /// The record of an event of a conversation.
    pub fn of_event(event: &Event) -> Self {
        Self::of_events(std::slice::from_ref(event))
    }

    /// The record of what happened in a conversation at once: at least one event.
    pub fn of_events(events: &[Event]) -> Self {
        let mut body = Vec::new();
        let kind = write_events(events, &mut body);
        Self { kind, body: text(body) }
    }

    /// The record of a presence that an agent chose, or somebody else did for them.
    pub fn of_presence(presence: Presence, by: Option<&AgentId>) -> Self {
        let by = by.map(|by| by.as_str().into());
        Self::new(PRESENCE_CHOSEN, &PresenceChosen { presence: presence.into(), by })
    }

    /// The record of a change of the settings, and of who made it.
    pub fn of_setting(change: &SettingChange, by: Option<&AgentId>) -> Self {
        caused::by(setting::encode(change), by)
    }

    /// The record of what the retention took out.
    pub fn of_taken_out(taken: &TakenOut) -> Self {
        taken_out::encode(taken)
    }

    /// The record of whatever it is.
    pub fn of(entry: &Entry) -> Self {
        match entry {
            Entry::Event(event) => Self::of_event(event),
            Entry::Presence(presence, by) => Self::of_presence(*presence, by.as_ref()),
            Entry::Setting(change, by) => Self::of_setting(change, by.as_ref()),
            Entry::TakenOut(taken) => Self::of_taken_out(taken),
        }
    }

    fn new(kind: &'static str, body: &impl Serialize) -> Self {
        Self { kind, body: json(body) }
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
        if kind == taken_out::KIND {
            return Ok(Self::TakenOut(taken_out::decode(body)?));
        }
        if let Some(event) = event::decode(kind, body)? {
            return Ok(Self::Event(event));
        }
        if let Some(change) = setting::decode(kind, body)? {
            return Ok(Self::Setting(change, caused::read(body)?));
        }
        Err(Unreadable(format!("this version knows no record of the kind {kind:?}")))
    }

    /// The event of a conversation that the record with this kind and this body says.
    pub fn read_event(kind: &str, body: &str) -> Result<Event, Unreadable> {
        event::decode(kind, body)?
            .ok_or_else(|| Unreadable(format!("{kind:?} is no event of a conversation")))
    }
}

/// Room for the name of a conversation's stream, so that writing it takes nothing from the heap.
#[derive(Debug)]
pub struct StreamName([u8; Hyphenated::LENGTH]);

impl Default for StreamName {
    fn default() -> Self {
        Self([0; Hyphenated::LENGTH])
    }
}

impl StreamName {
    /// The stream of a conversation as it stands in its column.
    pub fn of_conversation(&mut self, id: ConversationId) -> &str {
        Uuid::from_u128(id.as_bits()).hyphenated().encode_lower(&mut self.0)
    }
}

impl Stream {
    /// The stream as it stands in its column.
    pub fn name(&self) -> String {
        match self {
            Self::Conversation(id) => StreamName::default().of_conversation(*id).to_owned(),
            Self::Agent(agent) => format!("{AGENT}{agent}"),
            Self::Settings => SETTINGS.to_owned(),
            Self::Retention => RETENTION.to_owned(),
            Self::Several => SEVERAL.to_owned(),
        }
    }

    /// The stream that stands in its column like this.
    pub fn read(name: &str) -> Result<Self, Unreadable> {
        if name == SETTINGS {
            return Ok(Self::Settings);
        }
        if name == RETENTION {
            return Ok(Self::Retention);
        }
        if name == SEVERAL {
            return Ok(Self::Several);
        }
        match name.strip_prefix(AGENT) {
            Some(agent) => Ok(Self::Agent(agent.parse()?)),
            None => Ok(Self::Conversation(name.parse()?)),
        }
    }
}

/// The documents that a change of the settings has changed, as `settings` now holds them: a
/// document to put, or none to remove.
pub fn changed_documents(
    change: &SettingChange,
    before: &Registry,
    after: &Registry,
) -> Vec<(DocumentKind, String, Option<Document>)> {
    setting::changed_documents(change, before, after)
}

fn json(body: &impl Serialize) -> String {
    let mut bytes = Vec::new();
    write_json(&mut bytes, body);
    text(bytes)
}

#[expect(clippy::expect_used, reason = "the invariant is in the message")]
fn write_json(to: &mut Vec<u8>, body: &impl Serialize) {
    serde_json::to_writer(to, body)
        .expect("a record holds texts, numbers and structs, and JSON has a form for each");
}

#[expect(clippy::expect_used, reason = "the invariant is in the message")]
fn text(json: Vec<u8>) -> String {
    String::from_utf8(json).expect("JSON is written as UTF-8")
}

impl From<serde_json::Error> for Unreadable {
    fn from(error: serde_json::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<MalformedId> for Unreadable {
    fn from(error: MalformedId) -> Self {
        Self(format!("an id is malformed: {error}"))
    }
}

impl From<TextRefusal> for Unreadable {
    fn from(error: TextRefusal) -> Self {
        Self(format!("a text {error}"))
    }
}
