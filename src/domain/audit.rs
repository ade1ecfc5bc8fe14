//! What is noted of people so that it can be asked for later: who changed, read or did what, and
//! who was refused. No secret is ever in it, and nothing that was said in a chat.

use std::collections::BTreeMap;

use crate::domain::id::{AgentId, ConversationId, WidgetId};
use crate::domain::settings::registry::{SettingChange, Token, TokenDigest};
use crate::domain::time::Timestamp;

/// One thing that is noted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// How often it happened: repeats within a minute are noted once, with their number.
    pub times: u32,
    /// What was done.
    pub act: Act,
}

/// What somebody did, or was refused.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Act {
    /// Who did it; nobody where that is not known or the server did it by itself.
    pub by: Option<AgentId>,
    /// What kind of thing.
    pub kind: AuditKind,
    /// About what: a kind of thing, a colon and its id, such as `agent:ada`.
    pub about: Option<String>,
    /// What else there is to say, by name.
    pub facts: BTreeMap<String, String>,
}

/// What kind of thing is noted. The names never change, and later releases add more.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum AuditKind {
    /// A setting was made or replaced.
    SettingPut,
    /// A setting was removed.
    SettingDeleted,
    /// An agent was given a token.
    TokenMade,
    /// A token was ended.
    TokenEnded,
    /// Somebody showed no token, one that is nobody's, or one that has expired.
    SignInRefused,
    /// Somebody asked for something they may not have: a caller whose token is good, or a page that
    /// a widget does not name.
    AccessRefused,
    /// A presence was chosen for somebody else.
    PresenceSet,
    /// A chat was given to an agent.
    ChatAssigned,
    /// A chat was closed, whatever its state.
    ChatForceClosed,
    /// A chat was accepted in an agent's place.
    ChatAccepted,
    /// A chat was declined in an agent's place.
    ChatDeclined,
    /// Something was said in an agent's place.
    MessagePosted,
    /// Somebody else's chat was given back to its queue.
    ChatReleased,
    /// Somebody else's chat was ended.
    ChatEnded,
    /// Somebody else's chat was closed after its wrap-up.
    ChatClosed,
    /// A transcript was read.
    TranscriptRead,
    /// A timeline was read.
    TimelineRead,
    /// A chat was erased.
    ChatErased,
    /// Every chat of a visitor was erased.
    VisitorErased,
    /// All that is kept of a chat was given out.
    ChatExported,
    /// All that is kept of a visitor was given out.
    VisitorExported,
    /// Somebody else's feed was opened.
    FeedWatched,
    /// A secret of the server's own was replaced.
    SecretReplaced,
    /// What an earlier secret had signed was ended.
    SecretEnded,
    /// The retention of these entries has dropped the oldest.
    EntriesDropped,
    /// The data directory was made from a backup.
    Restored,
}

impl AuditKind {
    /// Every kind.
    pub const ALL: [Self; 26] = [
        Self::SettingPut,
        Self::SettingDeleted,
        Self::TokenMade,
        Self::TokenEnded,
        Self::SignInRefused,
        Self::AccessRefused,
        Self::PresenceSet,
        Self::ChatAssigned,
        Self::ChatForceClosed,
        Self::ChatAccepted,
        Self::ChatDeclined,
        Self::MessagePosted,
        Self::ChatReleased,
        Self::ChatEnded,
        Self::ChatClosed,
        Self::TranscriptRead,
        Self::TimelineRead,
        Self::ChatErased,
        Self::VisitorErased,
        Self::ChatExported,
        Self::VisitorExported,
        Self::FeedWatched,
        Self::SecretReplaced,
        Self::SecretEnded,
        Self::EntriesDropped,
        Self::Restored,
    ];

    /// The name in the stream and on HTTP.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SettingPut => "setting_put",
            Self::SettingDeleted => "setting_deleted",
            Self::TokenMade => "token_made",
            Self::TokenEnded => "token_ended",
            Self::SignInRefused => "sign_in_refused",
            Self::AccessRefused => "access_refused",
            Self::PresenceSet => "presence_set",
            Self::ChatAssigned => "chat_assigned",
            Self::ChatForceClosed => "chat_force_closed",
            Self::ChatAccepted => "chat_accepted",
            Self::ChatDeclined => "chat_declined",
            Self::MessagePosted => "message_posted",
            Self::ChatReleased => "chat_released",
            Self::ChatEnded => "chat_ended",
            Self::ChatClosed => "chat_closed",
            Self::TranscriptRead => "transcript_read",
            Self::TimelineRead => "timeline_read",
            Self::ChatErased => "chat_erased",
            Self::VisitorErased => "visitor_erased",
            Self::ChatExported => "chat_exported",
            Self::VisitorExported => "visitor_exported",
            Self::FeedWatched => "feed_watched",
            Self::EntriesDropped => "entries_dropped",
            Self::SecretReplaced => "secret_replaced",
            Self::SecretEnded => "secret_ended",
            Self::Restored => "restored",
        }
    }
}

impl Act {
    /// An act about which there is nothing more to say yet.
    pub const fn new(kind: AuditKind, by: Option<AgentId>) -> Self {
        Self { by, kind, about: None, facts: BTreeMap::new() }
    }

    /// The same, about this kind of thing with this id.
    #[must_use]
    pub fn about(self, kind: &str, id: &str) -> Self {
        Self { about: Some(format!("{kind}:{id}")), ..self }
    }

    /// The same, about a chat.
    #[must_use]
    pub fn about_chat(self, id: ConversationId) -> Self {
        self.about("conversation", &id.to_string())
    }

    /// The same, about an agent.
    #[must_use]
    pub fn about_agent(self, id: &AgentId) -> Self {
        self.about("agent", id.as_str())
    }

    /// The same, about a widget.
    #[must_use]
    pub fn about_widget(self, id: &WidgetId) -> Self {
        self.about("widget", id.as_str())
    }

    /// The same with one more fact.
    #[must_use]
    pub fn with(mut self, name: &str, fact: impl Into<String>) -> Self {
        self.facts.insert(name.to_owned(), fact.into());
        self
    }

    /// The use of a known token that lets nobody in, for the reason of this code.
    pub fn refused(digest: &TokenDigest, token: &Token, code: &str) -> Self {
        Self::new(AuditKind::SignInRefused, Some(token.agent.clone()))
            .about("token", &digest.id().to_string())
            .with("code", code)
    }

    /// What is noted of a change of the settings. The use of a token is not noted: the server
    /// records that by itself every day.
    pub fn of_change(change: &SettingChange, by: Option<&AgentId>) -> Option<Self> {
        let by = by.cloned();
        let put = |kind, id| Some(Self::new(AuditKind::SettingPut, by.clone()).about(kind, id));
        let deleted =
            |kind, id| Some(Self::new(AuditKind::SettingDeleted, by.clone()).about(kind, id));
        match change {
            SettingChange::PutWorkstream(it) => put("workstream", it.id.as_str()),
            SettingChange::PutQueue(it) => put("queue", it.id.as_str()),
            SettingChange::PutWidget(it) => put("widget", it.id.as_str()),
            SettingChange::PutAgent(it) => put("agent", it.id.as_str()),
            SettingChange::PutAuditRetention(_) => put("audit", "retention"),
            SettingChange::DeleteWorkstream(id) => deleted("workstream", id.as_str()),
            SettingChange::DeleteQueue(id) => deleted("queue", id.as_str()),
            SettingChange::DeleteWidget(id) => deleted("widget", id.as_str()),
            SettingChange::DeleteAgent(id) => deleted("agent", id.as_str()),
            SettingChange::AddToken { digest, token } => Some(
                Self::new(AuditKind::TokenMade, by)
                    .about("token", &digest.id().to_string())
                    .with("agent", token.agent.as_str()),
            ),
            SettingChange::EndToken(digest) => {
                Some(Self::new(AuditKind::TokenEnded, by).about("token", &digest.id().to_string()))
            }
            SettingChange::NoteTokenUse { .. } => None,
        }
    }
}
