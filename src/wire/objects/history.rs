//! What was said in a conversation, and what happened in it.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::domain::conversation::event::{Audience, Author, Event, Recorded};
use crate::wire::narrative;
use crate::wire::time::At;

/// One entry of a transcript: a message, or a notice.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TranscriptEntry {
    /// Its place. What this audience may not see, and what is no entry, leaves a gap.
    pub seq: u32,
    /// `message`, or `notice` for what the system says.
    #[schema(schema_with = kinds)]
    pub kind: &'static str,
    /// Whose it is: `customer`, `agent`, or `system` for a notice.
    #[schema(schema_with = sources)]
    pub from: &'static str,
    /// Which agent, for an agent's message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The text.
    pub text: String,
    /// When.
    pub at: At,
    /// The id that its author gave it, for a message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

impl TranscriptEntry {
    /// The entry that an event makes in the copy of this audience, if it makes one.
    pub fn of(recorded: &Recorded, audience: Audience) -> Option<Self> {
        if !recorded.event.is_seen_by(audience) {
            return None;
        }
        let (seq, at) = (recorded.seq.number(), At(recorded.at));
        if let Event::MessagePosted { id, from, text, .. } = &recorded.event {
            let (from, agent) = match from {
                Author::Customer => ("customer", None),
                Author::Agent(agent) => ("agent", Some(agent.to_string())),
            };
            let (id, text) = (Some(id.to_string()), text.as_str().to_owned());
            return Some(Self { seq, kind: "message", from, agent, text, at, id });
        }
        let text = narrative::notice(&recorded.event, audience)?;
        Some(Self { seq, kind: "notice", from: "system", agent: None, text, at, id: None })
    }
}

/// A page of a transcript, in order.
#[derive(Debug, Serialize, ToSchema)]
pub struct TranscriptPage {
    /// The entries.
    pub entries: Vec<TranscriptEntry>,
    /// What to pass as `cursor` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// One event of a conversation, told.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TimelineEntry {
    /// Its place.
    pub seq: u32,
    /// When.
    pub at: At,
    /// What kind of event, such as `customer_away`.
    pub kind: &'static str,
    /// One sentence: what happened, why, and on what evidence.
    pub text: String,
    /// The facts of the sentence, for programs.
    #[schema(value_type = Object)]
    pub details: Map<String, Value>,
}

impl From<&Recorded> for TimelineEntry {
    fn from(recorded: &Recorded) -> Self {
        Self {
            seq: recorded.seq.number(),
            at: At(recorded.at),
            kind: narrative::kind(&recorded.event),
            text: narrative::sentence(&recorded.event),
            details: narrative::details(&recorded.event),
        }
    }
}

/// A page of a timeline, in order.
#[derive(Debug, Serialize, ToSchema)]
pub struct TimelinePage {
    /// One sentence: why the chat is in this state now.
    pub why: String,
    /// The entries.
    pub entries: Vec<TimelineEntry>,
    /// What to pass as `cursor` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

fn kinds() -> utoipa::openapi::Object {
    super::names(["message", "notice"])
}

fn sources() -> utoipa::openapi::Object {
    super::names(["customer", "agent", "system"])
}
