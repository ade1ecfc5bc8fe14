//! When a token that somebody else has signed is good. Their clock and ours may differ a little.

use crate::domain::time::{Span, Timestamp};
use crate::limits;

/// How far clocks may differ.
pub const LEEWAY: Span = Span::from_secs(limits::SIGNED_LEEWAY_SECONDS);

/// When a token says that it is good.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Validity {
    /// Until when it is good.
    pub expires_at: Option<Timestamp>,
    /// From when on it is good.
    pub not_before: Option<Timestamp>,
    /// When it was signed.
    pub issued_at: Option<Timestamp>,
}

/// Why a token is not good now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NotValid {
    /// The token never expires.
    Endless,
    /// The token has expired.
    Expired,
    /// The token is not good yet.
    Early,
}

impl Validity {
    /// When the token says that it expires, if it is good now.
    pub fn judge(&self, now: Timestamp) -> Result<Timestamp, NotValid> {
        let expires_at = self.expires_at.ok_or(NotValid::Endless)?;
        if expires_at + LEEWAY <= now {
            return Err(NotValid::Expired);
        }
        let begins = [self.not_before, self.issued_at].into_iter().flatten();
        if begins.max().is_some_and(|from| from > now + LEEWAY) {
            return Err(NotValid::Early);
        }
        Ok(expires_at)
    }
}
