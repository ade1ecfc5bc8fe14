//! The tokens of agents, of which only digests are kept.

use std::fmt;
use std::str::FromStr;

use crate::domain::id::AgentId;
use crate::domain::settings::violation::Violation;
use crate::domain::text::DisplayName;
use crate::domain::time::{Span, Timestamp};
use crate::limits;

/// How old the time of last use may become before a later one is written down.
const USE_NOTED_AFTER: Span = Span::from_secs(86_400);

/// The SHA-256 digest of an agent's token. The token itself is never stored.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct TokenDigest(pub [u8; 32]);

/// The name of a token where it is listed and ended: the beginning of its digest, as sixteen
/// hexadecimal digits, from which nobody can make the token.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct TokenId(u64);

/// A token that lets an agent in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Token {
    /// Whose it is.
    pub agent: AgentId,
    /// What people call it.
    pub name: Option<DisplayName>,
    /// When it was made.
    pub made_at: Timestamp,
    /// Until when it is good; for ever when absent.
    pub expires_at: Option<Timestamp>,
    /// When it was used last, to the day; see [`Self::is_use_worth_noting`].
    pub used_at: Option<Timestamp>,
}

impl TokenDigest {
    /// The id of the token.
    pub fn id(&self) -> TokenId {
        let first = self.0.first_chunk().copied().unwrap_or_default();
        TokenId(u64::from_be_bytes(first))
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:016x}", self.0)
    }
}

/// A text that is no id of a token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct MalformedTokenId;

impl FromStr for TokenId {
    type Err = MalformedTokenId;

    fn from_str(text: &str) -> Result<Self, MalformedTokenId> {
        let is_digits = text.len() == 16 && text.bytes().all(|it| it.is_ascii_hexdigit());
        let number = u64::from_str_radix(text, 16).map_err(|_| MalformedTokenId)?;
        if is_digits { Ok(Self(number)) } else { Err(MalformedTokenId) }
    }
}

impl Token {
    /// A token without a name, which never expires.
    pub const fn new(agent: AgentId, made_at: Timestamp) -> Self {
        Self { agent, name: None, made_at, expires_at: None, used_at: None }
    }

    /// Whether it lets its agent in at a moment; at the millisecond of its expiry it no longer
    /// does.
    pub fn is_good(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|expires_at| now < expires_at)
    }

    /// Whether this use is to be written down: the first, and then one a day. So a reader of the
    /// list knows which tokens nobody needs, and a busy agent costs one record a day.
    pub fn is_use_worth_noting(&self, now: Timestamp) -> bool {
        self.used_at.is_none_or(|used_at| now.since(used_at) >= USE_NOTED_AFTER)
    }

    /// Every rule that it breaks; none when it may be made.
    pub fn violations(&self) -> Vec<Violation> {
        let least = self.made_at + Span::from_secs(1);
        let most = self.made_at + Span::from_secs(86_400).times(limits::AGENT_TOKEN_DAYS_MAX);
        let is_outside = |it: &Timestamp| !(least..=most).contains(it);
        let days = limits::AGENT_TOKEN_DAYS_MAX;
        let message = format!("must be from 1 second to {days} days");
        let outside = self.expires_at.filter(is_outside);
        outside.map(|_| Violation::new("expires_s", message)).into_iter().collect()
    }
}
