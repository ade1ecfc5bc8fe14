//! Tokens of agents, as they are asked for and shown.

use std::fmt;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::settings::registry::{Token, TokenDigest};
use crate::domain::text::DisplayName;
use crate::domain::time::Timestamp;
use crate::wire::document::{self, Document, FieldError, nullable};
use crate::wire::time::{Seconds, rfc3339};

/// What a new token is to be.
#[derive(Clone, Debug, Eq, PartialEq, ToSchema)]
pub struct TokenDocument {
    /// What people call it: 1 to 100 characters.
    #[schema(value_type = Option<String>)]
    pub name: Option<DisplayName>,
    /// For how many seconds it is good: 1 to 315,360,000 (ten years); for ever when absent.
    #[schema(minimum = 1, maximum = 315360000)]
    pub expires_s: Option<Seconds>,
}

impl TokenDocument {
    /// Reads `{name, expires_s}`, both of which may be absent or null.
    pub fn read(body: &[u8]) -> Result<Self, Vec<FieldError>> {
        let mut document = Document::parse(body)?;
        let name = document.optional("name", |value| {
            nullable(value, |value| {
                let text = document::text(value)?;
                DisplayName::parse(&text).map_err(|refusal| refusal.to_string())
            })
        });
        let expires_s = document.optional("expires_s", |value| nullable(value, Seconds::read));
        document.finish()?;
        Ok(Self { name: name.flatten(), expires_s: expires_s.flatten() })
    }
}

/// A new token. It is shown this once; only its digest is kept.
#[derive(Clone, Serialize, ToSchema)]
pub struct TokenObject {
    /// The token.
    pub token: String,
    /// What it is called where it is ended.
    pub id: String,
    /// What people call it.
    pub name: Option<String>,
    /// When it was made.
    pub made_at: String,
    /// Until when it is good; null when for ever.
    pub expires_at: Option<String>,
}

impl TokenObject {
    /// A token as it is shown to whoever asked for it.
    pub fn new(secret: String, digest: &TokenDigest, token: &Token) -> Self {
        let KeptTokenObject { id, name, made_at, expires_at, .. } =
            KeptTokenObject::new(digest, token);
        Self { token: secret, id, name, made_at, expires_at }
    }
}

impl fmt::Debug for TokenObject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TokenObject").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What is kept of a token, which cannot be made from it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct KeptTokenObject {
    /// What it is called where it is ended.
    pub id: String,
    /// What people call it.
    pub name: Option<String>,
    /// When it was made.
    pub made_at: String,
    /// Until when it is good; null when for ever.
    pub expires_at: Option<String>,
    /// When it was used last; null when never. After a restart it may be up to a day too early.
    pub used_at: Option<String>,
}

impl KeptTokenObject {
    /// A token as it is shown.
    pub fn new(digest: &TokenDigest, token: &Token) -> Self {
        let text = |at: Option<Timestamp>| at.map(rfc3339);
        Self {
            id: digest.id().to_string(),
            name: token.name.as_ref().map(ToString::to_string),
            made_at: rfc3339(token.made_at),
            expires_at: text(token.expires_at),
            used_at: text(token.used_at),
        }
    }
}

/// All tokens of an agent.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TokenList {
    /// The tokens, the newest first: at most ten.
    pub tokens: Vec<KeptTokenObject>,
}
