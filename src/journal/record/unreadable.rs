//! Why a record cannot be read.

use crate::domain::id::MalformedId;
use crate::domain::text::TextRefusal;

/// Why a record cannot be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(pub String);

impl From<serde_json::Error> for Unreadable {
    fn from(error: serde_json::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<MalformedId> for Unreadable {
    fn from(error: MalformedId) -> Self {
        Self(format!("an id is malformed: {error}"))
    }
}

impl From<TextRefusal> for Unreadable {
    fn from(error: TextRefusal) -> Self {
        Self(format!("a text {error}"))
    }
}
