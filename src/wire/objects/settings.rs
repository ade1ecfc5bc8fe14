//! The documents of an administrator: workstreams, queues, widgets and agents. A field that is
//! absent gets its default; ranges are the domain's to check.

mod customer_limits;
mod identity;
mod retention;
mod widget;

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::domain::id::{AgentId, QueueId, WorkstreamId};
use crate::domain::settings::{
    AgentSettings, Autoclose, IdleRule, QueueSettings, Workstream, WrapupBlock,
};
use crate::domain::time::Span;
use crate::wire::document::{self, Document, FieldError, nullable, read_or_refused};
use crate::wire::enumeration::names;
use crate::wire::objects::agent::{role_name, role_named, roles};
use crate::wire::objects::settings::identity::{name_or_id, same_id};
use crate::wire::time::Seconds;

use customer_limits::CustomerLimitsDocument;
pub use retention::RetentionDocument;
pub use widget::{AdmissionDocument, WidgetDocument};

/// The settings that a chat is handled under.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Workstream)]
pub struct WorkstreamDocument {
    /// Its id; not read, because the address names it.
    #[schema(read_only)]
    pub id: String,
    /// Where its chats wait.
    pub queue: String,
    /// Units of an agent's capacity that one chat takes: 1 to 1,000.
    #[schema(default = 1, minimum = 1, maximum = 1000)]
    pub units: u32,
    /// How long an away customer is held: 2 s to 24 h, at least two heartbeats.
    #[schema(default = 180, minimum = 2, maximum = 86400)]
    pub window_s: Seconds,
    /// How often a widget says that it is there: 1 to 120 s.
    #[schema(default = 25, minimum = 1, maximum = 120)]
    pub heartbeat_s: Seconds,
    /// How long an offer stands: 2 to 600 s.
    #[schema(default = 120, minimum = 2, maximum = 600)]
    pub offer_s: Seconds,
    /// What becomes of a chat that waits while its customer is away.
    pub absent: AbsentDocument,
    /// After how many declined or lapsed offers an agent is not offered the same chat again: 1 to
    /// 5.
    #[schema(default = 3, minimum = 1, maximum = 5)]
    pub decline_limit: u8,
    /// How long an agent may be gone before their chats go back to the queue: 2 s to 1 h.
    #[schema(default = 150, minimum = 2, maximum = 3600)]
    pub agent_grace_s: Seconds,
    /// How long an agent may be gone before an offer to them is withdrawn: 1 s to 1 h.
    #[schema(default = 10, minimum = 1, maximum = 3600)]
    pub offer_grace_s: Seconds,
    /// After how long a customer is told that their agent's connection is gone, to a tenth of a
    /// second: 1 s to 1 h; never when null.
    #[schema(default = 10, minimum = 1, maximum = 3600)]
    pub agent_notice_s: Option<Seconds>,
    /// How long a chat in wrap-up keeps the agent's units.
    #[schema(schema_with = block)]
    pub wrapup_block: BlockDocument,
    /// When a chat closes by itself.
    pub autoclose_s: AutocloseDocument,
    /// When a customer who does not answer is warned, and then disconnected; null when never.
    pub idle_s: Option<IdleDocument>,
    /// How much a customer may do in one chat.
    pub customer_limits: CustomerLimitsDocument,
    /// Where a customer who returns too late is sent; a new chat when null.
    pub redirect: Option<String>,
    /// What becomes of chats long after they were closed; kept for ever when null. When absent:
    /// what it was, and for a new workstream deleted after 365 days.
    pub retention: Option<RetentionDocument>,
}

/// What becomes of a chat that waits while its customer is away.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, ToSchema)]
pub struct AbsentDocument {
    /// Whether it is offered to agents all the same. By default it keeps its place in the line and
    /// is offered when the customer is back; whoever is there is served first.
    #[schema(default = false)]
    pub offer: bool,
}

/// How long a chat in wrap-up keeps the agent's units: `"always"`, `"never"`, or `{"for_s": n}`
/// with 30 s to 60 min.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(untagged)]
pub enum BlockDocument {
    /// Until the chat is closed, or not at all.
    Named(&'static str),
    /// For so long, or until the chat is closed if that is sooner.
    For {
        /// How long.
        for_s: Seconds,
    },
}

/// How long a chat may stay in a state before it closes by itself; null when for ever.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, ToSchema)]
pub struct AutocloseDocument {
    /// In the queue; 1,200 s by default.
    pub open: Option<Seconds>,
    /// With an agent; for ever by default.
    pub active: Option<Seconds>,
    /// In wrap-up; 900 s by default, and never null.
    pub wrapup: Option<Seconds>,
}

/// When a customer who does not answer is warned, and then disconnected, both counted from the
/// agent's last message.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, ToSchema)]
pub struct IdleDocument {
    /// When they are warned: 5 s to 24 h.
    pub warn: Seconds,
    /// When the chat moves to wrap-up; longer than `warn`.
    pub close: Seconds,
}

impl From<&Workstream> for WorkstreamDocument {
    fn from(workstream: &Workstream) -> Self {
        Self {
            id: workstream.id.to_string(),
            queue: workstream.queue.to_string(),
            units: workstream.units,
            window_s: Seconds(workstream.window),
            heartbeat_s: Seconds(workstream.heartbeat),
            offer_s: Seconds(workstream.offer),
            absent: AbsentDocument { offer: workstream.offers_absent },
            decline_limit: workstream.decline_limit,
            agent_grace_s: Seconds(workstream.agent_grace),
            offer_grace_s: Seconds(workstream.offer_grace),
            agent_notice_s: workstream.agent_notice.map(Seconds),
            wrapup_block: match workstream.wrapup_block {
                WrapupBlock::Always => BlockDocument::Named("always"),
                WrapupBlock::Never => BlockDocument::Named("never"),
                WrapupBlock::For(span) => BlockDocument::For { for_s: Seconds(span) },
            },
            autoclose_s: AutocloseDocument {
                open: workstream.autoclose.open.map(Seconds),
                active: workstream.autoclose.active.map(Seconds),
                wrapup: workstream.autoclose.wrapup.map(Seconds),
            },
            idle_s: workstream
                .idle
                .map(|idle| IdleDocument { warn: Seconds(idle.warn), close: Seconds(idle.close) }),
            customer_limits: workstream.customer_limits.into(),
            redirect: workstream.redirect.as_deref().map(str::to_owned),
            retention: workstream.retention.map(RetentionDocument::from),
        }
    }
}

impl WorkstreamDocument {
    /// Reads a workstream that is to have this id, and take the place of the one before, if there
    /// is one. Only `queue` must be given. What becomes of chats is not changed without a word:
    /// whoever puts the same document as ever must not begin to delete what was kept for ever.
    pub fn read(
        id: WorkstreamId,
        body: &[u8],
        before: Option<&Workstream>,
    ) -> Result<Workstream, Vec<FieldError>> {
        let mut document = Document::parse(body)?;
        same_id(&mut document, id.as_str());
        let queue: Option<QueueId> = document.required("queue", document::parsed);
        let defaults = Workstream::new(id, queue.clone().unwrap_or_else(placeholder));
        let workstream = Workstream {
            units: document.optional("units", document::whole).unwrap_or(defaults.units),
            window: span(&mut document, "window_s", defaults.window),
            heartbeat: span(&mut document, "heartbeat_s", defaults.heartbeat),
            offer: span(&mut document, "offer_s", defaults.offer),
            offers_absent: document.object("absent", read_absent).unwrap_or(defaults.offers_absent),
            decline_limit: document
                .optional("decline_limit", document::whole)
                .unwrap_or(defaults.decline_limit),
            agent_grace: span(&mut document, "agent_grace_s", defaults.agent_grace),
            offer_grace: span(&mut document, "offer_grace_s", defaults.offer_grace),
            agent_notice: document
                .optional("agent_notice_s", |value| nullable(value, Seconds::read))
                .map_or(defaults.agent_notice, |given| given.map(|seconds| seconds.0)),
            wrapup_block: document
                .object("wrapup_block", read_block)
                .unwrap_or(defaults.wrapup_block),
            autoclose: document.object("autoclose_s", read_autoclose).unwrap_or(defaults.autoclose),
            idle: document.object("idle_s", read_idle).flatten(),
            customer_limits: document
                .object("customer_limits", customer_limits::read)
                .unwrap_or(defaults.customer_limits),
            redirect: document
                .optional("redirect", |value| nullable(value, document::text))
                .flatten()
                .map(Arc::from),
            retention: document
                .object("retention", retention::read)
                .unwrap_or_else(|| before.map_or(defaults.retention, |before| before.retention)),
            ..defaults
        };
        document.finish()?;
        read_or_refused(queue).map(|_| workstream)
    }
}

/// Stands where a document without a queue is refused a moment later.
fn placeholder() -> QueueId {
    const NOWHERE: &str = "nowhere";
    NOWHERE.parse().unwrap_or_else(|_| unreachable!("a plain word is an id"))
}

fn span(document: &mut Document, field: &'static str, default: Span) -> Span {
    document.optional(field, Seconds::read).map_or(default, |seconds| seconds.0)
}

fn read_block(value: &Value) -> Result<WrapupBlock, Vec<FieldError>> {
    const FIELD: &str = "wrapup_block";
    match value {
        Value::String(name) if name == "always" => Ok(WrapupBlock::Always),
        Value::String(name) if name == "never" => Ok(WrapupBlock::Never),
        Value::Object(_) => {
            let mut document = Document::within(FIELD, value)?;
            let length = document.required("for_s", Seconds::read);
            document.finish()?;
            Ok(WrapupBlock::For(read_or_refused(length)?.0))
        }
        _ => {
            let message = r#"must be "always", "never" or {"for_s": seconds}"#;
            Err(vec![FieldError::new(FIELD, message)])
        }
    }
}

fn read_absent(value: &Value) -> Result<bool, Vec<FieldError>> {
    let mut document = Document::within("absent", value)?;
    let offer = document.optional("offer", document::truth);
    document.finish()?;
    Ok(offer.unwrap_or(false))
}

fn read_autoclose(value: &Value) -> Result<Autoclose, Vec<FieldError>> {
    let mut document = Document::within("autoclose_s", value)?;
    let defaults = Autoclose::default();
    let mut state = |field, default: Option<Span>| {
        document
            .optional(field, |value| nullable(value, Seconds::read))
            .map_or(default, |given| given.map(|seconds| seconds.0))
    };
    let autoclose = Autoclose {
        open: state("open", defaults.open),
        active: state("active", defaults.active),
        wrapup: state("wrapup", defaults.wrapup),
    };
    document.finish()?;
    Ok(autoclose)
}

fn read_idle(value: &Value) -> Result<Option<IdleRule>, Vec<FieldError>> {
    if value.is_null() {
        return Ok(None);
    }
    let mut document = Document::within("idle_s", value)?;
    let warn = document.required("warn", Seconds::read);
    let close = document.required("close", Seconds::read);
    document.finish()?;
    Ok(Some(IdleRule { warn: read_or_refused(warn)?.0, close: read_or_refused(close)?.0 }))
}

/// A waiting line and who serves it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Queue)]
pub struct QueueDocument {
    /// Its id; not read, because the address names it.
    #[schema(read_only)]
    pub id: String,
    /// What people call it; its id by default.
    pub name: String,
    /// Who serves it, each once; nobody by default.
    pub agents: Vec<String>,
}

impl From<&QueueSettings> for QueueDocument {
    fn from(queue: &QueueSettings) -> Self {
        Self {
            id: queue.id.to_string(),
            name: queue.name.to_string(),
            agents: queue.agents.iter().map(ToString::to_string).collect(),
        }
    }
}

impl QueueDocument {
    /// Reads a queue that is to have this id.
    pub fn read(id: QueueId, body: &[u8]) -> Result<QueueSettings, Vec<FieldError>> {
        let mut document = Document::parse(body)?;
        same_id(&mut document, id.as_str());
        let name = name_or_id(&mut document, id.as_str());
        let agents: Option<Vec<AgentId>> =
            document.optional("agents", |value| document::list(value, document::parsed));
        document.finish()?;
        Ok(QueueSettings { id, name: read_or_refused(name)?, agents: agents.unwrap_or_default() })
    }
}

/// A person who answers, as an administrator decides.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = AgentSettings)]
pub struct AgentDocument {
    /// Their id; not read, because the address names it.
    #[schema(read_only)]
    pub id: String,
    /// What customers see them called; their id by default.
    pub name: String,
    /// What they may do; `agent` by default.
    #[schema(schema_with = roles)]
    pub role: &'static str,
    /// How much work they may be given at once: 0 to 100,000 units; 1 by default.
    #[schema(default = 1, minimum = 0, maximum = 100_000)]
    pub units: u32,
}

impl From<&AgentSettings> for AgentDocument {
    fn from(agent: &AgentSettings) -> Self {
        Self {
            id: agent.id.to_string(),
            name: agent.name.to_string(),
            role: role_name(agent.role),
            units: agent.units,
        }
    }
}

impl AgentDocument {
    /// Reads an agent who is to have this id.
    pub fn read(id: AgentId, body: &[u8]) -> Result<AgentSettings, Vec<FieldError>> {
        let mut document = Document::parse(body)?;
        same_id(&mut document, id.as_str());
        let name = name_or_id(&mut document, id.as_str());
        let role = document.optional("role", role_named);
        let units = document.optional("units", document::whole);
        // A document that was shown and is put back may have these fields; they are ignored.
        for shown in ["presence", "chosen", "used", "leases"] {
            document.optional(shown, |_| Ok(()));
        }
        document.finish()?;
        let role = role.unwrap_or(crate::domain::settings::Role::Agent);
        Ok(AgentSettings { id, name: read_or_refused(name)?, role, units: units.unwrap_or(1) })
    }
}

fn block() -> utoipa::openapi::Schema {
    use utoipa::openapi::{ObjectBuilder, OneOfBuilder, Type};
    let length = ObjectBuilder::new()
        .property("for_s", ObjectBuilder::new().schema_type(Type::Number))
        .required("for_s");
    OneOfBuilder::new().item(names(["always", "never"])).item(length).build().into()
}

macro_rules! page {
    ($name:ident, $field:ident, $item:ty, $what:literal) => {
        #[doc = concat!("A page of ", $what, ", by id.")]
        #[derive(Debug, Serialize, ToSchema)]
        pub struct $name {
            #[doc = concat!("The ", $what, ".")]
            pub $field: Vec<$item>,
            /// What to pass as `cursor` for the next page; absent on the last.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub next: Option<String>,
        }
    };
}

page!(WorkstreamPage, workstreams, WorkstreamDocument, "workstreams");
page!(QueuePage, queues, QueueDocument, "queues");
page!(WidgetPage, widgets, WidgetDocument, "widgets");
