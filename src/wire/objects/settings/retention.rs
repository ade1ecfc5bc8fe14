//! What becomes of chats long after they were closed, as an administrator writes it.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::domain::settings::{Disposal, Retention};
use crate::wire::document::{self, Document, FieldError, read_or_refused};
use crate::wire::enumeration::names;

/// What becomes of a chat long after it was closed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, ToSchema)]
pub struct RetentionDocument {
    /// How many days after its close: 1 to 36,500.
    #[schema(minimum = 1, maximum = 36_500)]
    pub after_days: u32,
    /// `archive`: it moves to a file that only people read. `delete`: it is deleted.
    #[schema(schema_with = disposals)]
    pub then: &'static str,
}

impl From<Retention> for RetentionDocument {
    fn from(retention: Retention) -> Self {
        let then = match retention.then {
            Disposal::Archive => "archive",
            Disposal::Delete => "delete",
        };
        Self { after_days: retention.after_days, then }
    }
}

/// Reads it; nothing when null.
pub(super) fn read(value: &Value) -> Result<Option<Retention>, Vec<FieldError>> {
    if value.is_null() {
        return Ok(None);
    }
    let mut document = Document::within("retention", value)?;
    let after_days = document.required("after_days", document::whole);
    let then = document.required("then", disposal);
    document.finish()?;
    let (after_days, then) = (read_or_refused(after_days)?, read_or_refused(then)?);
    Ok(Some(Retention { after_days, then }))
}

fn disposal(value: &Value) -> Result<Disposal, String> {
    match value.as_str() {
        Some("archive") => Ok(Disposal::Archive),
        Some("delete") => Ok(Disposal::Delete),
        _ => Err(r#"must be "archive" or "delete""#.to_owned()),
    }
}

fn disposals() -> utoipa::openapi::Schema {
    names(["archive", "delete"]).into()
}
