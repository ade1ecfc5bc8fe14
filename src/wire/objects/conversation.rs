//! A conversation as HTTP shows it, and what agents ask of one.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::Object;

use crate::domain::conversation::State;
use crate::domain::conversation::command::Answer;
use crate::domain::conversation::event::Reason;
use crate::domain::conversation::view::{Customer, Stage, View};
use crate::domain::id::{AgentId, MessageId, Seq};
use crate::domain::text::{JsonText, MessageText};
use crate::wire::document::{self, Document, FieldError, read_or_refused};
use crate::wire::enumeration::{names, names_or_null};
use crate::wire::narrative;
use crate::wire::time::At;

/// A conversation as it is now.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Conversation)]
pub struct ConversationObject {
    /// Its id.
    pub id: String,
    /// Where it stands.
    #[schema(schema_with = states)]
    pub state: &'static str,
    /// What an active one is: `offered` or `talking`; null in any other state.
    #[schema(schema_with = phases)]
    pub phase: Option<&'static str>,
    /// Why it ended; null while it has not.
    #[schema(schema_with = reasons)]
    pub reason: Option<&'static str>,
    /// Whose it is, is offered to, or was.
    pub agent: Option<String>,
    /// Whether the customer is told that the agent's connection is gone.
    pub agent_away: bool,
    /// Through which widget it began.
    pub widget: String,
    /// Under which workstream.
    pub workstream: String,
    /// In which queue.
    pub queue: String,
    /// The place of its last event.
    pub seq: u32,
    /// When it began.
    pub started_at: At,
    /// Until when the offer stands.
    pub offer_until: Option<At>,
    /// When it moves on by itself, but for the customer's absence.
    pub due_at: Option<At>,
    /// The customer.
    pub customer: CustomerObject,
}

/// What agents are shown of a customer.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Customer)]
pub struct CustomerObject {
    /// What they call themselves.
    pub name: Option<String>,
    /// Whether any session of theirs is there.
    pub connected: bool,
    /// Whether their browser answers while every page of theirs has said nothing for four
    /// heartbeats: a frozen tab, say. Nobody is away for it.
    pub asleep: bool,
    /// From when the absence counts; null while they are not away.
    pub away_since: Option<At>,
    /// The last moment at which a return is in time.
    pub until: Option<At>,
    /// Why the last connection was lost.
    #[schema(schema_with = causes)]
    pub cause: Option<&'static str>,
    /// The evidence for the cause, for people.
    pub evidence: Option<String>,
    /// The answers to the pre-chat form.
    pub form: Option<Value>,
    /// What the page tells about itself.
    pub context: Option<Value>,
    /// The address of the page.
    pub page: Option<String>,
    /// The language of the page.
    pub locale: Option<String>,
}

impl From<&View> for ConversationObject {
    fn from(view: &View) -> Self {
        Self {
            id: view.id.to_string(),
            state: view.state.name(),
            phase: view.stage.map(Stage::name),
            reason: view.reason.map(Reason::name),
            agent: view.agent.as_ref().map(ToString::to_string),
            agent_away: view.agent_away,
            widget: view.widget.to_string(),
            workstream: view.workstream.to_string(),
            queue: view.queue.to_string(),
            seq: view.seq.number(),
            started_at: At(view.started_at),
            offer_until: view.offer_until.map(At),
            due_at: view.due_at.map(At),
            customer: CustomerObject::from(&view.customer),
        }
    }
}

impl From<&Customer> for CustomerObject {
    fn from(customer: &Customer) -> Self {
        let absence = customer.absence.as_ref();
        // Both texts were checked to be JSON when they came in.
        let json = |text: &JsonText| serde_json::from_str(text).unwrap_or(Value::Null);
        Self {
            name: customer.name.as_ref().map(ToString::to_string),
            connected: customer.connected,
            asleep: customer.asleep,
            away_since: absence.map(|absence| At(absence.since)),
            until: absence.map(|absence| At(absence.until)),
            cause: absence.map(|absence| absence.cause.name()),
            evidence: absence.map(|absence| narrative::evidence(absence.cause)),
            form: customer.form.as_ref().map(json),
            context: customer.context.as_ref().map(json),
            page: customer.page.as_deref().map(str::to_owned),
            locale: customer.locale.as_deref().map(str::to_owned),
        }
    }
}

/// A chat that a supervisor has given to an agent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Assigned)]
pub struct AssignedObject {
    /// The chat.
    #[serde(flatten)]
    pub conversation: ConversationObject,
    /// By when the agent, who is away, must be back to keep the offer; null while they are there.
    pub agent_back_by: Option<At>,
}

/// A page of conversations, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConversationPage {
    /// The conversations.
    pub conversations: Vec<ConversationObject>,
    /// What to pass as `cursor` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A message that an agent posts.
#[derive(Clone, Debug, Eq, PartialEq, ToSchema)]
pub struct MessageDocument {
    /// Minted by the console: the same id again gets the first answer and posts nothing.
    #[schema(value_type = String, min_length = 1, max_length = 64)]
    pub id: MessageId,
    /// What is said.
    #[schema(value_type = String, min_length = 1, max_length = 6000)]
    pub text: MessageText,
}

impl MessageDocument {
    /// Reads `{id, text}`.
    pub fn read(body: &[u8]) -> Result<Self, Vec<FieldError>> {
        let mut document = Document::parse(body)?;
        let id = document.required("id", document::parsed);
        let text = document.required("text", |value| {
            let text = document::text(value)?;
            MessageText::parse(&text).map_err(|refusal| refusal.to_string())
        });
        document.finish()?;
        Ok(Self { id: read_or_refused(id)?, text: read_or_refused(text)? })
    }
}

/// Where a message stands: durable, and the same however often it is posted.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PostedObject {
    /// The id it was given.
    pub id: String,
    /// Its place.
    pub seq: u32,
    /// Its time.
    pub at: At,
}

impl PostedObject {
    /// What the author is told; nothing for an answer that is not about a message.
    pub fn of(id: &MessageId, answer: Answer) -> Option<Self> {
        match answer {
            Answer::Posted { seq, at } => {
                Some(Self { id: id.to_string(), seq: seq.number(), at: At(at) })
            }
            Answer::Done => None,
        }
    }
}

/// Whether an agent is typing.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ToSchema)]
pub struct TypingDocument {
    /// True when they began, false when they stopped.
    pub on: bool,
}

impl TypingDocument {
    /// Reads `{on}`.
    pub fn read(body: &[u8]) -> Result<Self, Vec<FieldError>> {
        let mut document = Document::parse(body)?;
        let on = document.required("on", document::truth);
        document.finish()?;
        Ok(Self { on: read_or_refused(on)? })
    }
}

/// How far an agent has read.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ToSchema)]
pub struct ReadDocument {
    /// The place of the last message that was read.
    #[schema(value_type = u32)]
    pub seq: Seq,
}

impl ReadDocument {
    /// Reads `{seq}`.
    pub fn read(body: &[u8]) -> Result<Self, Vec<FieldError>> {
        let mut document = Document::parse(body)?;
        let seq = document.required("seq", document::whole);
        document.finish()?;
        Ok(Self { seq: Seq::new(read_or_refused(seq)?) })
    }
}

/// To whom a supervisor gives a chat.
#[derive(Clone, Debug, Eq, PartialEq, ToSchema)]
pub struct AssignDocument {
    /// The agent.
    #[schema(value_type = String)]
    pub agent: AgentId,
}

impl AssignDocument {
    /// Reads `{agent}`.
    pub fn read(body: &[u8]) -> Result<Self, Vec<FieldError>> {
        let mut document = Document::parse(body)?;
        let agent = document.required("agent", document::parsed);
        document.finish()?;
        Ok(Self { agent: read_or_refused(agent)? })
    }
}

fn states() -> Object {
    names(State::ALL.map(State::name))
}

fn phases() -> Object {
    names_or_null([Stage::Offered, Stage::Talking].map(Stage::name))
}

fn reasons() -> Object {
    names_or_null(Reason::ALL.map(Reason::name))
}

fn causes() -> Object {
    names_or_null([
        "left",
        "closed",
        "reset",
        "silent",
        "replaced",
        "draining",
        "restarted",
        "refused",
    ])
}
