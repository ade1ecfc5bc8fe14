//! The stored forms of the settings: each change as a record, each document as it stands now.

mod absence;
mod audit;
mod customer_limits;
mod retention;
mod token;
mod widget;
mod workstream;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::id::AgentId;
use crate::domain::settings::registry::{Registry, SettingChange};
use crate::domain::settings::{AgentSettings, QueueSettings};
use crate::domain::text::DisplayName;
use crate::journal::record::body::{Record, json};
use crate::journal::record::pieces::RoleName;
use crate::journal::record::unreadable::Unreadable;

pub(super) use retention::DisposalName;
pub use token::{digest_text, read_digest};
use widget::WidgetForm;
use workstream::WorkstreamForm;

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
            Self::Workstream => SettingChange::PutWorkstream(read::<WorkstreamForm, _>(document)?),
            Self::Queue => SettingChange::PutQueue(read::<QueueForm, _>(document)?),
            Self::Widget => SettingChange::PutWidget(read::<WidgetForm, _>(document)?),
            Self::Agent => SettingChange::PutAgent(read::<AgentForm, _>(document)?),
            Self::Audit => audit::read(document)?,
        })
    }
}

#[derive(Deserialize, Serialize)]
struct QueueForm {
    id: String,
    name: String,
    agents: Vec<String>,
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

/// The documents that a change of the settings has changed, as `settings` now holds them: a
/// document to put, or none to remove.
pub fn changed_documents(
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

fn read<'a, Form, Settings>(document: &'a str) -> Result<Settings, Unreadable>
where
    Form: Deserialize<'a>,
    Settings: TryFrom<Form, Error = Unreadable>,
{
    serde_json::from_str::<Form>(document)?.try_into()
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

impl TryFrom<QueueForm> for QueueSettings {
    type Error = Unreadable;

    fn try_from(form: QueueForm) -> Result<Self, Unreadable> {
        let agents = form.agents.iter().map(|agent| agent.parse::<AgentId>());
        Ok(Self {
            id: form.id.parse()?,
            name: DisplayName::stored(&form.name)?,
            agents: agents.collect::<Result<_, _>>()?,
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

impl TryFrom<AgentForm> for AgentSettings {
    type Error = Unreadable;

    fn try_from(form: AgentForm) -> Result<Self, Unreadable> {
        Ok(Self {
            id: form.id.parse()?,
            name: DisplayName::stored(&form.name)?,
            role: form.role.into(),
            units: form.units,
        })
    }
}
