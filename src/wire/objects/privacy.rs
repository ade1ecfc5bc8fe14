//! What is kept of one person: the visitor of a chat, the lines of an export, and an erasure.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::domain::id::{ConversationId, Seq, VisitorId};
use crate::domain::time::Timestamp;
use crate::wire::enumeration::names;
use crate::wire::time::At;

/// The version of the form of an export. It is raised when a field changes its meaning.
const FORMAT: u32 = 1;

/// What an erasure does not reach, and whoever keeps it has to see to.
const NOT_REACHED: [&str; 4] = ["backups", "exports", "logs", "ids"];

/// Whose a chat is.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Visitor)]
pub struct VisitorObject {
    /// The chat.
    pub conversation: String,
    /// A digest of the secret that the browser keeps: 32 hexadecimal digits. Chats of the same
    /// browser have the same.
    pub visitor: String,
}

impl VisitorObject {
    /// That this visitor's it is.
    pub fn new(conversation: ConversationId, visitor: VisitorId) -> Self {
        Self { conversation: conversation.to_string(), visitor: visitor.to_string() }
    }
}

/// That chats were erased.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Erased)]
pub struct ErasedObject {
    /// How many.
    pub conversations: u64,
    /// What it does not reach: `backups` that were made before, `exports` and whatever else was
    /// given out, `logs`, and the `ids` of chats and visitors in the audit stream and the journal.
    pub not_reached: Vec<&'static str>,
}

impl ErasedObject {
    /// That so many were.
    pub fn new(conversations: u64) -> Self {
        Self { conversations, not_reached: NOT_REACHED.to_vec() }
    }
}

/// One line of an export: the first (`export`), something that happened in a chat (`event`), or the
/// last (`end`), without which the export is not whole.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct ExportLine {
    /// `export`, `event` or `end`.
    #[serde(rename = "type")]
    #[schema(schema_with = types)]
    kind_of_line: &'static str,
    /// Of `export`: the version of the form, 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<u32>,
    /// Of `export`: the visitor, if it is theirs.
    #[serde(skip_serializing_if = "Option::is_none")]
    visitor: Option<String>,
    /// The chat. The events of one follow each other.
    #[serde(skip_serializing_if = "Option::is_none")]
    conversation: Option<String>,
    /// Of `event`: its place in the chat, from 1 and without gaps.
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u32>,
    /// When it was asked for, or happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<At>,
    /// Of `event`: what happened, such as `message_posted`.
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    /// Of `event`: whether the customer may see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    visible_to_customer: Option<bool>,
    /// Of `event`: the rest, as the table `timeline` has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    body: Option<Value>,
    /// Of `end`: how many chats there were.
    #[serde(skip_serializing_if = "Option::is_none")]
    conversations: Option<u64>,
    /// Of `end`: how many events they have together.
    #[serde(skip_serializing_if = "Option::is_none")]
    events: Option<u64>,
}

impl ExportLine {
    /// The first line of the export of a chat.
    pub fn of_conversation(id: ConversationId, at: Timestamp) -> Self {
        Self { conversation: Some(id.to_string()), ..Self::first(at) }
    }

    /// The first line of the export of a visitor.
    pub fn of_visitor(visitor: VisitorId, at: Timestamp) -> Self {
        Self { visitor: Some(visitor.to_string()), ..Self::first(at) }
    }

    fn first(at: Timestamp) -> Self {
        let (format, at) = (Some(FORMAT), Some(At(at)));
        Self { kind_of_line: "export", format, at, ..Self::default() }
    }

    /// The line of an event, which is stored with this kind and this body.
    pub fn event(
        conversation: ConversationId,
        (seq, at): (Seq, Timestamp),
        (kind, body): (&str, &str),
        visible_to_customer: bool,
    ) -> Self {
        Self {
            kind_of_line: "event",
            conversation: Some(conversation.to_string()),
            seq: Some(seq.number()),
            at: Some(At(at)),
            kind: Some(kind.to_owned()),
            visible_to_customer: Some(visible_to_customer),
            // The body was checked to be JSON when it was written.
            body: serde_json::from_str(body).ok(),
            ..Self::default()
        }
    }

    /// The last line.
    pub fn end(conversations: u64, events: u64) -> Self {
        let (conversations, events) = (Some(conversations), Some(events));
        Self { kind_of_line: "end", conversations, events, ..Self::default() }
    }

    /// The line as it is written, without what ends it.
    pub fn text(&self) -> String {
        // The line has only texts, numbers and JSON, which is always JSON.
        serde_json::to_string(self).unwrap_or_default()
    }
}

fn types() -> utoipa::openapi::Object {
    names(["export", "event", "end"])
}
