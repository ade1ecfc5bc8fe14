//! The stored forms of the settings: each change as a record, each document as it stands now.

mod absence;
mod audit;
mod retention;
mod token;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::id::AgentId;
use crate::domain::settings::registry::{Registry, SettingChange};
use crate::domain::settings::{
    AgentSettings, Autoclose, IdleRule, QueueSettings, WidgetSettings, Workstream, WrapupBlock,
};
use crate::domain::text::DisplayName;
use crate::domain::time::Span;
use crate::journal::record::pieces::RoleName;
use crate::journal::record::{Record, Unreadable, json};

pub(super) use retention::DisposalName;
use retention::RetentionForm;
pub use token::{digest_text, read_digest};

/// What a document is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DocumentKind {
    /// A workstream.
    Workstream,
    /// A queue.
    Queue,
    /// A widget.
    Widget,
    /// An agent.
    Agent,
    /// The audit stream.
    Audit,
}

/// A document of the settings, as JSON.
pub type Document = String;

impl DocumentKind {
    /// Every kind.
    pub const ALL: [Self; 5] =
        [Self::Workstream, Self::Queue, Self::Widget, Self::Agent, Self::Audit];

    /// The name in the column `kind` of `settings`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Workstream => "workstream",
            Self::Queue => "queue",
            Self::Widget => "widget",
            Self::Agent => "agent",
            Self::Audit => "audit",
        }
    }

    /// The change that puts this document.
    pub fn read(self, document: &str) -> Result<SettingChange, Unreadable> {
        Ok(match self {
            Self::Workstream => SettingChange::PutWorkstream(read::<WorkstreamForm>(document)?),
            Self::Queue => SettingChange::PutQueue(read::<QueueForm>(document)?),
            Self::Widget => SettingChange::PutWidget(read::<WidgetForm>(document)?),
            Self::Agent => SettingChange::PutAgent(read::<AgentForm>(document)?),
            Self::Audit => audit::read(document)?,
        })
    }
}

#[derive(Deserialize, Serialize)]
struct WorkstreamForm {
    id: String,
    queue: String,
    units: u32,
    window_ms: u64,
    heartbeat_ms: u64,
    offer_ms: u64,
    // Later than the rest: absent in records of earlier releases.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    offers_absent: bool,
    decline_limit: u8,
    agent_grace_ms: u64,
    // Later than the rest: absent in records of earlier releases.
    #[serde(default = "absence::offer_grace", skip_serializing_if = "absence::is_offer_grace")]
    offer_grace_ms: u64,
    #[serde(default = "absence::agent_notice", skip_serializing_if = "absence::is_agent_notice")]
    agent_notice_ms: Option<u64>,
    wrapup_block: WrapupBlockForm,
    autoclose: AutocloseForm,
    #[serde(skip_serializing_if = "Option::is_none")]
    idle: Option<IdleForm>,
    #[serde(skip_serializing_if = "Option::is_none")]
    redirect: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retention: Option<RetentionForm>,
}

#[derive(Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum WrapupBlockForm {
    Always,
    Never,
    For { for_ms: u64 },
}

#[derive(Deserialize, Serialize)]
struct AutocloseForm {
    #[serde(rename = "open_ms", skip_serializing_if = "Option::is_none")]
    open: Option<u64>,
    #[serde(rename = "active_ms", skip_serializing_if = "Option::is_none")]
    active: Option<u64>,
    #[serde(rename = "wrapup_ms", skip_serializing_if = "Option::is_none")]
    wrapup: Option<u64>,
}

#[derive(Deserialize, Serialize)]
struct IdleForm {
    #[serde(rename = "warn_ms")]
    warn: u64,
    #[serde(rename = "close_ms")]
    close: u64,
}

#[derive(Deserialize, Serialize)]
struct QueueForm {
    id: String,
    name: String,
    agents: Vec<String>,
}

#[derive(Deserialize, Serialize)]
struct WidgetForm {
    id: String,
    workstream: String,
    origins: Vec<String>,
}

#[derive(Deserialize, Serialize)]
struct AgentForm {
    id: String,
    name: String,
    role: RoleName,
    units: u32,
}

#[derive(Deserialize, Serialize)]
struct Deleted {
    id: String,
}

/// The record of a change.
pub(super) fn encode(change: &SettingChange) -> Record {
    let deleted = |kind, id: &dyn ToString| Record::new(kind, &Deleted { id: id.to_string() });
    match change {
        SettingChange::PutWorkstream(put) => {
            Record::new("workstream_put", &WorkstreamForm::from(put))
        }
        SettingChange::DeleteWorkstream(id) => deleted("workstream_deleted", id),
        SettingChange::PutQueue(put) => Record::new("queue_put", &QueueForm::from(put)),
        SettingChange::DeleteQueue(id) => deleted("queue_deleted", id),
        SettingChange::PutWidget(put) => Record::new("widget_put", &WidgetForm::from(put)),
        SettingChange::DeleteWidget(id) => deleted("widget_deleted", id),
        SettingChange::PutAgent(put) => Record::new("agent_put", &AgentForm::from(put)),
        SettingChange::DeleteAgent(id) => deleted("agent_deleted", id),
        SettingChange::PutAuditRetention(put) => {
            Record::new("audit_retention_put", &audit::AuditRetentionForm::from(*put))
        }
        SettingChange::AddToken { digest, token } => token::added(digest, token),
        SettingChange::EndToken(digest) => token::ended(digest),
        SettingChange::NoteTokenUse { digest, at } => token::used(digest, *at),
    }
}

/// The change that the record says; nothing when its kind is no change's.
pub(super) fn decode(kind: &str, body: &str) -> Result<Option<SettingChange>, Unreadable> {
    let id = || serde_json::from_str::<Deleted>(body).map(|deleted| deleted.id);
    Ok(Some(match kind {
        "workstream_put" => DocumentKind::Workstream.read(body)?,
        "workstream_deleted" => SettingChange::DeleteWorkstream(id()?.parse()?),
        "queue_put" => DocumentKind::Queue.read(body)?,
        "queue_deleted" => SettingChange::DeleteQueue(id()?.parse()?),
        "widget_put" => DocumentKind::Widget.read(body)?,
        "widget_deleted" => SettingChange::DeleteWidget(id()?.parse()?),
        "agent_put" => DocumentKind::Agent.read(body)?,
        "audit_retention_put" => DocumentKind::Audit.read(body)?,
        "agent_deleted" => SettingChange::DeleteAgent(id()?.parse()?),
        _ => return token::decode(kind, body),
    }))
}

/// See [`super::changed_documents`].
pub(super) fn changed_documents(
    change: &SettingChange,
    before: &Registry,
    after: &Registry,
) -> Vec<(DocumentKind, String, Option<Document>)> {
    match change {
        SettingChange::PutWorkstream(put) => {
            let document = json(&WorkstreamForm::from(put));
            vec![(DocumentKind::Workstream, put.id.to_string(), Some(document))]
        }
        SettingChange::PutQueue(put) => vec![queue_document(put)],
        SettingChange::PutWidget(put) => {
            let document = json(&WidgetForm::from(put));
            vec![(DocumentKind::Widget, put.id.to_string(), Some(document))]
        }
        SettingChange::PutAgent(put) => {
            let document = json(&AgentForm::from(put));
            vec![(DocumentKind::Agent, put.id.to_string(), Some(document))]
        }
        SettingChange::DeleteWorkstream(id) => {
            vec![(DocumentKind::Workstream, id.to_string(), None)]
        }
        SettingChange::DeleteQueue(id) => vec![(DocumentKind::Queue, id.to_string(), None)],
        SettingChange::DeleteWidget(id) => vec![(DocumentKind::Widget, id.to_string(), None)],
        SettingChange::DeleteAgent(id) => {
            let mut changed = vec![(DocumentKind::Agent, id.to_string(), None)];
            changed.extend(queues_that_changed(before, after).map(queue_document));
            changed
        }
        SettingChange::PutAuditRetention(put) => {
            vec![(DocumentKind::Audit, audit::ID.to_owned(), Some(audit::document(*put)))]
        }
        SettingChange::AddToken { .. }
        | SettingChange::EndToken(_)
        | SettingChange::NoteTokenUse { .. } => Vec::new(),
    }
}

fn queues_that_changed<'a>(
    before: &'a Registry,
    after: &'a Registry,
) -> impl Iterator<Item = &'a QueueSettings> {
    after.queues.iter().filter_map(|(id, queue)| {
        let same = before.queues.get(id).is_some_and(|former| Arc::ptr_eq(former, queue));
        (!same).then_some(&**queue)
    })
}

fn queue_document(queue: &QueueSettings) -> (DocumentKind, String, Option<Document>) {
    (DocumentKind::Queue, queue.id.to_string(), Some(json(&QueueForm::from(queue))))
}

fn read<'a, Form>(document: &'a str) -> Result<Form::Settings, Unreadable>
where
    Form: Deserialize<'a> + IntoSettings,
{
    serde_json::from_str::<Form>(document)?.into_settings()
}

trait IntoSettings {
    type Settings;

    fn into_settings(self) -> Result<Self::Settings, Unreadable>;
}

impl From<&Workstream> for WorkstreamForm {
    fn from(workstream: &Workstream) -> Self {
        let millis = |span: Option<Span>| span.map(Span::as_millis);
        Self {
            id: workstream.id.to_string(),
            queue: workstream.queue.to_string(),
            units: workstream.units,
            window_ms: workstream.window.as_millis(),
            heartbeat_ms: workstream.heartbeat.as_millis(),
            offer_ms: workstream.offer.as_millis(),
            offers_absent: workstream.offers_absent,
            decline_limit: workstream.decline_limit,
            agent_grace_ms: workstream.agent_grace.as_millis(),
            offer_grace_ms: workstream.offer_grace.as_millis(),
            agent_notice_ms: millis(workstream.agent_notice),
            wrapup_block: match workstream.wrapup_block {
                WrapupBlock::Always => WrapupBlockForm::Always,
                WrapupBlock::Never => WrapupBlockForm::Never,
                WrapupBlock::For(span) => WrapupBlockForm::For { for_ms: span.as_millis() },
            },
            autoclose: AutocloseForm {
                open: millis(workstream.autoclose.open),
                active: millis(workstream.autoclose.active),
                wrapup: millis(workstream.autoclose.wrapup),
            },
            idle: workstream.idle.map(|idle| IdleForm {
                warn: idle.warn.as_millis(),
                close: idle.close.as_millis(),
            }),
            redirect: workstream.redirect.as_deref().map(str::to_owned),
            retention: workstream.retention.map(RetentionForm::from),
        }
    }
}

impl IntoSettings for WorkstreamForm {
    type Settings = Workstream;

    fn into_settings(self) -> Result<Workstream, Unreadable> {
        let span = |millis: Option<u64>| millis.map(Span::from_millis);
        Ok(Workstream {
            id: self.id.parse()?,
            queue: self.queue.parse()?,
            units: self.units,
            window: Span::from_millis(self.window_ms),
            heartbeat: Span::from_millis(self.heartbeat_ms),
            offer: Span::from_millis(self.offer_ms),
            offers_absent: self.offers_absent,
            decline_limit: self.decline_limit,
            agent_grace: Span::from_millis(self.agent_grace_ms),
            offer_grace: Span::from_millis(self.offer_grace_ms),
            agent_notice: span(self.agent_notice_ms),
            wrapup_block: match self.wrapup_block {
                WrapupBlockForm::Always => WrapupBlock::Always,
                WrapupBlockForm::Never => WrapupBlock::Never,
                WrapupBlockForm::For { for_ms } => WrapupBlock::For(Span::from_millis(for_ms)),
            },
            autoclose: Autoclose {
                open: span(self.autoclose.open),
                active: span(self.autoclose.active),
                wrapup: span(self.autoclose.wrapup),
            },
            idle: self.idle.map(|idle| IdleRule {
                warn: Span::from_millis(idle.warn),
                close: Span::from_millis(idle.close),
            }),
            redirect: self.redirect.map(Arc::from),
            retention: self.retention.map(Into::into),
        })
    }
}

impl From<&QueueSettings> for QueueForm {
    fn from(queue: &QueueSettings) -> Self {
        Self {
            id: queue.id.to_string(),
            name: queue.name.to_string(),
            agents: queue.agents.iter().map(ToString::to_string).collect(),
        }
    }
}

impl IntoSettings for QueueForm {
    type Settings = QueueSettings;

    fn into_settings(self) -> Result<QueueSettings, Unreadable> {
        let agents = self.agents.iter().map(|agent| agent.parse::<AgentId>());
        Ok(QueueSettings {
            id: self.id.parse()?,
            name: DisplayName::stored(&self.name)?,
            agents: agents.collect::<Result<_, _>>()?,
        })
    }
}

impl From<&WidgetSettings> for WidgetForm {
    fn from(widget: &WidgetSettings) -> Self {
        Self {
            id: widget.id.to_string(),
            workstream: widget.workstream.to_string(),
            origins: widget.origins.iter().map(ToString::to_string).collect(),
        }
    }
}

impl IntoSettings for WidgetForm {
    type Settings = WidgetSettings;

    fn into_settings(self) -> Result<WidgetSettings, Unreadable> {
        Ok(WidgetSettings {
            id: self.id.parse()?,
            workstream: self.workstream.parse()?,
            origins: self.origins.into_iter().map(Arc::from).collect(),
        })
    }
}

impl From<&AgentSettings> for AgentForm {
    fn from(agent: &AgentSettings) -> Self {
        Self {
            id: agent.id.to_string(),
            name: agent.name.to_string(),
            role: agent.role.into(),
            units: agent.units,
        }
    }
}

impl IntoSettings for AgentForm {
    type Settings = AgentSettings;

    fn into_settings(self) -> Result<AgentSettings, Unreadable> {
        Ok(AgentSettings {
            id: self.id.parse()?,
            name: DisplayName::stored(&self.name)?,
            role: self.role.into(),
            units: self.units,
        })
    }
}
