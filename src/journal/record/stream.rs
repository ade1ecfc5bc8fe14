//! Whose a record is, as its column names it.

use uuid::Uuid;
use uuid::fmt::Hyphenated;

use crate::domain::id::{AgentId, ConversationId};
use crate::journal::record::unreadable::Unreadable;

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

/// The stream of the settings.
const SETTINGS: &str = "settings";

/// The stream of the retention.
const RETENTION: &str = "retention";

/// The stream of what happened to several conversations.
const SEVERAL: &str = "several";

/// What the stream of an agent begins with. No id holds a colon, so no two streams read the same.
const AGENT: &str = "agent:";

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
