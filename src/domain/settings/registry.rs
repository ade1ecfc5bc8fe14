//! All settings together, and the rules between them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::domain::conversation::event::Opening;
use crate::domain::id::{AgentId, QueueId, WidgetId, WorkstreamId};
use crate::domain::settings::{
    AgentSettings, AuditRetention, QueueSettings, Violation, WidgetSettings, Workstream,
};
use crate::domain::time::Timestamp;
use crate::limits;

pub use crate::domain::settings::token::{Token, TokenDigest, TokenId};

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
    /// The tokens of agents, by digest.
    pub tokens: BTreeMap<TokenDigest, Token>,
    /// For how long the audit stream is kept.
    pub audit: AuditRetention,
}

impl Registry {
    /// The workstream that chats of a widget are handled under; nothing once either was removed.
    pub fn workstream_of_widget(&self, widget: &WidgetId) -> Option<&Arc<Workstream>> {
        self.workstreams.get(&self.widgets.get(widget)?.workstream)
    }

    /// The workstream in force for a chat that began like this. If it was removed meanwhile, the
    /// chat goes on with the defaults, because there is nobody to ask any more.
    pub fn workstream_of(&self, opening: &Opening) -> Cow<'_, Arc<Workstream>> {
        self.workstreams.get(&opening.workstream).map_or_else(
            || {
                let (workstream, queue) = (opening.workstream.clone(), opening.queue.clone());
                Cow::Owned(Arc::new(Workstream::new(workstream, queue)))
            },
            Cow::Borrowed,
        )
    }

    /// The queue where a chat that began like this waits. Releases before this one let a queue be
    /// removed all the same; then the workstream's queue takes its place.
    pub fn queue_of(&self, opening: &Opening) -> QueueId {
        if self.queues.contains_key(&opening.queue) {
            opening.queue.clone()
        } else {
            self.workstream_of(opening).queue.clone()
        }
    }
}

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
    /// Decide for how long the audit stream is kept.
    PutAuditRetention(AuditRetention),
    /// Let an agent in with one more token.
    AddToken {
        /// The digest of the token.
        digest: TokenDigest,
        /// Whose it is, and until when.
        token: Token,
    },
    /// End one token.
    EndToken(TokenDigest),
    /// Note when a token was used.
    NoteTokenUse {
        /// The digest of the token.
        digest: TokenDigest,
        /// When.
        at: Timestamp,
    },
}

impl SettingChange {
    /// Whether it concerns only a token, and nobody's work.
    pub const fn is_of_a_token(&self) -> bool {
        matches!(self, Self::AddToken { .. } | Self::EndToken(_) | Self::NoteTokenUse { .. })
    }

    /// The setting that it would take away from chats that use it.
    pub fn takes_away(&self) -> Option<Setting> {
        match self {
            Self::DeleteQueue(id) => Some(Setting::Queue(id.clone())),
            Self::DeleteWorkstream(id) => Some(Setting::Workstream(id.clone())),
            Self::DeleteWidget(id) => Some(Setting::Widget(id.clone())),
            _ => None,
        }
    }
}

/// A setting that chats use.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Setting {
    /// The queue that a chat began in.
    Queue(QueueId),
    /// The workstream that it is handled under.
    Workstream(WorkstreamId),
    /// The widget that it began in.
    Widget(WidgetId),
}

impl Setting {
    /// Whether a chat that began like this uses it.
    pub fn governs(&self, opening: &Opening) -> bool {
        match self {
            Self::Queue(queue) => opening.queue == *queue,
            Self::Workstream(workstream) => opening.workstream == *workstream,
            Self::Widget(widget) => opening.widget == *widget,
        }
    }
}

/// Why a change of the settings is refused.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SettingRefusal {
    /// The document breaks rules; each is named.
    Invalid(Vec<Violation>),
    /// There is no such thing.
    Unknown(&'static str),
    /// Something else needs it, which is named.
    InUse(String),
    /// The agent has as many tokens as an agent may have.
    TooManyTokens,
}

impl SettingRefusal {
    /// The code, which never changes.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid_settings",
            Self::Unknown(_) => "unknown_setting",
            Self::InUse(_) => "in_use",
            Self::TooManyTokens => "too_many_tokens",
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
            Self::TooManyTokens => {
                let most = limits::AGENT_TOKENS_MAX;
                write!(formatter, "an agent has at most {most} tokens: end one that nobody needs")
            }
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
            SettingChange::PutAuditRetention(retention) => valid(retention.violations()),
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
            SettingChange::DeleteAgent(id) => known(self.agents.contains_key(id), "agent"),
            SettingChange::AddToken { token, .. } => {
                known(self.agents.contains_key(&token.agent), "agent")?;
                valid(token.violations())?;
                let good = self.tokens_of(&token.agent).filter(|(_, it)| it.is_good(token.made_at));
                let has_room = good.count() < limits::AGENT_TOKENS_MAX;
                if has_room { Ok(()) } else { Err(SettingRefusal::TooManyTokens) }
            }
            SettingChange::EndToken(digest) | SettingChange::NoteTokenUse { digest, .. } => {
                known(self.tokens.contains_key(digest), "token")
            }
        }
    }

    /// Puts the change in force. Total: a change that was accepted once is never refused again.
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
            SettingChange::PutAuditRetention(retention) => self.audit = retention,
            SettingChange::AddToken { digest, token } => self.add_token(digest, token),
            SettingChange::EndToken(digest) => {
                self.tokens.remove(&digest);
            }
            SettingChange::NoteTokenUse { digest, at } => {
                if let Some(token) = self.tokens.get_mut(&digest) {
                    token.used_at = Some(at);
                }
            }
        }
    }

    /// The queues that an agent serves.
    pub fn queues_of(&self, agent: &AgentId) -> impl Iterator<Item = &QueueId> {
        let serves = move |queue: &&Arc<QueueSettings>| queue.agents.contains(agent);
        self.queues.values().filter(serves).map(|queue| &queue.id)
    }

    /// The tokens of an agent.
    pub fn tokens_of(&self, agent: &AgentId) -> impl Iterator<Item = (&TokenDigest, &Token)> {
        self.tokens.iter().filter(move |(_, token)| token.agent == *agent)
    }

    fn remove_agent(&mut self, id: &AgentId) {
        self.agents.remove(id);
        self.tokens.retain(|_, token| token.agent != *id);
        for queue in self.queues.values_mut().filter(|queue| queue.agents.contains(id)) {
            Arc::make_mut(queue).agents.retain(|agent| agent != id);
        }
    }

    /// Expired tokens make room first, and then the oldest. Earlier releases let an agent have one
    /// token more than the limit, which replaced the oldest.
    fn add_token(&mut self, digest: TokenDigest, token: Token) {
        let of_agent = self.tokens_of(&token.agent).filter(|(known, _)| **known != digest);
        let mut held: Vec<_> = of_agent.map(|(digest, it)| (it.made_at, *digest)).collect();
        held.sort_unstable();
        let surplus = (held.len() + 1).saturating_sub(limits::AGENT_TOKENS_MAX);
        let is_over = |(_, digest): &(Timestamp, TokenDigest)| {
            self.tokens.get(digest).is_some_and(|it| !it.is_good(token.made_at))
        };
        held.sort_by_key(|it| !is_over(it));
        for (_, gone) in held.into_iter().take(surplus) {
            self.tokens.remove(&gone);
        }
        self.tokens.insert(digest, token);
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
