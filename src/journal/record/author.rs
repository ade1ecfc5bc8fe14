//! Who made a change of the settings: a field beside those of the change.

use serde::Deserialize;

use crate::domain::id::AgentId;
use crate::journal::record::body::Record;
use crate::journal::record::unreadable::Unreadable;

#[derive(Deserialize)]
struct Caused<'a> {
    // Later than the rest: absent in records of earlier releases, and of the server's own changes.
    #[serde(borrow)]
    by: Option<std::borrow::Cow<'a, str>>,
}

/// The record of a change with the name of who made it.
pub(super) fn by(mut record: Record, by: Option<&AgentId>) -> Record {
    if let Some(by) = by
        && record.body.pop() == Some('}')
    {
        // Every record of a change has fields, and no id holds what JSON escapes.
        for piece in [",\"by\":\"", by.as_str(), "\"}"] {
            record.body.push_str(piece);
        }
    }
    record
}

/// Who made the change with this body, where a person did.
pub(super) fn read(body: &str) -> Result<Option<AgentId>, Unreadable> {
    let Caused { by } = serde_json::from_str(body)?;
    Ok(by.map(|by| by.parse()).transpose()?)
}
