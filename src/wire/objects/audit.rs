//! The entries of the audit stream, and for how long they are kept.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::domain::settings::AuditRetention;
use crate::domain::time::Timestamp;
use crate::wire::document::{self, Document, FieldError};
use crate::wire::time::At;

/// One thing that somebody did, or was refused.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AuditEntry {
    /// Its number, from 1 and without gaps.
    pub number: u64,
    /// When.
    pub at: At,
    /// What kind of thing, such as `setting_put`.
    pub kind: String,
    /// Who; absent where that is not known, or the server did it by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// About what: a kind of thing, a colon and its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// How often; more than one where repeats within a minute are told in one.
    pub times: u64,
    /// What else there is to say.
    #[schema(value_type = Object)]
    pub details: Map<String, Value>,
    /// The hash of the chain up to here, as hexadecimal digits: whoever keeps one can prove that
    /// nothing up to it was changed.
    pub hash: String,
}

impl AuditEntry {
    /// An entry as it is kept: its number, its time, its kind, who and about what, the JSON object
    /// of the rest, and its hash.
    pub fn new(
        (number, at, hash): (u64, Timestamp, String),
        kind: String,
        [by, about]: [Option<String>; 2],
        body: &str,
    ) -> Self {
        let mut details: Map<String, Value> = serde_json::from_str(body).unwrap_or_default();
        let times = details.remove("times").and_then(|times| times.as_u64()).unwrap_or(1);
        Self { number, at: At(at), kind, by, about, times, details, hash }
    }
}

/// A page of the audit stream, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditPage {
    /// The entries.
    pub entries: Vec<AuditEntry>,
    /// What to pass as `cursor` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// For how long the audit stream is kept.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[schema(as = AuditRetention)]
pub struct AuditRetentionDocument {
    /// For how many days: 1 to 36,500, or null for ever; 365 when absent.
    #[schema(minimum = 1, maximum = 36_500)]
    pub after_days: Option<u32>,
}

impl From<AuditRetention> for AuditRetentionDocument {
    fn from(retention: AuditRetention) -> Self {
        Self { after_days: retention.after_days }
    }
}

impl AuditRetentionDocument {
    /// Reads it.
    pub fn read(body: &[u8]) -> Result<AuditRetention, Vec<FieldError>> {
        let mut document = Document::parse(body)?;
        let days = |value: &Value| document::nullable(value, document::whole);
        let after_days = document.optional("after_days", days);
        document.finish()?;
        let kept = AuditRetention::default().after_days;
        Ok(AuditRetention { after_days: after_days.unwrap_or(kept) })
    }
}
