//! The secrets that an administrator replaces while the server runs, as they are asked for and
//! shown.

use std::fmt;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::time::{Span, Timestamp};
use crate::limits;
use crate::wire::document::{Document, FieldError, nullable};
use crate::wire::time::{Seconds, rfc3339};

/// How the key that signs the tokens of conversations is to be replaced.
#[derive(Clone, Debug, Eq, PartialEq, ToSchema)]
pub struct RotationDocument {
    /// For how many seconds tokens that the key before has signed are good: 0 to 2,592,000 (30
    /// days); 86,400 (a day, the longest window) when absent.
    #[schema(value_type = Option<f64>, minimum = 0, maximum = 2_592_000)]
    pub previous_s: Seconds,
}

impl RotationDocument {
    /// Reads `{previous_s}`, which may be absent or null.
    pub fn read(body: &[u8]) -> Result<Self, Vec<FieldError>> {
        let mut document = Document::parse(body)?;
        let previous_s = document.optional("previous_s", |value| nullable(value, previous));
        document.finish()?;
        let usual = Seconds(Span::from_secs(limits::SIGNING_PREVIOUS_SECONDS));
        Ok(Self { previous_s: previous_s.flatten().unwrap_or(usual) })
    }
}

fn previous(value: &serde_json::Value) -> Result<Seconds, String> {
    let most = limits::SIGNING_PREVIOUS_SECONDS_MAX;
    let seconds = Seconds::read(value)?;
    if seconds.0 <= Span::from_secs(most) {
        Ok(seconds)
    } else {
        Err(format!("must be from 0 to {most} seconds"))
    }
}

/// The key that signs the tokens of conversations, without what is secret of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SigningKeyObject {
    /// When it was made; null when it is the first one of the data directory.
    pub made_at: Option<String>,
    /// Until when tokens that the key before has signed are good; null when they are not.
    pub previous_until: Option<String>,
}

impl SigningKeyObject {
    /// The key as it is shown.
    pub fn new(made_at: Option<Timestamp>, previous_until: Option<Timestamp>) -> Self {
        Self { made_at: made_at.map(rfc3339), previous_until: previous_until.map(rfc3339) }
    }
}

/// The administrator's own token, which has just been made. It is shown this once, and kept in the
/// data directory.
#[derive(Clone, Serialize, ToSchema)]
pub struct AdministratorTokenObject {
    /// The token.
    pub token: String,
    /// When it was made.
    pub made_at: String,
}

impl AdministratorTokenObject {
    /// The token as it is shown to whoever asked for it.
    pub fn new(token: String, made_at: Timestamp) -> Self {
        Self { token, made_at: rfc3339(made_at) }
    }
}

impl fmt::Debug for AdministratorTokenObject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("AdministratorTokenObject")
            .field("made_at", &self.made_at)
            .finish_non_exhaustive()
    }
}
