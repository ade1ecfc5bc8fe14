//! All settings together, and what they must keep towards each other.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::domain::id::{AgentId, QueueId, WidgetId, WorkstreamId};
use crate::domain::settings::{
    AgentSettings, QueueSettings, Violation, WidgetSettings, Workstream,
};
use crate::domain::time::Timestamp;
use crate::limits;

/// The settings in force. A change makes a new registry; nobody sees half of one.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Registry {
    /// Workstreams by id.
    pub workstreams: BTreeMap<WorkstreamId, Arc<Workstream>>,
    /// Queues by id.
    pub queues: BTreeMap<QueueId, Arc<QueueSettings>>,
    /// Widgets by id.
    pub widgets: BTreeMap<WidgetId, Arc<WidgetSettings>>,
    /// Agents by id.
    pub agents: BTreeMap<AgentId, Arc<AgentSettings>>,
    /// Whose each token is, and when it was made, by the token's digest.
    pub tokens: BTreeMap<TokenDigest, (AgentId, Timestamp)>,
}

/// The SHA-256 digest of an agent's token. The token itself is never stored.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct TokenDigest(pub [u8; 32]);

/// One change of the settings. It is durable before it is in force.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SettingChange {
    /// Make or replace a workstream.
    PutWorkstream(Workstream),
    /// Remove a workstream.
    DeleteWorkstream(WorkstreamId),
    /// Make or replace a queue.
    PutQueue(QueueSettings),
    /// Remove a queue.
    DeleteQueue(QueueId),
    /// Make or replace a widget.
    PutWidget(WidgetSettings),
    /// Remove a widget.
    DeleteWidget(WidgetId),
    /// Make or replace an agent.
    PutAgent(AgentSettings),
    /// Remove an agent, their tokens, and their place in every queue.
    DeleteAgent(AgentId),
    /// Let an agent in with one more token.
    AddToken {
        /// The agent.
        agent: AgentId,
        /// The digest of the token.
        digest: TokenDigest,
        /// When it was made.
        at: Timestamp,
    },
}

/// Why a change of the settings is refused.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SettingRefusal {
    /// The document breaks rules; each is named.
    Invalid(Vec<Violation>),
    /// There is no such thing.
    Unknown(&'static str),
    /// Something else needs it; what is told.
    InUse(String),
}

impl SettingRefusal {
    /// The code, which never changes.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid_settings",
            Self::Unknown(_) => "unknown_setting",
            Self::InUse(_) => "in_use",
        }
    }
}

impl fmt::Display for SettingRefusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(violations) => {
                formatter.write_str("the settings break a rule:")?;
                for (index, violation) in violations.iter().enumerate() {
                    let before = if index == 0 { " " } else { "; " };
                    write!(formatter, "{before}{} {}", violation.field, violation.message)?;
                }
                Ok(())
            }
            Self::Unknown(kind) => write!(formatter, "there is no such {kind}"),
            Self::InUse(by) => write!(formatter, "it is in use by {by}"),
        }
    }
}

impl std::error::Error for SettingRefusal {}

impl Registry {
    /// Whether this change keeps every rule.
    pub fn check(&self, change: &SettingChange) -> Result<(), SettingRefusal> {
        match change {
            SettingChange::PutWorkstream(workstream) => valid(self.violations_of(workstream)),
            SettingChange::PutQueue(queue) => valid(self.violations_of_queue(queue)),
            SettingChange::PutWidget(widget) => valid(self.violations_of_widget(widget)),
            SettingChange::PutAgent(agent) => valid(agent.violations()),
            SettingChange::DeleteWorkstream(id) => {
                known(self.workstreams.contains_key(id), "workstream")?;
                let user = self.widgets.values().find(|widget| widget.workstream == *id);
                unused(user.map(|widget| format!("widget {}", widget.id)))
            }
            SettingChange::DeleteQueue(id) => {
                known(self.queues.contains_key(id), "queue")?;
                let user = self.workstreams.values().find(|workstream| workstream.queue == *id);
                unused(user.map(|workstream| format!("workstream {}", workstream.id)))
            }
            SettingChange::DeleteWidget(id) => known(self.widgets.contains_key(id), "widget"),
            SettingChange::DeleteAgent(id) | SettingChange::AddToken { agent: id, .. } => {
                known(self.agents.contains_key(id), "agent")
            }
        }
    }

    /// Puts the change in force. Total: a change that was taken once is never refused again.
    pub fn apply(&mut self, change: SettingChange) {
        match change {
            SettingChange::PutWorkstream(workstream) => {
                self.workstreams.insert(workstream.id.clone(), Arc::new(workstream));
            }
            SettingChange::DeleteWorkstream(id) => {
                self.workstreams.remove(&id);
            }
            SettingChange::PutQueue(queue) => {
                self.queues.insert(queue.id.clone(), Arc::new(queue));
            }
            SettingChange::DeleteQueue(id) => {
                self.queues.remove(&id);
            }
            SettingChange::PutWidget(widget) => {
                self.widgets.insert(widget.id.clone(), Arc::new(widget));
            }
            SettingChange::DeleteWidget(id) => {
                self.widgets.remove(&id);
            }
            SettingChange::PutAgent(agent) => {
                self.agents.insert(agent.id.clone(), Arc::new(agent));
            }
            SettingChange::DeleteAgent(id) => self.remove_agent(&id),
            SettingChange::AddToken { agent, digest, at } => self.add_token(agent, digest, at),
        }
    }

    /// The queues that an agent serves.
    pub fn queues_of(&self, agent: &AgentId) -> impl Iterator<Item = &QueueId> {
        let serves = move |queue: &&Arc<QueueSettings>| queue.agents.contains(agent);
        self.queues.values().filter(serves).map(|queue| &queue.id)
    }

    fn remove_agent(&mut self, id: &AgentId) {
        self.agents.remove(id);
        self.tokens.retain(|_, (agent, _)| agent != id);
        for queue in self.queues.values_mut().filter(|queue| queue.agents.contains(id)) {
            Arc::make_mut(queue).agents.retain(|agent| agent != id);
        }
    }

    fn add_token(&mut self, agent: AgentId, digest: TokenDigest, at: Timestamp) {
        let mut held: Vec<_> = self
            .tokens
            .iter()
            .filter(|(known, (holder, _))| *holder == agent && **known != digest)
            .map(|(digest, (_, at))| (*at, *digest))
            .collect();
        held.sort_unstable();
        let surplus = (held.len() + 1).saturating_sub(limits::AGENT_TOKENS_MAX);
        for (_, oldest) in held.into_iter().take(surplus) {
            self.tokens.remove(&oldest);
        }
        self.tokens.insert(digest, (agent, at));
    }

    fn violations_of(&self, workstream: &Workstream) -> Vec<Violation> {
        let mut found = workstream.violations();
        if !self.queues.contains_key(&workstream.queue) {
            found.push(Violation::new("queue", "must name a queue that exists"));
        }
        found
    }

    fn violations_of_queue(&self, queue: &QueueSettings) -> Vec<Violation> {
        let mut found = queue.violations();
        let unknown = queue.agents.iter().find(|agent| !self.agents.contains_key(agent));
        found.extend(unknown.map(|agent| {
            Violation::new("agents", format!("must name agents that exist; {agent} does not"))
        }));
        found
    }

    fn violations_of_widget(&self, widget: &WidgetSettings) -> Vec<Violation> {
        let mut found = widget.violations();
        if !self.workstreams.contains_key(&widget.workstream) {
            found.push(Violation::new("workstream", "must name a workstream that exists"));
        }
        found
    }
}

fn valid(violations: Vec<Violation>) -> Result<(), SettingRefusal> {
    if violations.is_empty() { Ok(()) } else { Err(SettingRefusal::Invalid(violations)) }
}

fn known(exists: bool, kind: &'static str) -> Result<(), SettingRefusal> {
    if exists { Ok(()) } else { Err(SettingRefusal::Unknown(kind)) }
}

fn unused(by: Option<String>) -> Result<(), SettingRefusal> {
    by.map_or(Ok(()), |by| Err(SettingRefusal::InUse(by)))
}
