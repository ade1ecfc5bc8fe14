//! The form in which a message goes to another node: JSON with names and a version.
//!
//! ```json
//! {"version":1,"envelope":{"kind":"queue","to":"sales","message":{"kind":"figures","request":7}}}
//! ```
//!
//! Every type has its form written down once, in the files below, and both directions are made of
//! that. Writing matches every variant and every field, so a new one does not compile before it
//! has a form. Times are milliseconds since 1970, lengths of time are milliseconds, and what is
//! nothing is left out.
//!
//! A field that is not known is refused, not passed over as in a record. Nobody keeps an envelope,
//! so none is older than the nodes that run, and no node writes what another of its cluster does
//! not know yet. Such a field asks for something that would silently not be done.
//!
//! Signs of life have no form here: a pulse is smaller and is sent more often than any message.

mod agent;
mod answer;
mod command;
mod conversation;
mod form;
mod queue;
mod session;
mod terms;

use serde::Serialize;

use crate::behavior::envelope::form::{Fields, Written, formed};
use crate::behavior::message::{
    Answered, Denial, RequestId, ToAgent, ToConversation, ToQueue, ToSession,
};
use crate::domain::id::{AgentId, ConversationId, QueueId, SessionId};
use crate::limits;
use crate::wire::document::FieldError;

/// The version of the form that is written, and the only one that is read.
pub const ENVELOPE_VERSION: u32 = 1;

/// A message, and to whom it goes.
#[derive(Debug, Eq, PartialEq)]
pub enum Envelope {
    /// To a conversation.
    Conversation(ConversationId, ToConversation),
    /// To an agent.
    Agent(AgentId, ToAgent),
    /// To a queue.
    Queue(QueueId, ToQueue),
    /// To a session.
    Session(SessionId, ToSession),
    /// To the caller that waits for the answer to this request.
    Answer(RequestId, Result<Answered, Denial>),
}

/// Why a text is no envelope.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum EnvelopeFault {
    /// It has this many bytes, which are too many.
    #[error("an envelope may have {max} bytes, not {0}", max = limits::ENVELOPE_BYTES_MAX)]
    TooLong(usize),
    /// It is no JSON.
    #[error("an envelope must be JSON: {0}")]
    NotJson(String),
    /// It has a version that is not known here.
    #[error("an envelope must have the version {ENVELOPE_VERSION}, not {0}")]
    UnknownVersion(u32),
    /// A field is missing, malformed or not known. It is named with the fields around it:
    /// `envelope.message.said.id`.
    #[error("`{}` {}", .0.field, .0.message)]
    Field(FieldError),
}

impl From<FieldError> for EnvelopeFault {
    fn from(error: FieldError) -> Self {
        Self::Field(error)
    }
}

formed!(enum Envelope {
    "conversation" => Conversation(to, message),
    "agent" => Agent(to, message),
    "queue" => Queue(to, message),
    "session" => Session(to, message),
    "answer" => Answer(to, outcome),
});

formed!(enum Result<Answered, Denial> {
    "answered" => Ok(answer),
    "denied" => Err(denial),
});

#[derive(Serialize)]
struct Versioned<'a> {
    version: u32,
    envelope: Written<'a, Envelope>,
}

/// Writes an envelope. One that is longer than [`limits::ENVELOPE_BYTES_MAX`] is read by nobody.
pub fn write(envelope: &Envelope) -> String {
    Versioned { version: ENVELOPE_VERSION, envelope: Written(envelope) }.text()
}

impl Versioned<'_> {
    #[expect(clippy::expect_used, reason = "the invariant is in the message")]
    fn text(&self) -> String {
        serde_json::to_string(self)
            .expect("an envelope holds texts, numbers and names, and JSON has a form for each")
    }
}

/// Reads what [`write()`] has written.
pub fn read(text: &str) -> Result<Envelope, EnvelopeFault> {
    if text.len() > limits::ENVELOPE_BYTES_MAX {
        return Err(EnvelopeFault::TooLong(text.len()));
    }
    let json = serde_json::from_str(text);
    let mut fields = Fields::of(json.map_err(|error| EnvelopeFault::NotJson(error.to_string()))?)?;
    // A later version may have other fields, so nothing else is judged before.
    let version = fields.take("version")?;
    if version != ENVELOPE_VERSION {
        return Err(EnvelopeFault::UnknownVersion(version));
    }
    let envelope = fields.take("envelope")?;
    fields.finish()?;
    Ok(envelope)
}
