//! Whom a token lets in, and what is noted of its use.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::watch;

use crate::domain::audit::Act;
use crate::domain::id::AgentId;
use crate::domain::settings::AgentSettings;
use crate::domain::settings::registry::{SettingChange, Token, TokenDigest, TokenId};
use crate::domain::time::Timestamp;
use crate::engine::requests::Engine;
use crate::engine::tokens::TokenRefusal;

impl Engine {
    /// From now on agents' tokens let nobody in, and none can be made.
    pub fn take_no_agent_tokens(&self) {
        self.shared().tokens.are_off.store(true, Ordering::Relaxed);
    }

    /// Whether tokens of agents let them in.
    pub fn takes_agent_tokens(&self) -> bool {
        !self.shared().tokens.are_off.load(Ordering::Relaxed)
    }

    /// Whom a token lets in now.
    pub fn holder(&self, digest: &TokenDigest) -> Result<Arc<AgentSettings>, TokenRefusal> {
        let settings = self.settings();
        let token = settings.tokens.get(digest).ok_or(TokenRefusal::Unknown)?;
        if !token.is_good(self.now()) {
            self.audit_known(Act::refused(digest, token, "token_expired"));
            return Err(TokenRefusal::Expired);
        }
        if !self.takes_agent_tokens() {
            self.audit_known(Act::refused(digest, token, "token_not_taken"));
            return Err(TokenRefusal::NotTaken);
        }
        settings.agents.get(&token.agent).cloned().ok_or(TokenRefusal::Unknown)
    }

    /// Until when a token is good, if it is known and expires.
    pub fn token_expiry(&self, digest: &TokenDigest) -> Option<Timestamp> {
        self.settings().tokens.get(digest)?.expires_at
    }

    /// Tells whenever the settings have changed, or when a token has ended that they do not know:
    /// what was allowed before may not be now.
    pub fn settings_changes(&self) -> watch::Receiver<()> {
        self.shared().tokens.changed.subscribe()
    }

    /// Has everything that a token has let in look again: one has ended that the settings do not
    /// know.
    pub fn note_ended_token(&self) {
        self.shared().tokens.changed.send_replace(());
    }

    /// Notes that a token was used, which is written down once a day.
    pub fn note_token_use(&self, digest: TokenDigest) {
        let (now, settings) = (self.now(), self.settings());
        let Some(token) = settings.tokens.get(&digest) else { return };
        let noted = self.shared().tokens.used.insert(digest, now);
        // What was written down, or is about to be.
        let noted = Token { used_at: noted.max(token.used_at), ..token.clone() };
        if noted.is_use_worth_noting(now) {
            let (engine, at) = (self.clone(), now);
            actix::spawn(async move {
                let change = SettingChange::NoteTokenUse { digest, at };
                if let Err(failure) = engine.change(change).await {
                    tracing::debug!(%failure, "the use of a token could not be written down");
                }
            });
        }
    }

    /// The tokens of an agent, the newest first, each with its digest and the last use.
    pub fn tokens_of(&self, agent: &AgentId) -> Vec<(TokenDigest, Token)> {
        let used = &self.shared().tokens.used;
        let settings = self.settings();
        let mut tokens: Vec<_> = settings
            .tokens_of(agent)
            .map(|(digest, token)| {
                let used_at = used.get(digest).map(|at| *at).max(token.used_at);
                (*digest, Token { used_at, ..token.clone() })
            })
            .collect();
        tokens.sort_by_key(|(digest, token)| (std::cmp::Reverse(token.made_at), *digest));
        tokens
    }

    /// The digest of the agent's token with this id.
    pub fn find_token(&self, agent: &AgentId, id: TokenId) -> Option<TokenDigest> {
        let settings = self.settings();
        let mut digests = settings.tokens_of(agent).map(|(digest, _)| *digest);
        digests.find(|digest| digest.id() == id)
    }
}
