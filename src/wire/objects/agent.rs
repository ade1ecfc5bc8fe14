//! An agent as HTTP shows them, and how they choose a presence.

use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::Object;

use crate::domain::agent::Presence;
use crate::domain::id::ConversationId;
use crate::domain::lease::{Lease, Purpose};
use crate::domain::settings::{AgentSettings, Role};
use crate::wire::document::{self, Document, FieldError, read_or_refused};
use crate::wire::enumeration::names;

/// Every role, the least first.
const ROLES: [Role; 3] = [Role::Agent, Role::Supervisor, Role::Administrator];

/// An agent as they are now.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Agent)]
pub struct AgentObject {
    /// Their id.
    pub id: String,
    /// What customers see them called.
    pub name: String,
    /// What they may do.
    #[schema(schema_with = roles)]
    pub role: &'static str,
    /// How much work they may be given at once.
    pub units: u32,
    /// The presence that others see: `offline` while nothing links them.
    #[schema(schema_with = presences)]
    pub presence: &'static str,
    /// The presence that they chose last.
    #[schema(schema_with = presences)]
    pub chosen: &'static str,
    /// The sum of the leases' units.
    pub used: u32,
    /// What they hold.
    pub leases: Vec<LeaseObject>,
}

/// A claim of a conversation on an agent's capacity.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Lease)]
pub struct LeaseObject {
    /// Of which conversation.
    pub conversation: String,
    /// How much.
    pub units: u32,
    /// For what.
    #[serde(rename = "for")]
    #[schema(schema_with = purposes)]
    pub purpose: &'static str,
}

impl LeaseObject {
    /// What `conversation` holds.
    pub fn new(conversation: ConversationId, lease: &Lease) -> Self {
        Self {
            conversation: conversation.to_string(),
            units: lease.units,
            purpose: lease.purpose.name(),
        }
    }
}

impl AgentObject {
    /// An agent with these settings, this presence (as others see it, and as chosen) and these
    /// leases.
    pub fn new<'a>(
        settings: &AgentSettings,
        presence: Presence,
        chosen: Presence,
        used: u32,
        leases: impl IntoIterator<Item = (ConversationId, &'a Lease)>,
    ) -> Self {
        Self {
            id: settings.id.to_string(),
            name: settings.name.to_string(),
            role: role_name(settings.role),
            units: settings.units,
            presence: presence.name(),
            chosen: chosen.name(),
            used,
            leases: leases
                .into_iter()
                .map(|(conversation, lease)| LeaseObject::new(conversation, lease))
                .collect(),
        }
    }
}

/// A page of agents, by id.
#[derive(Debug, Serialize, ToSchema)]
pub struct AgentPage {
    /// The agents.
    pub agents: Vec<AgentObject>,
    /// What to pass as `cursor` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// The sign of life of a console.
#[derive(Clone, Debug, Eq, PartialEq, ToSchema)]
pub struct BeatDocument {
    /// The feed that it reads, as the event `open` called it.
    pub feed: String,
}

impl BeatDocument {
    /// Reads `{feed}`.
    pub fn read(body: &[u8]) -> Result<Self, Vec<FieldError>> {
        let mut document = Document::parse(body)?;
        let feed = document.required("feed", document::text);
        document.finish()?;
        Ok(Self { feed: read_or_refused(feed)? })
    }
}

/// The presence that an agent chooses.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ToSchema)]
pub struct PresenceDocument {
    /// The presence.
    #[schema(schema_with = presences)]
    pub presence: Presence,
}

impl PresenceDocument {
    /// Reads `{presence}`.
    pub fn read(body: &[u8]) -> Result<Self, Vec<FieldError>> {
        let mut document = Document::parse(body)?;
        let presence = document
            .required("presence", |value| document::one_of(value, &Presence::ALL, Presence::name));
        document.finish()?;
        Ok(Self { presence: read_or_refused(presence)? })
    }
}

/// The name of a role.
pub(super) const fn role_name(role: Role) -> &'static str {
    match role {
        Role::Agent => "agent",
        Role::Supervisor => "supervisor",
        Role::Administrator => "administrator",
    }
}

/// Reads a role.
pub fn role_named(value: &serde_json::Value) -> Result<Role, String> {
    document::one_of(value, &ROLES, role_name)
}

pub(super) fn roles() -> Object {
    names(ROLES.map(role_name))
}

fn presences() -> Object {
    names(Presence::ALL.map(Presence::name))
}

fn purposes() -> Object {
    names([Purpose::Offer, Purpose::Chat, Purpose::Wrapup].map(Purpose::name))
}
